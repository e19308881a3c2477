"""Small views of cells: each pixel the mean of the cells under its sub-samples.

On a processor. Where each sub-sample looks is worked out plane by plane, so that what one operation
writes is in the cache for the next, and the gradient of each cell is summed in the order of views,
pixels and sub-samples, whatever else is drawn.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from engine.lanes import in_lanes

if TYPE_CHECKING:
    from engine.cutouts import Views

# Sub-samples a side within each view pixel: cells' edges come out antialiased.
SUPERSAMPLING = 2


def small_views(
    grids: Sequence[torch.Tensor],
    views: Sequence["Views"],
    layers: Sequence[torch.Tensor],
    size: int,
) -> torch.Tensor:
    """The views of some pictures, as `engine.cutouts.sample` has them; deterministic.

    Args:
        grids: for each picture ``[layers, 4, rows, columns]``, RGB premultiplied by alpha, and
            alpha.
        views: where to look at each.
        layers: for each ``[n]``: which layer each view sees.
        size: side of a view in pixels.

    """
    looks, first = [], 0
    for chosen, layer in zip(views, layers, strict=True):
        looks.append(_Look(chosen, layer, first, size))
        first += len(chosen)
    seen: torch.Tensor = _Small.apply(looks, size, *grids)
    return seen


class _Small(torch.autograd.Function):
    """Grids ``[layers, 4, rows, columns]`` to views ``[n, 3, size, size]`` of all of them."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch has no public type for it
        looks: list["_Look"],
        size: int,
        *grids: torch.Tensor,
    ) -> torch.Tensor:
        ctx.looks = looks
        seen = grids[0].new_empty(looks[-1].end, 3, size, size)
        in_lanes(
            partial(look.show, grid, seen[look.first : look.end])
            for look, grid in zip(looks, grids, strict=True)
        )
        return seen

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401
        pulls = in_lanes(partial(look.pull, gradient[look.first : look.end]) for look in ctx.looks)
        return None, None, *pulls


class _Look:
    """The views of one picture.

    Attributes:
        first, end: the number of the first one among all, and that after the last.

    """

    def __init__(self, views: "Views", layers: torch.Tensor, first: int, size: int) -> None:
        self._views, self._layers, self._size = views, layers, size
        self.first, self.end = first, first + len(views)
        self._colours = views.colours[..., None, None]

    @torch.no_grad()
    def show(self, grid: torch.Tensor, seen: torch.Tensor) -> None:
        """Write the views of a grid into ``[n, 3, size, size]``."""
        count, size, samples = len(self._views), self._size, SUPERSAMPLING**2
        self._shape = grid.shape
        rows, columns = grid.shape[2:]
        # Around each layer lies a border of nothing, in which all looks at what is outside end.
        cells = F.pad(grid, (1, 1, 1, 1)).movedim(1, 3).contiguous()
        # The four numbers of a cell are looked up as one of sixteen bytes.
        whole = cells.view(torch.complex128).flatten()
        self._indices = torch.empty(count, size, size, samples, dtype=torch.int32)
        total: torch.Tensor | None = None
        for number in range(samples):
            cell = cells_under(self._views, self._layers, (rows, columns), size, number)
            self._indices[..., number] = cell
            found = whole.index_select(0, cell.flatten()).view(torch.float32)
            total = found if total is None else total.add_(found)
        assert total is not None
        planes = total.div_(samples).view(count, size, size, 4).permute(0, 3, 1, 2).contiguous()
        self._backdrops = F.interpolate(
            self._views.backdrops, size=(size, size), mode="bilinear", align_corners=True
        )
        view = (1 - planes[:, 3:]).mul(self._backdrops).add_(planes[:, :3])
        colours = self._colours
        torch.mul(colours[:, :, 0], view[:, 0:1], out=seen)
        seen.add_(colours[:, :, 1] * view[:, 1:2]).add_(colours[:, :, 2] * view[:, 2:3])
        seen.add_(colours[:, :, 3]).add_(white_noise(self._views, size))

    @torch.no_grad()
    def pull(self, gradient: torch.Tensor) -> torch.Tensor:
        """The gradient of the grid, from that of the views ``[n, 3, size, size]``."""
        of_planes = gradient.new_empty(4, *gradient[:, 0].shape)
        for channel in range(3):
            of_planes[channel] = (gradient * self._colours[:, :, channel]).sum(1)
        of_view = of_planes[:3].transpose(0, 1)
        of_planes[3] = -(of_view * self._backdrops).sum(1)
        samples = self._indices.shape[-1]
        each = (of_planes / samples).flatten(1)
        layers, _, rows, columns = self._shape
        of_cells = gradient.new_zeros(4, layers * (rows + 2) * (columns + 2))
        indices = self._indices.flatten().long()
        of_cells.scatter_add_(
            1,
            indices.expand(4, -1),
            each[:, :, None].expand(-1, -1, samples).reshape(4, -1),
        )
        bordered = of_cells.view(4, layers, rows + 2, columns + 2).transpose(0, 1)
        return bordered[..., 1:-1, 1:-1]


def cells_under(
    views: "Views", layers: torch.Tensor, grid: tuple[int, int], size: int, number: int
) -> torch.Tensor:
    """The cells under one of each pixel's sub-samples: ``[n, size, size]``, int32.

    They are counted in layers with a border of one cell, where all that is outside ends.

    Args:
        views: where to look, on whatever device.
        layers: ``[n]``: which layer each view sees.
        grid: rows and columns of a layer.
        size: side of a view in pixels.
        number: which sub-sample, row by row, from 0.

    """
    rows, columns = grid
    device = views.homographies.device
    pixels = (torch.arange(size, device=device) + 0.5) * (2 / size) - 1
    parts = ((torch.arange(SUPERSAMPLING, device=device) + 0.5) / SUPERSAMPLING - 0.5) * (2 / size)
    down, right = divmod(number, SUPERSAMPLING)
    across = (pixels + parts[right])[None, None, :]
    along = (pixels + parts[down])[None, :, None]
    h = views.homographies[..., None, None]

    def plane(row: int) -> torch.Tensor:
        """``a · x + b · y + c``, rounded after each operation."""
        return (h[:, row, 0] * across + h[:, row, 1] * along).add_(h[:, row, 2])

    half = min(rows, columns) / 2
    depth = plane(2)
    x = plane(0).div_(depth).mul_(half).add_(columns / 2).floor_()
    y = plane(1).div_(depth).mul_(half).add_(rows / 2).floor_()
    if views.wraps:
        x.remainder_(columns)
        y.remainder_(rows)
    else:
        x.clamp_(-1, columns)
        y.clamp_(-1, rows)
    # Whole numbers, exact in float32 up to 2^24.
    first = layers * ((rows + 2) * (columns + 2)) + columns + 3
    return x.add_(y, alpha=columns + 2).add_(first[:, None, None]).to(torch.int32)


def white_noise(views: "Views", size: int) -> torch.Tensor:
    """The noise on views: ``[n, 3, size, size]``."""
    generator = torch.Generator("cpu").manual_seed(views.noise_seed)
    white = torch.randn(len(views), 3, size, size, generator=generator)
    return white.mul_(views.noise[:, None, None, None])
