"""A differentiable rasteriser for strokes, in plain torch.

diffvg (Li et al. 2020) finds the gradient of a pixel by sampling the edges of shapes. Strokes need
less: a pixel's coverage follows from its distance to the nearest line, and the gradient of that
distance is known. The coverage is that of a pixel-wide box across the edge, so that pictures are
antialiased and every edge has a gradient that is one pixel wide.

Tiles are drawn some at a time. For the backward pass only that is kept of them which takes longest:
what each meets, and how far its pixels are from that. Where no gradient is asked for, as of a large
picture, nothing is, so that memory does not grow with the canvas. All sums have a fixed order on a
processor.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from engine.strokes.curves import TOLERANCE, Lines, Strokes, flatten
from engine.strokes.tiles import TILE, Chunk, chunks, grid_of_tiles


def render(strokes: Strokes, width: int, height: int, tolerance: float = TOLERANCE) -> torch.Tensor:
    """Strokes over nothing: ``[4, height, width]``, RGB premultiplied by alpha, and alpha.

    Each stroke lies "over" those before it (Porter & Duff 1984). A stroke that crosses itself is
    one shape, and no darker there.

    Args:
        strokes: differentiable in points, widths and colours, in float32 or float64.
        width: of the canvas, in pixels.
        height: of the canvas, in pixels.
        tolerance: how far what is drawn may be from a curve, in pixels.

    """
    lines = flatten(strokes.points, tolerance)
    drawn: torch.Tensor = _Raster.apply(
        *(lines.starts, lines.ends, strokes.widths, strokes.colours, lines.owners),
        *((width, height), torch.is_grad_enabled()),
    )
    return drawn


class _Raster(torch.autograd.Function):
    """Lines ``[lines, 2]`` to a canvas ``[4, height, width]``."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch has no public type for it
        starts: torch.Tensor,
        ends: torch.Tensor,
        widths: torch.Tensor,
        colours: torch.Tensor,
        owners: torch.Tensor,
        size: tuple[int, int],
        keeps: bool,
    ) -> torch.Tensor:
        ctx.save_for_backward(starts, ends, widths, colours)
        ctx.size, ctx.met = size, []
        columns, rows = grid_of_tiles(*size)
        tiles = starts.new_zeros(columns * rows, 4, TILE, TILE)
        frame = _Frame(starts, ends)
        for chunk in chunks(Lines(starts, ends, owners), widths / 2 + 0.5, *size):
            distance, rank = _nearest(chunk, frame)
            if keeps:
                ctx.met.append((chunk, distance, rank))
            radius, opacity, colour = _paint(chunk, widths, colours)
            alpha = opacity * _coverage(distance, radius)
            canvas = starts.new_zeros(len(chunk.tiles), 4, TILE, TILE)
            begin = 0
            for count in chunk.layers:
                layer = slice(begin, begin + count)
                canvas[:count].lerp_(colour[layer], alpha[layer, None])
                begin += count
            tiles[chunk.tiles] = canvas
        return _joined(tiles, *size)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401
        starts, ends, widths, colours = ctx.saved_tensors
        of_tiles = _cut(gradient, *ctx.size)
        of_starts, of_ends = torch.zeros_like(starts), torch.zeros_like(ends)
        of_widths, of_colours = torch.zeros_like(widths), torch.zeros_like(colours)
        frame = _Frame(starts, ends)
        for chunk, distance, rank in ctx.met:
            radius, opacity, colour = _paint(chunk, widths, colours)
            coverage = _coverage(distance, radius)
            of_alpha, of_colour = _composite_backward(
                chunk, colour, opacity * coverage, of_tiles[chunk.tiles]
            )
            of_opacity = (of_alpha * coverage).sum((1, 2))
            of_colours.index_add_(0, chunk.strokes, torch.cat([of_colour, of_opacity[:, None]], 1))

            # On the edge coverage follows the distance; a hairline's middle follows its width.
            of_coverage = of_alpha * opacity
            most = (2 * radius).clamp(max=1)
            edge = torch.where((coverage > 0) & (coverage < most), of_coverage, 0)
            middle = torch.where((coverage >= most) & (radius < 0.5), of_coverage, 0)
            of_widths.index_add_(0, chunk.strokes, (edge / 2 + middle).sum((1, 2)))

            by_piece = torch.empty_like(edge)
            by_piece[chunk.places] = -edge / distance.clamp(min=1e-9)
            for number, count in enumerate(chunk.pieces):
                line = chunk.lines[number]
                mine = torch.where(rank[:count] == number, by_piece[:count], 0)
                of_start, of_end = _line_backward(frame, line, chunk.origins[:count], mine)
                of_starts.index_add_(0, line, of_start)
                of_ends.index_add_(0, line, of_end)
        return of_starts, of_ends, of_widths, of_colours, None, None, None


class _Frame:
    """Each line's own axes: its direction, and its left side.

    Attributes:
        start, along, left: ``[lines, 2]``: where it begins, and two unit vectors.
        length: ``[lines]``, in pixels.

    """

    def __init__(self, starts: torch.Tensor, ends: torch.Tensor) -> None:
        step = ends - starts
        self.start = starts
        self.length = step.square().sum(1).sqrt()
        # A line of no length is a dot, whichever way it looks.
        dot = self.length < 1e-9
        along = step / torch.where(dot, 1, self.length)[:, None]
        self.along = torch.where(dot[:, None], along.new_tensor([1.0, 0.0]), along)
        self.left = torch.stack([-self.along[:, 1], self.along[:, 0]], 1)

    def seen_from(
        self, line: torch.Tensor, origins: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The pixels of tiles in the axes of one line each, all ``[n, TILE, TILE]``.

        Args:
            line: ``[n]``.
            origins: ``[n, 2]``: corners of the tiles.

        Returns:
            How far along the line the nearest point is; how far the pixel is beyond that point,
            along the line; and how far to its left.

        """
        steps = torch.arange(TILE, device=line.device) + 0.5
        places = origins[:, :, None] + steps - self.start[line][:, :, None]
        ahead = self.along[line][:, :, None] * places
        aside = self.left[line][:, :, None] * places
        along = ahead[:, 0, None, :] + ahead[:, 1, :, None]
        length = self.length[line][:, None, None]
        nearest = torch.minimum(along.clamp(min=0), length)
        return nearest, along.sub_(nearest), aside[:, 0, None, :] + aside[:, 1, :, None]


def _nearest(chunk: Chunk, frame: _Frame) -> tuple[torch.Tensor, torch.Tensor]:
    """How far each pixel is from its stroke, and which of the stroke's lines is nearest.

    Returns:
        ``[meetings, TILE, TILE]``: the distance in pixels, layer by layer; and the rank of the
        line, in the order of the pieces.

    """
    meetings = len(chunk.strokes)
    squared = frame.start.new_empty(meetings, TILE, TILE)
    rank = torch.zeros(meetings, TILE, TILE, dtype=torch.int16, device=squared.device)
    for number, count in enumerate(chunk.pieces):
        _, beyond, aside = frame.seen_from(chunk.lines[number], chunk.origins[:count])
        found = aside.square_().addcmul_(beyond, beyond)
        if number == 0:
            squared[:count] = found
        else:
            rank[:count].masked_fill_(found < squared[:count], number)
            torch.minimum(squared[:count], found, out=squared[:count])
    return squared[chunk.places].sqrt_(), rank


def _paint(
    chunk: Chunk, widths: torch.Tensor, colours: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Radius and opacity ``[meetings, 1, 1]``, and opaque colour ``[meetings, 4, 1, 1]``."""
    chosen = colours[chunk.strokes]
    colour = torch.cat([chosen[:, :3], torch.ones_like(chosen[:, :1])], 1)
    radius = widths[chunk.strokes] / 2
    return radius[:, None, None], chosen[:, 3, None, None], colour[:, :, None, None]


def _coverage(distance: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    """How much of a pixel a stroke covers, 0…1; of a hairline no more than its width."""
    return (radius + 0.5 - distance).clamp_(min=0).minimum((2 * radius).clamp(max=1))


def _composite_backward(
    chunk: Chunk, colour: torch.Tensor, alpha: torch.Tensor, gradient: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient of the layers' alphas, in their shape, and of the colours ``[meetings, 3]``."""
    canvas = torch.zeros_like(gradient)
    layers, below = [], []
    begin = 0
    for count in chunk.layers:
        layer = slice(begin, begin + count)
        layers.append(layer)
        below.append(canvas[:count].clone())
        canvas[:count].lerp_(colour[layer], alpha[layer, None])
        begin += count
    of_alpha = torch.empty_like(alpha)
    of_colour = alpha.new_empty(len(alpha), 3)
    for layer, beneath in zip(reversed(layers), reversed(below), strict=True):
        shares, seen = alpha[layer, None], gradient[: len(beneath)]
        of_alpha[layer] = (colour[layer] - beneath).mul_(seen).sum(1)
        of_colour[layer] = (seen[:, :3] * shares).sum((2, 3))
        seen.mul_(1 - shares)
    return of_alpha, of_colour


def _line_backward(
    frame: _Frame, line: torch.Tensor, origins: torch.Tensor, pull: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The gradient of the lines' two ends ``[n, 2]``.

    A pixel's distance from a point that is the share t along a line changes by −(1 − t) of how its
    start moves towards the pixel, and by −t of its end; that t changes as well makes no
    difference, since the point is the nearest one.

    Args:
        frame: of all lines.
        line: ``[n]``.
        origins: ``[n, 2]``: corners of the tiles.
        pull: ``[n, TILE, TILE]``: gradient of the distance, divided by the distance.

    """
    nearest, beyond, aside = frame.seen_from(line, origins)
    along, left, length = frame.along[line], frame.left[line], frame.length[line]
    aside.mul_(pull)
    # Beyond the end the share is 1, before the start it is 0.
    at_end = (beyond.clamp(min=0) * pull).sum((1, 2))
    at_start = (beyond.clamp_(max=0) * pull).sum((1, 2))
    total = aside.sum((1, 2))
    to_end = (aside * nearest).sum((1, 2)) / length.clamp(min=1e-9)
    of_end = at_end[:, None] * along + to_end[:, None] * left
    of_start = at_start[:, None] * along + (total - to_end)[:, None] * left
    return -of_start, -of_end


def _joined(tiles: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """Tiles ``[tiles, 4, TILE, TILE]`` as a canvas ``[4, height, width]``."""
    columns, rows = grid_of_tiles(width, height)
    whole = tiles.view(rows, columns, 4, TILE, TILE).permute(2, 0, 3, 1, 4)
    return whole.reshape(4, rows * TILE, columns * TILE)[:, :height, :width].contiguous()


def _cut(canvas: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """A canvas as tiles: the opposite of `_joined`."""
    columns, rows = grid_of_tiles(width, height)
    whole = F.pad(canvas, (0, columns * TILE - width, 0, rows * TILE - height))
    whole = whole.view(4, rows, TILE, columns, TILE).permute(1, 3, 0, 2, 4)
    return whole.reshape(rows * columns, 4, TILE, TILE)
