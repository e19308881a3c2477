"""The colours of a picture, as people and drawing programs want them."""

import io
import math

import numpy as np
from PIL import Image, ImageDraw

from bot.workshop.orders import Colours, Palette
from bot.workshop.tiles import GROUND, INK, Colour, font
from engine.errors import OutputError
from engine.palette_files import palette_file, used_colours
from engine.png import encode_png

# What a picture with too many colours is reduced to.
_FEW = 16
_ROUNDS = 4
_CLEAR = 127

_GAP = 10
# So many swatches have their values written below them.
_MOST_NAMED = 64
_NAMED, _NAMELESS = (104, 84), (40, 40)
_LETTERS = 18
_CAPTION = 28


def colours(order: Palette) -> Colours:
    """The palette of a picture, the most used colour first.

    Raises:
        OutputError: when every pixel is clear.

    """
    try:
        found = used_colours(order.png)
    except OutputError:
        found = ()
    if not 0 < len(found) <= order.most:
        found = used_colours(_reduced(order.png))
    return Colours(
        colours=tuple("{:02x}{:02x}{:02x}".format(*colour) for colour in found),
        swatches=_swatches(found),
        gpl=palette_file(found, ".gpl", order.name),
        hex=palette_file(found, ".hex", order.name),
    )


def _reduced(png: bytes) -> bytes:
    """A strip of a picture's pixels in few colours, without those that are rather clear."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        pixels = np.asarray(image.convert("RGBA")).reshape(1, -1, 4)
    kept = pixels[:, pixels[0, :, 3] > _CLEAR, :3]
    if not kept.size:
        return png
    strip = Image.fromarray(np.ascontiguousarray(kept))
    return encode_png(strip.quantize(_FEW, Image.Quantize.MEDIANCUT, kmeans=_ROUNDS).convert("RGB"))


def _swatches(found: tuple[Colour, ...]) -> bytes:
    """Every colour as a field, with its value where there is room."""
    named = len(found) <= _MOST_NAMED
    width, height = _NAMED if named else _NAMELESS
    columns = min(len(found), 8 if named else 16)
    down = height + (_CAPTION if named else 0)
    rows = math.ceil(len(found) / columns)
    size = (columns * (width + _GAP) + _GAP, rows * (down + _GAP) + _GAP)
    canvas = Image.new("RGB", size, GROUND)
    pen = ImageDraw.Draw(canvas)
    for number, colour in enumerate(found):
        row, column = divmod(number, columns)
        left, top = _GAP + column * (width + _GAP), _GAP + row * (down + _GAP)
        box = (left, top, left + width - 1, top + height - 1)
        pen.rounded_rectangle(box, 8 if named else 4, colour, (70, 73, 84))
        if named:
            at = (left + width // 2, top + height + _CAPTION // 2)
            text = "#{:02x}{:02x}{:02x}".format(*colour)
            pen.text(at, text, INK, font(_LETTERS), anchor="mm")
    return encode_png(canvas)
