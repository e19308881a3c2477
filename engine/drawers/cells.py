"""The cells of a picture: their outlines, and which of them mirror others."""

import torch

from engine.tilings import Tiling

# Outlines that only touch the picture, but for rounding, are left out.
_OUTSIDE = 1e-9


def cell_polygons(
    tiling: Tiling, grid: tuple[int, int], wraps: tuple[bool, bool] = (False, False)
) -> tuple[torch.Tensor, torch.Tensor]:
    """The outlines of all cells of a picture, which they cover and overhang.

    Args:
        tiling: the shape of the cells.
        grid: how many columns and rows there are.
        wraps: whether cells that overhang a border come in at the opposite one, in x and in y; such
            a cell has an outline at each.

    Returns:
        ``[n, corners, 2]``, x and y in units of the picture's width and height, and ``[n]``, the
        number of the cell that each outline belongs to, counted row by row.

    """
    across, down = (
        torch.arange(-2, count + 2) if wrap else torch.arange(count)
        for count, wrap in zip(grid, wraps, strict=True)
    )
    row, column = (places.flatten() for places in torch.meshgrid(down, across, indexing="ij"))
    corners = torch.tensor(tiling.corners, dtype=torch.float64).expand(len(row), -1, 2).clone()
    if tiling.flips:
        heads = (row + column) % 2 == 1
        corners[heads, :, 1] = 1 - corners[heads, :, 1]
    corners[..., 0] += (column + tiling.shift * torch.where(row % 2 == 0, -1, 1))[:, None]
    corners[..., 1] += row[:, None]
    left, top, right, bottom = tiling.margins
    begin = [
        origin if wrap else margin
        for origin, margin, wrap in zip(tiling.origin, (left, top), wraps, strict=True)
    ]
    side = [
        count if wrap else count - margin
        for count, margin, wrap in zip(grid, (left + right, top + bottom), wraps, strict=True)
    ]
    placed = (corners - torch.tensor(begin, dtype=torch.float64)) / torch.tensor(
        side, dtype=torch.float64
    )
    within = ((placed.amax(1) > _OUTSIDE) & (placed.amin(1) < 1 - _OUTSIDE)).all(1)
    owners = (row % grid[1]) * grid[0] + column % grid[0]
    return placed[within], owners[within]


def originals(tiling: Tiling, grid: tuple[int, int], symmetry: str) -> torch.Tensor:
    """The number of the cell that each cell of a mirrored picture has its colour from: ``[cells]``.

    Cells beyond the middle have it from those that they mirror. In the axes of the symmetry the
    picture repeats (`engine.tilings.wrapping`).
    """
    columns, rows = grid
    row = torch.arange(rows)[:, None].expand(rows, columns)
    column = torch.arange(columns).expand(rows, columns)
    if "x" in symmetry:
        shift = tiling.shift * torch.where(row % 2 == 0, -1, 1)
        opposite = (2 * tiling.origin[0] - 2 * shift + columns - 1 - column).round().long()
        beyond = column + 0.5 + shift > tiling.origin[0] + columns / 2
        column = torch.where(beyond, opposite % columns, column)
    if "y" in symmetry:
        opposite = (2 * tiling.origin[1] + rows - 1 - row).round().long()
        beyond = row + 0.5 > tiling.origin[1] + rows / 2
        row = torch.where(beyond, opposite % rows, row)
    return (row * columns + column).flatten()
