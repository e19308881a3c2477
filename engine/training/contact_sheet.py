"""Many small pictures on one sheet, each with its caption, to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAPER, _INK = (250, 250, 252), (40, 42, 50)
_CHEQUER = ((232, 232, 236), (214, 214, 220))
_GAP, _CAPTION = 8, 18


def contact_sheet(
    pictures: Sequence[tuple[str, Image.Image]], columns: int = 8, side: int = 160
) -> Image.Image:
    """Pictures in rows, each enlarged by whole numbers, over its caption.

    Args:
        pictures: captions and pictures, RGB or RGBA; what is transparent shows a chequer.
        columns: pictures in a row.
        side: of the square that a picture is fitted into, in pixels; rows are no higher than the
            highest picture.

    """
    rows = -(-len(pictures) // columns)
    small = [(caption, _fitted(picture, side)) for caption, picture in pictures]
    highest = max(picture.height for _, picture in small)
    width, height = side + _GAP, highest + _CAPTION + _GAP
    sheet = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for number, (caption, picture) in enumerate(small):
        left, top = _GAP + number % columns * width, _GAP + number // columns * height
        place = left + (side - picture.width) // 2, top + (highest - picture.height) // 2
        sheet.paste(picture, place)
        pen.text((left + side / 2, top + highest + 3), caption, _INK, font, anchor="ma")
    return sheet


def _fitted(picture: Image.Image, side: int) -> Image.Image:
    longer = max(picture.size)
    size = (
        tuple(length * (side // longer) for length in picture.size)
        if longer <= side
        else tuple(max(1, length * side // longer) for length in picture.size)
    )
    method = Image.Resampling.NEAREST if longer <= side else Image.Resampling.BOX
    enlarged = picture.convert("RGBA").resize((size[0], size[1]), method)
    chequer = Image.new("RGBA", enlarged.size, _CHEQUER[0])
    pen = ImageDraw.Draw(chequer)
    for y in range(0, chequer.height, 8):
        for x in range(y % 16, chequer.width, 16):
            pen.rectangle((x, y, x + 7, y + 7), _CHEQUER[1])
    return Image.alpha_composite(chequer, enlarged).convert("RGB")
