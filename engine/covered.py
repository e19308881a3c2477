"""Large views of cells, each pixel the mean of what it covers, without sub-samples.

A pixel of a large view is smaller than about two cells, so that along each axis it covers one cell
or the two beside an edge. How much of each follows from how far the edge is from its middle: the
mean is a bilinear look-up at a place that is moved towards the nearest edge (as games scale pixel
art up). One look-up a pixel instead of several, and no sort of them all for the gradient.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from engine.streams import stream

if TYPE_CHECKING:
    from engine.cutouts import Views

# Views are worked on some at a time: what one operation writes is in the cache for the next.
_TOGETHER = 4
# Of which so many at a time in the gradient, each on a thread of its own.
_LANES = 2
_BILINEAR, _ZEROS = 0, 0


def covered_views(
    grid: torch.Tensor, views: "Views", layers: torch.Tensor, size: int
) -> torch.Tensor:
    """The views of one picture, as `engine.cutouts.sample` has them; deterministic on a CPU.

    Args:
        grid: ``[layers, 4, rows, columns]``, RGB premultiplied by alpha, and alpha.
        views: where to look.
        layers: ``[n]``: which layer each view sees.
        size: side of a view in pixels.

    """
    rows, columns = grid.shape[2:]
    if views.wraps:
        grid = F.pad(grid, (1, 1, 1, 1), mode="circular")
    some = [
        _Some(views, first, layers, (columns, rows), size)
        for first in range(0, len(layers), _TOGETHER)
    ]
    seen: torch.Tensor = _Covered.apply(grid, some, size)
    return seen


class _Covered(torch.autograd.Function):
    """A grid ``[layers, 4, rows, columns]`` to views ``[n, 3, size, size]``."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch has no public type for it
        grid: torch.Tensor,
        some: list["_Some"],
        size: int,
    ) -> torch.Tensor:
        ctx.save_for_backward(grid)
        ctx.some = some
        seen = grid.new_empty(some[-1].end, 3, size, size)
        for each in some:
            shown = each.shown(grid, len(each.layers))
            cells = F.grid_sample(shown, each.places, align_corners=False).flatten(2)
            mine = seen[each.first : each.end]
            mixed = mine.view(-1, 3, size * size)
            torch.baddbmm(each.offset, each.mix, cells[:, :3], out=mixed)
            mixed.addcmul_(cells[:, 3:] - 1, each.taken_away())
            for view, (part, strength) in zip(mine, each.noise, strict=True):
                view.add_(part, alpha=strength)
        return seen

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401
        (grid,) = ctx.saved_tensors
        size = gradient.shape[-1]
        of_grid = torch.zeros_like(grid)
        for each in ctx.some:
            pull = gradient[each.first : each.end].flatten(2)
            lanes = each.lanes(grid)
            of_cells = pull.new_empty(lanes, 4, len(pull) // lanes, size * size)
            by_view = of_cells.transpose(1, 2)
            by_view[:, :, :3] = _in_lanes(torch.bmm(each.mix.transpose(1, 2), pull), lanes)
            by_view[:, :, 3] = _in_lanes((pull * each.taken_away()).sum(1), lanes)
            of_shown, _ = torch.ops.aten.grid_sampler_2d_backward(
                of_cells.view(lanes, 4, -1, size),
                each.shown(grid, lanes),
                each.places.view(lanes, -1, size, 2),
                *(_BILINEAR, _ZEROS, False),
                [True, False],
            )
            if len(grid) == 1:
                of_grid += of_shown.sum(0, keepdim=True)
            else:
                of_grid.index_add_(0, each.layers, of_shown)
        return of_grid, None, None


def _in_lanes(values: torch.Tensor, lanes: int) -> torch.Tensor:
    """``[n, ...]`` → ``[lanes, n ÷ lanes, ...]``."""
    return values.view(lanes, -1, *values.shape[1:])


class _Some:
    """Some views that follow one another.

    Attributes:
        first, end: the number of the first one, and that after the last.
        layers: ``[n]``, which layer each sees.
        places: ``[n, size, size, 2]``, where to look, as `F.grid_sample` takes it.
        mix, offset: ``[n, 3, 3]`` and ``[n, 3, 1]``, the jitter of colours.
        noise: for each white noise ``[3, size, size]`` and its strength.

    """

    def __init__(
        self, views: "Views", first: int, layers: torch.Tensor, cells: tuple[int, int], size: int
    ) -> None:
        mine = slice(first, first + _TOGETHER)
        self.layers = layers[mine]
        self.first, self.end = first, first + len(self.layers)
        self.places = looked_at(views.homographies[mine], cells, size, wraps=views.wraps)
        self.mix, self.offset = torch.split(views.colours[mine], [3, 1], dim=2)
        self.noise = [
            (_noise(views, number, size), views.noise[number].item())
            for number in range(self.first, self.end)
        ]
        # What is behind the picture is jittered as it is, and that before it is spread.
        coarse = -self.mix @ views.backdrops[mine].flatten(2)
        self._coarse = coarse.view_as(views.backdrops[mine])
        self._size = size

    def shown(self, grid: torch.Tensor, times: int) -> torch.Tensor:
        """The layer that each sees, or the only one so many times without a copy."""
        return grid.expand(times, -1, -1, -1) if len(grid) == 1 else grid[self.layers]

    def lanes(self, grid: torch.Tensor) -> int:
        """How many pictures the views are for the gradient.

        Views of one layer may follow one another as one high view: a picture's gradient is zeroed
        and summed for each of these only.
        """
        together = len(grid) == 1 and len(self.layers) % _LANES == 0
        return _LANES if together else len(self.layers)

    def taken_away(self) -> torch.Tensor:
        """Minus what is behind the picture: what an alpha of 1 adds, ``[n, 3, size · size]``."""
        spreading = spread(self._coarse.shape[-1], self._size)
        return torch.flatten(spreading @ self._coarse @ spreading.T, 2)


def looked_at(
    homographies: torch.Tensor, cells: tuple[int, int], size: int, *, wraps: bool
) -> torch.Tensor:
    """Where each view pixel looks a layer up: ``[n, size, size, 2]``, −1…1 across the layer."""
    steps = (torch.arange(size, device=homographies.device) + 0.5) * (2 / size) - 1
    half = min(cells) / 2
    nearness = _plane(homographies[:, 2], steps).reciprocal_()
    places = homographies.new_empty(len(homographies), size, size, 2)
    for axis, count in enumerate(cells):
        # In cells from the picture's left or upper border on.
        row = half * homographies[:, axis] + count / 2 * homographies[:, 2]
        place = _plane(row, steps).mul_(nearness)
        covered = half * homographies[:, axis, :2].norm(dim=1) * (2 / size)
        a_pixel = covered.clamp(min=1e-6).reciprocal()[:, None, None]
        edge = place.round()
        place.sub_(edge).mul_(a_pixel).clamp_(-0.5, 0.5).add_(edge)
        if wraps:
            # A cell of the other side is beyond each border.
            place.remainder_(count).add_(1)
            count += 2
        torch.sub(place.mul_(2 / count), 1, out=places[..., axis])
    return places


def _plane(row: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """``a · x + b · y + c`` for rows ``[n, 3]`` at each pixel: ``[n, size, size]``."""
    across = row[:, :1] * steps + row[:, 2:]
    return across[:, None, :] + (row[:, 1:2] * steps)[:, :, None]


@lru_cache
def spread(coarse: int, size: int) -> torch.Tensor:
    """Linear interpolation whose ends lie in the corners: ``[size, coarse]``."""
    place = torch.linspace(0, coarse - 1, size)
    return (1 - (place[:, None] - torch.arange(coarse)).abs()).clamp(min=0)


@lru_cache
def white(size: int) -> torch.Tensor:
    """White noise ``[3, 2 · size, 2 · size]`` that views take a part of."""
    return torch.randn(3, 2 * size, 2 * size, generator=stream(0, "covered/noise"))


def _noise(views: "Views", number: int, size: int) -> torch.Tensor:
    """White noise ``[3, size, size]`` for a view: a part of what was drawn once for all."""
    generator = torch.Generator("cpu").manual_seed((views.noise_seed + number) % 2**62)
    top, left = torch.randint(size + 1, (2,), generator=generator).tolist()
    return white(size)[:, top : top + size, left : left + size]
