"""Pixel art: the parameters are numbers for the cells themselves, as pyramids of grids.

PixelDraw (pixray) optimised one vector shape per cell through diffvg. Squares need no rasteriser at
all, and cells of another shape one linear map that never changes (`engine.drawers.mosaic`). A
picture may have two layers, a subject with an alpha channel before a soft background of its own.
Most views show the subject alone, each before another backdrop: what stands out from all of them is
a clean shape in the middle, and not a pattern from edge to edge.
"""

import torch

from engine.adam import Adam, GridAdam, Group
from engine.drawers.base import Moment, Showing, Shown, Start, as_pixels
from engine.drawers.colours import Colours, FreeColours, Layer, PaletteColours
from engine.drawers.dither import dithered
from engine.drawers.mosaic import make_layout, seen_size
from engine.drawers.outline import Lines, areas, in_cells
from engine.drawers.paths import Path
from engine.drawers.pyramid import BACKGROUND_GRIDS, Pyramid, middle_bump, noise
from engine.drawers.quantize import choose_colours, choose_of_palette
from engine.drawers.starts import fitted, seamless, seen_colours, unpremultiplied
from engine.palettes import parse_palette
from engine.settings import Settings
from engine.streams import stream

# How much of a step the background's grids pass on: with more it takes on the subject's colour.
_BACKGROUND = 0.15
# What the grids pass on where areas between lines change as a whole: some light and shade.
_SHADING = 0.2
# Where the numbers of a noise start lie: soft, near the middle grey.
_NOISE = 0.1
# Where a limited number of colours is taken from when there is no start: it has some of every kind.
_BROAD = "resurrect64"
# An alpha of nothing or all would have no gradient.
_ALPHA_MARGIN = 0.02


class PixelDrawer(Showing):
    """Cells of one shape, RGB or RGBA.

    Args:
        settings: resolved; `pixel_size`, `pixel_type`, `size`, `seed`, `palette`, `colors`,
            `dither`, `transparent`, `layers`, `tile` and `symmetry` are used.
        start: a picture of the size that `seen_size` names, or None for noise.
        device: where the parameters live.
        lines: of a drawing that is coloured in, or None.

    """

    steady = True
    # A first guess has the form that an optimisation would not find, which adds what it lacks.
    guess_weight = 30.0

    def __init__(
        self,
        settings: Settings,
        start: Start | None,
        device: torch.device,
        lines: Lines | None = None,
    ) -> None:
        assert settings.pixel_size is not None
        assert settings.seed is not None
        columns, rows = settings.pixel_size
        self._transparent = settings.transparent
        self._wraps = settings.tile
        self._layout = make_layout(settings, device)
        if start is not None:
            start = fitted(start, layers=bool(settings.layers), transparent=settings.transparent)
            start = self._in_cells(seamless(start) if settings.tile else start, device)
        # What a picture of noise starts with says nothing of the colours that it needs.
        self._colours = _colours(settings, None if settings.init_noise else start, device)
        self._lines: torch.Tensor | None = None
        if lines is not None:
            self._ink = lines.ink.to(device)
            covered = self._layout.averages(lines.at(seen_size(settings)).to(device)[None])
            self._lines = in_cells(covered[0].cpu()).to(device)
        if start is None:
            generator = stream(settings.seed, "pixel/start")
            channels = self._colours.channels + 1
            field = _NOISE * noise(channels, rows, columns, generator, wraps=settings.tile)
            field = field.to(device)
            numbers = self._colours.grey(rows, columns) + field[:-1]
            bump = middle_bump(*seen_size(settings)).to(device)
            alpha = self._layout.averages(bump) + field[-1:]
        else:
            picture, opacity = unpremultiplied(start.subject.to(device))
            if lines is not None or settings.init_noise is not None:
                numbers = self._colours.leaning(picture)
            elif settings.dither == "none":
                numbers = self._colours.logits(picture)
            else:
                assert isinstance(self._colours, PaletteColours)
                numbers = self._colours.exact_logits(
                    dithered(picture, self._colours.palette.detach(), settings.dither)
                )
            alpha = torch.logit(opacity.clamp(_ALPHA_MARGIN, 1 - _ALPHA_MARGIN))
        if self._lines is None:
            self._subject = Pyramid(numbers, wraps=settings.tile)
        else:
            self._subject = Pyramid(numbers, share=_SHADING, areas=areas(self._lines.cpu()))
        self._alpha: Pyramid | None = None
        if settings.transparent or settings.layers:
            self._alpha = Pyramid(alpha, wraps=settings.tile)
        self._background: Pyramid | None = None
        if settings.layers:
            background = None if start is None else start.background
            if background is None:
                numbers = self._colours.grey(rows, columns)
            else:
                numbers = self._colours.logits(background.to(device))
            self._background = Pyramid(numbers, BACKGROUND_GRIDS, _BACKGROUND, wraps=settings.tile)

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The grids from coarse to fine: the subject's, its alpha's, the background's; colours."""
        levels = [level for pyramid in self._pyramids for level in pyramid.levels]
        return levels + self._colours.parameters

    @property
    def constants(self) -> list[torch.Tensor]:
        """What the layers and the colours start as."""
        return [pyramid.base for pyramid in self._pyramids] + self._colours.constants

    def moment(
        self, progress: float, randomness: torch.Generator | None = None, *, stored: bool = False
    ) -> Moment:
        """What the choice of colours takes from the host, for the subject and for its ground."""
        grounds = [] if self._background is None else [self._background]
        shapes = [tuple(pyramid.base.shape) for pyramid in (self._subject, *grounds)]
        return self._colours.moment(shapes, progress, randomness, stored=stored)

    def grid(self, moment: Moment | None = None) -> torch.Tensor:
        """What views sample ``[layers, 4, rows, columns]``: RGB premultiplied by alpha, and alpha.

        The first layer is the whole picture; with `layers` the second is its subject. Squares are
        one pixel each, cells of another shape are drawn at `seen_size`.
        """
        return self._layout.seen(self._cells(moment or self.moment(0.0)))

    def reference(self) -> torch.Tensor:
        """The picture as it is before the first step."""
        return self.grid().detach()

    def optimizer(self, learning_rate: float, rule: str) -> Adam:
        """One of Adam's rules, with one second moment a grid."""
        return GridAdam([Group(self.parameters, learning_rate)], rule)

    @torch.no_grad()
    def shown(self, size: tuple[int, int] | None = None) -> Shown:
        """The picture, RGB or, if transparent, RGBA: squares stay crisp, other cells antialiased.

        Without a size it has one pixel a cell.
        """
        pixels = self._pixels()
        return Shown(pixels) if size is None else self._layout.enlarged(pixels, size)

    def _pixels(self) -> torch.Tensor:
        """One pixel a cell: ``[rows, columns, 3 or 4]``, uint8."""
        cells = self._cells(self.moment(1.0))[0]
        if self._transparent and self._alpha is not None:
            # Half-there cells would look like dirt around a sprite: each is there or it is not. A
            # picture that is nowhere half there would be blank; what there is most of is shown.
            alpha = torch.sigmoid(self._alpha.field())
            most = alpha.max()
            alpha = (alpha > torch.where(most > 0.5, 0.5, (most / 2).clamp(min=0.1))).float()
            colour = self._colours.mixed(self._subject.field(), self.moment(1.0))
            cells = torch.cat([colour * alpha, alpha])
        cells = self._layout.symmetric(cells)
        return as_pixels(cells[: 4 if self._transparent else 3])

    def svg(self, size: tuple[int, int]) -> str:
        """The picture as SVG of the output size; cells that are clear are left out."""
        return self._layout.svg(self.native(), size)

    @torch.no_grad()
    def path_to(self, other: "PixelDrawer") -> Path:
        """What takes it to another one of the same grid and layers: layer by layer, and colours."""
        pairs = list(zip(self._layers(), other._layers(), strict=True))
        colours, fields = self._colours.path_to(pairs, wraps=self._wraps)
        pyramids = [self._subject, self._background] if self._background else [self._subject]
        if self._alpha is not None and other._alpha is not None:
            outlines = self._alpha.field(), other._alpha.field()
            fields.append(self._colours.opacity_between(*outlines, wraps=self._wraps))
            pyramids.append(self._alpha)

        def go(share: float) -> None:
            colours(share)
            for pyramid, field in zip(pyramids, fields, strict=True):
                pyramid.become(field(share))

        return go

    def _layers(self) -> list[Layer]:
        """The subject, and what lies behind it if that is drawn."""
        subject = self._subject.field()
        everywhere = torch.ones_like(subject[0], dtype=torch.bool)
        there = everywhere if self._alpha is None else self._alpha.field()[0] > 0
        layers = [Layer(self._colours, subject, there)]
        if self._background is not None:
            layers.append(Layer(self._colours, self._background.field(), ~there))
        return layers

    def _cells(self, moment: Moment) -> torch.Tensor:
        """The layers' cells ``[layers, 4, rows, columns]``, before they are mirrored."""
        colour = self._colours.mixed(self._subject.field(), moment)
        if self._lines is not None:
            ink = self._colours.nearest(self._ink)[:, None, None]
            colour = torch.where(self._lines, ink, colour)
        if self._alpha is None:
            return torch.cat([colour, torch.ones_like(colour[:1])])[None]
        alpha = self._colours.opacity(self._alpha.field(), moment)
        cells = torch.cat([colour * alpha, alpha])[None]
        if self._background is not None:
            ground = self._colours.mixed(self._background.field(), moment, 1)
            whole = torch.cat([alpha * colour + (1 - alpha) * ground, torch.ones_like(alpha)])
            cells = torch.cat([whole[None], cells])
        return cells

    def _in_cells(self, start: Start, device: torch.device) -> Start:
        """A start with one pixel a cell."""
        background = start.background
        return Start(
            self._layout.averages(start.subject.to(device)),
            None if background is None else self._layout.averages(background.to(device)),
        )

    @property
    def _pyramids(self) -> list[Pyramid]:
        layers = (self._subject, self._alpha, self._background)
        return [pyramid for pyramid in layers if pyramid is not None]


def _colours(settings: Settings, start: Start | None, device: torch.device) -> Colours:
    """What the cells choose from; a limited number of colours begins with those of the start."""
    count = settings.colors or None
    if settings.exact_palette is None and count is None:
        return FreeColours(device)
    named = parse_palette(settings.exact_palette or _BROAD)
    palette = torch.tensor(named, dtype=torch.float32) / 255
    if count is None or (settings.exact_palette is not None and count >= len(palette)):
        return PaletteColours(palette.to(device))
    assert settings.seed is not None
    if start is None:
        chosen = choose_of_palette(palette, torch.ones(len(palette)), palette, count)
    elif settings.exact_palette is None:
        generator = stream(settings.seed, "pixel/colours")
        chosen = choose_colours(*seen_colours(start), count, generator)
    else:
        chosen = choose_of_palette(*seen_colours(start), palette, count)
    of = None if settings.exact_palette is None else palette.to(device)
    return PaletteColours(chosen.to(device), changing=True, of=of)
