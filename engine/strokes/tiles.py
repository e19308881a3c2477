"""Which strokes meet which tiles of the canvas, in an order that needs no padding.

A tile meets few strokes, and a stroke meets a tile with few of its lines. Both lists are ragged.
They are worked on by rank: the first member of every list, then the second of those that have
two, and so on. The longest lists come first, so that the lists that have a rank are always a
prefix, and every step is a plain slice.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from engine.strokes.curves import Lines

# Pixels a side. Smaller tiles meet fewer strokes in vain, larger ones take fewer operations.
TILE = 8
# Tiles are taken together until they meet this many strokes: what they hold then fits a cache.
_MEETINGS = 4096
# The canvas is worked on in bands of rows, each with about so many pairs of a tile and a line.
_PAIRS = 2**20


@dataclass(frozen=True)
class Chunk:
    """Some tiles with all that is drawn in them; a meeting is one stroke in one tile.

    Attributes:
        tiles: ``[tiles]``: their numbers, row by row, the one with the most strokes first.
        layers: how many of the tiles have a first stroke, a second one, …, from back to front.
        strokes: ``[meetings]``: which stroke it is, layer by layer.
        places: ``[meetings]``: where a meeting is found among those in the order of `pieces`.
        pieces: how many of the meetings have a first line, a second one, …
        lines: the numbers of these lines, one tensor for each entry of `pieces`.
        origins: ``[meetings, 2]``: x and y of the tile's corner, in the order of `pieces`.

    """

    tiles: torch.Tensor
    layers: list[int]
    strokes: torch.Tensor
    places: torch.Tensor
    pieces: list[int]
    lines: list[torch.Tensor]
    origins: torch.Tensor


def grid_of_tiles(width: int, height: int) -> tuple[int, int]:
    """Columns and rows of the tiles that cover a canvas."""
    return -(-width // TILE), -(-height // TILE)


@torch.no_grad()
def chunks(lines: Lines, reach: torch.Tensor, width: int, height: int) -> Iterator[Chunk]:
    """Everything that may be seen on the canvas, a chunk at a time.

    Args:
        lines: of all strokes.
        reach: ``[strokes]``: how far from its lines a stroke can be seen, in pixels.
        width: of the canvas, in pixels.
        height: of the canvas, in pixels.

    """
    columns, rows = grid_of_tiles(width, height)
    away = reach[lines.owners]
    low, high = _boxes(lines, away, columns, rows)
    pairs = int((high - low + 1).clamp(min=0).prod(1).sum())
    bands = min(rows, 1 + pairs // _PAIRS)
    for band in range(bands):
        top, bottom = band * rows // bands, (band + 1) * rows // bands - 1
        first = torch.stack([low[:, 0], low[:, 1].clamp(min=top)], 1)
        last = torch.stack([high[:, 0], high[:, 1].clamp(max=bottom)], 1)
        yield from _band(lines, *_touching(lines, away, first, last, columns), columns)


def _band(lines: Lines, tile: torch.Tensor, line: torch.Tensor, columns: int) -> Iterator[Chunk]:
    """The chunks of all tiles and lines ``[pairs]`` that meet."""
    if len(tile) == 0:
        return
    stroke = lines.owners[line]
    first, length = _runs(tile * (int(lines.owners[-1]) + 1) + stroke)
    tile, stroke = tile[first], stroke[first]

    # The meetings are in the order of their tiles, and of the strokes in each.
    tile_first, depth = _runs(tile)
    layer = torch.arange(len(tile), device=tile.device) - torch.repeat_interleave(tile_first, depth)
    deepest = torch.argsort(depth, descending=True, stable=True)
    chunk_of_tile = torch.empty_like(depth)
    chunk_of_tile[deepest] = (depth[deepest].cumsum(0) - 1) // _MEETINGS
    place_of_tile = torch.empty_like(depth)
    place_of_tile[deepest] = torch.arange(len(depth), device=tile.device)
    number = torch.repeat_interleave(torch.arange(len(depth), device=tile.device), depth)
    by_layer = (chunk_of_tile[number] * int(depth.max()) + layer) * len(depth)
    order = torch.argsort(by_layer + place_of_tile[number])

    chunk_of_meeting = chunk_of_tile[number][order]
    for part in torch.split(order, torch.bincount(chunk_of_meeting).tolist()):
        if len(part) == 0:
            continue
        layers = torch.bincount(layer[part]).tolist()
        by_length = torch.argsort(length[part], descending=True, stable=True)
        places = torch.empty_like(by_length)
        places[by_length] = torch.arange(len(part), device=tile.device)
        sorted_part = part[by_length]
        pieces = _at_least(length[sorted_part])
        begin, corner = first[sorted_part], tile[sorted_part]
        yield Chunk(
            tiles=tile[part[: layers[0]]],
            layers=layers,
            strokes=stroke[part],
            places=places,
            pieces=pieces,
            lines=[line[begin[:count] + rank] for rank, count in enumerate(pieces)],
            origins=TILE * torch.stack([corner % columns, corner // columns], 1),
        )


def _boxes(
    lines: Lines, away: torch.Tensor, columns: int, rows: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The first and the last column and row of tiles ``[lines, 2]`` that a line's box touches.

    Args:
        lines: all of them.
        away: ``[lines]``: how far from a line it can be seen, in pixels.
        columns: of the tiles.
        rows: of the tiles.

    """
    least = torch.minimum(lines.starts, lines.ends) - away[:, None]
    most = torch.maximum(lines.starts, lines.ends) + away[:, None]
    # Pixel centres of a tile lie between half a pixel and TILE − ½.
    limit = torch.tensor([columns, rows], device=least.device)
    low = ((least + 0.5) / TILE - 1).ceil().clamp(min=0).minimum(limit).long()
    high = ((most - 0.5) / TILE).floor().clamp(min=-1).minimum(limit - 1).long()
    return low, high


def _touching(
    lines: Lines, away: torch.Tensor, low: torch.Tensor, high: torch.Tensor, columns: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """The tiles and lines ``[pairs]`` that meet, in the order of the tiles, then of the lines."""
    across, down = (high - low + 1).clamp(min=0).unbind(1)
    count = across * down
    line = torch.repeat_interleave(torch.arange(len(count), device=count.device), count)
    inside = torch.arange(len(line), device=line.device) - (count.cumsum(0) - count)[line]
    x = low[line, 0] + inside % across[line].clamp(min=1)
    y = low[line, 1] + inside // across[line].clamp(min=1)

    # A slanting line misses most of its box: the tile's middle is too far from it.
    start, along = lines.starts[line], (lines.ends - lines.starts)[line]
    middle = TILE * (torch.stack([x, y], 1) + 0.5) - start
    share = (middle * along).sum(1) / along.square().sum(1).clamp(min=1e-12)
    distance = (middle - share.clamp(0, 1)[:, None] * along).square().sum(1)
    corner = (TILE - 1) / 2 * 2**0.5
    near = distance <= (away[line] + corner).square()

    key = (y * columns + x)[near] * len(count) + line[near]
    key = key.sort().values
    return key // len(count), key % len(count)


def _runs(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each run of equal values begins, and how long it is."""
    length = torch.unique_consecutive(values, return_counts=True)[1]
    return length.cumsum(0) - length, length


def _at_least(lengths: torch.Tensor) -> list[int]:
    """How many of the lengths are at least 1, 2, …, up to the longest."""
    ended = torch.bincount(lengths).cumsum(0)
    return (len(lengths) - ended)[:-1].tolist()
