"""SVG and raster files to small RGBA pictures; SVG with the resvg renderer."""

from __future__ import annotations

import io
import re

import numpy as np
import numpy.typing as npt
import resvg_py
from PIL import Image, UnidentifiedImageError

PICTURE_SIZE = 72
"""Side of a stored picture in pixels: a little above the 64 of a view, and 4, 3 and 2 divide it."""

_MOTION = re.compile(r"<(animate|animateTransform|animateMotion|set)\b[^>]*?(/>|>.*?</\1>)", re.S)
_ROOT = re.compile(r"<(?:\w+:)?svg\b[^>]*>", re.S)
_PAGE = re.compile(r"""\s(width|height|viewBox|preserveAspectRatio)\s*=\s*("[^"]*"|'[^']*')""")
# Where a drawing without a page is looked for, in its own units: left, top, side.
_EVERYWHERE = (-2000.0, -2000.0, 6000.0)
_LOOKS = 3
_LOOK_SIZE = 300


def render(svg: str, colour: str = "#000") -> npt.NDArray[np.uint8] | None:
    """Draw an SVG document into [72, 72, 4] straight-alpha RGBA, centred, its aspect kept.

    `colour` replaces `currentColor`. Animations are drawn at rest. Returns None where resvg cannot
    read the document or nothing is visible.
    """
    picture = _draw(_MOTION.sub("", svg).replace("currentColor", colour), PICTURE_SIZE)
    return None if picture is None else _centred(picture)


def render_visible(svg: str) -> npt.NDArray[np.uint8] | None:
    """`render` for documents that lack a page, or draw outside of it: their page is what they draw.

    It is found by looking at everything, and then closer at what was seen.
    """
    document = _MOTION.sub("", svg)
    left, top, side = _EVERYWHERE
    for _ in range(_LOOKS):
        picture = _draw(_on_page(document, left, top, side), _LOOK_SIZE)
        box = None if picture is None else picture.getchannel("A").getbbox()
        if box is None:
            return None
        unit = side / _LOOK_SIZE
        left, top = left + box[0] * unit, top + box[1] * unit
        width, height = (box[2] - box[0]) * unit, (box[3] - box[1]) * unit
        side = max(width, height)
        left, top = left - (side - width) / 2, top - (side - height) / 2
    picture = _draw(_on_page(document, left, top, side), PICTURE_SIZE)
    return None if picture is None else _centred(picture)


def read_raster(content: bytes) -> npt.NDArray[np.uint8] | None:
    """What is visible in a PNG or WebP file, as `render` gives it, or None."""
    try:
        picture = Image.open(io.BytesIO(content)).convert("RGBA")
    except (OSError, UnidentifiedImageError):
        return None
    box = picture.getchannel("A").getbbox()
    if box is None:
        return None
    picture = picture.crop(box)
    scale = PICTURE_SIZE / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    return _centred(picture.resize((width, height), Image.Resampling.LANCZOS))


def _draw(document: str, size: int) -> Image.Image | None:
    """The document's page, its longer side `size` pixels, or None if resvg cannot read it."""
    for side in ("width", "height"):
        try:
            # What is too high is drawn again by its height.
            png = resvg_py.svg_to_bytes(
                svg_string=document,
                skip_system_fonts=True,
                width=size if side == "width" else None,
                height=size if side == "height" else None,
            )
        except (ValueError, RuntimeError):
            return None
        picture = Image.open(io.BytesIO(bytes(png))).convert("RGBA")
        if max(picture.size) <= size:
            return picture
    picture.thumbnail((size, size))
    return picture


def _on_page(document: str, left: float, top: float, side: float) -> str:
    """The document with a square page of its own units."""

    def paged(root: re.Match[str]) -> str:
        opening = _PAGE.sub("", root[0])
        page = f' width="{side}" height="{side}" viewBox="{left} {top} {side} {side}"'
        end = -2 if opening.endswith("/>") else -1
        return opening[:end] + page + opening[end:]

    return _ROOT.sub(paged, document, count=1)


def _centred(picture: Image.Image) -> npt.NDArray[np.uint8] | None:
    """On a transparent square of 72 × 72, or None where next to nothing is visible."""
    square = Image.new("RGBA", (PICTURE_SIZE, PICTURE_SIZE))
    left, top = ((PICTURE_SIZE - side) // 2 for side in picture.size)
    square.paste(picture, (left, top))
    pixels = np.asarray(square)
    return pixels.copy() if (pixels[..., 3] > 127).mean() > 0.02 else None
