"""What the stroke drawers share: Bézier strokes on paper, optimised through the rasteriser.

The views see the picture at a working size; what is shown is drawn afresh at the size that is
asked for, and an SVG is sharp at any.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from engine.adam import Adam, Group
from engine.drawers.base import Moment, Showing, Shown, Start, as_pixels
from engine.drawers.matching import matched
from engine.drawers.paths import Path, slerp
from engine.drawers.starts import fitted
from engine.settings import PIXELCLIP, Settings
from engine.streams import stream
from engine.strokes import Strokes, render, to_svg

# Pixels of the canvas on which strokes are judged: about as fine as the perceptor's views are.
_SMALL_CANVAS, _LARGE_CANVAS = 224 * 126, 448 * 252
# About how long a curve is at first, as a share of the height (the radius of CLIPDraw's).
_CURVE_LENGTH = 0.1
# Where a width or a colour begins at one of its limits, the sigmoid's gradient would be nothing.
_MARGIN = 0.02
# How far the logits of widths and colours move in a step, for each percent of the height that a
# point does: about CLIPDraw's rates, 1 pixel of 224, a tenth of one, and a hundredth of a colour.
_LOGIT_RATE = 0.1
# What a stroke's change of colour, and of place in the pile, costs beside a move by the height.
_RECOLOUR, _RESTACK = 0.3, 0.02


class StrokeDrawer(Showing):
    """Strokes whose points, and as asked widths, colours and paper, are optimised.

    Args:
        settings: resolved; the sizes, the widths and `allow_paper_color` are used.
        begin: the strokes as they are at first, on the canvas of `working_size`.
        picture: ``[3, height, width]`` of that size, what they begin from; None for nothing.
        device: where the parameters live.
        coloured: whether their colours are optimised.

    """

    # Which strokes meet which pixels depends on where they are.
    steady = False
    guess_weight: float

    def __init__(
        self,
        settings: Settings,
        begin: Strokes,
        picture: torch.Tensor | None,
        device: torch.device,
        *,
        coloured: bool = True,
    ) -> None:
        self._size = working_size(settings)
        self._limits = width_limits(settings)
        self._picture = None if picture is None else picture.to(device)
        self._points = begin.points.to(device).requires_grad_()
        low, high = self._limits
        share = (begin.widths.to(device) - low) / max(high - low, 1e-6)
        self._widths = _logits(share).requires_grad_(high > low)
        self._begun = begin.colours.to(device)
        self._colours = _logits(self._begun).requires_grad_(coloured)
        paper = torch.ones(3) if picture is None else picture.mean((1, 2))
        self._paper = _logits(paper.to(device)).requires_grad_(settings.allow_paper_color)

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The points; then, where they may change, widths, colours and the paper's colour."""
        every = (self._points, self._widths, self._colours, self._paper)
        return [tensor for tensor in every if tensor.requires_grad]

    @property
    def constants(self) -> list[torch.Tensor]:
        """Nothing that the settings, the seed and the start would not give again."""
        return []

    def optimizer(self, learning_rate: float, rule: str) -> Adam:
        """One of Adam's rules; a point moves by `learning_rate` percent of the height in a step."""
        rates = (
            (self._points, learning_rate / 100 * self._size[1]),
            (self._widths, _LOGIT_RATE * learning_rate),
            (self._colours, _LOGIT_RATE * learning_rate),
            (self._paper, _LOGIT_RATE * learning_rate),
        )
        return Adam([Group([part], rate) for part, rate in rates if part.requires_grad], rule)

    def strokes(self) -> Strokes:
        """The strokes as they are now, on the canvas of the working size."""
        low, high = self._limits
        free = self._colours.requires_grad
        return Strokes(
            self._points,
            low + (high - low) * torch.sigmoid(self._widths),
            torch.sigmoid(self._colours) if free else self._begun,
        )

    def moment(
        self, progress: float, randomness: torch.Generator | None = None, *, stored: bool = False
    ) -> Moment:
        """Nothing: there are no choices."""
        del progress, randomness, stored
        return Moment()

    def grid(self, moment: Moment | None = None) -> torch.Tensor:
        """The canvas at the working size, on paper: ``[1, 4, height, width]``, all opaque."""
        del moment
        return self._on_paper(render(self.strokes(), *self._size))[None]

    def reference(self) -> torch.Tensor:
        """The picture that the strokes began from; without one, the strokes as they are."""
        if self._picture is None:
            return self.grid().detach()
        whole = torch.cat([self._picture, torch.ones_like(self._picture[:1])])
        return whole[None]

    @torch.no_grad()
    def shown(self, size: tuple[int, int] | None = None) -> Shown:
        """The picture drawn at this size (width, height) in pixels; else at the working size."""
        strokes = self.strokes()
        if size is not None:
            strokes = strokes.stretched(size[0] / self._size[0], size[1] / self._size[1])
        return Shown(as_pixels(self._on_paper(render(strokes, *(size or self._size)))[:3]))

    @torch.no_grad()
    def svg(self, size: tuple[int, int]) -> str:
        """The picture as an SVG document."""
        paper = self._paper_colour().tolist()
        return to_svg(self.strokes(), self._size, paper, size)

    @torch.no_grad()
    def path_to(self, other: "StrokeDrawer") -> Path:
        """What takes it to another one of as many strokes: each becomes one that is much like it.

        Its middle moves on a straight line, its shape turns on an arc, and it rises or sinks in the
        pile: neighbours change places one by one.
        """
        becomes = torch.from_numpy(matched(self._costs(other))).to(self._points.device)
        height = torch.arange(len(becomes), device=becomes.device)
        mine = self._points.clone()
        its = other._points[becomes]
        # Drawn from its other end it is the same stroke.
        turned = its.flip(1)
        nearer = _apart(turned, mine) < _apart(its, mine)
        its = torch.where(nearer[:, None, None], turned, its)
        middles = mine.mean(1, keepdim=True), its.mean(1, keepdim=True)
        shapes = mine - middles[0], its - middles[1]
        rows = [
            (tensor, tensor.detach().clone(), last[becomes])
            for tensor, last in ((self._widths, other._widths), (self._colours, other._colours))
        ]
        papers = self._paper.detach().clone(), other._paper

        @torch.no_grad()
        def go(share: float) -> None:
            order = torch.argsort((1 - share) * height + share * becomes, stable=True)
            points = torch.lerp(*middles, share) + slerp(*shapes, share, (1, 2))
            self._points.copy_(points[order])
            for tensor, first, last in rows:
                tensor.copy_(torch.lerp(first, last, share)[order])
            self._paper.copy_(torch.lerp(*papers, share))

        return go

    def _costs(self, other: "StrokeDrawer") -> NDArray[np.float64]:
        """What it costs that each stroke becomes each of another drawing: ``[n, n]``."""
        mine, its = (drawer._points.double() / self._size[1] for drawer in (self, other))
        ways = [
            torch.cdist(mine.flatten(1), ends.flatten(1)).square() / mine.shape[1]
            for ends in (its, its.flip(1))
        ]
        paint, its_paint = (_painted(drawer.strokes().colours) for drawer in (self, other))
        place = torch.linspace(0, 1, len(mine), dtype=torch.float64, device=mine.device)[:, None]
        costs = torch.minimum(*ways)
        costs += _RECOLOUR * torch.cdist(paint, its_paint).square()
        costs += _RESTACK * torch.cdist(place, place).square()
        return costs.cpu().numpy()

    def _paper_colour(self) -> torch.Tensor:
        if not self._paper.requires_grad:
            return torch.ones_like(self._paper)
        return torch.sigmoid(self._paper)

    def _on_paper(self, drawn: torch.Tensor) -> torch.Tensor:
        paper = self._paper_colour()[:, None, None]
        return torch.cat([drawn[:3] + (1 - drawn[3:]) * paper, torch.ones_like(drawn[3:])])


@dataclass(frozen=True)
class Beginning:
    """What the strokes of a drawing are made of at first, lengths in pixels of the working size.

    Attributes:
        strokes: how many.
        curves: how many each is made of.
        length: about how long a curve is.
        size: width and height of the canvas.
        widths: the thinnest and the widest that a stroke may be.
        generator: the drawing's own stream.

    """

    strokes: int
    curves: int
    length: float
    size: tuple[int, int]
    widths: tuple[float, float]
    generator: torch.Generator


def beginning(settings: Settings) -> Beginning:
    """What resolved settings say of it."""
    assert settings.seed is not None
    assert settings.strokes is not None
    assert settings.stroke_length is not None
    size = working_size(settings)
    return Beginning(
        settings.strokes,
        settings.stroke_length,
        _CURVE_LENGTH * size[1],
        size,
        width_limits(settings),
        stream(settings.seed, f"{settings.drawer}/start"),
    )


def working_size(settings: Settings) -> tuple[int, int]:
    """Width and height of the canvas on which strokes are judged, in pixels."""
    assert settings.size is not None
    width, height = settings.size
    area = _SMALL_CANVAS if settings.perceptors == (PIXELCLIP,) else _LARGE_CANVAS
    factor = math.sqrt(area / (width * height))
    return round(width * factor), round(height * factor)


def width_limits(settings: Settings) -> tuple[float, float]:
    """The thinnest and the widest that a stroke may be on that canvas, in pixels."""
    assert settings.min_stroke_width is not None
    assert settings.max_stroke_width is not None
    percent = working_size(settings)[1] / 100
    return settings.min_stroke_width * percent, settings.max_stroke_width * percent


def on_white(start: Start) -> torch.Tensor:
    """A picture to start from as RGB ``[3, height, width]`` on the CPU, white where it is clear."""
    whole = fitted(start, layers=False, transparent=False).subject.cpu()
    return whole[:3] + (1 - whole[3:])


def _apart(points: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Summed squared distances of the points of strokes ``[n, points, 2]``: ``[n]``."""
    return (points - others).square().sum((1, 2))


def _painted(colours: torch.Tensor) -> torch.Tensor:
    """Colours ``[n, 4]`` premultiplied: what is hardly there is hardly of a colour."""
    return torch.cat([colours[:, :3] * colours[:, 3:], colours[:, 3:]], 1).double()


def _logits(shares: torch.Tensor) -> torch.Tensor:
    return torch.logit(shares.clamp(_MARGIN, 1 - _MARGIN))
