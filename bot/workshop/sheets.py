"""A contact sheet: cards in rows, in their order."""

import math

from PIL import Image

from bot.workshop.orders import Sheet
from bot.workshop.tiles import GROUND, Look, draw_tile
from engine.png import encode_png

_LOOK = Look(room=(320, 240), margin=10, text=26)
_COLUMNS = 3
_GAP = 14


def sheet(order: Sheet) -> bytes:
    """The sheet as a PNG; of one picture up to whole rows of three."""
    columns = min(_COLUMNS, len(order.tiles))
    rows = math.ceil(len(order.tiles) / columns)
    width, height = _LOOK.size
    canvas = Image.new(
        "RGB", (columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP), GROUND
    )
    for number, tile in enumerate(order.tiles):
        row, column = divmod(number, columns)
        at = (_GAP + column * (width + _GAP), _GAP + row * (height + _GAP))
        draw_tile(canvas, at, tile, _LOOK)
    return encode_png(canvas)
