"""A pyramid of grids: numbers for all cells, changed from coarse to fine.

Coarse grids move whole areas at once, fine grids add the detail, so that shapes form before
texture does; a single grid would settle into noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from collections.abc import Callable

COARSEST_CELLS = 4
# A background is made of so many of the coarsest grids only.
BACKGROUND_GRIDS = 2
# A subject that starts from noise is a disc in the middle: logits of its alpha.
_ALPHA_MIDDLE, _ALPHA_EDGE = 0.5, -3.0

# How much of a step a grid passes on, compared with the next coarser one: with 1 the finest grids
# fill the picture with ripples that only the perceptor sees.
_DETAIL = 0.5
# And how much of one the areas do: what is all of one colour can change it quickly.
_AREAS = 2.0


class Pyramid:
    """What a field starts as, plus the sum of its grids, each spread over all cells.

    Args:
        base: ``[channels, rows, columns]``; what the field is before the first step.
        grids: how many of the coarsest grids there are; None for all, up to one number a cell.
        share: how much of a step all grids pass on, times `_DETAIL` for each finer grid.
        wraps: whether the field goes on from each border at the opposite one.
        areas: ``[rows, columns]``, numbers from 0: below the grids, each area changes as a whole.

    """

    def __init__(
        self,
        base: torch.Tensor,
        grids: int | None = None,
        share: float = 1.0,
        *,
        wraps: bool = False,
        areas: torch.Tensor | None = None,
    ) -> None:
        channels, rows, columns = base.shape
        shapes = pyramid_shapes(rows, columns)[:grids]
        self.base = base
        self.levels = [
            torch.zeros(channels, *shape, device=base.device, requires_grad=True)
            for shape in shapes
        ]
        self._shares = [share * _DETAIL**number for number in range(len(shapes))]
        self._spreads: list[Callable[[torch.Tensor], torch.Tensor]] = [
            _Spread((rows, columns), shape, base.device, wraps=wraps) for shape in shapes
        ]
        if areas is not None:
            count = int(areas.max()) + 1
            changes = torch.zeros(channels, count, device=base.device, requires_grad=True)
            self.levels.insert(0, changes)
            self._shares.insert(0, _AREAS)
            self._spreads.insert(0, _Areas(areas.to(base.device)))

    def field(self) -> torch.Tensor:
        """The numbers of all cells: ``[channels, rows, columns]``."""
        field = self.base
        for level, share, spread in zip(self.levels, self._shares, self._spreads, strict=True):
            field = field + share * spread(level)
        return field

    @torch.no_grad()
    def become(self, field: torch.Tensor) -> None:
        """Start anew from the numbers of all cells ``[channels, rows, columns]``."""
        self.base.copy_(field)
        for level in self.levels:
            level.zero_()


class _Areas:
    """The number of its area ``[channels, areas]`` for each cell: ``[channels, *shape]``."""

    def __init__(self, areas: torch.Tensor) -> None:
        self._areas = areas

    def __call__(self, level: torch.Tensor) -> torch.Tensor:
        # The gradient is a sum in a fixed order.
        return F.embedding(self._areas, level.T).permute(2, 0, 1)


class _Spread:
    """Linear interpolation of a grid ``[channels, *coarse]`` to ``[channels, *fine]``."""

    def __init__(
        self,
        fine: tuple[int, int],
        coarse: tuple[int, int],
        device: torch.device,
        *,
        wraps: bool,
    ) -> None:
        self._same = fine == coarse
        self._down = _interpolation(fine[0], coarse[0], wraps=wraps).to(device)
        self._across = _interpolation(fine[1], coarse[1], wraps=wraps).to(device)

    def __call__(self, level: torch.Tensor) -> torch.Tensor:
        return level if self._same else self._down @ level @ self._across.T


def pyramid_shapes(rows: int, columns: int) -> list[tuple[int, int]]:
    """(rows, columns) of each grid, from the coarsest to the full one, each twice the last."""
    shapes = [(rows, columns)]
    while min(shapes[0]) >= 2 * COARSEST_CELLS:
        height, width = shapes[0]
        shapes.insert(0, (round(height / 2), round(width / 2)))
    return shapes


def noise(
    channels: int, rows: int, columns: int, generator: torch.Generator, *, wraps: bool = False
) -> torch.Tensor:
    """Noise of all scales ``[channels, rows, columns]``: each grid adds its share of it."""
    shapes = pyramid_shapes(rows, columns)
    field = torch.zeros(channels, rows, columns)
    for number, shape in enumerate(shapes):
        level = torch.randn(channels, *shape, generator=generator)
        spread = _Spread((rows, columns), shape, field.device, wraps=wraps)
        field += _DETAIL**number * spread(level) / len(shapes) ** 0.5
    return field


def softened(field: torch.Tensor, grids: int, *, wraps: bool = False) -> torch.Tensor:
    """A field ``[channels, rows, columns]`` as soft as so many of its coarsest grids are."""
    _, rows, columns = field.shape
    coarse = pyramid_shapes(rows, columns)[:grids][-1]
    spread = _Spread((rows, columns), coarse, field.device, wraps=wraps)
    return spread(F.adaptive_avg_pool2d(field, coarse))


def middle_bump(columns: int, rows: int) -> torch.Tensor:
    """Logits of alpha ``[rows, columns]``: a disc in the middle that fades to the edge."""
    shorter = min(columns, rows)
    down = torch.linspace(-1, 1, rows)[:, None] * rows / shorter
    across = torch.linspace(-1, 1, columns)[None, :] * columns / shorter
    distance = (down**2 + across**2).sqrt().clamp(max=1)
    return _ALPHA_MIDDLE + (_ALPHA_EDGE - _ALPHA_MIDDLE) * distance


def mirrored(field: torch.Tensor, symmetry: str) -> torch.Tensor:
    """The left and upper halves of ``[..., rows, columns]``, mirrored over the others as asked.

    Both halves are the same numbers, so that the symmetry is exact.
    """
    if "x" in symmetry:
        field = _mirrored(field, -1)
    if "y" in symmetry:
        field = _mirrored(field, -2)
    return field


def _mirrored(field: torch.Tensor, axis: int) -> torch.Tensor:
    size = field.shape[axis]
    half = field.narrow(axis, 0, (size + 1) // 2)
    return torch.cat([half, half.narrow(axis, 0, size // 2).flip(axis)], axis)


def _interpolation(fine: int, coarse: int, *, wraps: bool) -> torch.Tensor:
    """Linear interpolation from `coarse` to `fine` cells as a matrix ``[fine, coarse]``."""
    place = (torch.arange(fine) + 0.5) * (coarse / fine) - 0.5
    if not wraps:
        place = place.clamp(0, coarse - 1)
    distance = (place[:, None] - torch.arange(coarse)[None, :]).abs()
    if wraps:
        distance = torch.minimum(distance, coarse - distance)
    return (1 - distance).clamp(min=0)
