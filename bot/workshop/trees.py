"""A family as a tree: each picture above those that were made from it, with lines between them.

Many children take several rows below their parent, so that a sheet stays about as wide as it is
high; a line down the left side then leads from row to row.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from bot.workshop.orders import Kin, Tree
from bot.workshop.tiles import GROUND, QUIET, Look, draw_tile
from engine.png import encode_png

_LOOK = Look(room=(160, 120), margin=8, text=18)
# Between two cards side by side, and one above the other, where the lines run.
_GAP_X, _GAP_Y = 18, 36
# What the line down the left side of several rows takes.
_SPINE = 20
_LINE = 3
_BORDER = 24


@dataclass(frozen=True)
class Block:
    """A picture with all that is below it, as a rectangle.

    Attributes:
        kin: the picture.
        size: width and height of the rectangle.
        card: where its card begins within, from the left; at the top.
        shelves: the rows of its children, each with its place from the rectangle's corner.

    """

    kin: Kin
    size: tuple[int, int]
    card: int
    shelves: Sequence[Sequence[tuple[int, int, "Block"]]]

    @property
    def middle(self) -> int:
        """The card's middle, from the left."""
        return self.card + _LOOK.size[0] // 2


def tree(order: Tree) -> bytes:
    """The family as a PNG."""
    columns = max(4, math.ceil(math.sqrt(2 * _count(order.root))))
    block = _block(order.root, columns * (_LOOK.size[0] + _GAP_X))
    canvas = Image.new("RGB", (block.size[0] + 2 * _BORDER, block.size[1] + 2 * _BORDER), GROUND)
    _draw(canvas, block, _BORDER, _BORDER)
    return encode_png(canvas)


def _block(kin: Kin, room: int) -> Block:
    """Lay out a picture and what is below it, in rows that are hardly wider than `room`."""
    width, height = _LOOK.size
    rows = _rows([_block(child, room - _SPINE) for child in kin.children], room)
    indent = _SPINE if len(rows) > 1 else 0
    widest = max((_width(row) for row in rows), default=0)
    total = max(width, indent + widest)
    shelves = []
    top = height
    for row in rows:
        top += _GAP_Y
        # Rows that share a line down the side begin beside it; a single one is centred.
        left = indent if indent else (total - _width(row)) // 2
        shelf = []
        for block in row:
            shelf.append((left, top, block))
            left += block.size[0] + _GAP_X
        shelves.append(shelf)
        top += max(block.size[1] for block in row)
    if len(rows) == 1:
        first, last = shelves[0][0], shelves[0][-1]
        card = (first[0] + first[2].middle + last[0] + last[2].middle - width) // 2
    else:
        card = (total - width) // 2 if rows else 0
    return Block(kin, (total, top), card, shelves)


def _rows(blocks: Sequence[Block], room: int) -> Sequence[Sequence[Block]]:
    """Blocks side by side, as many as there is room for.

    Where that takes several rows, those with children of their own come last, so that they leave
    no holes between the others.
    """
    if not blocks or _width(blocks) <= room:
        return [blocks] if blocks else []
    single = [block for block in blocks if not block.shelves]
    parents = [block for block in blocks if block.shelves]
    return [*_broken(single, room), *_broken(parents, room)]


def _broken(blocks: Sequence[Block], room: int) -> Iterator[Sequence[Block]]:
    """Rows of about the same width."""
    rows = math.ceil(_width(blocks) / room)
    row: list[Block] = []
    for block in blocks:
        if row and _width([*row, block]) > _width(blocks) / rows + block.size[0] / 2:
            yield row
            row = []
        row.append(block)
    if row:
        yield row


def _width(row: Sequence[Block]) -> int:
    return sum(block.size[0] for block in row) + _GAP_X * (len(row) - 1)


def _draw(canvas: Image.Image, block: Block, left: int, top: int) -> None:
    pen = ImageDraw.Draw(canvas)
    middle, bottom = left + block.middle, top + _LOOK.size[1]
    for shelf in block.shelves:
        bus = top + shelf[0][1] - _GAP_Y // 2
        stems = [left + x + child.middle for x, _, child in shelf]
        if len(block.shelves) == 1:
            _line(pen, (middle, bottom), (middle, bus))
            _line(pen, (min(middle, *stems), bus), (max(middle, *stems), bus))
        else:
            _line(pen, (left, bus), (max(stems), bus))
        for stem in stems:
            _line(pen, (stem, bus), (stem, top + shelf[0][1]))
    if len(block.shelves) > 1:
        first, last = (top + block.shelves[end][0][1] - _GAP_Y // 2 for end in (0, -1))
        _line(pen, (left, first), (left, last))
        _line(pen, (middle, bottom), (middle, first))
        _line(pen, (left, first), (middle, first))
    for shelf in block.shelves:
        for x, y, child in shelf:
            _draw(canvas, child, left + x, top + y)
    at = (left + block.card, top)
    draw_tile(canvas, at, block.kin.tile, _LOOK, framed=block.kin.framed)


def _line(pen: ImageDraw.ImageDraw, start: tuple[int, int], end: tuple[int, int]) -> None:
    pen.line((*start, *end), QUIET, _LINE)


def _count(kin: Kin) -> int:
    return 1 + sum(map(_count, kin.children))
