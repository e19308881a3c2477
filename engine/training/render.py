"""SVG to a small RGBA picture, with the resvg renderer."""

from __future__ import annotations

import io
import re

import numpy as np
import numpy.typing as npt
import resvg_py
from PIL import Image

PICTURE_SIZE = 72
"""Side of a stored picture in pixels: a little above the 64 of a view, and 4, 3 and 2 divide it."""

_MOTION = re.compile(r"<(animate|animateTransform|animateMotion|set)\b[^>]*?(/>|>.*?</\1>)", re.S)


def render(svg: str, colour: str = "#000") -> npt.NDArray[np.uint8] | None:
    """Draw an SVG document into [72, 72, 4] straight-alpha RGBA, centred, its aspect kept.

    `colour` replaces `currentColor`. Animations are drawn at rest. Returns None where resvg cannot
    read the document or nothing is visible.
    """
    document = _MOTION.sub("", svg).replace("currentColor", colour)
    for side in ("width", "height"):
        try:
            # What is too high is drawn again by its height.
            png = resvg_py.svg_to_bytes(
                svg_string=document,
                skip_system_fonts=True,
                width=PICTURE_SIZE if side == "width" else None,
                height=PICTURE_SIZE if side == "height" else None,
            )
        except (ValueError, RuntimeError):
            return None
        picture = Image.open(io.BytesIO(bytes(png))).convert("RGBA")
        if max(picture.size) <= PICTURE_SIZE:
            break
    else:
        picture.thumbnail((PICTURE_SIZE, PICTURE_SIZE))
    square = Image.new("RGBA", (PICTURE_SIZE, PICTURE_SIZE))
    left, top = ((PICTURE_SIZE - side) // 2 for side in picture.size)
    square.paste(picture, (left, top))
    pixels = np.asarray(square)
    return pixels.copy() if (pixels[..., 3] > 127).mean() > 0.02 else None
