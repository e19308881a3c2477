"""A line drawing that is coloured in: its lines stay, whatever is drawn between them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from engine.adam import Adam
from engine.drawers.base import Drawer, Moment, Showing, Shown, Start
from engine.drawers.quantize import from_oklab
from engine.errors import SettingsError
from engine.settings import Settings
from engine.streams import stream

# How far a dot is from the paper's colour, of the farthest, where a line begins and where it is
# there in full.
_FAINT, _FULL = 0.25, 0.6
# Less contrast than this, of 1, is the grain of the paper.
_CONTRAST = 0.2
# A picture with more ink than this is no line drawing.
_MOST_INK = 0.6
# The share of a cell that a line must cover to be in it; and to be as wide as the cell.
_TOUCHED, _FILLED = 0.04, 0.65
# Areas that begin without a picture: soft colours, their lightness and chroma in Oklab.
_LIGHTNESS, _CHROMA = 0.8, 0.12


@dataclass(frozen=True)
class Lines:
    """The lines of a drawing.

    Attributes:
        coverage: ``L``, how much of each dot is line.
        ink: ``[3]``, RGB in 0…1.

    """

    coverage: Image.Image
    ink: torch.Tensor

    def at(self, size: tuple[int, int]) -> torch.Tensor:
        """How much of each dot of a picture of this size is line: ``[height, width]`` in 0…1."""
        width, height = size
        shrinks = width < self.coverage.width and height < self.coverage.height
        method = Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC
        resized = self.coverage.resize(size, method)
        return torch.from_numpy(np.asarray(resized, dtype=np.float32) / 255)


def find_lines(image: Image.Image) -> Lines:
    """The lines of a drawing on plain paper, dark on light or light on dark.

    Args:
        image: RGB or RGBA; what is clear is white.

    Raises:
        SettingsError: it has no lines, or hardly any paper.

    """
    rgba = image.convert("RGBA")
    opaque = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    dots = torch.from_numpy(np.asarray(opaque, dtype=np.float32) / 255)
    paper = dots.flatten(0, 1).median(0).values
    distance = (dots - paper).abs().amax(2)
    farthest = distance.max()
    if farthest < _CONTRAST:
        raise SettingsError(
            "outline keeps the lines of the init image, and it has none that differ from its "
            "paper; give a line drawing or leave outline out."
        )
    coverage = ((distance / farthest - _FAINT) / (_FULL - _FAINT)).clamp(0, 1)
    if coverage.mean() > _MOST_INK:
        raise SettingsError(
            "outline keeps the lines of the init image, and most of it would be line; "
            "give a drawing of lines on plain paper or leave outline out."
        )
    ink = dots[coverage == 1].median(0).values
    pixels = (coverage * 255).round().to(torch.uint8).numpy()
    return Lines(Image.fromarray(np.ascontiguousarray(pixels)), ink)


def asked_lines(settings: Settings, pictures: Mapping[str, Image.Image]) -> Lines | None:
    """The lines that are to stay, of the init image among pictures by name; None for none.

    Raises:
        SettingsError: as `find_lines` does.

    """
    if not settings.outline:
        return None
    assert settings.init_image is not None
    return find_lines(pictures[settings.init_image])


def in_cells(coverage: torch.Tensor) -> torch.Tensor:
    """Which cells are line, by how much of each is covered ``[rows, columns]``; the same shape.

    A thin line stays one cell wide and does not break, a thick one stays thick.
    """
    return thinned(coverage >= _TOUCHED) | (coverage >= _FILLED)


def thinned(lines: torch.Tensor) -> torch.Tensor:
    """Lines ``[rows, columns]`` of one cell's width, connected as they were (Zhang & Suen 1984)."""
    while True:
        before = lines
        for turn in (0, 1):
            # Clockwise from above.
            around = _neighbours(lines)
            count = around.sum(0)
            rises = (~around & around.roll(-1, 0)).sum(0)
            north, east, south, west = around[0], around[2], around[4], around[6]
            if turn == 0:
                loose = ~(north & east & south) & ~(east & south & west)
            else:
                loose = ~(north & east & west) & ~(north & south & west)
            lines = lines & ~((count >= 2) & (count <= 6) & (rises == 1) & loose)
        if torch.equal(lines, before):
            return lines


def areas(lines: torch.Tensor) -> torch.Tensor:
    """The areas between lines ``[rows, columns]``, numbered from 1; 0 where a line is.

    Cells that share a side are of one area: a line that goes on over a corner keeps areas apart.
    """
    rows, columns = lines.shape
    count = rows * columns
    free = ~lines
    first = torch.arange(count).view(rows, columns)
    label = torch.where(free, first, count)
    while True:
        padded = F.pad(label, (1, 1, 1, 1), value=count)
        beside = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
        least = torch.stack([label, *beside]).amin(0)
        # Each cell takes the least number that its least neighbour knows of.
        known = torch.cat([torch.where(free, least, count).flatten(), torch.tensor([count])])
        jumped = known[known[known]][:-1].view(rows, columns)
        if torch.equal(jumped, label):
            break
        label = jumped
    numbers = torch.unique(label[free])
    found = torch.searchsorted(numbers, label.clamp(max=count - 1)) + 1
    return torch.where(free, found, 0)


def soft_colours(lines: Lines, size: tuple[int, int], seed: int) -> Start:
    """A start of this size in which each area between lines has a soft colour of its own."""
    number = areas(in_cells(lines.at(size)))
    count = int(number.max()) + 1
    hue = 2 * math.pi * torch.rand(count, generator=stream(seed, "outline"))
    lab = torch.stack(
        [torch.full_like(hue, _LIGHTNESS), _CHROMA * torch.cos(hue), _CHROMA * torch.sin(hue)], 1
    )
    colours = from_oklab(lab).float()
    # Where a limited number of colours is chosen, the ink must be among them.
    colours[0] = lines.ink
    picture = colours[number].permute(2, 0, 1)
    return Start(torch.cat([picture, torch.ones_like(picture[:1])]))


class Outlined(Showing):
    """Any drawer's picture below lines that stay.

    Args:
        drawer: of an opaque picture of one layer.
        lines: what is above it.
        size: width and height of the drawer's grid.
        device: where it draws.

    """

    def __init__(
        self, drawer: Drawer, lines: Lines, size: tuple[int, int], device: torch.device
    ) -> None:
        self._drawer, self._lines = drawer, lines
        self.steady, self.guess_weight = drawer.steady, drawer.guess_weight
        alpha = lines.at(size)[None]
        ink = torch.cat([lines.ink, torch.ones(1)])[:, None, None]
        self._above, self._left = (alpha * ink).to(device), (1 - alpha).to(device)

    @property
    def parameters(self) -> list[torch.Tensor]:
        """Those of what is below the lines."""
        return self._drawer.parameters

    @property
    def constants(self) -> list[torch.Tensor]:
        """Those of what is below the lines."""
        return self._drawer.constants

    def moment(
        self, progress: float, randomness: torch.Generator | None = None, *, stored: bool = False
    ) -> Moment:
        """That of what is below the lines."""
        return self._drawer.moment(progress, randomness, stored=stored)

    def grid(self, moment: Moment | None = None) -> torch.Tensor:
        """What views sample: the picture with its lines."""
        return self._above + self._left * self._drawer.grid(moment)

    def reference(self) -> torch.Tensor:
        """What it started from, with the lines."""
        return self._above + self._left * self._drawer.reference()

    def optimizer(self, learning_rate: float, rule: str) -> Adam:
        """That of what is below the lines."""
        return self._drawer.optimizer(learning_rate, rule)

    def shown(self, size: tuple[int, int] | None = None) -> Shown:
        """The picture at a size, with lines as sharp there as those that were given."""
        below = self._drawer.shown(size)
        return replace(below, finish=lambda image: self._lined(below.finished(image)))

    def svg(self, size: tuple[int, int]) -> None:
        """Nothing: the lines are no shapes."""
        del size

    def _lined(self, picture: Image.Image) -> Image.Image:
        red, green, blue = (round(255 * value) for value in self._lines.ink.tolist())
        alpha = (self._lines.at(picture.size) * 255).round().to(torch.uint8).numpy()
        mask = Image.fromarray(np.ascontiguousarray(alpha))
        lined = picture.copy()
        lined.paste((red, green, blue), mask=mask)
        return lined


def _neighbours(lines: torch.Tensor) -> torch.Tensor:
    """The eight neighbours of each cell, clockwise from above; lines go on beyond the border."""
    rows, columns = lines.shape
    steps = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
    down = [(torch.arange(rows) + y).clamp(0, rows - 1) for y, _ in steps]
    across = [(torch.arange(columns) + x).clamp(0, columns - 1) for _, x in steps]
    return torch.stack([lines[y][:, x] for y, x in zip(down, across, strict=True)])
