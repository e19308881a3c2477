"""What the first guess learns from: clean cut-outs and what lies behind them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from engine.guess.generator import SIDE
from engine.training.augment import uniform
from engine.training.batches import Mix
from engine.training.captions import Kind

if TYPE_CHECKING:
    from engine.training.batches import BatchMaker, Plan

PAINTED = "painted"
"""The style of a place with nothing in it."""

DRAWN = ("noto", "fluent-emoji-flat", "twemoji")
"""The styles that a first guess may take: clean shapes in full colours."""

GUESSING = Mix(
    scenes=0.1,
    bank=0.93,
    unsaid=0.0,
    kinds={
        Kind.PLAIN: 0.52,
        Kind.KEYWORD: 0.02,
        Kind.COLOURED: 0.15,
        Kind.BACKGROUND: 0.05,
        Kind.PLACED: 0.2,
        Kind.PAIR: 0.06,
    },
    # The other sets teach what the texts mean; these must be drawn well.
    sets=dict.fromkeys(DRAWN, 6.0),
)


# How far the middles of two things side by side are from the middle, and half of their sides.
_APART = 0.5


@dataclass(frozen=True)
class GuessBatch:
    """Pictures to be made from texts.

    Attributes:
        layers: [n, 7, 32, 32] in −1..1: the subject's premultiplied RGB and alpha, then the RGB of
            what is behind it.
        texts: [n] number of the caption.
        styles: [n] number of the style.

    """

    layers: torch.Tensor
    texts: torch.Tensor
    styles: torch.Tensor


class GuessBatchMaker:
    """Makes batches of layered pictures; that of a step depends on (seed, step) alone.

    Args:
        maker: chooses captions and cuts out what they speak of.
        styles: names of the styles: the sets of the pictures, and `PAINTED`.
        seed: of all batches.

    """

    def __init__(self, maker: BatchMaker, styles: tuple[str, ...], seed: int) -> None:
        self._maker, self._seed = maker, seed
        self._style = {name: number for number, name in enumerate(styles)}

    def batch(self, step: int, size: int) -> GuessBatch:
        """The batch of a step."""
        choice = random.Random(f"guess/{self._seed}/{step}")
        plans = [self._maker.plan(choice, GUESSING) for _ in range(size)]
        device = self._maker.device
        generator = torch.Generator(device)
        generator.manual_seed(choice.getrandbits(62))
        subject = self._subjects(plans, generator)
        behind = self._behind(plans, subject, generator)
        styles = [
            self._style[PAINTED if plan.picture < 0 else self._maker.source_of(plan.picture)]
            for plan in plans
        ]
        return GuessBatch(
            torch.cat((subject, behind), dim=1) * 2 - 1,
            torch.tensor([plan.text for plan in plans], device=device),
            torch.tensor(styles, device=device),
        )

    def _subjects(self, plans: list[Plan], generator: torch.Generator) -> torch.Tensor:
        """Cut-outs in the middle, or two side by side: [n, 4, 32, 32], premultiplied."""
        pair = torch.tensor([plan.partner >= 0 for plan in plans], device=self._maker.device)
        cut_outs = self._maker.cut_outs([plan.picture for plan in plans], plans, generator)
        n = len(plans)
        # In units of half a side of the canvas.
        scale = torch.where(pair, _APART, uniform(generator, n, low=0.82, high=1.0))
        # The place is often seen around what is in it.
        placed = torch.tensor([plan.scene >= 0 for plan in plans], device=self._maker.device)
        scale = torch.where(placed, scale * uniform(generator, n, low=0.65, high=0.95), scale)
        shift = uniform(generator, n, 2, low=-1, high=1) * (1 - scale[:, None]) * 0.5
        shift[:, 1] += torch.where(placed, 0.12, 0.0)
        shift[:, 0] = torch.where(pair, -_APART, shift[:, 0])
        subjects = _place(cut_outs, scale, shift, generator)
        subjects[[plan.picture < 0 for plan in plans]] = 0
        if pair.any():
            chosen = [plan.partner for plan in plans if plan.partner >= 0]
            beside = self._maker.cut_outs(chosen, None, generator)
            shift[:, 0] = _APART
            second = _place(beside, scale[pair], shift[pair], generator)
            subjects[pair] = second + (1 - second[:, 3:]) * subjects[pair]
        return subjects

    def _behind(
        self, plans: list[Plan], subject: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Scenes, coloured backdrops, or quiet colours that the subject stands out from."""
        behind = _quiet(subject, generator)
        for row, plan in enumerate(plans):
            if plan.scene >= 0:
                number, mirrored = torch.randint(
                    0, 2**16, (2,), generator=generator, device=generator.device
                ).tolist()
                painted = self._maker.scene(plan.scene, number)[None]
                small = F.interpolate(painted, size=SIDE, mode="bilinear", antialias=True)[0]
                behind[row] = small.flip(-1) if mirrored % 2 else small
            elif plan.backdrop >= 0:
                behind[row] = self._maker.backdrop(plan.backdrop, generator)
        return behind


def _place(
    rgba: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Pictures on a canvas, some mirrored: [n, 4, 32, 32], each cell a mean of four samples.

    `scale` [n] is half the side of a picture and `shift` [n, 2] its centre, both in halves of a
    side of the canvas.
    """
    n, fine = len(rgba), 2 * SIDE
    along = (torch.arange(fine, device=rgba.device) * 2 + 1) / fine - 1
    mirror = torch.where(uniform(generator, n) < 0.3, -1.0, 1.0)
    x = (along[None, :] - shift[:, :1]) / scale[:, None] * mirror[:, None]
    y = (along[None, :] - shift[:, 1:]) / scale[:, None]
    shape = (n, fine, fine)
    grid = torch.stack((x[:, None, :].expand(shape), y[:, :, None].expand(shape)), dim=-1)
    return F.avg_pool2d(F.grid_sample(rgba, grid, align_corners=False), 2)


def _quiet(subject: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Plain or softly shaded backgrounds, light or dark as the subject is not: [n, 3, 32, 32]."""
    n = len(subject)
    device = generator.device
    alpha = subject[:, 3].sum(dim=(1, 2)).clamp_min(1.0)
    shown = (subject[:, :3].sum(dim=(2, 3)) / alpha[:, None]).mean(dim=1)
    hue = uniform(generator, n, 3)
    hue = (hue - hue.amin(dim=1, keepdim=True)) / (
        hue.amax(dim=1, keepdim=True) - hue.amin(dim=1, keepdim=True)
    ).clamp_min(1e-3)
    dark = uniform(generator, n) < torch.where(shown > 0.72, 0.85, 0.12)
    light = 0.78 + 0.2 * hue
    deep = 0.1 + 0.24 * hue
    colour = torch.where(dark[:, None], deep, light)[:, :, None, None]
    ramp = torch.linspace(-0.5, 0.5, SIDE, device=device)[None, None, :, None]
    slope = uniform(generator, n, 1, 1, 1, low=-0.2, high=0.2)
    shaded = uniform(generator, n, 1, 1, 1) < 0.6
    return (
        (colour + torch.where(shaded, slope, 0.0) * ramp)
        .clamp(0, 1)
        .expand(-1, -1, -1, SIDE)
        .clone()
    )
