"""Pixel art: the parameters are numbers for the cells themselves, as pyramids of grids.

PixelDraw (pixray) optimised one vector rectangle per cell through diffvg; the cells need no
rasteriser. A picture may have two layers, a subject with an alpha channel before a soft background
of its own. Most views show the subject alone, each before another backdrop: what stands out from
all of them is a clean shape in the middle, and not a pattern from edge to edge.
"""

import numpy as np
import torch
from PIL import Image

from engine.adam import GridAdam
from engine.drawers.base import Start
from engine.drawers.colours import Colours, FreeColours, PaletteColours
from engine.drawers.pyramid import Pyramid, mirrored, noise
from engine.drawers.quantize import choose_colours, choose_of_palette
from engine.drawers.starts import fitted, seen_colours, unpremultiplied
from engine.palettes import parse_palette
from engine.settings import Settings
from engine.streams import stream

# The background is made of the coarsest grids only.
BACKGROUND_GRIDS = 2

# How much of a step the background's grids pass on: with more it takes on the subject's colour.
_BACKGROUND = 0.15
# Where the numbers of a noise start lie: soft, near the middle grey.
_NOISE = 0.1
# A subject starts as a disc in the middle: logits of its alpha.
_ALPHA_MIDDLE, _ALPHA_EDGE = 0.5, -3.0
# Where a limited number of colours is taken from when there is no start: it has some of every kind.
_BROAD = "resurrect64"
# An alpha of nothing or all would have no gradient.
_ALPHA_MARGIN = 0.02


class PixelDrawer:
    """A grid of square or nearly square cells, RGB or RGBA.

    Args:
        settings: resolved; `pixel_size`, `seed`, `palette`, `colors`, `transparent`, `layers` and
            `symmetry` are used.
        start: a picture of the grid's size, or None for noise.
        device: where the parameters live.

    """

    # A first guess has the form that an optimisation would not find, which adds what it lacks.
    guess_weight = 30.0

    def __init__(self, settings: Settings, start: Start | None, device: torch.device) -> None:
        assert settings.pixel_size is not None
        assert settings.seed is not None
        columns, rows = settings.pixel_size
        self._transparent = settings.transparent
        self._symmetry = settings.symmetry
        if start is not None:
            start = fitted(start, layers=bool(settings.layers), transparent=settings.transparent)
        self._colours = _colours(settings, start, device)
        if start is None:
            generator = stream(settings.seed, "pixel/start")
            field = _NOISE * noise(self._colours.channels + 1, rows, columns, generator).to(device)
            numbers = self._colours.grey(rows, columns) + field[:-1]
            alpha = _middle_bump(columns, rows).to(device) + field[-1:]
        else:
            picture, opacity = unpremultiplied(start.subject.to(device))
            numbers = self._colours.logits(picture)
            alpha = torch.logit(opacity.clamp(_ALPHA_MARGIN, 1 - _ALPHA_MARGIN))
        self._subject = Pyramid(numbers)
        self._alpha: Pyramid | None = None
        if settings.transparent or settings.layers:
            self._alpha = Pyramid(alpha)
        self._background: Pyramid | None = None
        if settings.layers:
            background = None if start is None else start.background
            if background is None:
                numbers = self._colours.grey(rows, columns)
            else:
                numbers = self._colours.logits(background.to(device))
            self._background = Pyramid(numbers, BACKGROUND_GRIDS, _BACKGROUND)

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The grids from coarse to fine: the subject's, its alpha's, the background's; colours."""
        levels = [level for pyramid in self._pyramids for level in pyramid.levels]
        return levels + self._colours.parameters

    @property
    def constants(self) -> list[torch.Tensor]:
        """What the layers and the colours start as."""
        return [pyramid.base for pyramid in self._pyramids] + self._colours.constants

    def grid(
        self, progress: float = 0.0, randomness: torch.Generator | None = None
    ) -> torch.Tensor:
        """The cells ``[layers, 4, rows, columns]``: RGB premultiplied by alpha, and alpha.

        The first layer is the whole picture; with `layers` the second is its subject.
        """
        colour = self._colours.mixed(self._subject.field(), progress, randomness)
        if self._alpha is None:
            cells = torch.cat([colour, torch.ones_like(colour[:1])])[None]
            return mirrored(cells, self._symmetry)
        alpha = self._colours.opacity(self._alpha.field(), progress)
        cells = torch.cat([colour * alpha, alpha])[None]
        if self._background is not None:
            ground = self._colours.mixed(self._background.field(), progress, randomness)
            whole = torch.cat([alpha * colour + (1 - alpha) * ground, torch.ones_like(alpha)])
            cells = torch.cat([whole[None], cells])
        return mirrored(cells, self._symmetry)

    def reference(self) -> torch.Tensor:
        """The cells as they are before the first step."""
        return self.grid().detach()

    def optimizer(self, learning_rate: float) -> torch.optim.Optimizer:
        """Adam with one second moment a grid."""
        return GridAdam(self.parameters, lr=learning_rate)

    @torch.no_grad()
    def native(self) -> Image.Image:
        """The picture at one pixel a cell, RGB or, if transparent, RGBA."""
        cells = self.grid(1.0)[0]
        if self._transparent and self._alpha is not None:
            # Half-there cells would look like dirt around a sprite: each is there or it is not. A
            # picture that is nowhere half there would be blank; what there is most of is shown.
            alpha = torch.sigmoid(self._alpha.field())
            most = alpha.max().item()
            alpha = (alpha > (0.5 if most > 0.5 else max(0.1, most / 2))).float()
            colour = self._colours.mixed(self._subject.field(), 1.0, None)
            cells = mirrored(torch.cat([colour * alpha, alpha]), self._symmetry)
        pixels = (cells * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        channels = 4 if self._transparent else 3
        return Image.fromarray(np.ascontiguousarray(pixels[..., :channels]))

    def enlarged(self, size: tuple[int, int]) -> Image.Image:
        """The picture at the output size, by nearest neighbour: every cell stays crisp."""
        return self.native().resize(size, Image.Resampling.NEAREST)

    def svg(self, size: tuple[int, int]) -> str | None:
        """There is none: a picture of cells is whole as a PNG."""
        del size
        return None

    @property
    def _pyramids(self) -> list[Pyramid]:
        layers = (self._subject, self._alpha, self._background)
        return [pyramid for pyramid in layers if pyramid is not None]


def _colours(settings: Settings, start: Start | None, device: torch.device) -> Colours:
    """What the cells choose from; a limited number of colours begins with those of the start."""
    count = settings.colors or None
    if settings.palette is None and count is None:
        return FreeColours(device)
    named = parse_palette(settings.palette or _BROAD)
    palette = torch.tensor(named, dtype=torch.float32) / 255
    if count is None or (settings.palette is not None and count >= len(palette)):
        return PaletteColours(palette.to(device))
    assert settings.seed is not None
    if start is None:
        chosen = choose_of_palette(palette, torch.ones(len(palette)), palette, count)
    elif settings.palette is None:
        generator = stream(settings.seed, "pixel/colours")
        chosen = choose_colours(*seen_colours(start), count, generator)
    else:
        chosen = choose_of_palette(*seen_colours(start), palette, count)
    of = None if settings.palette is None else palette.to(device)
    return PaletteColours(chosen.to(device), changing=True, of=of)


def _middle_bump(columns: int, rows: int) -> torch.Tensor:
    """Logits of alpha ``[rows, columns]``: a disc in the middle that fades to the edge."""
    shorter = min(columns, rows)
    down = torch.linspace(-1, 1, rows)[:, None] * rows / shorter
    across = torch.linspace(-1, 1, columns)[None, :] * columns / shorter
    distance = (down**2 + across**2).sqrt().clamp(max=1)
    return _ALPHA_MIDDLE + (_ALPHA_EDGE - _ALPHA_MIDDLE) * distance
