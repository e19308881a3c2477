"""Several pictures in one PNG, with a JSON of their places in the form of TexturePacker's hash.

Phaser, PixiJS, Godot's importers and most other game engines read that form.
"""

import math
from collections.abc import Mapping, Sequence

import msgspec
from PIL import Image

from engine.errors import OutputError

# What old graphics cards still take as one texture.
MAX_SIDE = 8192


Place = tuple[int, int, int, int]


def arrange(
    pictures: Sequence[Image.Image], columns: int | None = None, scale: int = 1
) -> tuple[Image.Image, list[Place]]:
    """Put pictures side by side, row by row, each at the upper left of a place of equal size.

    Args:
        pictures: RGB or RGBA, at least one.
        columns: how many lie in a row; as many as make the sheet about square, if left out.
        scale: how many pixels of the sheet a pixel of a picture becomes, each way; nearest
            neighbour, so that edges stay.

    Returns:
        The sheet, RGBA if any of it is clear, and each picture's place: left, top, width and
        height in pixels.

    Raises:
        OutputError: when the sheet's side would be over `MAX_SIDE`.

    """
    width = scale * max(image.width for image in pictures)
    height = scale * max(image.height for image in pictures)
    if columns is None:
        columns = math.ceil(math.sqrt(len(pictures) * height / width))
    columns = min(columns, len(pictures))
    rows = math.ceil(len(pictures) / columns)
    size = columns * width, rows * height
    if max(size) > MAX_SIDE:
        raise OutputError(
            f"The sheet would be {size[0]} × {size[1]} pixels; at most {MAX_SIDE} a side are "
            "allowed. Take smaller or fewer pictures, or other columns."
        )
    full = len(pictures) == rows * columns and len({image.size for image in pictures}) == 1
    opaque = full and not any(image.has_transparency_data for image in pictures)
    sheet = Image.new("RGB" if opaque else "RGBA", size)
    places = []
    for index, image in enumerate(pictures):
        row, column = divmod(index, columns)
        enlarged = image.convert(sheet.mode).resize(
            (scale * image.width, scale * image.height), Image.Resampling.NEAREST
        )
        left, top = column * width, row * height
        sheet.paste(enlarged, (left, top))
        places.append((left, top, *enlarged.size))
    return sheet, places


def places_json(places: Mapping[str, Place], image: str, size: tuple[int, int]) -> bytes:
    """The places as JSON.

    Args:
        places: as `arrange` returns them, by the pictures' names.
        image: the sheet's file name, as it stands beside the JSON.
        size: of the sheet, in pixels.

    """
    frames = {
        name: {
            "frame": {"x": left, "y": top, "w": width, "h": height},
            "rotated": False,
            "trimmed": False,
            "spriteSourceSize": {"x": 0, "y": 0, "w": width, "h": height},
            "sourceSize": {"w": width, "h": height},
        }
        for name, (left, top, width, height) in places.items()
    }
    meta = {
        "app": "pixel-bot",
        "version": "1.0",
        "image": image,
        "format": "RGBA8888",
        "size": {"w": size[0], "h": size[1]},
        "scale": "1",
    }
    return msgspec.json.format(msgspec.json.encode({"frames": frames, "meta": meta}), indent=2)
