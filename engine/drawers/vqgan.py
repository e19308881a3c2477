"""VQGAN-CLIP (Crowson et al. 2022): the latents of a VQGAN, optimised through its decoder.

Whatever the latents are, the picture is made of codes that the VQGAN learnt: each latent is drawn
on the nearest code, and the gradient of the code passes straight through to the latent.
"""

import math

import torch
from PIL import Image

from engine.adam import Adam, GridAdam, Group
from engine.drawers.base import Moment, Showing, Shown, Start, as_pixels
from engine.drawers.strokes import on_white
from engine.models.vqgans import vqgan_shape
from engine.settings import PIXELCLIP, Settings
from engine.streams import stream
from engine.vqgan import clamp_with_gradient, load_vqgan

# Pixels of the canvas that is decoded in each step: a decoder's work grows with them, and
# pixelclip's views are no finer than the small one.
_SMALL_CANVAS, _LARGE_CANVAS = 200 * 112, 400 * 224


class VqganDrawer(Showing):
    """The latents of one picture ``[1, d, height / factor, width / factor]``.

    Args:
        settings: resolved; `vqgan_model`, `size`, `seed` and `perceptors` are used.
        start: a picture of the size that `code_size` names, or None for random codes.
        device: where the parameters live.

    Raises:
        SettingsError: the weights of `vqgan_model` are not on this machine.
        EngineError: they are damaged.

    """

    steady = True
    guess_weight = 10.0

    def __init__(self, settings: Settings, start: Start | None, device: torch.device) -> None:
        assert settings.seed is not None
        assert settings.vqgan_model is not None
        self._vqgan = load_vqgan(settings.vqgan_model, device)
        if start is None:
            self._picture = None
            width, height = (side // self._vqgan.factor for side in code_size(settings))
            codes = torch.randint(
                len(self._vqgan.codebook),
                (1, height, width),
                generator=stream(settings.seed, "vqgan/start"),
            )
            latents = self._vqgan.codebook[codes.to(device)].movedim(3, 1)
        else:
            self._picture = on_white(start).to(device)
            with torch.no_grad():
                latents = self._vqgan.encode(self._picture[None])
        self._latents = latents.contiguous().requires_grad_()

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The latents."""
        return [self._latents]

    @property
    def constants(self) -> list[torch.Tensor]:
        """Nothing: the model is known by its name, and its hash is part of the provenance."""
        return []

    def optimizer(self, learning_rate: float, rule: str) -> Adam:
        """One of Adam's rules over the grid; `learning_rate` is how far latents usually move.

        Plain Adam, which VQGAN-CLIP takes, turns all that is not the subject into glaring patches.
        """
        return GridAdam([Group([self._latents], learning_rate)], rule)

    def latents(self) -> torch.Tensor:
        """The latents within the range of the codes in each channel.

        Beyond it there is no code that they could become. VQGAN-CLIP moves them back after each
        step; here the ones that are drawn are kept within it, and those beyond get no gradient that
        leads further out, which any optimiser can take.
        """
        return clamp_with_gradient(self._latents, self._vqgan.low, self._vqgan.high)

    def moment(
        self, progress: float, randomness: torch.Generator | None = None, *, stored: bool = False
    ) -> Moment:
        """Nothing: there are no choices."""
        del progress, randomness, stored
        return Moment()

    def grid(self, moment: Moment | None = None) -> torch.Tensor:
        """The decoded picture ``[1, 4, height, width]``, all opaque."""
        del moment
        return _opaque(self._vqgan.decode(self._vqgan.quantise(self.latents())))

    def reference(self) -> torch.Tensor:
        """The picture that the latents began from; without one, the picture as it is."""
        if self._picture is None:
            return self.grid().detach()
        return _opaque(self._picture[None])

    @torch.no_grad()
    def shown(self, size: tuple[int, int] | None = None) -> Shown:
        """The decoded picture, resampled to a size (width, height) in pixels if there is one."""
        pixels = as_pixels(self.grid()[0, :3])
        if size is None:
            return Shown(pixels)
        return Shown(pixels, lambda image: image.resize(size, Image.Resampling.LANCZOS))

    def svg(self, size: tuple[int, int]) -> None:
        """None: it is not made of shapes."""


def code_size(settings: Settings) -> tuple[int, int]:
    """Width and height of the picture that is decoded: multiples of the model's factor.

    Args:
        settings: resolved.

    """
    assert settings.size is not None
    assert settings.vqgan_model is not None
    width, height = settings.size
    area = _SMALL_CANVAS if settings.perceptors == (PIXELCLIP,) else _LARGE_CANVAS
    scale = math.sqrt(area / (width * height))
    shape = vqgan_shape(settings.vqgan_model)
    return shape.rounded(width * scale, height * scale)


def _opaque(pictures: torch.Tensor) -> torch.Tensor:
    """RGB ``[1, 3, height, width]`` with an alpha of one."""
    return torch.cat([pictures, torch.ones_like(pictures[:, :1])], 1)
