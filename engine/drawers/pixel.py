"""Pixel art: the parameters are the cells themselves, as pyramids of grids that are summed.

Coarse grids move whole areas at once, fine grids add the detail, so that shapes form before
texture does; a single grid would settle into noise. PixelDraw (pixray) optimised one vector
rectangle per cell through diffvg; the cells need no rasteriser.

A picture from noise has two layers, a subject with an alpha channel before a soft background of its
own. Most views show the subject alone, each before another backdrop: what stands out from all of
them is a clean shape in the middle, and not a pattern from edge to edge.
"""

import numpy as np
import torch
from PIL import Image

from engine.settings import Settings
from engine.streams import stream

COARSEST_CELLS = 4
# The background is made of the coarsest grids only.
BACKGROUND_GRIDS = 2

# How much of a step a grid passes on, compared with the next coarser one: with 1 the finest grids
# fill the picture with ripples that only the perceptor sees.
_DETAIL = 0.5
# The same for the background, which would otherwise take on the colour of the subject.
_BACKGROUND = 0.15
# Where the colours of a noise start lie, as logits: soft, near the middle grey.
_NOISE = 0.1
# Starting colours stay this far from black and white, where the sigmoid's gradient fades.
_MARGIN = 0.02
# A subject starts as a disc in the middle: logits of its alpha.
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
        self._layered = not settings.transparent and init_image is None
        channels = 4 if settings.transparent or self._layered else 3
        generator = stream(settings.seed, "pixel/start")
        shapes = _pyramid(columns, rows)
        self._shares = [_DETAIL**number for number in range(len(shapes))]
        finest = self._shares[-1]
        levels = [
            torch.randn(channels, *shape, generator=generator) * _NOISE / len(shapes) ** 0.5
            for shape in shapes
        ]
        if init_image is not None:
            levels = [torch.zeros_like(level) for level in levels]
            levels[-1] = _image_logits(init_image, columns, rows, channels) / finest
        else:
            levels[-1][3] += _middle_bump(columns, rows) / finest
        self._levels = [level.to(device).requires_grad_() for level in levels]
        if self._layered:
            self._shares += [_BACKGROUND * share for share in self._shares[:BACKGROUND_GRIDS]]
            self._levels += [
                torch.zeros(3, *shape, device=device, requires_grad=True)
                for shape in shapes[:BACKGROUND_GRIDS]
            ]
        self._spreads = [
            (_spread(rows, level.shape[1]).to(device), _spread(columns, level.shape[2]).to(device))
            for level in self._levels
        ]
        self._subject_grids = len(shapes)

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The grids of logits from coarse to fine, first the subject's, then the background's."""
        return self._levels

    def grid(self) -> torch.Tensor:
        """The cells ``[layers, 4, rows, columns]``: RGB premultiplied by alpha, and alpha.

        The first layer is the whole picture; in a picture from noise the second is its subject.
        """
        values = torch.sigmoid(self._summed(0, self._subject_grids))
        if not self._layered:
            alpha = values[3:] if self._transparent else torch.ones_like(values[:1])
            return torch.cat([values[:3] * alpha, alpha])[None]
        alpha = values[3:]
        subject = torch.cat([values[:3] * alpha, alpha])
        background = torch.sigmoid(self._summed(self._subject_grids, len(self._levels)))
        whole = torch.cat([subject[:3] + (1 - alpha) * background, torch.ones_like(alpha)])
        return torch.stack([whole, subject])

    def _summed(self, first: int, end: int) -> torch.Tensor:
        """The sum of some grids, each spread over all cells: ``[channels, rows, columns]``."""
        parts = [
            share * (down @ level @ across.T)
            for level, (down, across), share in zip(
                self._levels[first:end],
                self._spreads[first:end],
                self._shares[first:end],
                strict=True,
            )
        ]
        return torch.stack(parts).sum(0)

    @torch.no_grad()
    def native(self) -> Image.Image:
        """The picture at one pixel a cell, RGB or, if transparent, RGBA."""
        grid = self.grid()[0]
        colour, alpha = grid[:3], grid[3:]
        if self._transparent:
            # Half-there cells would look like dirt around a sprite: each is there or it is not. A
            # picture that is nowhere half there would be blank; what there is most of is shown.
            threshold = min(0.5, max(0.1, alpha.max().item() / 2))
            colour, alpha = colour / alpha.clamp(min=1e-6), (alpha > threshold).float()
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
    """Logits of alpha ``[rows, columns]``: a disc in the middle that fades to the edge."""
    shorter = min(columns, rows)
    down = torch.linspace(-1, 1, rows)[:, None] * rows / shorter
    across = torch.linspace(-1, 1, columns)[None, :] * columns / shorter
    distance = (down**2 + across**2).sqrt().clamp(max=1)
    return _ALPHA_MIDDLE + (_ALPHA_EDGE - _ALPHA_MIDDLE) * distance
