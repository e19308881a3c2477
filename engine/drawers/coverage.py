"""How much of each pixel each cell covers: one sparse operator from cells to pixels.

The areas are exact, for any polygon. By Green's theorem the area of a polygon within a pixel is the
integral of min(max(x − left, 0), 1) dy along its border, as far as that lies between the pixel's
upper and lower edge; along a straight edge that is a difference of two quadratic functions. All
cells' pixels are computed together.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

# Below this length a difference quotient is taken as a derivative; areas below it are nothing.
_TINY = 1e-6
# Polygons are taken in groups of about so many numbers, which fit into a processor's cache.
_GROUP = 2**19


@dataclass(frozen=True)
class _Bags:
    """Weighted sums of rows of a table: the rows of each sum lie together.

    Attributes:
        rows: ``[entries]``, which row of the table.
        weights: ``[entries]``.
        offsets: ``[sums]``, where the entries of each sum begin.

    """

    rows: torch.Tensor
    weights: torch.Tensor
    offsets: torch.Tensor

    def __call__(self, table: torch.Tensor) -> torch.Tensor:
        """The sums ``[sums, channels]`` of a table ``[rows, channels]``, in a fixed order."""
        return F.embedding_bag(
            self.rows, table, self.offsets, mode="sum", per_sample_weights=self.weights
        )


class Coverage:
    """The linear map from the colours of cells to those of the pixels that they cover.

    A pixel is the average of its cells by area. The gradient is the transposed map, a sum in a
    fixed order as well, so that it is the same on any number of threads.

    Args:
        polygons: ``[n, corners, 2]``, x and y in pixels; together they cover the picture.
        owners: ``[n]``, the number of the cell that each belongs to.
        grid: (columns, rows) of the cells.
        size: width and height of the picture in pixels.
        device: where the pictures are.

    """

    def __init__(
        self,
        polygons: torch.Tensor,
        owners: torch.Tensor,
        grid: tuple[int, int],
        size: tuple[int, int],
        device: torch.device,
    ) -> None:
        self._columns, self._rows = grid
        self._width, self._height = size
        polygon, pixel, areas = covered_areas(polygons, size)
        cell = owners[polygon]
        pixels, cells = self._width * self._height, self._columns * self._rows
        areas = areas / torch.bincount(pixel, areas, pixels)[pixel]
        self._to_pixels = _bags(pixel, cell, areas, pixels, device)
        self._to_cells = _bags(cell, pixel, areas, cells, device)
        whole = torch.bincount(cell, areas, cells)[cell].clamp(min=1e-12)
        self._averages = _bags(cell, pixel, areas / whole, cells, device)

    def __call__(self, cells: torch.Tensor) -> torch.Tensor:
        """The picture ``[..., height, width]`` of cells ``[..., rows, columns]``, with gradient."""
        pixels: torch.Tensor = _Covered.apply(_table(cells), self._to_pixels, self._to_cells)
        return pixels.T.reshape(*cells.shape[:-2], self._height, self._width)

    def averages(self, picture: torch.Tensor) -> torch.Tensor:
        """The mean colours ``[..., rows, columns]`` of what each cell covers of a picture."""
        means = self._averages(_table(picture))
        return means.T.reshape(*picture.shape[:-2], self._rows, self._columns)


def _table(layers: torch.Tensor) -> torch.Tensor:
    """Layers ``[..., height, width]`` as rows of all their values at a place: ``[places, n]``."""
    return layers.reshape(-1, layers.shape[-2] * layers.shape[-1]).T.contiguous()


class _Covered(torch.autograd.Function):
    """A sparse map whose transpose is known."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, table: torch.Tensor, forth: _Bags, back: _Bags
    ) -> torch.Tensor:
        ctx.back = back  # type: ignore[attr-defined]
        return forth(table)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, gradient: torch.Tensor
    ) -> tuple[torch.Tensor, None, None]:
        return ctx.back(gradient.contiguous()), None, None  # type: ignore[attr-defined]


def covered_areas(
    polygons: torch.Tensor, size: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The areas that polygons ``[n, corners, 2]`` cover of a picture's pixels.

    Args:
        polygons: x and y in pixels, in either sense of rotation, not crossing themselves.
        size: width and height of the picture in pixels.

    Returns:
        ``[entries]`` each: the numbers of the polygon and of the pixel, counted row by row, and the
        area, above 0 and at most 1, double precision.

    """
    polygons = polygons.double()
    first = polygons.amin(1).floor()
    across, down = (polygons.amax(1).ceil() - first).amax(0).long().tolist()
    each = max(1, _GROUP // max(1, across * down))
    groups = [
        _areas(polygons[at : at + each], first[at : at + each], at, (across, down), size)
        for at in range(0, len(polygons), each)
    ]
    polygon, pixel, area = (torch.cat(parts) for parts in zip(*groups, strict=True))
    return polygon, pixel, area


def _areas(
    polygons: torch.Tensor,
    first: torch.Tensor,
    number: int,
    window: tuple[int, int],
    size: tuple[int, int],
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """As `covered_areas`, for polygons counted from `number`, each in a window from `first`."""
    left = first[:, 0, None, None] + torch.arange(window[0], dtype=torch.float64)
    top = first[:, 1, None, None] + torch.arange(window[1], dtype=torch.float64)[:, None]
    area = torch.zeros(())
    ends = torch.roll(polygons, -1, 1)
    for corner in range(polygons.shape[1]):
        x0, y0 = (polygons[:, corner, axis, None, None] for axis in (0, 1))
        x1, y1 = (ends[:, corner, axis, None, None] for axis in (0, 1))
        slope = torch.where(y1 == y0, 0.0, (x1 - x0) / torch.where(y1 == y0, 1.0, y1 - y0))
        upper, lower = y0.clamp(top, top + 1), y1.clamp(top, top + 1)
        begin, end = x0 + (upper - y0) * slope, x0 + (lower - y0) * slope
        area = area + (lower - upper) * _mean_reach(begin - left, end - left)
    area = area.abs()
    width, height = size
    inside = (area > _TINY) & (left >= 0) & (left < width) & (top >= 0) & (top < height)
    polygon = torch.arange(number, number + len(polygons))[:, None, None].expand_as(area)
    return polygon[inside], (top.long() * width + left.long())[inside], area[inside]


def _mean_reach(begin: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """The mean of min(max(x, 0), 1) for x from `begin` to `end`."""
    length = end - begin
    short = length.abs() < _TINY
    mean = (_reached(end) - _reached(begin)) / torch.where(short, 1.0, length)
    return torch.where(short, ((begin + end) / 2).clamp(0, 1), mean)


def _reached(x: torch.Tensor) -> torch.Tensor:
    """The integral of min(max(x, 0), 1) up to x."""
    return x.clamp(0, 1).square() / 2 + (x - 1).clamp(min=0)


def _bags(
    sums: torch.Tensor, rows: torch.Tensor, weights: torch.Tensor, count: int, device: torch.device
) -> _Bags:
    """The entries in the order of their sums, and within each sum in that of the polygons."""
    order = sums.argsort(stable=True)
    lengths = torch.bincount(sums, minlength=count)
    return _Bags(
        rows[order].to(device),
        weights[order].float().to(device),
        (lengths.cumsum(0) - lengths).to(device),
    )
