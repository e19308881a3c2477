"""All augmented views of all easels in one sampling call, straight from the cells.

CLIP judges many random cutouts of a picture instead of the picture itself, which keeps the
optimisation from finding patterns that only fool the model (VQGAN-CLIP, Crowson et al. 2022;
pixray's cutouts add perspective and colour jitter). Here a view is one random homography from its
pixels to the cells of the grid: every view pixel averages the cells under its sub-samples, looked
up by index. No picture of canvas size is ever made, the work does not depend on the output size,
and the look-up's gradient is summed in a fixed order, so that the same seed gives the same bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from engine.covered import covered_views
from engine.small_views import SUPERSAMPLING, small_views, white_noise

BACKDROP_CELLS = 4
WIDE_EVERY = 3
# Pixels a side of views whose pixels are as large as cells, and are looked up several times each.
_SMALL = 64

_NUMBERS_PER_VIEW = 16


@dataclass(frozen=True)
class Views:
    """The random choices for the views of one easel in one step.

    Attributes:
        homographies: ``[n, 3, 3]``; view coordinates in −1…1 → picture coordinates in which the
            picture is centred at 0 and its shorter half side is 1.
        colours: ``[n, 3, 4]``; the jitter, an affine map of RGB.
        backdrops: ``[n, 3, 4, 4]``; coarse colours behind whatever the picture does not cover.
        noise: ``[n]``; amplitude of white noise on the view.
        noise_seed: seed of that noise, which is drawn at the size of the perceptor's views.
        wraps: whether the picture goes on from each border at the opposite one.

    """

    homographies: torch.Tensor
    colours: torch.Tensor
    backdrops: torch.Tensor
    noise: torch.Tensor
    noise_seed: int
    wraps: bool = False

    def __len__(self) -> int:
        return self.homographies.shape[0]


def choose_views(
    count: int,
    columns: int,
    rows: int,
    generator: torch.Generator,
    *,
    power: float = 1.0,
    wraps: bool = False,
) -> Views:
    """Draw the views of one step: crops of many sizes, tilted, with jittered colours.

    One view in three is wide and shows the whole picture, the others are square crops, so that a
    long picture is never squeezed (clipit's "zoom" and "wide" cutouts).

    Args:
        count: number of views.
        columns: width of what is sampled, in cells or pixels.
        rows: height of what is sampled, in cells or pixels.
        generator: the easel's own stream; advanced by the same amount whatever is drawn.
        power: of the uniform numbers that spread the views' sizes between the closest and the
            widest; above 1 more views are close, below 1 more are wide (pixray's `cut_pow`).
        wraps: whether the picture is a tile: then no view ends at a border, and each wide one looks
            at another place of the pattern, so that borders are judged as all else is. The others
            stay with the subject, whose neighbours they see.

    """
    numbers = torch.rand(count, _NUMBERS_PER_VIEW, generator=generator)
    backdrops = torch.rand(count, 3, BACKDROP_CELLS, BACKDROP_CELLS, generator=generator)
    noise_seed = int(torch.randint(2**62, (1,), generator=generator))

    shorter = min(columns, rows)
    half_width, half_height = columns / shorter, rows / shorter
    wide = torch.arange(count) % WIDE_EVERY == 0
    spread = numbers[:, 0] ** power
    reach = torch.where(
        wide,
        max(half_width, half_height) * (0.9 + 0.3 * spread),
        1.0 + 0.6 * spread,
    )
    # All views keep to the middle: crops that wander along a wide picture each want the subject in
    # their own middle, and smear it.
    shift_x = 0.2 * (2 * numbers[:, 1] - 1)
    shift_y = 0.2 * (2 * numbers[:, 2] - 1)
    angle = (2 * numbers[:, 3] - 1) * math.radians(8)
    stretch = torch.exp((2 * numbers[:, 4] - 1) * 0.1)
    tilt_x = (2 * numbers[:, 5] - 1) * 0.1
    tilt_y = (2 * numbers[:, 6] - 1) * 0.1

    cosine, sine = torch.cos(angle), torch.sin(angle)
    zero, one = torch.zeros(count), torch.ones(count)
    affine = torch.stack(
        [
            torch.stack([cosine * reach * stretch, -sine * reach, shift_x], 1),
            torch.stack([sine * reach * stretch, cosine * reach, shift_y], 1),
            torch.stack([zero, zero, one], 1),
        ],
        1,
    )
    tilt = torch.eye(3).repeat(count, 1, 1)
    tilt[:, 2, 0], tilt[:, 2, 1] = tilt_x, tilt_y
    # A plain colour, a soft gradient or blotches, by how far the coarse colours stay apart.
    contrast = (numbers[:, 7] ** 2)[:, None, None, None]
    backdrops = backdrops * contrast + numbers[:, 8:11, None, None] * (1 - contrast)
    homographies = (affine[:, :, :, None] * tilt[:, None, :, :]).sum(2)
    if wraps:
        roll = (2 * torch.rand(count, 2, generator=generator) - 1) * wide[:, None]
        roll = roll * torch.tensor([half_width, half_height])
        homographies[:, :2] += roll[:, :, None] * homographies[:, 2:]
    return Views(
        homographies=homographies,
        colours=_jitter(numbers[:, 11:14]),
        backdrops=backdrops,
        noise=0.3 * numbers[:, 14],
        noise_seed=noise_seed,
        wraps=wraps,
    )


def sample(grids: Sequence[torch.Tensor], views: Sequence[Views], size: int) -> torch.Tensor:
    """Render every view of every easel at once.

    Args:
        grids: for each easel ``[layers, 4, rows, columns]``, RGB premultiplied by alpha, and
            alpha. Wide views see the first layer, the whole picture; crops see the last one, which
            may be the subject by itself, before a backdrop that is another one in each view.
        views: for each easel what `choose_views` drew.
        size: side of a view in pixels.

    Returns:
        ``[sum of the views, 3, size, size]`` in about 0…1, in the order of the easels.

    """
    device = grids[0].device
    layers = [_layers(grid, chosen) for grid, chosen in zip(grids, views, strict=True)]
    if device.type == "cpu" and size <= _SMALL:
        return small_views(grids, views, layers, size)
    if device.type == "cpu":
        covered = [covered_views(*each, size) for each in zip(grids, views, layers, strict=True)]
        return covered[0] if len(covered) == 1 else torch.cat(covered)
    with torch.no_grad():
        backdrops = F.interpolate(
            torch.cat([chosen.backdrops for chosen in views]).to(device),
            size=(size, size),
            mode="bilinear",
            align_corners=True,
        )
        noise = torch.cat([white_noise(chosen, size) for chosen in views]).to(device)
        colours = torch.cat([chosen.colours for chosen in views]).to(device)[..., None, None]
    looked_up = [_looked_up(*each, size) for each in zip(grids, views, layers, strict=True)]
    seen = torch.cat(looked_up).view(-1, size, size, 4).permute(0, 3, 1, 2)
    view = seen[:, :3] + (1 - seen[:, 3:]) * backdrops
    jittered = (
        colours[:, :, 0] * view[:, 0:1]
        + colours[:, :, 1] * view[:, 1:2]
        + colours[:, :, 2] * view[:, 2:3]
        + colours[:, :, 3]
    )
    return jittered + noise


def _layers(grid: torch.Tensor, views: Views) -> torch.Tensor:
    """Which layer each view sees: ``[n]``."""
    return (torch.arange(len(views)) % WIDE_EVERY != 0) * (len(grid) - 1)


def _looked_up(grid: torch.Tensor, views: Views, layers: torch.Tensor, size: int) -> torch.Tensor:
    """The mean of what each pixel's sub-samples find in a picture: ``[n · size · size, 4]``."""
    # Around each layer lies a border of nothing, in which all looks at what is outside end.
    cells = F.pad(grid, (1, 1, 1, 1)).movedim(1, 3).reshape(-1, 4)
    rows, columns = grid.shape[2:]
    with torch.no_grad():
        indices = _cell_indices(views, rows, columns, size, grid.device)
        layer = layers.to(grid.device, torch.int32)
        indices += layer[:, None, None, None] * ((rows + 2) * (columns + 2))
    means: torch.Tensor = _Means.apply(cells, indices.flatten(0, 2))
    return means


class _Means(torch.autograd.Function):
    """Rows of a table ``[cells, d]``, looked up by indices ``[n, k]``, to their means ``[n, d]``.

    The gradient of each cell is summed in the order of the indices, wherever they are summed: as an
    embedding bag does it, but with no sort of them all.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch has no public type for it
        table: torch.Tensor,
        indices: torch.Tensor,
    ) -> torch.Tensor:
        ctx.save_for_backward(indices)
        ctx.cells = len(table)
        return F.embedding_bag(indices, table, mode="mean")

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:  # noqa: ANN401
        (indices,) = ctx.saved_tensors
        samples = indices.shape[1]
        if gradient.device.type != "cpu":
            return _sorted_sum(indices, gradient / samples, ctx.cells), None
        of_table = gradient.new_zeros(gradient.shape[1], ctx.cells)
        for summed, pull in zip(of_table, gradient.T / samples, strict=True):
            summed.index_add_(0, indices.flatten(), pull.repeat_interleave(samples))
        return of_table.T, None


def _sorted_sum(indices: torch.Tensor, gradient: torch.Tensor, cells: int) -> torch.Tensor:
    """On a GPU, where `index_add_` has no order: sums of sorted runs, which have one."""
    result: torch.Tensor = torch.ops.aten.embedding_dense_backward(
        gradient.repeat_interleave(indices.shape[1], 0), indices.flatten().long(), cells, -1, False
    )
    return result


def _cell_indices(
    views: Views, rows: int, columns: int, size: int, device: torch.device
) -> torch.Tensor:
    """The cells under each view pixel's sub-samples: ``[n, size, size, samples]``, int32.

    They are counted in a picture with a border of one cell, where all that is outside ends.
    """
    pixels = (torch.arange(size, device=device) + 0.5) * (2 / size) - 1
    parts = ((torch.arange(SUPERSAMPLING, device=device) + 0.5) / SUPERSAMPLING - 0.5) * (2 / size)
    axis = (pixels[:, None] + parts[None, :]).flatten()
    h = views.homographies.to(device)[..., None, None]

    def plane(row: int) -> torch.Tensor:
        """``a · x + b · y + c``, rounded after each operation, at each sub-sample."""
        across, down = h[:, row, 0] * axis[None, None, :], h[:, row, 1] * axis[None, :, None]
        return (across + down).add_(h[:, row, 2])

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
    indices = y.add_(1).mul_(columns + 2).add_(x).add_(1).to(torch.int32)
    by_pixel = indices.view(-1, size, SUPERSAMPLING, size, SUPERSAMPLING).transpose(2, 3)
    return by_pixel.flatten(3)


def _jitter(numbers: torch.Tensor) -> torch.Tensor:
    """Brightness, contrast and saturation as one affine map of RGB: ``[n, 3]`` → ``[n, 3, 4]``.

    Hue is left alone: the colour words of a prompt must stay true.
    """
    brightness = (2 * numbers[:, 0] - 1) * 0.08
    contrast = torch.exp((2 * numbers[:, 1] - 1) * 0.15)
    saturation = torch.exp((2 * numbers[:, 2] - 1) * 0.2)
    grey = torch.tensor([0.299, 0.587, 0.114]).expand(3, 3)
    mix = torch.eye(3) * saturation[:, None, None] + grey * (1 - saturation)[:, None, None]
    offset = (brightness + 0.5 * (1 - contrast))[:, None].expand(-1, 3)
    return torch.cat([mix * contrast[:, None, None], offset[..., None]], 2)
