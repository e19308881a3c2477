"""CLIPDraw (Frans et al. 2021): strokes of any colour, width and opacity on paper.

From nothing they begin anywhere, in any colour. From a picture they begin as a painter's would
(Hertzmann 1998): along its lines, in its colours, the wide ones first.
"""

import torch

from engine.drawers.base import Start
from engine.drawers.strokes import StrokeDrawer, beginning, on_white
from engine.settings import Settings
from engine.strokes import Strokes
from engine.strokes.placing import directions, looked_up, random_points, traced_points

# How opaque strokes from a picture are at first: those below can still come through.
_OPACITY = 0.8
# How strongly they are kept near a first guess. With more the strokes melt into a smooth picture.
_GUESS_WEIGHT = 6.0


class ClipDrawDrawer(StrokeDrawer):
    """Strokes in colour.

    Args:
        settings: resolved; `seed`, the sizes and all settings for strokes are used.
        start: a picture of the working size, or None for noise.
        device: where the parameters live.

    """

    guess_weight = _GUESS_WEIGHT

    def __init__(self, settings: Settings, start: Start | None, device: torch.device) -> None:
        first = beginning(settings)
        count, generator = first.strokes, first.generator
        low, high = first.widths
        widths = low + (high - low) * torch.rand(count, generator=generator)
        if start is None:
            picture = None
            points = random_points(count, first.curves, first.length, first.size, generator)
            colours = torch.rand(count, 4, generator=generator)
        else:
            picture = on_white(start)
            begin = torch.rand(count, 2, generator=generator) * torch.tensor(first.size)
            points = traced_points(directions(picture), begin, first.curves, first.length)
            colours = looked_up(picture, begin)
            colours = torch.cat([colours, torch.full_like(colours[:, :1], _OPACITY)], 1)
            widths = widths.sort(descending=True).values
        super().__init__(settings, Strokes(points, widths, colours), picture, device)
