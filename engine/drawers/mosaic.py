"""How cells lie in the picture: as a grid of squares, or as a mosaic of another shape."""

from typing import Protocol

import torch
from PIL import Image

from engine.drawers.base import Shown, as_pixels
from engine.drawers.cells import cell_polygons, originals
from engine.drawers.coverage import Coverage
from engine.drawers.pyramid import mirrored
from engine.drawers.svg import mosaic_svg, squares_svg
from engine.settings import Settings
from engine.tilings import TILINGS, wrapping

# Pixels of the picture that the views sample, for each cell: enough to tell a cell's shape, which
# a view shows on about as many pixels at the most.
_PIXELS_A_CELL = 9


class Layout(Protocol):
    """Where the cells lie, and what a picture of them looks like."""

    def seen(self, cells: torch.Tensor) -> torch.Tensor:
        """What views sample of cells ``[..., rows, columns]``: a picture of `seen_size`."""

    def averages(self, picture: torch.Tensor) -> torch.Tensor:
        """Cells ``[..., rows, columns]`` with the mean colours of a picture of `seen_size`."""

    def symmetric(self, cells: torch.Tensor) -> torch.Tensor:
        """Cells ``[..., rows, columns]``, those that mirror others with the colour of these."""

    def enlarged(self, pixels: torch.Tensor, size: tuple[int, int]) -> Shown:
        """The picture at a size in pixels, of `Shown.pixels` that are one a cell."""

    def svg(self, native: Image.Image, size: tuple[int, int]) -> str:
        """The picture as SVG of a size in pixels, of one with a pixel a cell."""


def seen_size(settings: Settings) -> tuple[int, int]:
    """Width and height of the picture that views sample, for resolved settings of a pixel drawing.

    Squares need one pixel a cell. Other shapes need several, which are square themselves.
    """
    assert settings.pixel_size is not None
    assert settings.size is not None
    if settings.pixel_type == "rect":
        return settings.pixel_size
    columns, rows = settings.pixel_size
    width, height = settings.size
    side = (width * height / (columns * rows * _PIXELS_A_CELL)) ** 0.5
    return max(1, round(width / side)), max(1, round(height / side))


def make_layout(settings: Settings, device: torch.device) -> Layout:
    """The layout of the cells that resolved settings ask for."""
    if settings.pixel_type == "rect":
        return Squares(settings.symmetry)
    return Mosaic(settings, device)


class Squares:
    """A grid of cells as it is: one pixel each, or one crisp block."""

    def __init__(self, symmetry: str) -> None:
        self._symmetry = symmetry

    def seen(self, cells: torch.Tensor) -> torch.Tensor:
        """The cells themselves."""
        return self.symmetric(cells)

    def averages(self, picture: torch.Tensor) -> torch.Tensor:
        """The picture itself."""
        return picture

    def symmetric(self, cells: torch.Tensor) -> torch.Tensor:
        """The cells, mirrored as asked."""
        return mirrored(cells, self._symmetry)

    def enlarged(self, pixels: torch.Tensor, size: tuple[int, int]) -> Shown:
        """The picture by nearest neighbour: every cell stays crisp, no colour is added."""
        return Shown(pixels, lambda image: image.resize(size, Image.Resampling.NEAREST))

    def svg(self, native: Image.Image, size: tuple[int, int]) -> str:
        """The picture as rectangles, one for each run of equal cells in a row."""
        return squares_svg(native, size)


class Mosaic:
    """Cells of any tiling, drawn antialiased.

    Args:
        settings: resolved; `pixel_type`, `pixel_size`, `size`, `tile` and `symmetry` are used.
        device: where the cells are.

    """

    # What is only needed to show it, and may be made later.
    HOST_ONLY = frozenset({"_large", "_polygons", "_owners", "_originals"})

    def __init__(self, settings: Settings, device: torch.device) -> None:
        assert settings.pixel_size is not None
        self._grid = settings.pixel_size
        self._symmetry = settings.symmetry
        self._device = device
        tiling = TILINGS[settings.pixel_type]
        wraps = wrapping(settings.symmetry, tile=settings.tile)
        self._polygons, self._owners = cell_polygons(tiling, self._grid, wraps)
        self._originals = originals(tiling, self._grid, settings.symmetry)
        self._seen = self._coverage(seen_size(settings))
        self._large: tuple[tuple[int, int], Coverage] | None = None

    def seen(self, cells: torch.Tensor) -> torch.Tensor:
        """The cells' shapes at a few pixels a cell, mirrored exactly."""
        return mirrored(self._seen(cells), self._symmetry)

    def averages(self, picture: torch.Tensor) -> torch.Tensor:
        """The mean of what each cell covers."""
        return self._seen.averages(picture)

    def symmetric(self, cells: torch.Tensor) -> torch.Tensor:
        """The cells, those right of or below the middle with the colours of those they mirror."""
        originals = self._originals.to(cells.device)
        return cells.flatten(-2)[..., originals].view(cells.shape)

    def enlarged(self, pixels: torch.Tensor, size: tuple[int, int]) -> Shown:
        """The cells' shapes, antialiased; inside a cell its colour is exact."""
        if self._large is None or self._large[0] != size:
            self._large = size, self._coverage(size)
        channels = pixels.shape[2]
        cells = pixels.permute(2, 0, 1).float() / 255
        alpha = cells[3:] if channels == 4 else torch.ones_like(cells[:1])
        picture = self._large[1](torch.cat([cells[:3] * alpha, alpha]))
        picture = mirrored(picture, self._symmetry)
        colour = picture[:3] / picture[3:].clamp(min=1e-6)
        return Shown(as_pixels(torch.cat([colour, picture[3:]])[:channels]))

    def svg(self, native: Image.Image, size: tuple[int, int]) -> str:
        """The picture as one outline a cell."""
        return mosaic_svg(native, size, self._polygons.numpy(), self._owners.numpy())

    def _coverage(self, size: tuple[int, int]) -> Coverage:
        polygons = self._polygons * torch.tensor(size)
        return Coverage(polygons, self._owners, self._grid, size, self._device)
