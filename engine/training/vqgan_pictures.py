"""What the VQGAN learns to redraw: icons large and small, alone and in pairs, on every ground."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from engine.training import augment
from engine.training.recolour import recolour
from engine.training.scenes import paint_all

if TYPE_CHECKING:
    from engine.training.data import Pictures

_IN_SCENE = 0.45
_SCENE_ALONE = 0.1
_PAIR = 0.3
_SINGLE_COLOUR = 0.12
_RECOLOURED = 0.25


class PictureMaker:
    """Makes batches of pictures; that of a step depends on (seed, step) alone.

    Nothing is blurred or made noisy, as it is for `pixelclip`: what the decoder draws should be
    clean.
    """

    def __init__(
        self, pictures: Pictures, seed: int, device: torch.device, scenes_each: int = 96
    ) -> None:
        self._seed, self._device = seed, device
        indices = pictures.training_indices()
        pixels = np.ascontiguousarray(pictures.pixels[indices].transpose(0, 3, 1, 2))
        self._pixels = torch.from_numpy(pixels).to(device)
        scenes = torch.from_numpy(paint_all(scenes_each, seed)).flatten(0, 1)
        self._scenes = scenes.permute(0, 3, 1, 2).contiguous().to(device)
        single = [pictures.records[index].single_colour for index in indices]
        self._single_colour = torch.tensor(single, device=device)
        # The single-coloured silhouettes are a third of all pictures and have little to teach.
        share = self._single_colour.float().mean().clamp(1e-3, 1 - 1e-3)
        self._weights = torch.where(
            self._single_colour, _SINGLE_COLOUR / share, (1 - _SINGLE_COLOUR) / (1 - share)
        )

    def batch(self, step: int, size: int) -> torch.Tensor:
        """The batch of a step: [size, 3, 64, 64] RGB in 0..1."""
        generator = torch.Generator(self._device)
        generator.manual_seed(random.Random(f"{self._seed}/{step}").getrandbits(62))
        alone = augment.uniform(generator, size) < _SCENE_ALONE
        pair = ~alone & (augment.uniform(generator, size) < _PAIR)
        foreground = self._placed(size, generator)
        foreground[alone] = 0
        if pair.any():
            second = self._placed(int(pair.sum()), generator)
            foreground[pair] = second + (1 - second[:, 3:]) * foreground[pair]
        background = augment.contrasting(_grounds(size, generator), foreground)
        in_scene = alone | (augment.uniform(generator, size) < _IN_SCENE)
        background[in_scene] = self._scenes_of(int(in_scene.sum()), generator)
        return augment.over(foreground, background)

    def _placed(self, size: int, generator: torch.Generator) -> torch.Tensor:
        """Premultiplied RGBA of random pictures, 0.4 to 1.6 views wide and nearly upright."""
        chosen = torch.multinomial(self._weights, size, replacement=True, generator=generator)
        rgba = self._pixels[chosen].float() / 255
        redrawn = self._single_colour[chosen] | (augment.uniform(generator, size) < _RECOLOURED)
        colours = augment.uniform(generator, size, 3)
        rgba[redrawn] = recolour(rgba[redrawn], colours[redrawn])
        premultiplied = torch.cat((rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]), dim=1)
        # A sixth is redrawn in cells, as the first guess is drawn, and a sixth with outlines.
        share = size // 6
        if share:
            premultiplied[:share] = augment.pixelate_cut_out(premultiplied[:share], 2)
            premultiplied[-share:] = augment.ink(premultiplied[-share:])
        scale = 0.9 * torch.exp(0.3 * torch.randn(size, generator=generator, device=self._device))
        shift = augment.uniform(generator, size, 2, low=-0.6, high=0.6)
        return augment.place(
            premultiplied, scale.clamp(0.4, 1.6), shift, generator, turn=0.1, tilt=0.03
        )

    def _scenes_of(self, size: int, generator: torch.Generator) -> torch.Tensor:
        """Painted scenes, half of them mirrored, half of them enlarged by a half."""
        chosen = torch.randint(len(self._scenes), (size,), generator=generator, device=self._device)
        scenes = self._scenes[chosen].float() / 255
        mirrored, enlarged = augment.uniform(generator, 2, size) < 0.5
        scenes[mirrored] = scenes[mirrored].flip(-1)
        if enlarged.any():
            left, top = (augment.uniform(generator, 2) * 22).long().tolist()
            crop = scenes[enlarged][:, :, top : top + 43, left : left + 43]
            scenes[enlarged] = F.interpolate(crop, size=augment.VIEW_SIZE, mode="bilinear")
        return scenes


def _grounds(size: int, generator: torch.Generator) -> torch.Tensor:
    """Plain and shaded grounds, two thirds of them plain, many near white: [size, 3, 64, 64]."""
    device = generator.device
    first, second = augment.uniform(generator, 2, size, 3, 1, 1)
    paper = augment.uniform(generator, size, 1, 1, 1) < 0.4
    first = torch.where(paper, 1 - 0.2 * first * second, first)
    plain = augment.uniform(generator, size, 1, 1, 1) < 2 / 3
    second = torch.where(plain, first, second)
    axis = torch.linspace(-0.5, 0.5, augment.VIEW_SIZE, device=device)
    angle = augment.uniform(generator, size, 1, 1, high=2 * math.pi)
    ramp = (angle.cos() * axis[None, None, :] + angle.sin() * axis[None, :, None] + 0.5).clamp(0, 1)
    return first + ramp[:, None] * (second - first)
