"""Views of cells, each pixel the mean of what it covers, without sub-samples.

A pixel is mostly smaller than two cells, so that along each axis it covers one cell or the two
beside an edge. How much of each follows from how far the edge is from its middle: the mean is a
bilinear look-up at a place that is moved towards the nearest edge (as games scale pixel art up).
One look-up a pixel instead of several, and no sort of them all for the gradient; and nearer to the
true mean than four sub-samples are, with larger pixels too.
"""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from engine.lanes import in_lanes
from engine.streams import stream

if TYPE_CHECKING:
    from engine.cutouts import Views

_BILINEAR, _ZEROS = 0, 0


def covered_views(
    grids: Sequence[torch.Tensor],
    views: Sequence["Views"],
    layers: Sequence[torch.Tensor],
    size: int,
    *,
    together: int,
) -> torch.Tensor:
    """The views of some pictures, as `engine.cutouts.sample` has them; deterministic on a CPU.

    Args:
        grids: for each picture ``[layers, 4, rows, columns]``, RGB premultiplied by alpha, and
            alpha.
        views: where to look at each.
        layers: for each ``[n]``, which layer each view sees.
        size: side of a view in pixels.
        together: how many of a picture are worked on at a time. The first of so many should see the
            first layer: if that is solid, they need no gradient of its alpha.

    """
    some, before = [], 0
    for number, (grid, chosen, seen_layers) in enumerate(zip(grids, views, layers, strict=True)):
        for first in range(0, len(chosen), together):
            mine = range(first, min(first + together, len(chosen)))
            some.append(_Some(number, chosen, mine, before, seen_layers, grid.shape, size))
        before += len(chosen)
    frames = [framed(grid, wraps=each.wraps) for grid, each in zip(grids, views, strict=True)]
    seen: torch.Tensor = _Covered.apply(some, size, *frames)
    return seen


def framed(grid: torch.Tensor, *, wraps: bool) -> torch.Tensor:
    """A grid as `looked_at` looks it up, with an even number of rows and columns.

    One that wraps has cells of the other side beyond each border; a last row or column is nothing.
    """
    if wraps:
        grid = F.pad(grid, (1, 1, 1, 1), mode="circular")
    rows, columns = grid.shape[2:]
    return F.pad(grid, (0, columns % 2, 0, rows % 2))


class _Covered(torch.autograd.Function):
    """Framed grids ``[layers, 4, rows, columns]`` to views ``[n, 3, size, size]`` of all."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch has no public type for it
        some: list["_Some"],
        size: int,
        *grids: torch.Tensor,
    ) -> torch.Tensor:
        ctx.some = some
        ctx.shapes = [grid.shape for grid in grids]
        seen = grids[0].new_empty(some[-1].place.stop, 3, size, size)
        in_lanes(partial(each.show, grids[each.picture], seen[each.place]) for each in some)
        return seen

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401
        pulls = in_lanes(
            partial(each.pull, gradient[each.place], ctx.shapes[each.picture]) for each in ctx.some
        )
        of_grids: list[torch.Tensor | None] = [None] * len(ctx.shapes)
        for each, pull in zip(ctx.some, pulls, strict=True):
            so_far = of_grids[each.picture]
            of_grids[each.picture] = pull if so_far is None else so_far.add_(pull)
        return None, None, *of_grids


class _Some:
    """Some views of a picture that follow one another.

    What jitters the colours of a view is linear, as its look-up is. So it is done to the cells,
    which are fewer: what is looked up has the view's colours already.

    Attributes:
        picture: its number.
        place: where they are among the views of all pictures.

    """

    def __init__(
        self,
        picture: int,
        views: "Views",
        mine: range,
        before: int,
        layers: torch.Tensor,
        shape: torch.Size,
        size: int,
    ) -> None:
        self.picture = picture
        self.place = slice(before + mine.start, before + mine.stop)
        some = slice(mine.start, mine.stop)
        self._views, self._numbers, self._size = views, mine, size
        self._cells = (shape[3], shape[2])
        self._homographies = views.homographies[some]
        self._layers = layers[some]
        self._colours = views.colours[some]
        # Minus what is behind the picture, in the view's colours: what an alpha of 1 adds. It is
        # jittered before it is spread.
        mix, offset = torch.split(self._colours, [3, 1], dim=2)
        backdrops = views.backdrops[some]
        coarse = torch.baddbmm(offset, mix, backdrops.flatten(2)).neg_()
        self._coarse = coarse.view_as(backdrops)
        # These ask for a gradient of the alpha: all but the first ones that see what is solid.
        solid = next((i for i, layer in enumerate(self._layers.tolist()) if layer), len(mine))
        self._clear = slice(solid if views.solid else 0, None)

    @torch.no_grad()
    def show(self, grid: torch.Tensor, seen: torch.Tensor) -> None:
        """Write the views of a framed grid into ``[n, 3, size, size]``."""
        wraps = self._views.wraps
        self._places = looked_at(self._homographies, self._cells, self._size, wraps=wraps)
        found = F.grid_sample(self._jittered(grid), self._places, align_corners=False)
        for view, colours, number in zip(seen, found[:, :3], self._numbers, strict=True):
            strength = self._views.noise[number].item()
            part = _noise(self._views, number, self._size)
            torch.add(colours, part, alpha=strength, out=view)
        seen.addcmul_(found[:, 3:].sub_(1), self._taken_away(slice(None)))

    @torch.no_grad()
    def pull(self, gradient: torch.Tensor, shape: torch.Size) -> torch.Tensor:
        """The gradient of a framed grid of this shape, from that of the views."""
        of_rgb = _spread_back(gradient, self._places, shape).flatten(2)
        of_colours = self._colours.transpose(1, 2)
        clear = gradient[self._clear]
        of_alpha = None
        if len(clear):
            taken_away = self._taken_away(self._clear)
            pull = clear[:, :1] * taken_away[:, :1]
            for channel in (1, 2):
                one = slice(channel, channel + 1)
                pull.addcmul_(clear[:, one], taken_away[:, one])
            of_alpha = _spread_back(pull, self._places[self._clear], shape).flatten(1)
        of_grid = gradient.new_zeros(shape)
        by_layer = of_grid.flatten(2)
        if len(by_layer) == 1:
            torch.mm(of_colours.transpose(0, 1).flatten(1), of_rgb.flatten(0, 1), out=by_layer[0])
        else:
            by_layer.index_add_(0, self._layers, torch.bmm(of_colours, of_rgb))
        if of_alpha is not None:
            by_layer[:, 3].index_add_(0, self._layers[self._clear], of_alpha)
        if self._views.solid:
            by_layer[0, 3].zero_()
        return of_grid

    def _jittered(self, grid: torch.Tensor) -> torch.Tensor:
        """What each view sees of a grid, in its own colours: ``[n, 4, rows, columns]``."""
        alpha = torch.tensor([0.0, 0.0, 0.0, 1.0]).expand(len(self._layers), 1, 4)
        colours = torch.cat([self._colours, alpha], 1)
        if len(grid) == 1:
            shown = torch.mm(colours.flatten(0, 1), grid[0].flatten(1))
        else:
            shown = torch.bmm(colours, grid[self._layers].flatten(2))
        return shown.view(-1, *grid.shape[1:])

    def _taken_away(self, some: slice) -> torch.Tensor:
        """Minus what is behind the picture in some of the views: ``[n, 3, size, size]``."""
        spreading = spread(self._coarse.shape[-1], self._size)
        return spreading @ self._coarse[some] @ spreading.T


def _spread_back(pull: torch.Tensor, places: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """The gradient of what a look-up ``[n, c, size, size]`` was in: ``[n, c, rows, columns]``."""
    looked_up_in = pull.new_empty(()).expand(*pull.shape[:2], *shape[2:])
    of_shown: torch.Tensor
    of_shown, _ = torch.ops.aten.grid_sampler_2d_backward(
        *(pull, looked_up_in, places, _BILINEAR, _ZEROS, False), [True, False]
    )
    return of_shown


def looked_at(
    homographies: torch.Tensor, cells: tuple[int, int], size: int, *, wraps: bool
) -> torch.Tensor:
    """Where each view pixel looks a framed layer up: ``[n, size, size, 2]``, −1…1 across it.

    Args:
        homographies: as `engine.cutouts.Views` has them.
        cells: columns and rows of the layer before it was framed.
        size: side of a view in pixels.
        wraps: as for `framed`.

    """
    steps = (torch.arange(size, device=homographies.device) + 0.5) * (2 / size) - 1
    half = min(cells) / 2
    nearness = _plane(homographies[:, 2], steps).reciprocal_()
    # The look-up takes both coordinates fastest from planes of their own.
    places = homographies.new_empty(len(homographies), 2, size, size)
    for axis, count in enumerate(cells):
        border = 1 if wraps else 0
        framed_half = (count + 2 * border + 1) // 2
        # In cells from the middle of the framed layer on, where an edge is; of a layer that wraps,
        # from its own left or upper border on.
        begin = 0 if wraps else framed_half
        row = half * homographies[:, axis] + (count / 2 - begin) * homographies[:, 2]
        place = _plane(row, steps).mul_(nearness)
        covered = half * homographies[:, axis, :2].norm(dim=1) * (2 / size)
        a_pixel = covered.clamp(min=1e-6).reciprocal()[:, None, None]
        edge = place.round()
        place.sub_(edge).mul_(a_pixel).clamp_(-0.5, 0.5).add_(edge)
        if wraps:
            place.remainder_(count).sub_(framed_half - border)
        torch.mul(place, 1 / framed_half, out=places[:, axis])
    return places.permute(0, 2, 3, 1)


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
