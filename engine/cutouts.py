"""All augmented views of all easels in one sampling call, straight from the cells.

CLIP judges many random cutouts of a picture instead of the picture itself, which keeps the
optimisation from finding patterns that only fool the model (VQGAN-CLIP, Crowson et al. 2022;
pixray's cutouts add perspective and colour jitter). Here a view is one random homography from its
pixels to the cells of the grid: every view pixel is the mean of the cells that it covers
(`engine.covered`). No picture of canvas size is ever made, the work does not depend on the output
size, and the look-up's gradient is summed in a fixed order, so that the same seed gives the same
bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch

from engine.covered import covered_views, framed, looked_at
from engine.gathered import bilinear, composed

BACKDROP_CELLS = 4
WIDE_EVERY = 3
# About so many pixels of three views are worked on at a time: what one operation writes is in the
# cache for the next.
_TOGETHER = 224**2

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
        solid: whether nothing changes the alpha of the first layer, which needs no gradient then.
        noise_places: ``[n, 2]`` in 0…1, which part of noise that was drawn once each view gets on a
            device; None until `for_device`.

    """

    homographies: torch.Tensor
    colours: torch.Tensor
    backdrops: torch.Tensor
    noise: torch.Tensor
    noise_seed: int
    wraps: bool = False
    solid: bool = False
    noise_places: torch.Tensor | None = None

    def for_device(self) -> "Views":
        """The same without a seed: what it stands for on a device is drawn, and all is numbers."""
        if self.noise_places is not None:
            return self
        places = _noise_places(self.noise_seed, len(self))
        return replace(self, noise_seed=0, noise_places=places)

    def on(self, device: torch.device) -> "Views":
        """The same for a device and on it."""
        drawn = self.for_device()
        assert drawn.noise_places is not None
        return replace(
            drawn,
            homographies=drawn.homographies.to(device),
            colours=drawn.colours.to(device),
            backdrops=drawn.backdrops.to(device),
            noise=drawn.noise.to(device),
            noise_places=drawn.noise_places.to(device),
        )

    def __len__(self) -> int:
        return self.homographies.shape[0]


@dataclass(frozen=True)
class DrawnViews:
    """The random numbers of the views of one easel in one step, of which `views` makes them.

    Attributes:
        size: columns and rows of what is sampled.
        power, wraps, solid: as for `choose_views`.
        numbers: ``[n, 16]`` in 0…1.
        backdrops: ``[n, 3, 4, 4]`` in 0…1.
        noise_seed, noise_places: as `Views` has them.
        rolls: ``[n, 2]`` in 0…1, of a tile; else None.

    """

    size: tuple[int, int]
    power: float
    wraps: bool
    solid: bool
    numbers: torch.Tensor
    backdrops: torch.Tensor
    noise_seed: int
    rolls: torch.Tensor | None
    noise_places: torch.Tensor | None = None

    def for_device(self) -> "DrawnViews":
        """The same without a seed, as `Views.for_device`."""
        places = _noise_places(self.noise_seed, len(self.numbers))
        return replace(self, noise_seed=0, noise_places=places)

    def views(self) -> Views:
        """The views, made where the numbers are."""
        numbers, (columns, rows) = self.numbers, self.size
        count, device = len(numbers), numbers.device
        shorter = min(columns, rows)
        half_width, half_height = columns / shorter, rows / shorter
        wide = torch.arange(count, device=device) % WIDE_EVERY == 0
        spread = numbers[:, 0] ** self.power
        reach = torch.where(
            wide,
            max(half_width, half_height) * (0.9 + 0.3 * spread),
            1.0 + 0.6 * spread,
        )
        # All views keep to the middle: crops that wander along a wide picture each want the subject
        # in their own middle, and smear it.
        shift_x = 0.2 * (2 * numbers[:, 1] - 1)
        shift_y = 0.2 * (2 * numbers[:, 2] - 1)
        angle = (2 * numbers[:, 3] - 1) * math.radians(8)
        stretch = torch.exp((2 * numbers[:, 4] - 1) * 0.1)
        tilt_x = (2 * numbers[:, 5] - 1) * 0.1
        tilt_y = (2 * numbers[:, 6] - 1) * 0.1

        cosine, sine = torch.cos(angle), torch.sin(angle)
        zero, one = torch.zeros(count, device=device), torch.ones(count, device=device)
        affine = torch.stack(
            [
                torch.stack([cosine * reach * stretch, -sine * reach, shift_x], 1),
                torch.stack([sine * reach * stretch, cosine * reach, shift_y], 1),
                torch.stack([zero, zero, one], 1),
            ],
            1,
        )
        tilt = torch.eye(3, device=device).repeat(count, 1, 1)
        tilt[:, 2, 0], tilt[:, 2, 1] = tilt_x, tilt_y
        # A plain colour, a soft gradient or blotches, by how far the coarse colours stay apart.
        contrast = (numbers[:, 7] ** 2)[:, None, None, None]
        backdrops = self.backdrops * contrast + numbers[:, 8:11, None, None] * (1 - contrast)
        homographies = (affine[:, :, :, None] * tilt[:, None, :, :]).sum(2)
        if self.rolls is not None:
            roll = (2 * self.rolls - 1) * wide[:, None]
            roll = torch.stack([roll[:, 0] * half_width, roll[:, 1] * half_height], 1)
            homographies[:, :2] += roll[:, :, None] * homographies[:, 2:]
        return Views(
            homographies=homographies,
            colours=_jitter(numbers[:, 11:14]),
            backdrops=backdrops,
            noise=0.3 * numbers[:, 14],
            noise_seed=self.noise_seed,
            wraps=self.wraps,
            solid=self.solid,
            noise_places=self.noise_places,
        )


def draw_views(
    count: int,
    columns: int,
    rows: int,
    generator: torch.Generator,
    *,
    power: float = 1.0,
    wraps: bool = False,
    solid: bool = False,
) -> DrawnViews:
    """Draw what `choose_views` makes views of."""
    return DrawnViews(
        size=(columns, rows),
        power=power,
        wraps=wraps,
        solid=solid,
        numbers=torch.rand(count, _NUMBERS_PER_VIEW, generator=generator),
        backdrops=torch.rand(count, 3, BACKDROP_CELLS, BACKDROP_CELLS, generator=generator),
        noise_seed=int(torch.randint(2**62, (1,), generator=generator)),
        rolls=torch.rand(count, 2, generator=generator) if wraps else None,
    )


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
    return draw_views(count, columns, rows, generator, power=power, wraps=wraps).views()


def sample(grids: Sequence[torch.Tensor], views: Sequence[Views], size: int) -> torch.Tensor:
    """Render every view of every easel at once.

    On a processor, unless the views are for a device: then they are made as a GPU makes them.

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
    if device.type != "cpu" or views[0].noise_places is not None:
        seen_there = [
            _seen_on_device(grid, chosen.on(device), size)
            for grid, chosen in zip(grids, views, strict=True)
        ]
        return seen_there[0] if len(seen_there) == 1 else torch.cat(seen_there)
    layers = [_layers(grid, chosen) for grid, chosen in zip(grids, views, strict=True)]
    together = WIDE_EVERY * max(1, _TOGETHER // size**2)
    return covered_views(grids, views, layers, size, together=together)


def _seen_on_device(grid: torch.Tensor, views: Views, size: int) -> torch.Tensor:
    """The views of one picture, both on one device."""
    rows, columns = grid.shape[2:]
    with torch.no_grad():
        places = looked_at(views.homographies, (columns, rows), size, wraps=views.wraps)
        layers = _layers(grid, views)
    cells = bilinear(framed(grid, wraps=views.wraps), layers, places, solid=views.solid)
    return composed(cells, views, size)


def _layers(grid: torch.Tensor, views: Views) -> torch.Tensor:
    """Which layer each view sees: ``[n]``."""
    every = torch.arange(len(views), device=views.homographies.device)
    return (every % WIDE_EVERY != 0) * (len(grid) - 1)


def _noise_places(seed: int, count: int) -> torch.Tensor:
    return torch.rand(count, 2, generator=torch.Generator("cpu").manual_seed(seed))


@lru_cache
def _grey(device: torch.device) -> torch.Tensor:
    """How bright each of RGB is."""
    return torch.tensor([0.299, 0.587, 0.114], device=device)


def _jitter(numbers: torch.Tensor) -> torch.Tensor:
    """Brightness, contrast and saturation as one affine map of RGB: ``[n, 3]`` → ``[n, 3, 4]``.

    Hue is left alone: the colour words of a prompt must stay true.
    """
    brightness = (2 * numbers[:, 0] - 1) * 0.08
    contrast = torch.exp((2 * numbers[:, 1] - 1) * 0.15)
    saturation = torch.exp((2 * numbers[:, 2] - 1) * 0.2)
    grey = _grey(numbers.device).expand(3, 3)
    mix = (
        torch.eye(3, device=numbers.device) * saturation[:, None, None]
        + grey * (1 - saturation)[:, None, None]
    )
    offset = (brightness + 0.5 * (1 - contrast))[:, None].expand(-1, 3)
    return torch.cat([mix * contrast[:, None, None], offset[..., None]], 2)
