"""A picture's colours as a palette file: ``.gpl`` for GIMP and its kin, ``.hex`` for Lospec."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from engine.colour_names import Colour
from engine.errors import OutputError
from engine.palettes import MAX_COLOURS

_COLUMNS = 8


def used_colours(native_png: bytes) -> tuple[Colour, ...]:
    """The colours of a picture at native size, the most used first; equals by their values.

    Clear pixels have none; half-clear ones count as if they were opaque.

    Args:
        native_png: one pixel a cell, from our own engine.

    Raises:
        OutputError: when there are none, or more than 256.

    """
    with Image.open(io.BytesIO(native_png), formats=["PNG"]) as image:
        pixels = np.asarray(image.convert("RGBA")).reshape(-1, 4)
    colours, counts = np.unique(pixels[pixels[:, 3] > 0, :3], axis=0, return_counts=True)
    if not 0 < len(colours) <= MAX_COLOURS:
        raise OutputError(
            f"The picture has {len(colours)} colours, and a palette holds 1 to {MAX_COLOURS}; "
            "draw it with fewer, such as --colors 32."
        )
    order = np.argsort(-counts, kind="stable")
    return tuple((int(red), int(green), int(blue)) for red, green, blue in colours[order])


def palette_file(colours: Sequence[Colour], suffix: str, name: str) -> bytes:
    """A palette file of the kind that its suffix stands for.

    Args:
        colours: RGB in 0…255.
        suffix: ``.gpl`` (GIMP palette format, version 2) or ``.hex`` (one ``rrggbb`` a line).
        name: what a drawing program calls it; ``.hex`` has no place for it.

    """
    digits = [f"{red:02x}{green:02x}{blue:02x}" for red, green, blue in colours]
    if suffix == ".hex":
        lines = digits
    else:
        lines = ["GIMP Palette", f"Name: {' '.join(name.split())}", f"Columns: {_COLUMNS}"]
        lines += [
            f"{red:3} {green:3} {blue:3}\t{text}"
            for (red, green, blue), text in zip(colours, digits, strict=True)
        ]
    return "".join(f"{line}\n" for line in lines).encode()
