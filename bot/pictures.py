"""The art on disk, below the data directory; a reader never sees half a file.

    pictures/init/<sha256>.png           pictures to start from, masks, and others people gave
    pictures/<id // 1000>/<id>/          one job:
        frames/000020.png                the picture after 20 steps
        final.png, native.png            the finished one; native has one pixel a cell
        final.svg                        the same in shapes, where it is made of them
        walk.gif                         the way to another picture, where there is one
        thumbnail.png, time-lapse.webp   made of these for the gallery, when first looked at
    pictures/parts/                      what is being written

The methods run their file work in threads, so that the event loop never waits for a disk.
"""

import asyncio
import contextlib
import hashlib
import io
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from engine.files import sweep_parts, write_atomically
from engine.png import encode_png

THUMBNAIL, TIME_LAPSE = "thumbnail.png", "time-lapse.webp"
_WALK = "walk.gif"

# A picture this much smaller is not worth posting.
_SMALLEST_FACTOR = 16

# Between the pictures of a group, as a share of their longer side; and where one is still missing,
# on Discord's dark and light ground alike.
_GAP = 0.015
_EMPTY = (128, 132, 142, 60)

_NUMBER = re.compile("0|[1-9][0-9]{0,15}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Init:
    """A picture that drawings need, by its SHA-256, and its bytes on the disk."""

    name: str
    size: int


class Pictures:
    """The pictures of one data directory; paths are strings relative to it, as the rows hold.

    Attributes:
        written: how many bytes were written so far.

    """

    def __init__(self, data: Path) -> None:
        self._data = data
        self._parts = data / "pictures" / "parts"
        self.written = 0

    async def sweep(self) -> None:
        """Delete what a killed process has left half written."""
        await asyncio.to_thread(sweep_parts, self._parts)

    async def save_init(self, png: bytes) -> str:
        """Keep a picture that drawings need; returns its SHA-256, which is its name."""
        digest = hashlib.sha256(png).hexdigest()
        await self._write(_init_path(digest), png)
        return digest

    async def read_init(self, digest: str) -> bytes | None:
        """A picture that a drawing needs, or None when its file is missing or that is no name."""
        return await self.read(_init_path(digest)) if _DIGEST.fullmatch(digest) else None

    async def save_frame(self, job_id: int, iteration: int, png: bytes) -> None:
        """Keep a progress frame, for the time-lapse."""
        await self._write(f"{_job_folder(job_id)}/frames/{iteration:06}.png", png)

    async def save_final(
        self, job_id: int, png: bytes, native_png: bytes, svg: str | None = None
    ) -> tuple[str, str]:
        """Keep a finished picture; returns the paths of the picture and of its native size."""
        picture, native = (f"{_job_folder(job_id)}/{name}.png" for name in ("final", "native"))
        await self._write(picture, png)
        await self._write(native, native_png)
        if svg is not None:
            await self._write(f"{_job_folder(job_id)}/final.svg", svg.encode())
        return picture, native

    async def save_walk(self, job_id: int, gif: bytes) -> None:
        """Keep the way to another picture."""
        await self._write(f"{_job_folder(job_id)}/{_WALK}", gif)

    async def read_walk(self, job_id: int) -> bytes | None:
        """The way to another picture, or None where there is none."""
        return await self.read(f"{_job_folder(job_id)}/{_WALK}")

    def files(self, job_id: int) -> dict[str, str]:
        """Where the files of a finished picture lie, or would: by what tells their names apart."""
        folder = self._data / _job_folder(job_id)
        names = {".png": "final.png", "-native.png": "native.png", ".svg": "final.svg"}
        return {
            ending: str(folder / name) for ending, name in (names | {"-walk.gif": _WALK}).items()
        }

    async def frames(self, job_id: int) -> list[Path]:
        """Where the progress frames lie, the oldest first."""
        return await asyncio.to_thread(_pngs, self._data / _job_folder(job_id) / "frames")

    async def save_copy(self, job_id: int, name: str, data: bytes) -> None:
        """Keep a `THUMBNAIL` or a `TIME_LAPSE` where it goes when its picture goes."""
        await self._write(copy_path(job_id, name), data)

    async def remove(self, job_id: int) -> None:
        """Delete everything that is kept of one job."""
        await asyncio.to_thread(_remove_tree, self._data / _job_folder(job_id))

    async def remove_frames(self, job_id: int) -> None:
        """Delete the progress frames of one job, and what was made of them."""
        folder = self._data / _job_folder(job_id)
        await asyncio.to_thread((folder / TIME_LAPSE).unlink, missing_ok=True)
        await asyncio.to_thread(_remove_tree, folder / "frames")

    async def remove_init(self, digest: str) -> None:
        """Delete a picture that drawings needed."""
        if _DIGEST.fullmatch(digest):
            path = self._data / _init_path(digest)
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def last_number(self) -> int:
        """The largest number of a job that has a folder here; 0 without any."""
        return await asyncio.to_thread(_last_number, self._data / "pictures")

    async def usage(self) -> int:
        """How many bytes all pictures take."""
        return await asyncio.to_thread(_size, self._data / "pictures")

    async def size(self, job_id: int, *, frames_only: bool) -> int:
        """How many bytes one job's files take, or its frames and what was made of them."""
        folder = self._data / _job_folder(job_id)
        parts = (folder / "frames", folder / TIME_LAPSE) if frames_only else (folder,)
        return await asyncio.to_thread(lambda: sum(map(_size, parts)))

    async def inits(self, before: float) -> list[Init]:
        """The pictures that drawings need, given before a time, the oldest first."""
        return await asyncio.to_thread(_inits, self._data / "pictures" / "init", before)

    async def find(self, path: str) -> Path | None:
        """Where a file lies, or None when it is missing, or not one of the pictures."""
        return await asyncio.to_thread(_find, self._data / "pictures", self._data / path)

    async def read(self, path: str) -> bytes | None:
        """A file's bytes, or None when it is missing (somebody may have cleared the folder)."""
        return await asyncio.to_thread(_read, self._data / path)

    async def _write(self, path: str, data: bytes) -> None:
        await asyncio.to_thread(write_atomically, self._data / path, data, self._parts)
        self.written += len(data)


def copy_path(job_id: int, name: str) -> str:
    """Where a picture's `THUMBNAIL` or `TIME_LAPSE` lies, or would."""
    return f"{_job_folder(job_id)}/{name}"


def _job_folder(job_id: int) -> str:
    return f"pictures/{job_id // 1000}/{job_id}"


def _init_path(digest: str) -> str:
    return f"pictures/init/{digest}.png"


def _pngs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.png"))


def _remove_tree(folder: Path) -> None:
    # Whatever cannot be removed is an error, but not that it is gone already.
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _last_number(folder: Path) -> int:
    for thousand in sorted(_numbers(folder), reverse=True):
        if found := _numbers(folder / str(thousand)):
            return max(found)
    return 0


def _numbers(folder: Path) -> list[int]:
    """The folders of a folder that are named by a number."""
    if not folder.is_dir():
        return []
    return [int(path.name) for path in folder.iterdir() if _NUMBER.fullmatch(path.name)]


def _files(path: Path) -> Iterator[os.DirEntry[str]]:
    """Every file below a folder; those that vanish meanwhile are left out."""
    folders = [path]
    while folders:
        # Thread switches while the disk is asked leave the event loop its turns.
        with contextlib.suppress(FileNotFoundError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                else:
                    yield entry


def _size(path: Path) -> int:
    """The bytes of a file, or of all files below a folder; none if it is not there."""
    if not path.is_dir():
        with contextlib.suppress(FileNotFoundError):
            return path.stat().st_size
        return 0
    size = 0
    for entry in _files(path):
        with contextlib.suppress(FileNotFoundError):
            size += entry.stat(follow_symlinks=False).st_size
    return size


def _inits(folder: Path, before: float) -> list[Init]:
    found = []
    for entry in _files(folder):
        name = entry.name.removesuffix(".png")
        if not _DIGEST.fullmatch(name):
            continue
        with contextlib.suppress(FileNotFoundError):
            status = entry.stat(follow_symlinks=False)
            if status.st_mtime < before:
                found.append((status.st_mtime, Init(name, status.st_size)))
    return [init for _, init in sorted(found, key=lambda aged: aged[0])]


def _find(folder: Path, path: Path) -> Path | None:
    found = path.resolve()
    return found if found.is_relative_to(folder.resolve()) and found.is_file() else None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


async def fit(png: bytes, limit: int) -> bytes | None:
    """The picture in at most `limit` bytes: as it is, with a palette, or also smaller.

    Only for pictures that our own engine made: they are decoded in this process, in a thread.
    Returns None when not even a sixteenth of each side fits.
    """
    if len(png) <= limit:
        return png
    if limit <= 0:
        return None
    return await asyncio.to_thread(_shrink, png, limit)


def _shrink(png: bytes, limit: int) -> bytes | None:
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        colours = image.convert("RGBA" if image.has_transparency_data else "RGB")
        for factor in range(1, _SMALLEST_FACTOR + 1):
            # Whole factors keep the cells' edges where they are.
            smaller = colours.reduce(factor).quantize(256, Image.Quantize.FASTOCTREE)
            output = io.BytesIO()
            smaller.save(output, "PNG", optimize=True)
            if output.tell() <= limit:
                return output.getvalue()
    return None


async def quartet(pngs: Sequence[bytes | None]) -> bytes:
    """Up to four pictures of one size, two in a row, as one PNG; None leaves its place empty.

    Only for pictures that our own engine made, as for `fit`.
    """
    return await asyncio.to_thread(_quartet, pngs)


def _quartet(pngs: Sequence[bytes | None]) -> bytes:
    images = [None if png is None else _open(png) for png in pngs]
    width = max(image.width for image in images if image is not None)
    height = max(image.height for image in images if image is not None)
    gap = max(2, round(_GAP * max(width, height)))
    rows = -(-len(images) // 2)
    sheet = Image.new("RGBA", (2 * width + gap, rows * height + (rows - 1) * gap))
    for index, image in enumerate(images):
        corner = index % 2 * (width + gap), index // 2 * (height + gap)
        if image is None:
            sheet.paste(_EMPTY, (*corner, corner[0] + width, corner[1] + height))
        else:
            sheet.paste(image, corner)
    return encode_png(sheet)


def _open(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return image.convert("RGBA")
