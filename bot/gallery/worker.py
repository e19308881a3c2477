"""Smaller copies of pictures, made in a process that can be killed: `python -m bot.gallery.worker`.

Its arguments are a width, a height, how to resample (``nearest`` or ``smooth``), and the PNGs of
our own engine; one of them becomes a PNG, several a time-lapse in WebP. What comes out goes to
stdout: the process itself may write no file.
"""

import resource
import sys
from pathlib import Path

from PIL import Image

from engine.png import encode_png

_MEMORY_BYTES = 1024 * 1024 * 1024
_CPU_SECONDS = 20
# All frames but the last, for a look in passing: seldom more than four seconds.
_FRAME_SECONDS = 0.12
_RESAMPLING = {"nearest": Image.Resampling.NEAREST, "smooth": Image.Resampling.LANCZOS}


def copy(paths: list[Path], size: tuple[int, int], resampling: Image.Resampling) -> bytes:
    """The pictures at another size, as the bytes of a PNG or, if there are several, of a WebP."""
    images = [_resized(path, size, resampling) for path in paths]
    if len(images) == 1:
        return encode_png(images[0])
    # numpy comes with it, which a thumbnail need not wait for.
    from engine.animation import animate

    return animate(
        images,
        ".webp",
        frame_seconds=_FRAME_SECONDS,
        enlarge=False,
        lossless=resampling is Image.Resampling.NEAREST,
    )


def _resized(path: Path, size: tuple[int, int], resampling: Image.Resampling) -> Image.Image:
    with Image.open(path, formats=["PNG"]) as image:
        colours = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return colours.resize(size, resampling)


def _limit_this_process() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _main(width: str, height: str, resampling: str, *paths: str) -> None:
    _limit_this_process()
    size = int(width), int(height)
    sys.stdout.buffer.write(copy([Path(path) for path in paths], size, _RESAMPLING[resampling]))


if __name__ == "__main__":
    _main(*sys.argv[1:])
