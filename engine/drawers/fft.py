"""A picture as the spectrum of its logits, in colours that natural pictures hardly correlate.

The parametrisation of “Feature Visualization” (Olah, Mordvintsev & Schubert 2017): a number for
each wave, worth less the shorter the wave is, as in natural pictures. A step moves whole areas
before it changes their texture, and the picture is smooth at any size.

The waves are cosines, which make the Fourier series of a picture mirrored at its borders (Ahmed,
Natarajan & Rao 1974). A plain Fourier series goes on from each border at the opposite one: the sky
would colour the ground, and ripples would stand along all borders.
"""

import math

import torch

from engine.adam import Adam, GridAdam, Group
from engine.drawers.base import Moment, Showing, Shown, Start, as_pixels
from engine.drawers.strokes import on_white, working_size
from engine.pieces import in_pieces, mean
from engine.settings import Settings
from engine.streams import stream

# How RGB goes together in ImageNet's pictures, a square root of the covariance, as published with
# Lucid (github.com/tensorflow/lucid): brightness, orange or blue, green or purple.
_COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
# Spread of the logits of a noise start: soft, near the middle grey.
_NOISE = 0.3
# Nothing is whiter or blacker than this at first: there the sigmoid's gradient would be nothing.
_MARGIN = 1 / 255
# A start from noise or a first guess has about as many cells a side: shorter waves would be grain,
# which a perceptor with small views does not see, and so leaves.
_CELLS = 32
# How strongly a picture is kept near a first guess: with more it stays as blurred as that is.
_GUESS_WEIGHT = 6.0
# How fast a wave of a dream moves, for the rate of those of a prompt that matter most.
_DREAM_RATE = 5.0
# How many pixels the canvas of a dream has a side, compared with that of a prompt: room for small
# patterns in large ones.
_DREAM_CANVAS = 2


class FourierDrawer(Showing):
    """Cosine waves in three colours, RGB.

    Args:
        settings: resolved; `seed`, the sizes, `start` and `dream` are used.
        start: a picture of the size that `wave_size` names, or None for noise.
        device: where the parameters live.

    """

    steady = True
    guess_weight = _GUESS_WEIGHT

    def __init__(self, settings: Settings, start: Start | None, device: torch.device) -> None:
        assert settings.seed is not None
        self._size = wave_size(settings)
        self._dreams = settings.dream
        columns, rows = self._size
        self._colours = _colours().to(device)
        self._weights = _weights(columns, rows).to(device)
        self._down = _cosines(rows, rows).to(device)
        self._across = _cosines(columns, columns).to(device)
        if start is None:
            generator = stream(settings.seed, "fft/start")
            spectrum = (_NOISE * torch.randn(3, rows, columns, generator=generator)).to(device)
        else:
            picture = on_white(start).to(device)
            inner = picture.clamp(_MARGIN, 1 - _MARGIN)
            spectrum = self._analysed(in_pieces(torch.logit, inner))
        if settings.init_image is None:
            spectrum = spectrum * _softness(columns, rows).to(device)
        self._spectrum = spectrum.requires_grad_()
        self._reference = self.grid().detach()

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The spectrum ``[3, rows, columns]``, from long waves to short ones."""
        return [self._spectrum]

    @property
    def constants(self) -> list[torch.Tensor]:
        """Nothing that the settings, the seed and the start would not give again."""
        return []

    def moment(
        self, progress: float, randomness: torch.Generator | None = None, *, stored: bool = False
    ) -> Moment:
        """Nothing: there are no choices."""
        del progress, randomness, stored
        return Moment()

    def grid(self, moment: Moment | None = None) -> torch.Tensor:
        """The canvas ``[1, 4, height, width]``, all opaque."""
        del moment
        colour = self._drawn(self._down, self._across)
        return torch.cat([colour, torch.ones_like(colour[:1])])[None]

    def reference(self) -> torch.Tensor:
        """The picture as it is before the first step."""
        return self._reference

    def optimizer(self, learning_rate: float, rule: str) -> Adam:
        """One of Adam's rules; towards a prompt with one second moment for all waves.

        Waves that the perceptor cares little for stay quiet then, and there is no noise. A dream
        is of what is small as well as of what is large: there each wave moves as fast as another.
        """
        if self._dreams:
            return Adam([Group(self.parameters, _DREAM_RATE * learning_rate)], rule)
        return _SpectrumAdam([Group(self.parameters, learning_rate)], rule)

    @torch.no_grad()
    def shown(self, size: tuple[int, int] | None = None) -> Shown:
        """The same waves, drawn at this size (width, height) in pixels; else as views see them."""
        (columns, rows), device = self._size, self._spectrum.device
        width, height = size or self._size
        down, across = _cosines(rows, height).to(device), _cosines(columns, width).to(device)
        return Shown(as_pixels(self._drawn(down, across)))

    def svg(self, size: tuple[int, int]) -> None:
        """There is none: waves are not shapes."""
        del size

    def _drawn(self, down: torch.Tensor, across: torch.Tensor) -> torch.Tensor:
        """RGB in 0…1 where the waves are looked at, ``[3, height, width]``."""
        logits = down @ (self._spectrum * self._weights) @ across.T
        return in_pieces(torch.sigmoid, _mixed(self._colours, logits))

    def _analysed(self, logits: torch.Tensor) -> torch.Tensor:
        """The spectrum of which `_drawn` makes these logits of RGB."""
        apart = _mixed(torch.linalg.inv(self._colours), logits)
        return self._down.T @ apart @ self._across / self._weights


class _SpectrumAdam(GridAdam):
    """The same for more numbers than one thread takes a mean of."""

    def _squared(self, gradient: torch.Tensor) -> torch.Tensor:
        return mean(gradient.square())


def wave_size(settings: Settings) -> tuple[int, int]:
    """Width and height in pixels of the canvas that is judged."""
    columns, rows = working_size(settings)
    return (_DREAM_CANVAS * columns, _DREAM_CANVAS * rows) if settings.dream else (columns, rows)


def _cosines(waves: int, size: int) -> torch.Tensor:
    """So many waves along a side, each where its pixels' middles are: ``[size, waves]``.

    On a side of as many pixels as there are waves it is orthonormal. On a shorter one waves that
    its pixels are too few for are left out.
    """
    place = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    number = torch.arange(waves, dtype=torch.float64)
    height = torch.where(number == 0, 1.0, math.sqrt(2)) / math.sqrt(waves)
    height = torch.where(number < size, height, 0.0)
    return (height * torch.cos(math.pi * place[:, None] * number)).float()


def _frequencies(columns: int, rows: int) -> torch.Tensor:
    """Of all waves, in cycles a pixel: ``[rows, columns]``."""
    down = torch.arange(rows, dtype=torch.float64) / (2 * rows)
    across = torch.arange(columns, dtype=torch.float64) / (2 * columns)
    return (down[:, None].square() + across.square()).sqrt()


def _weights(columns: int, rows: int) -> torch.Tensor:
    """What a number of the spectrum is worth: noise of spread 1 becomes logits of spread 1."""
    weights = 1 / _frequencies(columns, rows).clamp(min=1 / max(columns, rows))
    return (weights / weights.square().mean().sqrt()).float()


def _softness(columns: int, rows: int) -> torch.Tensor:
    """What is kept of each wave of noise or of a first guess, 0…1: ``[rows, columns]``."""
    shortest = _CELLS / (2 * min(columns, rows))
    return torch.exp(-(_frequencies(columns, rows) / shortest).square()).float()


def _colours() -> torch.Tensor:
    """Three colours that hardly correlate → RGB."""
    matrix = torch.tensor(_COLOURS)
    longest: torch.Tensor = matrix.norm(dim=0).max()
    return matrix / longest


def _mixed(matrix: torch.Tensor, channels: torch.Tensor) -> torch.Tensor:
    """A 3 × 3 matrix applied to each place of ``[3, height, width]``; rounds alike, spelled out."""
    first, second, third = channels
    return torch.stack([row[0] * first + row[1] * second + row[2] * third for row in matrix])
