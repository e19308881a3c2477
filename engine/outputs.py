"""The files that are made of a drawing, and where they go."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from engine.errors import OutputError
from engine.files import write_atomically
from engine.png import encode_png

ANIMATION_SUFFIXES = (".gif", ".webp", ".mp4")
PALETTE_SUFFIXES = (".gpl", ".hex")

# How long a frame of a walk is shown, and the last one.
_WALK_SECONDS = 1 / 12
_ARRIVED_SECONDS = 1.0


@dataclass(frozen=True)
class Drawn:
    """One picture, finished or as far as it got.

    Attributes:
        png: at output size.
        native_png: at one pixel a cell.
        svg: its shapes, or None.
        frames: PNGs at output size of what it was before, the oldest first.
        walk: PNGs on the way to another picture, of one size, this picture first.

    """

    png: bytes
    native_png: bytes
    svg: str | None = None
    frames: Sequence[bytes] = ()
    walk: Sequence[bytes] = ()


@dataclass(frozen=True)
class Outputs:
    """Where to write what.

    Attributes:
        out: the picture, a PNG; the native-size one goes beside it as ``NAME-native.png``.
        frames: a folder for every progress frame.
        time_lapses: ``.gif``, ``.webp`` or ``.mp4``.
        palettes: ``.gpl`` or ``.hex``.
        sheet: a PNG with all native-size pictures of one command; their places go beside it as
            ``NAME.json``.
        walk: where a walk to another picture goes if there is one: ``.gif``, ``.webp`` or ``.mp4``.

    """

    out: Path
    frames: Path | None = None
    time_lapses: tuple[Path, ...] = ()
    palettes: tuple[Path, ...] = ()
    sheet: Path | None = None
    walk: Path | None = None

    def check(self, count: int) -> None:
        """Find out before drawing what could not be written of so many pictures after it.

        Raises:
            OutputError: for the first option that is not possible.

        """
        check_target("--out", self.out, (".png",))
        for path in self.time_lapses:
            check_animation("--timelapse", path)
        for path in self.palettes:
            check_target("--palette-out", path, PALETTE_SUFFIXES)
        if self.sheet is not None:
            check_target("--sheet", self.sheet, (".png",))
        if self.frames is not None and self.frames.exists() and not self.frames.is_dir():
            raise OutputError(f"--frames {self.frames} is not possible; it is not a folder.")
        ((path, times),) = Counter(self._paths(count)).most_common(1)
        if times > 1:
            raise OutputError(f"Two outputs would both be {path}; give them different names.")

    def numbered(self, index: int, count: int) -> "Outputs":
        """Those of one of several pictures: ``output-1.png`` …, from index 0; the sheet is one."""
        if count == 1:
            return self
        number = str(index + 1).zfill(len(str(count)))

        def name(path: Path) -> Path:
            return path.with_name(f"{path.stem}-{number}{path.suffix}")

        return replace(
            self,
            out=name(self.out),
            frames=None if self.frames is None else self.frames / number,
            time_lapses=tuple(map(name, self.time_lapses)),
            palettes=tuple(map(name, self.palettes)),
            walk=None if self.walk is None else name(self.walk),
        )

    def _paths(self, count: int) -> Iterator[Path]:
        for index in range(count):
            own = self.numbered(index, count)
            yield from (own.out, native_path(own.out), *own.time_lapses, *own.palettes)
            if own.walk is not None:
                yield own.walk
        if self.sheet is not None:
            yield from (self.sheet, places_path(self.sheet))


def native_path(out: Path) -> Path:
    """Where the native-size picture goes: ``output.png`` → ``output-native.png``."""
    return out.with_name(f"{out.stem}-native.png")


def walk_path(out: Path) -> Path:
    """Where the walk to another picture goes: ``output.png`` → ``output-walk.gif``."""
    return out.with_name(f"{out.stem}-walk.gif")


def places_path(sheet: Path) -> Path:
    """Where the places of a sheet's pictures go: ``sheet.png`` → ``sheet.json``."""
    return sheet.with_suffix(".json")


def write_frame(outputs: Outputs, iteration: int, png: bytes) -> None:
    """Write a progress frame, if frames are wanted."""
    if outputs.frames is not None:
        write_atomically(outputs.frames / f"frame-{iteration:04d}.png", png)


def write_picture(outputs: Outputs, drawn: Drawn) -> None:
    """Write a picture; beside it its native size and, if it has one, its SVG."""
    write_atomically(outputs.out, drawn.png)
    write_atomically(native_path(outputs.out), drawn.native_png)
    if drawn.svg is not None:
        write_atomically(outputs.out.with_suffix(".svg"), drawn.svg.encode())


def write_others(outputs: Outputs, drawn: Drawn) -> Iterator[Path]:
    """Write what is wanted of a picture besides it; yields each file when it is there.

    Raises:
        OutputError: when one cannot be made of this picture.

    """
    if outputs.time_lapses:
        from engine.animation import animate

        for path in outputs.time_lapses:
            write_atomically(path, animate([*drawn.frames, drawn.png], path.suffix.lower()))
            yield path
    if outputs.walk is not None and drawn.walk:
        write_atomically(outputs.walk, walk_file(drawn.walk, outputs.walk.suffix.lower()))
        yield outputs.walk
    if outputs.palettes:
        from engine.palette_files import palette_file, used_colours

        colours = used_colours(drawn.native_png)
        for path in outputs.palettes:
            write_atomically(path, palette_file(colours, path.suffix.lower(), path.stem))
            yield path


def walk_file(frames: Sequence[bytes], suffix: str) -> bytes:
    """The frames of a walk, PNGs, as the bytes of an animation of this suffix."""
    from engine.animation import animate

    return animate(frames, suffix, frame_seconds=_WALK_SECONDS, last_seconds=_ARRIVED_SECONDS)


def write_sheet(
    path: Path,
    pictures: Sequence[tuple[str, Image.Image]],
    columns: int | None = None,
    scale: int = 1,
) -> None:
    """Write a sheet and its places, as `engine.sprite_sheet` makes them, from named pictures.

    Raises:
        OutputError: when two have the same name, or the sheet would be too large.

    """
    from engine.sprite_sheet import arrange, places_json

    names = [name for name, _ in pictures]
    if len(set(names)) < len(names):
        raise OutputError("Two pictures have the same name; in a sheet, names must differ.")
    sheet, places = arrange([image for _, image in pictures], columns, scale)
    named = dict(zip(names, places, strict=True))
    write_atomically(path, encode_png(sheet))
    write_atomically(places_path(path), places_json(named, path.name, sheet.size))


def check_animation(option: str, path: Path) -> None:
    """Whether an option's file can be an animation; raises `OutputError`."""
    check_target(option, path, ANIMATION_SUFFIXES)
    if path.suffix.lower() == ".mp4" and find_spec("av") is None:
        raise OutputError(
            f"{option} {path} is not possible; install pixel-bot with its extra “video”, which "
            "brings the package “av”, or take .gif or .webp."
        )


def check_target(option: str, path: Path, suffixes: Sequence[str]) -> None:
    """Whether an option's file can be written: its suffix and folder; raises `OutputError`."""
    if path.suffix.lower() not in suffixes:
        *others, last = suffixes
        allowed = f"{', '.join(others)} or {last}" if others else last
        raise OutputError(f"{option} {path} is not possible; the name must end in {allowed}.")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{option} {path} is not possible; there is no such folder.")
