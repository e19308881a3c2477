"""The named palettes as a picture: a row each, its name before its colours."""

from PIL import Image, ImageDraw, ImageFont

from engine.palettes import PALETTES

_SIDE = 18
_COLOURS_A_LINE = 32
_NAME_WIDTH = 100
_GAP = 8
# Neither white nor black cells are lost on the ground.
_INK, _GROUND = (40, 40, 46), (226, 228, 233)


def swatches() -> Image.Image:
    """Every palette of `PALETTES`, 32 colours a line."""
    lines = {name: -(-len(colours) // _COLOURS_A_LINE) for name, colours in PALETTES.items()}
    height = sum(_SIDE * count + _GAP for count in lines.values()) + _GAP
    picture = Image.new("RGB", (_NAME_WIDTH + _SIDE * _COLOURS_A_LINE + _GAP, height), _GROUND)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(13)
    top = _GAP
    for name, colours in PALETTES.items():
        pen.text((_GAP, top + _SIDE // 2), name, _INK, font, anchor="lm")
        for number, colour in enumerate(colours):
            line, place = divmod(number, _COLOURS_A_LINE)
            left = _NAME_WIDTH + place * _SIDE
            upper = top + line * _SIDE
            pen.rectangle((left, upper, left + _SIDE - 1, upper + _SIDE - 1), colour)
        top += _SIDE * lines[name] + _GAP
    return picture
