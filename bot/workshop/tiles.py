"""One picture on a sheet: a card with its number below it, the same on every sheet."""

from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from bot.workshop.orders import Tile

Colour = tuple[int, int, int]

# Dark, so that the pictures shine, and visible on Discord's light and dark grounds alike.
GROUND: Colour = (24, 25, 30)
CARD: Colour = (43, 45, 53)
INK: Colour = (242, 243, 245)
QUIET: Colour = (163, 167, 178)
ACCENT: Colour = (255, 199, 71)

_RADIUS = 10
_FRAME = 4
_OUTLINE = 2


@dataclass(frozen=True)
class Look:
    """The measures of all cards of a sheet, in pixels.

    Attributes:
        room: width and height that a picture is given.
        margin: between a card's edge and what is on it.
        text: the height of a caption's letters.

    """

    room: tuple[int, int]
    margin: int
    text: int

    @property
    def caption(self) -> int:
        """The height of the line below the picture."""
        return self.text * 3 // 2

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a card."""
        return (
            self.room[0] + 2 * self.margin,
            self.room[1] + 2 * self.margin + self.caption,
        )


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that Pillow brings along."""
    return ImageFont.load_default(size)


def draw_tile(
    canvas: Image.Image, at: tuple[int, int], tile: Tile, look: Look, *, framed: bool = False
) -> None:
    """Put a card onto a sheet, its upper left corner at `at`."""
    pen = ImageDraw.Draw(canvas)
    width, height = look.size
    box = (at[0], at[1], at[0] + width - 1, at[1] + height - 1)
    if framed:
        around = (box[0] - _FRAME, box[1] - _FRAME, box[2] + _FRAME, box[3] + _FRAME)
        pen.rounded_rectangle(around, _RADIUS + _FRAME, ACCENT)
    pen.rounded_rectangle(box, _RADIUS, CARD if tile.picture else GROUND, CARD, _OUTLINE)
    left, top = at[0] + look.margin, at[1] + look.margin
    middle = (left + look.room[0] // 2, top + look.room[1] // 2)
    if tile.picture is None:
        pen.text(middle, tile.instead, QUIET, font(look.text), anchor="mm")
    else:
        picture = _fitted(tile.picture, look.room)
        corner = (middle[0] - picture.width // 2, middle[1] - picture.height // 2)
        canvas.paste(picture, corner, picture if picture.mode == "RGBA" else None)
    baseline = top + look.room[1] + look.margin // 2 + look.caption // 2
    colour = ACCENT if framed else INK
    pen.text((left, baseline), tile.title, colour, font(look.text), anchor="lm")
    right = left + look.room[0]
    pen.text((right, baseline), tile.note, QUIET, font(look.text - 2), anchor="rm")


def _fitted(path: str, room: tuple[int, int]) -> Image.Image:
    """As large as there is room for: enlarged by a whole factor, or smoothly made smaller."""
    with Image.open(path, formats=["PNG"]) as image:
        colours = image.convert("RGBA" if image.has_transparency_data else "RGB")
    factor = min(room[0] // colours.width, room[1] // colours.height)
    if factor >= 1:
        size = (colours.width * factor, colours.height * factor)
        return colours.resize(size, Image.Resampling.NEAREST)
    colours.thumbnail(room, Image.Resampling.LANCZOS)
    return colours
