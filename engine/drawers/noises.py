"""Pictures of nothing to start from: a gradient, clouds, snow, or a plain grey.

All of them repeat where the drawing does. They are noise of the seed alone, whatever is drawn.
"""

import math
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F

from engine.drawers.base import Start
from engine.drawers.pyramid import BACKGROUND_GRIDS, middle_bump, softened
from engine.settings import Settings
from engine.streams import stream

# Clouds: waves in the shorter side at first, twice as many and half as high in each next octave.
_WAVES, _OCTAVES, _FADING = 2, 4, 0.5
# Their contrast: Perlin's noise seldom goes half as far from 0 as it could.
_CLOUDS = 0.9
# How far the colours of a gradient lie from the middle grey at most.
_SOFT = 0.4


def noise_start(settings: Settings, columns: int, rows: int) -> Start:
    """The picture that resolved settings with an `init_noise` other than ``pixels`` begin with.

    A subject fades from the middle, as it does in the drawer's own noise, and what lies behind it
    is the same noise, as soft as a background is.

    Args:
        settings: resolved; `init_noise`, `seed`, `pixel_size`, `layers`, `transparent` and `tile`
            are used.
        columns: width of the start in pixels.
        rows: height of the start in pixels.

    """
    assert settings.seed is not None
    assert settings.init_noise is not None
    generator = stream(settings.seed, "init_noise")
    if settings.init_noise == "snow":
        # A flake is a cell, however many pixels that takes.
        picture = _snow(*(settings.pixel_size or (columns, rows)), generator)
        picture = F.interpolate(picture[None], size=(rows, columns))[0]
    else:
        picture = _NOISES[settings.init_noise](columns, rows, settings.tile, generator)
    if not (settings.layers or settings.transparent):
        return Start(torch.cat([picture, torch.ones_like(picture[:1])]), repeats=True)
    alpha = torch.sigmoid(middle_bump(columns, rows))[None]
    subject = torch.cat([picture * alpha, alpha])
    behind = softened(picture, BACKGROUND_GRIDS, wraps=settings.tile)
    return Start(subject, behind if settings.layers else None, repeats=True)


def _gradient(columns: int, rows: int, wraps: bool, generator: torch.Generator) -> torch.Tensor:
    """From one soft colour to another, in any direction: ``[3, rows, columns]``."""
    ends = torch.rand(2, 3, 1, 1, generator=generator)
    # At least a third of the way round apart in each channel, or there would be nothing to see.
    ends[1] = (ends[0] + 1 / 3 + ends[1] / 3) % 1
    ends = 0.5 + _SOFT * (2 * ends - 1)
    angle = 2 * math.pi * float(torch.rand((), generator=generator))
    across, down = _places(columns)[None, :], _places(rows)[:, None]
    if wraps:
        # There and back again: a cosine of each side.
        x, y = torch.cos(2 * math.pi * across) / 2, torch.cos(2 * math.pi * down) / 2
    else:
        x, y = across - 0.5, down - 0.5
    along = math.cos(angle) * x + math.sin(angle) * y
    share = along / (abs(math.cos(angle)) + abs(math.sin(angle))) + 0.5
    return torch.lerp(ends[0], ends[1], share)


def _clouds(columns: int, rows: int, wraps: bool, generator: torch.Generator) -> torch.Tensor:
    """Perlin's noise (1985; the gradients' fade of 2002) in colour: ``[3, rows, columns]``."""
    del wraps  # The lattice goes round.
    shorter = min(columns, rows)
    total, field = 0.0, torch.zeros(3, rows, columns)
    for octave in range(_OCTAVES):
        waves = _WAVES * 2**octave
        if waves * 2 > shorter and octave:
            break
        height = _FADING**octave
        lattice = max(1, round(waves * rows / shorter)), max(1, round(waves * columns / shorter))
        field += height * _perlin(columns, rows, lattice, generator)
        total += height
    return (0.5 + _CLOUDS * field / total).clamp(0, 1)


def _perlin(
    columns: int, rows: int, lattice: tuple[int, int], generator: torch.Generator
) -> torch.Tensor:
    """One octave, about −0.7…0.7, that repeats in x and y: ``[3, rows, columns]``.

    Args:
        columns: width.
        rows: height.
        lattice: down and across, how many gradients there are.
        generator: of their directions.

    """
    down, across = lattice
    angles = 2 * math.pi * torch.rand(3, down, across, generator=generator)
    y, x = _places(rows) * down, _places(columns) * across
    top, left = y.floor().long(), x.floor().long()
    y, x = (y - top)[:, None], (x - left)[None, :]

    def corner(below: int, beside: int) -> torch.Tensor:
        """How a corner's gradient rises towards each place."""
        angle = angles[:, (top + below) % down][:, :, (left + beside) % across]
        return torch.cos(angle) * (x - beside) + torch.sin(angle) * (y - below)

    upper = torch.lerp(corner(0, 0), corner(0, 1), _fade(x))
    lower = torch.lerp(corner(1, 0), corner(1, 1), _fade(x))
    return torch.lerp(upper, lower, _fade(y))


def _fade(share: torch.Tensor) -> torch.Tensor:
    """From 0 to 1 with no first nor second derivative at the ends (Perlin 2002)."""
    return share**3 * (share * (share * 6 - 15) + 10)


def _snow(columns: int, rows: int, generator: torch.Generator) -> torch.Tensor:
    """Any colour in each place by itself: ``[3, rows, columns]``."""
    return torch.rand(3, rows, columns, generator=generator)


def _plain(columns: int, rows: int, wraps: bool, generator: torch.Generator) -> torch.Tensor:
    """The middle grey: ``[3, rows, columns]``."""
    del wraps, generator
    return torch.full((3, rows, columns), 0.5)


def _places(count: int) -> torch.Tensor:
    """The middles of so many equal parts of 0…1."""
    return (torch.arange(count) + 0.5) / count


_NOISES: Mapping[str, Callable[[int, int, bool, torch.Generator], torch.Tensor]] = {
    "gradient": _gradient,
    "perlin": _clouds,
    "none": _plain,
}
