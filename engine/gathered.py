"""Views as a GPU makes them: looked up by index, with a gradient that has no order.

What is drawn on the host is there already as numbers on the device; nothing here makes a tensor on
the host or asks one back, so that all of it can be part of a CUDA graph.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from engine.covered import spread, white
from engine.sums import OrderlessSum

if TYPE_CHECKING:
    from engine.cutouts import Views


def bilinear(
    grid: torch.Tensor, layers: torch.Tensor, places: torch.Tensor, *, solid: bool = False
) -> torch.Tensor:
    """Cells looked up between their middles: ``[n, 4, size, size]``.

    Args:
        grid: ``[layers, 4, rows, columns]``.
        layers: ``[n]``, which of them each view sees.
        places: ``[n, size, size, 2]``, as `F.grid_sample` takes them; outside there is nothing.
        solid: whether the alpha of the first layer needs no gradient, which it then gets only if
            there is a second one.

    """
    seen: torch.Tensor = _Bilinear.apply(grid, layers, places, solid)
    return seen


def composed(cells: torch.Tensor, views: "Views", size: int) -> torch.Tensor:
    """Views of what each pixel finds, before their backdrops, jittered and with noise.

    Args:
        cells: ``[n, 4, size, size]``, RGB premultiplied by alpha, and alpha.
        views: on the device of the cells.
        size: side of a view in pixels.

    Returns:
        ``[n, 3, size, size]`` in about 0…1.

    """
    device = cells.device
    mix, offset = torch.split(views.colours, [3, 1], dim=2)
    found = cells.flatten(2)
    mixed = torch.baddbmm(offset, mix, found[:, :3])
    # What is behind the picture is jittered as it is, and that before it is spread.
    coarse = torch.bmm(mix, views.backdrops.flatten(2)).view_as(views.backdrops)
    spreading = _spread_on(coarse.shape[-1], size, device)
    behind = torch.flatten(spreading @ coarse @ spreading.T, 2)
    seen = torch.addcmul(mixed, 1 - found[:, 3:], behind).view(-1, 3, size, size)
    return torch.addcmul(seen, _noise(views, size, device), views.noise[:, None, None, None])


class _Bilinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch has no public type for it
        grid: torch.Tensor,
        layers: torch.Tensor,
        places: torch.Tensor,
        solid: bool,
    ) -> torch.Tensor:
        ctx.save_for_backward(layers, places)
        ctx.shape, ctx.solid = grid.shape, solid
        shown = grid.expand(len(layers), -1, -1, -1) if len(grid) == 1 else grid[layers]
        return F.grid_sample(shown, places, align_corners=False)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401
        layers, places = ctx.saved_tensors
        count, _, rows, columns = ctx.shape
        channels = 3 if ctx.solid and count == 1 else 4
        # Where a place lies between the middles of cells.
        x = (places[..., 0] + 1) * (columns / 2) - 0.5
        y = (places[..., 1] + 1) * (rows / 2) - 0.5
        left, top = x.floor(), y.floor()
        first = (layers * (rows * columns))[:, None, None]
        pull = gradient[:, :channels].transpose(0, 1)
        sums = OrderlessSum(
            channels, count * rows * columns, pull.abs().amax(), places.shape[:-1].numel()
        )
        for down in (0, 1):
            for across in (0, 1):
                row, column = top + down, left + across
                weight = (1 - (x - column).abs()) * (1 - (y - row).abs())
                inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
                cell = row.clamp(0, rows - 1) * columns + column.clamp(0, columns - 1)
                values = pull * torch.where(inside, weight, 0)
                sums.add((cell.long() + first).flatten(), values.flatten(1))
        of_grid = sums.total().view(channels, count, rows, columns).transpose(0, 1)
        return F.pad(of_grid, (0, 0, 0, 0, 0, 4 - channels)), None, None, None


@lru_cache
def _spread_on(coarse: int, size: int, device: torch.device) -> torch.Tensor:
    return spread(coarse, size).to(device)


@lru_cache
def _white_on(size: int, device: torch.device) -> torch.Tensor:
    return white(size).to(device)


def _noise(views: "Views", size: int, device: torch.device) -> torch.Tensor:
    """White noise ``[n, 3, size, size]``: for each view a part of what was drawn once for all."""
    assert views.noise_places is not None
    corners = (views.noise_places * (size + 1)).long().clamp(max=size)
    steps = torch.arange(size, device=device)
    rows, columns = corners[:, :1] + steps, corners[:, 1:] + steps
    return _white_on(size, device)[:, rows[:, :, None], columns[:, None, :]].transpose(0, 1)
