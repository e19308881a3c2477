"""Makes one thing of pictures, in a process that can be killed: `python -m bot.darkroom.worker`.

It reads a task in msgpack from stdin; what comes out goes to stdout: the process itself may write
no file. Modules that need numpy are loaded where they are used: a thumbnail need not wait for them.
"""

import io
import resource
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from PIL import Image

from bot.darkroom.tasks import Copy, Enlarge, Export, Recolour, Task, TimeLapse, Walk
from engine.png import encode_png

_MEMORY_BYTES = 1024 * 1024 * 1024
_CPU_SECONDS = 40
# All frames but the last, for a look in passing: seldom more than four seconds.
_FRAME_SECONDS = 0.12
# As the command line shows a walk.
_WALK_SECONDS, _ARRIVED_SECONDS = 1 / 12, 1.0
# What is tried when a time-lapse is too large: so many times fewer frames, so many times smaller.
_SMALLER = ((1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 8))
# A ZIP knows no earlier time; with the real one equal pictures would make different files.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def make(task: Task) -> bytes:
    """The bytes of what a task asks for."""
    return _MAKERS[type(task)](task)


def _copy(task: Copy) -> bytes:
    images = [_resized(path, task.size, task.crisp) for path in task.paths]
    if len(images) == 1:
        return encode_png(images[0])
    from engine.animation import animate

    return animate(
        images, ".webp", frame_seconds=_FRAME_SECONDS, enlarge=False, lossless=task.crisp
    )


def _enlarge(task: Enlarge) -> bytes:
    image = _open(task.path)
    size = image.width * task.factor, image.height * task.factor
    return encode_png(image.resize(size, _resampling(task.crisp)))


def _time_lapse(task: TimeLapse) -> bytes:
    from engine.animation import animate

    for fewer, smaller in _SMALLER:
        size = max(1, task.size[0] // smaller), max(1, task.size[1] // smaller)
        # The last one is the finished picture.
        paths = [*task.paths[:-1][::fewer], task.paths[-1]]
        gif = animate([_resized(path, size, task.crisp) for path in paths], ".gif")
        if len(gif) <= task.limit:
            return gif
    raise ValueError(f"a time-lapse does not fit into {task.limit} bytes")


def _walk(task: Walk) -> bytes:
    from engine.animation import animate

    return animate(task.frames, ".gif", frame_seconds=_WALK_SECONDS, last_seconds=_ARRIVED_SECONDS)


def _recolour(task: Recolour) -> bytes:
    from bot.darkroom.recolour import recolour

    return encode_png(recolour(_open(task.path), task.palette))


def _export(task: Export) -> bytes:
    from engine.errors import OutputError
    from engine.palette_files import palette_file, used_colours
    from engine.sprite_sheet import arrange, places_json

    files = {
        name: Path(path).read_bytes() for name, path in task.files.items() if Path(path).exists()
    }
    if len(task.frames) > 1:
        sheet, places = arrange([_resized(path, task.cell, task.crisp) for path in task.frames])
        named = {f"{task.name}-{i}.png": place for i, place in enumerate(places, start=1)}
        files[f"{task.name}-sheet.png"] = encode_png(sheet)
        files[f"{task.name}-sheet.json"] = places_json(named, f"{task.name}-sheet.png", sheet.size)
    try:
        colours = used_colours(Path(task.native).read_bytes())
    except OutputError:
        # More colours than a palette holds.
        colours = ()
    for suffix in (".gpl", ".hex") if colours else ():
        files[f"{task.name}{suffix}"] = palette_file(colours, suffix, task.name)
    files[f"{task.name}.txt"] = task.text.encode()
    return _zipped(files)


def _zipped(files: Mapping[str, bytes]) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(
                zipfile.ZipInfo(name, _ZIP_EPOCH), data, compress_type=zipfile.ZIP_DEFLATED
            )
    return output.getvalue()


def _open(path: str) -> Image.Image:
    with Image.open(path, formats=["PNG"]) as image:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _resized(path: str, size: tuple[int, int] | Sequence[int], crisp: bool) -> Image.Image:
    return _open(path).resize((size[0], size[1]), _resampling(crisp))


def _resampling(crisp: bool) -> Image.Resampling:
    # The middle of a cell has its colour, whatever the cell's size.
    return Image.Resampling.NEAREST if crisp else Image.Resampling.LANCZOS


_MAKERS: Mapping[type, Callable[[Any], bytes]] = {
    Copy: _copy,
    Enlarge: _enlarge,
    TimeLapse: _time_lapse,
    Walk: _walk,
    Recolour: _recolour,
    Export: _export,
}


def _limit_this_process() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


if __name__ == "__main__":
    _limit_this_process()
    task: Task = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(make(task))
