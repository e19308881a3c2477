"""Smaller copies of pictures, and time-lapses."""

from PIL import Image

from bot.workshop.orders import Copy
from engine.png import encode_png

# All frames but the last, for a look in passing: seldom more than four seconds.
_FRAME_SECONDS = 0.12
_RESAMPLING = {"nearest": Image.Resampling.NEAREST, "smooth": Image.Resampling.LANCZOS}


def copy(order: Copy) -> bytes:
    """The pictures at another size, as the bytes of a PNG or, if there are several, of a WebP."""
    images = [_resized(path, order) for path in order.pictures]
    if len(images) == 1:
        return encode_png(images[0])
    # numpy comes with it, which a thumbnail need not wait for.
    from engine.animation import animate

    return animate(
        images,
        ".webp",
        frame_seconds=_FRAME_SECONDS,
        enlarge=False,
        lossless=order.resampling == "nearest",
    )


def _resized(path: str, order: Copy) -> Image.Image:
    with Image.open(path, formats=["PNG"]) as image:
        colours = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return colours.resize(order.size, _RESAMPLING[order.resampling])
