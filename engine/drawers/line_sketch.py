"""A sketch: few black lines on paper, moved until they look like the prompt."""

import torch

from engine.drawers.base import Start
from engine.drawers.strokes import StrokeDrawer, curve_length, on_white, width_limits, working_size
from engine.settings import Settings
from engine.streams import stream
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
        assert settings.seed is not None
        assert settings.strokes is not None
        assert settings.stroke_length is not None
        count, curves = settings.strokes, settings.stroke_length
        size, length = working_size(settings), curve_length(settings)
        generator = stream(settings.seed, "line_sketch/start")
        if start is None:
            points = random_points(count, curves, length, size, generator)
        else:
            points = _outlines(on_white(start), count, curves, length, generator)
        widths = torch.full((count,), sum(width_limits(settings)) / 2)
        begin = Strokes(points, widths, torch.tensor(_BLACK).repeat(count, 1))
        super().__init__(settings, begin, None, device, coloured=False)


def _outlines(
    picture: torch.Tensor, count: int, curves: int, length: float, generator: torch.Generator
) -> torch.Tensor:
    """Lines along the edges of a picture ``[3, height, width]``, the strong edges first."""
    left, field = edges(picture), directions(picture)
    height, width = left.shape
    apart = round(_APART * height)
    lines = []
    for _ in range(count):
        # Where nothing is left to draw, or there was no edge at all, they begin anywhere.
        odds = left.flatten().clamp(min=_FAINTEST) ** _CONTRAST
        chosen = torch.multinomial(odds, 1, generator=generator)
        begin = torch.stack([chosen % width, chosen // width], 1) + 0.5
        lines.append(traced_points(field, begin, curves, length))
        for x, y in lines[-1][0].long().clamp(min=0).tolist():
            left[max(0, y - apart) : y + apart, max(0, x - apart) : x + apart] *= _AGAIN
    return torch.cat(lines)
