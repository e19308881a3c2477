"""Regions of cells that grow, shrink and move from one picture to another.

Shape-based interpolation (Raya & Udupa 1990): between two pictures not the cells are mixed but
their distances from the border of each region. Every cell belongs to one region at any time, and
the borders move.
"""

from collections.abc import Callable

import torch

# Farther than any two cells are.
_FAR = 1e6


def moving_regions(
    first: torch.Tensor, last: torch.Tensor, count: int, *, wraps: bool = False
) -> Callable[[float], torch.Tensor]:
    """How deep each cell is in each region, at any share of the way.

    A region that one picture lacks is everywhere as far there as it is deep in the other.

    Args:
        first: the regions' numbers ``[rows, columns]``, 0…count − 1, or −1 for none.
        last: the same of the other picture.
        count: of regions.
        wraps: whether the cells go on from each border at the opposite one.

    Returns:
        For a share of the way, 0…1, depths ``[count, rows, columns]`` in cells, negative outside;
        the deepest region is the cell's.

    """
    begin, end = (_depths(numbers, count, wraps=wraps) for numbers in (first, last))
    for depths, others in ((begin, end), (end, begin)):
        lacking = depths.amax((1, 2)) < 0
        deepest = others.amax((1, 2))
        far = torch.where(deepest > 0, -deepest, -_FAR)
        depths[lacking] = far[lacking, None, None]
    return lambda share: (1 - share) * begin + share * end


def _depths(numbers: torch.Tensor, count: int, *, wraps: bool) -> torch.Tensor:
    """Distances from the borders of regions ``[count, rows, columns]``, negative outside."""
    depths = torch.empty(count, *numbers.shape, device=numbers.device)
    for number in range(count):
        inside = numbers == number
        # A border lies half-way between the centres of two cells.
        out = (_distance(inside, wraps=wraps) - 0.5).clamp(min=0)
        within = (_distance(~inside, wraps=wraps) - 0.5).clamp(min=0)
        depths[number] = within.clamp(max=max(numbers.shape)) - out
    return depths


def _distance(mask: torch.Tensor, *, wraps: bool) -> torch.Tensor:
    """Of each cell ``[rows, columns]`` from the nearest one of a mask, in cells.

    Exact, and taken apart into columns and rows (Felzenszwalb & Huttenlocher 2012).
    """
    squares = torch.where(mask, 0.0, _FAR**2)
    for _ in range(2):
        size = len(squares)
        place = torch.arange(size, device=mask.device)
        steps = (place[:, None] - place[None, :]).abs()
        if wraps:
            steps = torch.minimum(steps, size - steps)
        squares = (squares[None] + steps.square()[..., None]).amin(1).T
    return squares.sqrt()
