"""Strokes as cubic Bézier curves, and the short straight lines that are drawn for them."""

from dataclasses import dataclass

import torch

# How far a line may be from its curve, in pixels, and how many lines a curve may become.
TOLERANCE = 0.1
_MOST_LINES = 64


@dataclass(frozen=True)
class Strokes:
    """Strokes with round caps and joins, from the backmost to the foremost.

    Attributes:
        points: ``[strokes, 3 · curves + 1, 2]``: x and y in pixels; pixel centres are at halves.
            Each curve goes on from the last point of the one before.
        widths: ``[strokes]``, in pixels, above 0.
        colours: ``[strokes, 4]``: RGB, not premultiplied, and alpha, in 0…1.

    """

    points: torch.Tensor
    widths: torch.Tensor
    colours: torch.Tensor

    def stretched(self, across: float, down: float) -> "Strokes":
        """The same strokes on a canvas that is `across` times as wide and `down` times as high.

        Where the two differ, the widths of strokes take their geometric mean.
        """
        factors = self.points.new_tensor([across, down])
        return Strokes(self.points * factors, self.widths * (across * down) ** 0.5, self.colours)


@dataclass(frozen=True)
class Lines:
    """Straight pieces of strokes, in the order of the strokes.

    Attributes:
        starts, ends: ``[lines, 2]``: x and y in pixels.
        owners: ``[lines]``: the number of the stroke that each is a piece of, ascending.

    """

    starts: torch.Tensor
    ends: torch.Tensor
    owners: torch.Tensor


def flatten(points: torch.Tensor, tolerance: float = TOLERANCE) -> Lines:
    """Cut curves into lines, the more the more they bend; differentiable.

    How many a curve needs is Wang's bound on its second differences (Sederberg, Computer Aided
    Geometric Design, 10.6).

    Args:
        points: as `Strokes` has them.
        tolerance: how far a line may be from its curve, in pixels.

    """
    strokes, count, _ = points.shape
    curves = (count - 1) // 3
    controls = points.unfold(1, 4, 3).reshape(strokes * curves, 2, 4)
    with torch.no_grad():
        bend = controls[..., 2:] - 2 * controls[..., 1:3] + controls[..., :2]
        most = bend.square().sum(1).amax(1).sqrt()
        pieces = (0.75 * most / tolerance).sqrt().ceil().clamp(1, _MOST_LINES).long()
        numbers = torch.arange(strokes * curves, device=points.device)
        curve = torch.repeat_interleave(numbers, pieces)
        first = pieces.cumsum(0) - pieces
        piece = torch.arange(len(curve), device=points.device) - first[curve]
        share = pieces[curve].to(points.dtype)
    chosen = controls.index_select(0, curve)
    starts = _at(chosen, piece / share)
    ends = _at(chosen, (piece + 1) / share)
    return Lines(starts, ends, curve // curves)


def _at(controls: torch.Tensor, time: torch.Tensor) -> torch.Tensor:
    """The points ``[n, 2]`` of curves ``[n, 2, 4]`` at times ``[n]`` in 0…1."""
    left = 1 - time
    weights = torch.stack(
        [left**3, 3 * left**2 * time, 3 * left * time**2, time**3],
        1,
    )
    return (controls * weights[:, None]).sum(2)
