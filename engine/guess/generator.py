"""The first guess: a small text-conditioned generator that gives an optimisation its start.

A U-Net (Ronneberger et al. 2015) of residual blocks turns noise into a picture of 32 × 32 cells
along the straight paths of flow matching (Lipman et al. 2023; Liu et al. 2023), with
classifier-free guidance (Ho and Salimans 2022). It draws two layers at once: a free-standing
subject with its alpha, and what lies behind it. `docs/small-models.md` says how it was trained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

LAYERS = 7
"""Channels of a guess in −1..1: the subject's premultiplied RGB and alpha, the background's RGB."""

SIDE = 32
"""Cells along a side of a guess."""

STEPS = 16
# Of the subject; and of what lies behind it, whose colours more would make glaring.
GUIDANCE = (3.0, 1.5)
_EARLY = 1.3

_TEXT = 384
_SQUEEZE = 2
# Side of the finest learnt map, and channels of a layout.
_MAP, _LAYOUT = SIDE // _SQUEEZE, 64
_PLACES = ("x", "y")


@dataclass(frozen=True)
class GuessShape:
    """Sizes of the generator; the defaults are those of the file that ships.

    Attributes:
        channels: of the stages at 16 × 16, 8 × 8 and 4 × 4 places.
        blocks: residual blocks a stage, on the way down and up.
        condition: width of what time, text and style become together.
        styles: names of the drawing styles that can be asked for.

    """

    channels: tuple[int, ...] = (64, 128, 192)
    blocks: int = 1
    condition: int = 256
    styles: tuple[str, ...] = ()


class _Block(nn.Module):
    """A residual block whose first normalisation is scaled and shifted by the condition."""

    def __init__(self, inward: int, outward: int, condition: int) -> None:
        super().__init__()
        self.first_norm = nn.GroupNorm(8, inward)
        self.first = nn.Conv2d(inward, outward, 3, padding=1)
        self.modulate = nn.Linear(condition, 2 * outward)
        self.second_norm = nn.GroupNorm(8, outward)
        self.second = nn.Conv2d(outward, outward, 3, padding=1)
        self.skip = nn.Conv2d(inward, outward, 1) if inward != outward else nn.Identity()
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, features: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """[n, inward, h, w] and [n, c] → [n, outward, h, w]."""
        hidden = self.first(F.silu(self.first_norm(features)))
        modulation = self.modulate(condition).to(features.dtype)
        scale, shift = modulation[:, :, None, None].chunk(2, dim=1)
        hidden = self.second(F.silu(self.second_norm(hidden) * (1 + scale) + shift))
        changed: torch.Tensor = self.skip(features) + hidden
        return changed


class _Attention(nn.Module):
    """Self-attention between the places of a small map, beside the identity."""

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(8, channels)
        self.inward = nn.Linear(channels, 3 * channels)
        self.outward = nn.Linear(channels, channels)
        nn.init.zeros_(self.outward.weight)
        nn.init.zeros_(self.outward.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[n, c, h, w] → the same shape."""
        n, channels, height, width = features.shape
        places = self.norm(features.float()).flatten(2).transpose(1, 2)
        parts = self.inward(places).view(n, height * width, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        mixed = self.outward(mixed.transpose(1, 2).reshape(n, height * width, channels))
        mixed = mixed.transpose(1, 2).view_as(features)
        changed: torch.Tensor = features + mixed.to(features.dtype)
        return changed


class Generator(nn.Module):
    """The velocity of a noisy guess: which way, and how far, the finished picture lies.

    Its convolutions may be in bfloat16, and all that passes between them is then; the rest is fp32.
    """

    def __init__(self, shape: GuessShape) -> None:
        super().__init__()
        self.shape = shape
        condition = shape.condition
        self.time = nn.Sequential(
            nn.Linear(64, condition), nn.SiLU(), nn.Linear(condition, condition)
        )
        self.text = nn.Linear(_TEXT, condition)
        self.style = nn.Embedding(len(shape.styles), condition)
        nn.init.normal_(self.style.weight, std=0.02)
        first, *_ = shape.channels
        # What a text means for a place: maps whose channels the condition scales, and a rough
        # layout. Without them it is the noise that decides on the outline.
        self.maps = nn.ParameterList(
            torch.zeros(channels, _MAP >> number, _MAP >> number)
            for number, channels in enumerate((first, *shape.channels[:-1]))
        )
        self._coarsest = _MAP >> (len(shape.channels) - 1)
        self.layout = nn.Linear(condition, _LAYOUT * self._coarsest**2)
        self.laid_out = nn.Conv2d(_LAYOUT, shape.channels[-1], 1)
        nn.init.zeros_(self.laid_out.weight)
        self.inward = nn.Conv2d(LAYERS * _SQUEEZE**2 + len(_PLACES), first, 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        self.shrink, self.grow = nn.ModuleList(), nn.ModuleList()
        before = first
        for number, channels in enumerate(shape.channels):
            if number:
                self.shrink.append(nn.Conv2d(before, before, 3, stride=2, padding=1))
            self.down.append(_stage(before, channels, shape))
            before = channels
        self.middle = _Block(before, before, condition)
        self.middle_attention = _Attention(before)
        for number, channels in reversed(list(enumerate(shape.channels))):
            self.up.append(_stage(before + channels, channels, shape))
            before = channels
            if number:
                self.grow.append(nn.Conv2d(before, shape.channels[number - 1], 3, padding=1))
                before = shape.channels[number - 1]
        self.outward_norm = nn.GroupNorm(8, before)
        self.outward = nn.Conv2d(before, LAYERS * _SQUEEZE**2, 3, padding=1)
        nn.init.zeros_(self.outward.weight)

    def forward(
        self, noisy: torch.Tensor, time: torch.Tensor, text: torch.Tensor, style: torch.Tensor
    ) -> torch.Tensor:
        """The velocity of each guess.

        Args:
            noisy: [n, 7, 32, 32].
            time: [n] in 0 (noise) .. 1 (picture).
            text: [n, 384] of unit length; zeros stand for no text.
            style: [n] number of the style.

        Returns:
            [n, 7, 32, 32].

        """
        condition = self.time(_waves(time)) + self.text(text * _TEXT**0.5) + self.style(style)
        condition = F.silu(condition)
        squeezed = F.pixel_unshuffle(noisy, _SQUEEZE)
        dtype = self.inward.weight.dtype
        features = self.inward(torch.cat((squeezed, _places(squeezed)), dim=1).to(dtype))
        kept = []
        for number, blocks in enumerate(self.down):
            if number:
                features = self.shrink[number - 1](features)
            features = features + self.maps[number].to(dtype)
            for block in blocks:  # type: ignore[attr-defined]
                features = block(features, condition)
            kept.append(features)
        layout = self.layout(condition).view(len(noisy), _LAYOUT, self._coarsest, self._coarsest)
        features = features + self.laid_out(layout.to(dtype))
        features = self.middle_attention(self.middle(features, condition))
        for number, blocks in enumerate(self.up):
            features = torch.cat((features, kept.pop()), dim=1)
            for block in blocks:  # type: ignore[attr-defined]
                features = block(features, condition)
            if number < len(self.grow):
                features = F.interpolate(features, scale_factor=2.0, mode="nearest")
                features = self.grow[number](features)
        features = self.outward(F.silu(self.outward_norm(features)))
        return F.pixel_shuffle(features.float(), _SQUEEZE)


def _stage(inward: int, outward: int, shape: GuessShape) -> nn.ModuleList:
    sizes = [inward, *[outward] * shape.blocks]
    return nn.ModuleList(
        _Block(before, after, shape.condition) for before, after in pairwise(sizes)
    )


def _waves(time: torch.Tensor) -> torch.Tensor:
    """Sine and cosine of 32 frequencies from ½ to 500 periods: [n] → [n, 64]."""
    frequencies = torch.exp(torch.linspace(0, math.log(1000), 32, device=time.device)) * math.pi
    angles = time[:, None] * frequencies[None, :]
    return torch.cat((angles.sin(), angles.cos()), dim=1)


def _places(features: torch.Tensor) -> torch.Tensor:
    """Where each place lies, in −1..1: [n, c, s, s] → [n, 2, s, s]."""
    n, _, side, _ = features.shape
    along = (torch.arange(side, device=features.device) * 2 + 1) / side - 1
    maps = torch.stack((along.expand(side, side), along[:, None].expand(side, side)))
    return maps.expand(n, -1, -1, -1)


@torch.no_grad()
def integrate(
    model: Generator,
    noise: torch.Tensor,
    texts: torch.Tensor,
    weights: torch.Tensor,
    styles: torch.Tensor,
    steps: int = STEPS,
    guidance: tuple[float, float] = GUIDANCE,
) -> torch.Tensor:
    """Follow the guided velocity from noise to pictures, by the two-step Adams–Bashforth rule.

    Several texts pull by their weights (Liu et al. 2022, "Compositional Visual Generation").

    Args:
        model: the generator.
        noise: [k, 7, 32, 32], standard normal; all k pictures are of the same texts.
        texts: [n, 384] of unit length.
        weights: [n]; negative ones push away.
        styles: [k] numbers of styles.
        steps: of the solver; each asks the model once, with every text and with none.
        guidance: how much further than the texts alone would lead, for the subject and for what
            lies behind it.

    Returns:
        [k, 7, 32, 32], about −1..1.

    """
    pictures, count = len(noise), len(texts) + 1
    said = torch.cat((texts, torch.zeros_like(texts[:1]))).repeat(pictures, 1)
    drawn_in = styles.repeat_interleave(count)
    subject, behind = guidance
    by_layer = torch.tensor([subject] * 4 + [behind] * (LAYERS - 4), device=noise.device)
    pull = weights[:, None, None, None] * by_layer[:, None, None]
    # Small steps where the picture is decided, in the first half.
    times = (torch.linspace(0, 1, steps + 1) ** _EARLY).tolist()
    guess, last, interval = noise, torch.zeros_like(noise), 0.0
    for now, then in pairwise(times):
        at = torch.full((pictures * count,), now, device=noise.device)
        answers = model(guess.repeat_interleave(count, dim=0), at, said, drawn_in)
        answers = answers.view(pictures, count, *noise.shape[1:])
        velocity = answers[:, -1] + (pull * (answers[:, :-1] - answers[:, -1:])).sum(dim=1)
        # The first step has no other to extrapolate from.
        ahead = (then - now) / (2 * interval) if interval else 0.0
        guess = guess + (then - now) * torch.lerp(velocity, 2 * velocity - last, ahead)
        last, interval = velocity, then - now
    return guess
