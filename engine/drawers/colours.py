"""What a cell's numbers say of its colour: any colour, or a choice from a palette.

The choice is a Gumbel-softmax (Jang et al. 2017): a mixture of the palette while the temperature is
high, one colour as it falls, as in SD-πXL (Binninger & Sorkine-Hornung 2024). Over the last part of
a run the views see the hard choice, with the gradient of the soft one.
"""

import math
from typing import Protocol

import torch
import torch.nn.functional as F

from engine.drawers.quantize import to_oklab

# Starting colours stay this far from black and white, where the sigmoid's gradient fades.
_MARGIN = 0.02
# A picture's colours as logits: −squared distance over this, in Oklab.
_NEARNESS = 0.02
# How much the neighbours of a cell, and the colours that are common, count in that choice.
_NEIGHBOURS, _COMMON = 2.0, 0.5
_ROUNDS = 5
# The nearness in a picture of noise or grey: a vivid colour must be earned, but is not far.
_NEARNESS_OF_NOISE = 0.2

_FIRST_TEMPERATURE, _LAST_TEMPERATURE = 0.5, 0.1
# The share of the Gumbel noise at the beginning.
_NOISE = 0.3
# Where in the run the noise has gone and the choice becomes hard.
_HARD_FROM = 0.8
# How much of a step a colour that may change passes on, in RGB of 0…1.
_COLOUR_STEP = 0.05


class Colours(Protocol):
    """How the numbers of a cell become its colour.

    Attributes:
        channels: how many numbers that takes.

    """

    channels: int

    @property
    def parameters(self) -> list[torch.Tensor]:
        """What the optimiser improves of the colours themselves."""

    @property
    def constants(self) -> list[torch.Tensor]:
        """What the colours are made of besides."""

    def logits(self, picture: torch.Tensor) -> torch.Tensor:
        """The numbers ``[channels, rows, columns]`` of a picture ``[3, rows, columns]``."""

    def leaning(self, picture: torch.Tensor) -> torch.Tensor:
        """The numbers of a picture that decides little, in the shapes of `logits`."""

    def grey(self, rows: int, columns: int) -> torch.Tensor:
        """The numbers ``[channels, rows, columns]`` of a picture that is still open."""

    def nearest(self, colour: torch.Tensor) -> torch.Tensor:
        """Of the colours that a cell may have the one nearest to this one; both ``[3]``."""

    def mixed(
        self, logits: torch.Tensor, progress: float, randomness: torch.Generator | None
    ) -> torch.Tensor:
        """The colours ``[3, rows, columns]`` in 0…1 at this share of the run, 0…1."""

    def opacity(self, logits: torch.Tensor, progress: float) -> torch.Tensor:
        """The alpha of a subject's cells, in the shape of its logits, at this share of the run."""


class FreeColours:
    """Any colour: the sigmoid of three numbers."""

    channels = 3

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.parameters: list[torch.Tensor] = []
        self.constants: list[torch.Tensor] = []

    def logits(self, picture: torch.Tensor) -> torch.Tensor:
        """The numbers ``[3, rows, columns]`` of a picture ``[3, rows, columns]``."""
        return torch.logit(picture.clamp(_MARGIN, 1 - _MARGIN))

    def leaning(self, picture: torch.Tensor) -> torch.Tensor:
        """The same numbers: no colour is far from another."""
        return self.logits(picture)

    def grey(self, rows: int, columns: int) -> torch.Tensor:
        """The middle grey: ``[3, rows, columns]``."""
        return torch.zeros(3, rows, columns, device=self._device)

    def nearest(self, colour: torch.Tensor) -> torch.Tensor:
        """The colour itself."""
        return colour

    def mixed(
        self, logits: torch.Tensor, progress: float, randomness: torch.Generator | None
    ) -> torch.Tensor:
        """The colours ``[3, rows, columns]``, the same at every share of the run."""
        del progress, randomness
        return torch.sigmoid(logits)

    def opacity(self, logits: torch.Tensor, progress: float) -> torch.Tensor:
        """The alpha of a subject's cells: soft throughout, as their colours are."""
        del progress
        return torch.sigmoid(logits)


class PaletteColours:
    """One of some colours: a number for each of them.

    Args:
        palette: ``[colours, 3]`` in 0…1, whole 255ths.
        changing: whether the colours are improved as well.
        of: colours that they must then be among, ``[n, 3]`` in 0…1; None for any.

    """

    def __init__(
        self, palette: torch.Tensor, *, changing: bool = False, of: torch.Tensor | None = None
    ) -> None:
        self.channels = len(palette)
        self._begun = palette
        self._of = of
        self._changes = [torch.zeros_like(palette, requires_grad=True)] if changing else []

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The changes of the colours, if they may change."""
        return self._changes

    @property
    def constants(self) -> list[torch.Tensor]:
        """The colours as they were at the beginning."""
        return [self._begun]

    @property
    def palette(self) -> torch.Tensor:
        """The colours now, ``[colours, 3]`` in 0…1: exact ones, with the gradient of soft ones."""
        if not self._changes:
            return self._begun
        soft = self._begun + _COLOUR_STEP * self._changes[0]
        if self._of is None:
            return _straight_through((soft.detach().clamp(0, 1) * 255).round() / 255, soft)
        nearest = (soft.detach()[:, None] - self._of[None]).square().sum(2).argmin(1)
        return _straight_through(self._of[nearest], soft)

    def logits(self, picture: torch.Tensor) -> torch.Tensor:
        """Numbers that choose a colour near by: ``[colours, rows, columns]``.

        Where several are about as near, cells agree with their neighbours and on few colours, so
        that plain ground does not flicker between two of them: the mean field of a Potts model
        (Geman & Geman 1984) whose prior is how common each colour is.
        """
        near = self.exact_logits(picture)
        logits = near
        for _ in range(_ROUNDS):
            choice = torch.softmax(logits, 0)
            common = choice.mean((1, 2), keepdim=True).clamp(min=1e-4).log()
            around = F.avg_pool2d(F.pad(choice, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
            logits = near + _NEIGHBOURS * around + _COMMON * common
        return logits

    def exact_logits(self, picture: torch.Tensor) -> torch.Tensor:
        """Numbers ``[colours, rows, columns]`` whose choice is the nearest colour in every cell."""
        return -self._distances(picture) / _NEARNESS

    def leaning(self, picture: torch.Tensor) -> torch.Tensor:
        """Numbers ``[colours, rows, columns]`` that lean to near colours, others not being far."""
        return -self._distances(picture) / _NEARNESS_OF_NOISE

    def grey(self, rows: int, columns: int) -> torch.Tensor:
        """Numbers that lean to the greyest colours: ``[colours, rows, columns]``."""
        return self.leaning(torch.full((3, rows, columns), 0.5, device=self._begun.device))

    def nearest(self, colour: torch.Tensor) -> torch.Tensor:
        """The nearest of the colours as they are now, without a gradient."""
        palette = self.palette.detach()
        apart = to_oklab(palette) - to_oklab(colour[None])
        return palette[apart.square().sum(1).argmin()]

    def mixed(
        self, logits: torch.Tensor, progress: float, randomness: torch.Generator | None
    ) -> torch.Tensor:
        """The mixture of the palette at this share of the run; the hard choice at its end."""
        if randomness is not None and progress < _HARD_FROM:
            logits = logits + noise_share(progress) * gumbel(logits, randomness)
        choice = torch.softmax(logits / temperature(progress), 0)
        if progress >= _HARD_FROM:
            hard = torch.zeros_like(choice).scatter_(0, logits.argmax(0, keepdim=True), 1)
            choice = _straight_through(hard, choice)
        return torch.einsum("krc,kd->drc", choice, self.palette)

    def opacity(self, logits: torch.Tensor, progress: float) -> torch.Tensor:
        """The alpha of a subject's cells, which are there or not at the end."""
        alpha = torch.sigmoid(logits)
        return _straight_through((logits > 0).float(), alpha) if progress >= _HARD_FROM else alpha

    def _distances(self, picture: torch.Tensor) -> torch.Tensor:
        """Squared distances in Oklab of cells from colours: ``[colours, rows, columns]``."""
        cells = to_oklab(picture.flatten(1).T).float()
        distances = torch.cdist(to_oklab(self._begun).float(), cells).square()
        return distances.view(-1, *picture.shape[1:])


def temperature(progress: float) -> float:
    """The temperature of the choice at this share of the run: it falls geometrically."""
    first, last = math.log(_FIRST_TEMPERATURE), math.log(_LAST_TEMPERATURE)
    return math.exp(first + (last - first) * min(1.0, progress / _HARD_FROM))


def noise_share(progress: float) -> float:
    """How much of the Gumbel noise is left at this share of the run."""
    return _NOISE * max(0.0, 1 - progress / _HARD_FROM)


def gumbel(like: torch.Tensor, randomness: torch.Generator) -> torch.Tensor:
    """Standard Gumbel noise in the shape of a tensor, drawn on the CPU."""
    uniform = torch.rand(like.shape, generator=randomness).clamp(1e-7, 1 - 1e-7)
    return -torch.log(-torch.log(uniform)).to(like.device)


def _straight_through(hard: torch.Tensor, soft: torch.Tensor) -> torch.Tensor:
    """The hard value with the gradient of the soft one (Bengio et al. 2013)."""
    return hard + soft - soft.detach()
