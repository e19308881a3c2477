"""Pixel art: the parameters are the cells themselves, as a pyramid of grids that are summed.

Coarse grids move whole areas at once, fine grids add the detail, so that shapes form before
texture does; a single grid would settle into noise. PixelDraw (pixray) optimised one vector
rectangle per cell through diffvg; the cells need no rasteriser.
"""

import numpy as np
import torch
from PIL import Image

from engine.settings import Settings
from engine.streams import stream

COARSEST_CELLS = 4

# How much of a step a grid passes on, compared with the next coarser one: with 1 the finest grids
# fill the picture with ripples that only the perceptor sees.
_DETAIL = 0.5
# Where the colours of a noise start lie, as logits: soft, near the middle grey.
_NOISE = 0.1
# Starting colours stay this far from black and white, where the sigmoid's gradient fades.
_MARGIN = 0.02
# A transparent picture starts half there, and more in the middle than at the edge.
_ALPHA_MIDDLE, _ALPHA_EDGE = 0.5, -3.0


class PixelDrawer:
    """A grid of square or nearly square cells, RGB or RGBA.

    Args:
        settings: resolved; `pixel_size`, `seed` and `transparent` are used.
        init_image: RGB or RGBA; scaled to one pixel a cell.
        device: where the parameters live.

    """

    def __init__(
        self, settings: Settings, init_image: Image.Image | None, device: torch.device
    ) -> None:
        assert settings.pixel_size is not None
        assert settings.seed is not None
        columns, rows = settings.pixel_size
        self._transparent = settings.transparent
        channels = 4 if settings.transparent else 3
        generator = stream(settings.seed, "pixel/start")
        shapes = _pyramid(columns, rows)
        self._shares = [_DETAIL**number for number in range(len(shapes))]
        levels = [
            torch.randn(channels, *shape, generator=generator) * _NOISE / len(shapes) ** 0.5
            for shape in shapes
        ]
        if init_image is not None:
            levels = [torch.zeros_like(level) for level in levels]
            levels[-1] = _image_logits(init_image, columns, rows, channels) / self._shares[-1]
        elif settings.transparent:
            levels[-1][3] += _middle_bump(columns, rows) / self._shares[-1]
        self._levels = [level.to(device).requires_grad_() for level in levels]
        self._spreads = [
            (_spread(rows, level.shape[1]).to(device), _spread(columns, level.shape[2]).to(device))
            for level in levels
        ]

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The grids of logits, from coarse to fine."""
        return self._levels

    def grid(self) -> torch.Tensor:
        """The cells ``[4, rows, columns]``: RGB premultiplied by alpha, and alpha."""
        logits = self._levels[-1] * self._shares[-1]
        coarse = zip(self._levels[:-1], self._spreads[:-1], self._shares[:-1], strict=True)
        for level, (down, across), share in coarse:
            logits = logits + share * (down @ level @ across.T)
        values = torch.sigmoid(logits)
        if self._transparent:
            return torch.cat([values[:3] * values[3:], values[3:]])
        return torch.cat([values, torch.ones_like(values[:1])])

    @torch.no_grad()
    def native(self) -> Image.Image:
        """The picture at one pixel a cell, RGB or, if transparent, RGBA."""
        grid = self.grid()
        colour, alpha = grid[:3], grid[3:]
        if self._transparent:
            # Half-there cells would look like dirt around a sprite: each is there or it is not.
            colour, alpha = colour / alpha.clamp(min=1e-6), (alpha > 0.5).float()
            grid = torch.cat([colour * alpha, alpha])
        pixels = (grid * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        channels = 4 if self._transparent else 3
        return Image.fromarray(np.ascontiguousarray(pixels[..., :channels]))

    def enlarged(self, size: tuple[int, int]) -> Image.Image:
        """The picture at the output size, by nearest neighbour: every cell stays crisp."""
        return self.native().resize(size, Image.Resampling.NEAREST)


def _pyramid(columns: int, rows: int) -> list[tuple[int, int]]:
    """(rows, columns) of each grid, from the coarsest to the full one, each twice the last."""
    shapes = [(rows, columns)]
    while min(shapes[0]) >= 2 * COARSEST_CELLS:
        height, width = shapes[0]
        shapes.insert(0, (round(height / 2), round(width / 2)))
    return shapes


def _spread(fine: int, coarse: int) -> torch.Tensor:
    """Linear interpolation from `coarse` to `fine` cells as a matrix ``[fine, coarse]``."""
    place = ((torch.arange(fine) + 0.5) * (coarse / fine) - 0.5).clamp(0, coarse - 1)
    return (1 - (place[:, None] - torch.arange(coarse)[None, :]).abs()).clamp(min=0)


def _image_logits(image: Image.Image, columns: int, rows: int, channels: int) -> torch.Tensor:
    """The logits ``[channels, rows, columns]`` whose sigmoid is the picture."""
    rgba = image.convert("RGBA")
    if channels == 3:
        white = Image.new("RGBA", rgba.size, "white")
        rgba = Image.alpha_composite(white, rgba)
    small = rgba.resize((columns, rows), Image.Resampling.BOX)
    values = torch.from_numpy(np.asarray(small, dtype=np.float32) / 255).permute(2, 0, 1)
    return torch.logit(values[:channels].clamp(_MARGIN, 1 - _MARGIN))


def _middle_bump(columns: int, rows: int) -> torch.Tensor:
    """Logits of alpha ``[rows, columns]``, falling from the middle to the edge."""
    down = torch.linspace(-1, 1, rows)[:, None] ** 2
    across = torch.linspace(-1, 1, columns)[None, :] ** 2
    distance = (down + across).sqrt().clamp(max=1)
    return _ALPHA_MIDDLE + (_ALPHA_EDGE - _ALPHA_MIDDLE) * distance
