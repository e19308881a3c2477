"""A sketch: few black lines on paper, moved until they look like the prompt."""

import torch

from engine.drawers.base import Start
from engine.drawers.strokes import Beginning, StrokeDrawer, beginning, on_white
from engine.settings import Settings
from engine.strokes import Strokes
from engine.strokes.placing import directions, edges, random_points, traced_points

_BLACK = (0.0, 0.0, 0.0, 1.0)
# How far apart two lines along the same edge should be, as a share of the height, and what is left
# of an edge's attraction where there is a line already.
_APART, _AGAIN = 0.06, 0.05
# Strong edges first: the chance of a line grows with this power of the change.
_CONTRAST = 2
_FAINTEST = 1e-6
# How strongly the lines are kept where a first guess had its edges: with none of it they end in
# scribbles, with much more they stay what an edge detector would draw.
_GUESS_WEIGHT = 2.0


class LineSketchDrawer(StrokeDrawer):
    """Black lines, of one width unless the limits leave room.

    Args:
        settings: resolved; `seed`, the sizes and all settings for strokes are used.
        start: a picture of the working size, along whose edges the lines begin; None for noise.
        device: where the parameters live.

    """

    guess_weight = _GUESS_WEIGHT

    def __init__(self, settings: Settings, start: Start | None, device: torch.device) -> None:
        first = beginning(settings)
        if start is None:
            points = random_points(
                first.strokes, first.curves, first.length, first.size, first.generator
            )
        else:
            points = _outlines(on_white(start), first)
        widths = torch.full((first.strokes,), sum(first.widths) / 2)
        begin = Strokes(points, widths, torch.tensor(_BLACK).repeat(first.strokes, 1))
        super().__init__(settings, begin, None, device, coloured=False)


def _outlines(picture: torch.Tensor, first: Beginning) -> torch.Tensor:
    """Lines along the edges of a picture ``[3, height, width]``, the strong edges first."""
    left, field = edges(picture), directions(picture)
    height, width = left.shape
    apart = round(_APART * height)
    lines = []
    for _ in range(first.strokes):
        # Where nothing is left to draw, or there was no edge at all, they begin anywhere.
        odds = left.flatten().clamp(min=_FAINTEST) ** _CONTRAST
        chosen = torch.multinomial(odds, 1, generator=first.generator)
        begin = torch.stack([chosen % width, chosen // width], 1) + 0.5
        lines.append(traced_points(field, begin, first.curves, first.length))
        for x, y in lines[-1][0].long().clamp(min=0).tolist():
            left[max(0, y - apart) : y + apart, max(0, x - apart) : x + apart] *= _AGAIN
    return torch.cat(lines)
