"""DeepDream (Mordvintsev, Olah & Tyka 2015): a picture made more of what a perceptor sees in it.

The picture changes until the middle layers of a perceptor answer it more strongly: whatever they
half see in it grows. It is looked at in octaves, first whole and then ever closer, so that what
grows is large as well as small.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from engine.asks import Look
from engine.cutouts import BACKDROP_CELLS, Views, sample
from engine.perceptors import Perceptor
from engine.streams import stream

OCTAVES = 5
"""How many there are: in the last one a view of 64 pixels sees about as many of the picture."""

HOLD = 30.0
"""How strongly a dream is kept near its init image: as strongly as it is to be recognised."""

# How much closer the views of an octave are than those of the one before.
_CLOSER = 1.4
# What share of the run goes through the octaves; the rest stays with the last one, since by
# default it is then that the learning rate drops.
_PASSING = 0.75
# How many dots a side a view's pixel may cover.
_COVERED = 2
# How many views of each octave say what the activations are at first.
_MEASURED = 12
# A channel that is as good as silent at first counts as if it had this share of the mean power.
_SILENT = 0.05


@dataclass(frozen=True)
class Dream:
    """What the amplified layers of a perceptor are at first; what they become is measured by it.

    Attributes:
        powers: by the number of the layer, mean squares of its channels ``[channels, 1, 1]``.

    """

    powers: dict[int, torch.Tensor]


def octave_at(progress: float) -> int:
    """The octave when this share of the run is done, 0 to `OCTAVES` − 1."""
    return min(OCTAVES - 1, int(OCTAVES * progress / _PASSING))


def octave_look(grid: torch.Tensor, octave: int, count: int, generator: torch.Generator) -> Look:
    """The picture as an octave sees it: upright squares anywhere in it, in its own colours.

    Args:
        grid: ``[1, 4, rows, columns]``.
        octave: 0 for squares as high or as wide as the picture, the next ones ever closer.
        count: number of views.
        generator: the easel's own stream; advanced by the same amount whatever is drawn.

    """
    rows, columns = grid.shape[2:]
    views = octave_views((columns, rows), octave, count, generator)
    return Look(octave_grid(grid, octave), views)


def octave_grid(grid: torch.Tensor, octave: int) -> torch.Tensor:
    """What the views of an octave sample of a picture ``[1, 4, rows, columns]``."""
    return F.avg_pool2d(grid, _pooled(octave))


def octave_views(
    size: tuple[int, int], octave: int, count: int, generator: torch.Generator
) -> Views:
    """The views of `octave_look`, of a picture of this width and height."""
    columns, rows = (side // _pooled(octave) for side in size)
    numbers = torch.rand(count, 3, generator=generator)
    # Views of one size would leave their own raster in the picture.
    reach = _CLOSER ** -(octave + numbers[:, 0] / 2)
    room = torch.tensor([columns, rows]) / min(columns, rows) - reach[:, None]
    homographies = torch.diag_embed(torch.stack([reach, reach, torch.ones(count)], 1))
    homographies[:, :2, 2] = (2 * numbers[:, 1:] - 1) * room
    return Views(
        homographies=homographies,
        colours=torch.eye(3, 4).repeat(count, 1, 1),
        backdrops=torch.zeros(count, 3, BACKDROP_CELLS, BACKDROP_CELLS),
        noise=torch.zeros(count),
        noise_seed=0,
    )


def _pooled(octave: int) -> int:
    """How many dots a side are one for an octave.

    From afar a view's pixel covers more of the picture's than it looks up: dots that it chances
    upon would answer for their neighbours, and the picture would fill with noise.
    """
    return math.ceil(_CLOSER ** (OCTAVES - 1 - octave) / _COVERED)


@torch.no_grad()
def begin_dream(perceptor: Perceptor, grid: torch.Tensor, seed: int) -> Dream:
    """Measure what a perceptor's middle layers are for a picture as it is at first.

    The first layers see no more than edges and the last ones no places: what is between dreams.

    Args:
        perceptor: whose layers are amplified.
        grid: ``[1, 4, rows, columns]``.
        seed: of the views.

    """
    generator = stream(seed, "dream")
    looks = [octave_look(grid, octave, _MEASURED, generator) for octave in range(OCTAVES)]
    views = sample(
        [look.grid for look in looks], [look.views for look in looks], perceptor.view_size
    )
    layers = perceptor.layers(views)
    powers = {}
    for number in range(len(layers) // 3, len(layers) - len(layers) // 4):
        power = layers[number].square().mean((0, 2, 3))
        powers[number] = power.clamp(min=_SILENT * power.mean().item())[:, None, None]
    return Dream(powers)


def dream_loss(layers: Sequence[torch.Tensor], dream: Dream) -> torch.Tensor:
    """Minus the logarithm of how many times stronger the layers are than at first; a scalar.

    The logarithm is taken in each place, so that quiet places dream as loud ones do: by a mean of
    squares alone, whatever is seen best already would take it all.
    """
    grown = [
        (layers[number].square() / power).mean(1).clamp(min=1e-6).log().mean()
        for number, power in dream.powers.items()
    ]
    return -torch.stack(grown).mean()
