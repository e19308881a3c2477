"""What is made of one finished picture for those who like it."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from bot.workshop.orders import Enlarge, Export, Recolouring, TimeLapse, Walk
from engine.png import encode_png

# As the command line shows a walk.
_WALK_SECONDS, _ARRIVED_SECONDS = 1 / 12, 1.0
# What is tried when a time-lapse is too large: so many times fewer frames, so many times smaller.
_SMALLER = ((1, 1), (2, 1), (2, 2), (4, 2), (4, 4), (8, 8))
# A ZIP knows no earlier time; with the real one equal pictures would make different files.
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def enlarged(order: Enlarge) -> bytes:
    """The picture a whole number of times larger, as a PNG."""
    image = _open(order.path)
    size = image.width * order.factor, image.height * order.factor
    return encode_png(image.resize(size, _resampling(order.crisp)))


def time_lapse(order: TimeLapse) -> bytes:
    """The frames as a GIF that fits.

    Raises:
        ValueError: when even a small one with few frames does not.

    """
    from engine.animation import animate

    for fewer, smaller in _SMALLER:
        size = max(1, order.size[0] // smaller), max(1, order.size[1] // smaller)
        # The last one is the finished picture.
        paths = [*order.paths[:-1][::fewer], order.paths[-1]]
        gif = animate([_resized(path, size, order.crisp) for path in paths], ".gif")
        if len(gif) <= order.limit:
            return gif
    raise ValueError(f"a time-lapse does not fit into {order.limit} bytes")


def walk(order: Walk) -> bytes:
    """The frames as a GIF."""
    from engine.animation import animate

    return animate(order.frames, ".gif", frame_seconds=_WALK_SECONDS, last_seconds=_ARRIVED_SECONDS)


def recoloured(order: Recolouring) -> bytes:
    """The picture in other colours, as a PNG."""
    from bot.workshop.recolouring import recolour

    return encode_png(recolour(_open(order.path), order.palette))


def export(order: Export) -> bytes:
    """The ZIP."""
    from engine.errors import OutputError
    from engine.palette_files import palette_file, used_colours
    from engine.sprite_sheet import arrange, places_json

    files = {
        name: Path(path).read_bytes() for name, path in order.files.items() if Path(path).exists()
    }
    if len(order.frames) > 1:
        sheet, places = arrange([_resized(path, order.cell, order.crisp) for path in order.frames])
        named = {f"{order.name}-{i}.png": place for i, place in enumerate(places, start=1)}
        files[f"{order.name}-sheet.png"] = encode_png(sheet)
        files[f"{order.name}-sheet.json"] = places_json(
            named, f"{order.name}-sheet.png", sheet.size
        )
    try:
        colours = used_colours(Path(order.native).read_bytes())
    except OutputError:
        # More colours than a palette holds.
        colours = ()
    for suffix in (".gpl", ".hex") if colours else ():
        files[f"{order.name}{suffix}"] = palette_file(colours, suffix, order.name)
    files[f"{order.name}.txt"] = order.text.encode()
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


def _resized(path: str, size: tuple[int, int], crisp: bool) -> Image.Image:
    return _open(path).resize(size, _resampling(crisp))


def _resampling(crisp: bool) -> Image.Resampling:
    # The middle of a cell has its colour, whatever the cell's size.
    return Image.Resampling.NEAREST if crisp else Image.Resampling.LANCZOS
