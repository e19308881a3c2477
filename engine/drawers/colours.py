"""What a cell's numbers say of its colour: any colour, or a choice from a palette.

The choice is a Gumbel-softmax (Jang et al. 2017): a mixture of the palette while the temperature is
high, one colour as it falls, as in SD-πXL (Binninger & Sorkine-Hornung 2024). Over the last part of
a run the views see the hard choice, with the gradient of the soft one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Protocol

import torch
import torch.nn.functional as F

from engine.drawers.base import Moment
from engine.drawers.matching import matched
from engine.drawers.paths import Path, slerp
from engine.drawers.quantize import from_oklab, to_oklab
from engine.drawers.regions import moving_regions
from engine.streams import stream

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
# How many numbers of noise a device has stored: several times those of the most cells and colours
# that are usual, and no more than a float counts one by one.
_STORED = 2**20
# How much less it costs that a colour becomes that of all its cells than of none, in Oklab².
_SAME_CELLS = 0.3

# Numbers of cells, at a share of the way from one picture's to another's.
Field = Callable[[float], torch.Tensor]


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

    def moment(
        self,
        shapes: Sequence[tuple[int, ...]],
        progress: float,
        randomness: torch.Generator | None,
        *,
        stored: bool,
    ) -> Moment:
        """What the choice of layers takes from the host at this share of the run, 0…1.

        Args:
            shapes: of each layer's logits.
            progress: the share of the run.
            randomness: the stream of the noise; None for none.
            stored: whether it is a part of what is stored on the device.

        """

    def mixed(self, logits: torch.Tensor, moment: Moment, layer: int = 0) -> torch.Tensor:
        """The colours ``[3, rows, columns]`` in 0…1 of the logits of a layer."""

    def opacity(self, logits: torch.Tensor, moment: Moment) -> torch.Tensor:
        """The alpha of a subject's cells, in the shape of its logits."""

    def path_to(self, pairs: "Pairs", *, wraps: bool) -> tuple[Path, list[Field]]:
        """The way of the colours themselves, and that of the logits of each layer.

        Args:
            pairs: each layer, and that of a like drawing which it becomes.
            wraps: whether cells go on from each border at the opposite one.

        """

    def opacity_between(self, first: torch.Tensor, last: torch.Tensor, *, wraps: bool) -> Field:
        """The way from logits of alpha ``[1, rows, columns]`` to others."""


@dataclass(frozen=True)
class Layer:
    """The cells of a picture, or of its subject, or of what lies behind that.

    Attributes:
        colours: what the logits mean.
        logits: ``[channels, rows, columns]``.
        seen: which cells are to be seen, ``[rows, columns]``.

    """

    colours: Colours
    logits: torch.Tensor
    seen: torch.Tensor


Pairs = Sequence[tuple[Layer, Layer]]


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

    def moment(
        self,
        shapes: Sequence[tuple[int, ...]],
        progress: float,
        randomness: torch.Generator | None,
        *,
        stored: bool,
    ) -> Moment:
        """Nothing: there is no choice."""
        del shapes, progress, randomness, stored
        return Moment()

    def mixed(self, logits: torch.Tensor, moment: Moment, layer: int = 0) -> torch.Tensor:
        """The colours ``[3, rows, columns]``, the same at every share of the run."""
        del moment, layer
        return torch.sigmoid(logits)

    def opacity(self, logits: torch.Tensor, moment: Moment) -> torch.Tensor:
        """The alpha of a subject's cells: soft throughout, as their colours are."""
        del moment
        return torch.sigmoid(logits)

    def path_to(self, pairs: Pairs, *, wraps: bool) -> tuple[Path, list[Field]]:
        """The arc from logits to logits, on which the contrast of the picture stays."""
        del wraps
        return lambda _: None, [partial(slerp, first.logits, last.logits) for first, last in pairs]

    def opacity_between(self, first: torch.Tensor, last: torch.Tensor, *, wraps: bool) -> Field:
        """The arc from logits to logits."""
        del wraps
        return lambda share: slerp(first, last, share)


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
        return palette.index_select(0, apart.square().sum(1).argmin(0, keepdim=True))[0]

    def moment(
        self,
        shapes: Sequence[tuple[int, ...]],
        progress: float,
        randomness: torch.Generator | None,
        *,
        stored: bool,
    ) -> Moment:
        """How soft the choice is, and its noise for each layer, as much as is left of it."""
        hard, heat = progress >= _HARD_FROM, torch.tensor(temperature(progress))
        if randomness is None or hard:
            return Moment(hard, heat)
        share = noise_share(progress)
        if stored:
            places = torch.rand(len(shapes), generator=randomness)
            return Moment(hard, heat, stored=tuple(places), strength=torch.tensor(share))
        return Moment(hard, heat, tuple(share * gumbel(shape, randomness) for shape in shapes))

    def mixed(self, logits: torch.Tensor, moment: Moment, layer: int = 0) -> torch.Tensor:
        """The mixture of the palette at this moment; the hard choice at the end."""
        assert moment.temperature is not None
        if moment.noise:
            logits = logits + moment.noise[layer]
        if moment.stored:
            assert moment.strength is not None
            logits = logits + moment.strength * _stored_gumbel(logits, moment.stored[layer])
        choice = torch.softmax(logits / moment.temperature, 0)
        if moment.hard:
            hard = torch.zeros_like(choice).scatter_(0, logits.argmax(0, keepdim=True), 1)
            choice = _straight_through(hard, choice)
        return torch.einsum("krc,kd->drc", choice, self.palette)

    def opacity(self, logits: torch.Tensor, moment: Moment) -> torch.Tensor:
        """The alpha of a subject's cells, which are there or not at the end."""
        alpha = torch.sigmoid(logits)
        return _straight_through((logits > 0).float(), alpha) if moment.hard else alpha

    def path_to(self, pairs: Pairs, *, wraps: bool) -> tuple[Path, list[Field]]:
        """Regions of one colour each, whose borders move: no cell is mixed of two.

        Colours that may change do so along straight lines in Oklab. Cells that are not to be seen
        belong to no region, and take the colour of what comes near.
        """
        other = pairs[0][1].colours
        assert isinstance(other, PaletteColours)
        becomes = self._becomes(other, pairs)
        mine = torch.argsort(becomes)
        fields = []
        for first, last in pairs:
            begin = torch.where(first.seen, first.logits.argmax(0), -1)
            end = torch.where(last.seen, mine[last.logits.argmax(0)], -1)
            fields.append(moving_regions(begin, end, self.channels, wraps=wraps))
        begun, ended = self._lab(), other._lab()[becomes]

        @torch.no_grad()
        def go(share: float) -> None:
            for change in self._changes:
                self._begun.copy_(from_oklab(torch.lerp(begun, ended, share).cpu()))
                change.zero_()

        return go, fields

    def opacity_between(self, first: torch.Tensor, last: torch.Tensor, *, wraps: bool) -> Field:
        """A subject whose outline moves."""
        begin, end = ((logits[0] > 0).long() for logits in (first, last))
        depths = moving_regions(begin, end, 2, wraps=wraps)
        return lambda share: depths(share).diff(dim=0)

    def _becomes(self, other: "PaletteColours", pairs: Pairs) -> torch.Tensor:
        """The number of the other's colour that each colour becomes, each once.

        Near ones, and, if colours may change, those of the same cells.
        """
        costs = torch.cdist(self._lab(), other._lab()).square()
        if self._changes:
            cells, others = (
                torch.cat([_members(pair[side]) for pair in pairs], 1) for side in (0, 1)
            )
            both = cells @ others.T
            either = cells.sum(1)[:, None] + others.sum(1) - both
            costs -= _SAME_CELLS * both / either.clamp(min=1)
        return torch.from_numpy(matched(costs.cpu().numpy())).to(self._begun.device)

    @torch.no_grad()
    def _lab(self) -> torch.Tensor:
        return to_oklab(self.palette)

    def _distances(self, picture: torch.Tensor) -> torch.Tensor:
        """Squared distances in Oklab of cells from colours: ``[colours, rows, columns]``."""
        cells = to_oklab(picture.flatten(1).T).float()
        distances = torch.cdist(to_oklab(self._begun).float(), cells).square()
        return distances.view(-1, *picture.shape[1:])


def _members(layer: Layer) -> torch.Tensor:
    """Which cells are to be seen in each colour: ``[colours, cells]``, 0 or 1."""
    chosen = torch.zeros_like(layer.logits).scatter_(0, layer.logits.argmax(0, keepdim=True), 1)
    return (chosen * layer.seen).flatten(1)


def temperature(progress: float) -> float:
    """The temperature of the choice at this share of the run: it falls geometrically."""
    first, last = math.log(_FIRST_TEMPERATURE), math.log(_LAST_TEMPERATURE)
    return math.exp(first + (last - first) * min(1.0, progress / _HARD_FROM))


def noise_share(progress: float) -> float:
    """How much of the Gumbel noise is left at this share of the run."""
    return _NOISE * max(0.0, 1 - progress / _HARD_FROM)


def gumbel(shape: Sequence[int], randomness: torch.Generator) -> torch.Tensor:
    """Standard Gumbel noise of a shape, drawn on the CPU."""
    uniform = torch.rand(*shape, generator=randomness).clamp(1e-7, 1 - 1e-7)
    return -torch.log(-torch.log(uniform))


@lru_cache(maxsize=1)
def _gumbel_on(device: torch.device) -> torch.Tensor:
    """Gumbel noise that is drawn once for all."""
    return gumbel((_STORED,), stream(0, "colours/noise")).to(device)


def _stored_gumbel(logits: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """A part of stored noise in the shape of logits, from a place in 0…1 on, round its end."""
    numbers = torch.arange(logits.numel(), device=logits.device) + (place * _STORED).long()
    return _gumbel_on(logits.device)[numbers % _STORED].view_as(logits)


def _straight_through(hard: torch.Tensor, soft: torch.Tensor) -> torch.Tensor:
    """The hard value with the gradient of the soft one (Bengio et al. 2013)."""
    return hard + soft - soft.detach()
