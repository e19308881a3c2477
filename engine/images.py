"""Strangers' pictures, decoded in a process that can be killed.

The parent starts ``python -m engine.images`` for each picture, with limits on memory and processor
time that are set before a byte is decoded; what comes back is a plain PNG of bounded size.
"""

import io
import os
import resource
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

from engine.errors import PictureError

MAX_BYTES = 10 * 1024 * 1024
MAX_SIDE = 8192
MAX_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")

# A grid has at most 256 cells a side; twice that keeps every detail that a drawing can use.
NORMAL_SIDE = 512

_MEMORY_BYTES = 1024 * 1024 * 1024
_CPU_SECONDS = 10
_WALL_SECONDS = 20
_REFUSED = 3


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes:
        png: 8-bit RGB or RGBA, at most `NORMAL_SIDE` pixels a side.
        size: width and height of the original in pixels, turned upright.

    """

    png: bytes
    size: tuple[int, int]


def read_picture(data: bytes) -> Picture:
    """Decode a file of any of `FORMATS` in a process of its own; of an animation the first frame.

    Blocks for as long as that takes: about 0.15 s, at most 20 s.

    Raises:
        PictureError: when it is too large, damaged, or no picture at all.

    """
    if not data:
        raise PictureError("The picture is empty; a PNG, JPEG, GIF, WebP, BMP or TIFF is needed.")
    if len(data) > MAX_BYTES:
        raise PictureError(
            f"The picture has {len(data) / 2**20:.1f} MiB; allowed are {MAX_BYTES // 2**20} MiB."
        )
    try:
        done = subprocess.run(
            [sys.executable, "-m", "engine.images"],
            input=data,
            capture_output=True,
            timeout=_WALL_SECONDS,
            check=False,
            # What a decoder needs, and nothing else that this process knows.
            env={key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ},
        )
    except subprocess.TimeoutExpired:
        raise PictureError("The picture took too long to decode; try a smaller one.") from None
    if done.returncode == _REFUSED:
        raise PictureError(done.stdout.decode(errors="replace"))
    if done.returncode != 0:
        raise PictureError("The picture could not be decoded within its limits; try another one.")
    header, _, png = done.stdout.partition(b"\n")
    width, height = (int(side) for side in header.split())
    return Picture(png, (width, height))


def read_picture_file(path: Path) -> Picture:
    """Decode a file on this machine, as `read_picture` does; raises `PictureError`."""
    return read_picture(_read_file(path))


def open_picture_file(path: Path) -> Image.Image:
    """A picture of whoever runs this process, at its full size, as `decode` gives it.

    Raises:
        PictureError: when the file cannot be read, is too large, damaged, or no picture at all.

    """
    data = _read_file(path)
    if len(data) > MAX_BYTES:
        raise PictureError(
            f"The picture {path} has more than the {MAX_BYTES // 2**20} MiB that are allowed."
        )
    try:
        return decode(data)
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from None


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # One byte more than is allowed tells that it is too large.
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PictureError(f"The picture {path} cannot be read: {error.strerror}.") from None


def decode(data: bytes) -> Image.Image:
    """Decode, turn upright and convert to 8-bit RGB or RGBA; raises `PictureError`."""
    with warnings.catch_warnings():
        # Pillow warns of odd metadata and large sizes; the size is checked here, by our own limits.
        warnings.simplefilter("ignore")
        # Decoders raise whatever their format's code happens to raise on damaged data.
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except MemoryError:
            raise
        except Exception as error:
            raise PictureError(
                "The file is not a picture that can be read; "
                "allowed are PNG, JPEG, GIF, WebP, BMP and TIFF."
            ) from error
        width, height = image.size
        if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
            raise PictureError(
                f"The picture is {width} × {height} pixels; allowed are at most {MAX_SIDE} a side "
                f"and {MAX_PIXELS // 1_000_000} million in all."
            )
        try:
            image.load()
            # In place: of a large picture each copy counts.
            ImageOps.exif_transpose(image, in_place=True)
            return _to_8_bit(image)
        except MemoryError:
            raise
        except Exception as error:
            raise PictureError("The picture is damaged or cut off; send the whole file.") from error


def _to_8_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        # Pillow's own conversion clips 16-bit grey at 255 instead of scaling it.
        top = 65535.0 if image.mode.startswith("I") else 1.0
        image = image.convert("F").point(lambda value: value * (255.0 / top)).convert("L")
    mode = "RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB"
    return image if image.mode == mode else image.convert(mode)


def limit_this_process() -> None:
    """Let this process have so much memory and processor time, and write no file."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def as_worker(data: bytes) -> bytes:
    """What the process answers for a picture: width and height in a line, and then the PNG.

    Raises:
        PictureError: as `decode` does.

    """
    # Its own limit is looser than ours, and is a warning first.
    Image.MAX_IMAGE_PIXELS = None
    image = decode(data)
    width, height = image.size
    image.thumbnail((NORMAL_SIDE, NORMAL_SIDE), Image.Resampling.LANCZOS)
    # A colour profile may be as large as the file; nothing here looks at it.
    image.info.clear()
    output = io.BytesIO()
    image.save(output, "PNG", compress_level=1)
    return b"%d %d\n" % (width, height) + output.getvalue()


def _main() -> int:
    limit_this_process()
    try:
        answer = as_worker(sys.stdin.buffer.read(MAX_BYTES + 1))
    except PictureError as error:
        sys.stdout.buffer.write(str(error).encode())
        return _REFUSED
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
