"""Drawings as they are watched in a terminal: the growing pictures above a progress bar."""

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.style import Style
from rich.text import Text

from engine import protocol
from engine.files import write_atomically
from engine.importing import importing
from engine.outputs import (
    Drawn,
    Outputs,
    places_path,
    walk_file,
    write_frame,
    write_others,
    write_picture,
    write_sheet,
)
from engine.processors import keep_memory, wait_politely
from engine.recipe import Recipe, make_recipe
from engine.settings import Settings
from engine.sprite_sheet import arrange

# A job's steps so far, and its picture as PNGs at output and at native size and as SVG.
_Look = Callable[[str], tuple[int, bytes, bytes, str | None]]

# Lines that the progress bar and the shell's prompt need below the picture.
_LINES_BELOW = 4


@dataclass
class _Sketch:
    """One of the pictures that are being drawn.

    Attributes:
        job: its name in the studio.
        settings: as asked, and resolved once it has begun.
        outputs: its own files.
        frames: PNGs of all frames if a time-lapse is wanted, else of the newest.

    """

    job: str
    settings: Settings
    outputs: Outputs
    frames: list[bytes] = field(default_factory=list)
    done: protocol.Done | None = None

    def add_frame(self, iteration: int, png: bytes) -> None:
        write_frame(self.outputs, iteration, png)
        if not self.outputs.time_lapses:
            self.frames.clear()
        self.frames.append(png)

    def finish(self, done: protocol.Done) -> None:
        self.done = done
        write_frame(self.outputs, done.statistics.iterations, done.png)

    def result(self, look: _Look) -> tuple[Drawn, str]:
        """The finished picture, or what a look at it shows; and what became of it, as a line."""
        out, done = self.outputs.out, self.done
        if done is None:
            steps, png, native_png, svg = look(self.job)
            told = f"Stopped after {steps} steps; the picture so far is {out}."
            return Drawn(png, native_png, svg, self.frames), told
        assert self.settings.size is not None
        width, height = self.settings.size
        told = (
            f"{out}  {width} × {height}   seed {self.settings.seed}   {done.statistics.iterations} "
            f"steps in {done.statistics.seconds:.1f} s"
        )
        # Without a prompt there is nothing that it could fit.
        if not math.isnan(done.statistics.score):
            told += f"   score {done.statistics.score:.3f}"
        return Drawn(done.png, done.native_png, done.svg, self.frames, done.walk), told


def draw_in_terminal(
    asked: Sequence[Settings],
    pictures: Mapping[str, bytes],
    outputs: Outputs,
    recipe: Recipe | None = None,
) -> bool:
    """Draw together, show how it grows, and write the files; False if Ctrl-C stopped it.

    Args:
        asked: the settings of each picture.
        pictures: a PNG for each picture that any of them names.
        outputs: which files to write.
        recipe: of a picture that is drawn again; if this one cannot be the same, that is said.

    Raises:
        EngineError: when a picture cannot be drawn.
        OutputError: when a file cannot be made; the pictures are written all the same.

    """
    console = Console()
    bar = _bar(console)
    task = bar.add_task("waking the model", total=None)
    sketches = {
        str(index): _Sketch(str(index), settings, outputs.numbered(index, len(asked)))
        for index, settings in enumerate(asked)
    }
    waiting = set(sketches)
    look = None
    with Live(bar, console=console, transient=True) as live:
        try:
            # torch takes most of the time until the first frame: the bar is on the screen by then.
            wait_politely()
            keep_memory()
            with importing():
                from engine.drawing import draw_together
                from engine.studio import Studio

            studio = Studio()
            jobs = {job: sketch.settings for job, sketch in sketches.items()}
            for event in draw_together(jobs, pictures, studio=studio):
                sketch = sketches[event.job]
                match event:
                    case protocol.Started(settings=settings):
                        sketch.settings = settings
                        if event.note is not None:
                            _say(event.note, console)
                        bar.update(task, description="drawing", total=settings.iterations)
                        waiting.discard(event.job)
                        if not waiting:
                            look = studio.look
                        if recipe is not None and (warning := _warning(recipe, event, pictures)):
                            _say(warning, console)
                    case protocol.Progress(iteration=iteration, png=png):
                        sketch.add_frame(iteration, png)
                        bar.update(task, completed=iteration)
                        frames = [
                            sketch.frames[-1] for sketch in sketches.values() if sketch.frames
                        ]
                        live.update(Group(_preview(frames, settings, console), bar))
                    case protocol.Done():
                        sketch.finish(event)
        except KeyboardInterrupt:
            # One that comes after the last step finds whole pictures.
            live.stop()
            if look is None:
                console.print("Stopped before the first step; nothing was written.")
                return False
    assert look is not None
    _write(list(sketches.values()), look, outputs.sheet, console)
    return all(sketch.done for sketch in sketches.values())


def blend_in_terminal(
    job: protocol.Draw, out: Path, sheet: Path | None = None, *, backwards: bool = False
) -> bool:
    """Draw what a walk is between, and write its frames; False if Ctrl-C stopped it.

    Args:
        job: with a partner, or with `blend_with`.
        out: a GIF, WebP or MP4.
        sheet: a PNG with all frames, if wanted; their places go beside it.
        backwards: whether the frames begin with the partner.

    Raises:
        EngineError: when one of the pictures cannot be drawn.
        OutputError: when the file cannot be made.

    """
    console = Console()
    bar = _bar(console)
    task = bar.add_task("waking the model", total=None)
    done = None
    with Live(bar, console=console, transient=True) as live:
        try:
            wait_politely()
            keep_memory()
            with importing():
                from engine.drawing import draw_jobs

            for event in draw_jobs([job]):
                match event:
                    case protocol.Started(settings=settings):
                        total = settings.iterations or None
                        bar.update(task, description="drawing both", total=total)
                    case protocol.Progress(iteration=iteration, png=png):
                        bar.update(task, completed=iteration)
                        live.update(Group(_preview([png], settings, console), bar))
                    case protocol.Done():
                        done = event
        except KeyboardInterrupt:
            live.stop()
            console.print("Stopped; nothing was written.")
            return False
    assert done is not None
    frames = done.walk[::-1] if backwards else done.walk
    write_atomically(out, walk_file(frames, out.suffix.lower()))
    _say(f"{out}  {len(frames)} frames   seed {settings.seed}", console)
    if sheet is not None:
        named = [
            (f"{number:03}", Image.open(io.BytesIO(frame)))
            for number, frame in enumerate(frames, 1)
        ]
        write_sheet(sheet, named)
        _say(f"{sheet}, {places_path(sheet)}", console)
    return True


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TextColumn("· left"),
        TimeRemainingColumn(),
        console=console,
    )


def _write(sketches: Sequence[_Sketch], look: _Look, sheet: Path | None, console: Console) -> None:
    """Write every file, the pictures first, and say where it is; raises `OutputError`."""
    results = [sketch.result(look) for sketch in sketches]
    pictures = [drawn for drawn, _ in results]
    for sketch, drawn in zip(sketches, pictures, strict=True):
        write_picture(sketch.outputs, drawn)
    if console.is_terminal:
        console.print(_preview([drawn.png for drawn in pictures], sketches[0].settings, console))
    for _, told in results:
        _say(told, console)
    for sketch, drawn in zip(sketches, pictures, strict=True):
        for path in write_others(sketch.outputs, drawn):
            _say(str(path), console)
    if sheet is not None:
        natives = [
            (sketch.outputs.out.name, Image.open(io.BytesIO(drawn.native_png)))
            for sketch, drawn in zip(sketches, pictures, strict=True)
        ]
        write_sheet(sheet, natives)
        _say(f"{sheet}, {places_path(sheet)}", console)


def _warning(recipe: Recipe, event: protocol.Started, pictures: Mapping[str, bytes]) -> str | None:
    """What to say where a picture that is drawn again cannot be the same."""
    mine = make_recipe(event.settings, event.provenance, pictures)
    found = recipe.differences(mine)
    if not found:
        return None
    return f"It was drawn with {' and '.join(found)}: this picture will be like it, not the same."


def _say(line: str, console: Console) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def half_blocks(image: Image.Image) -> Text:
    """A picture as text, two pixels a character: the upper one in the foreground of “▀”.

    Where a picture is transparent the terminal's own background shows.
    """
    rgba = image.convert("RGBA")
    width, height = rgba.size
    text = Text()
    for row in range(0, height, 2):
        for column in range(width):
            upper = _colour(rgba, column, row)
            lower = _colour(rgba, column, row + 1) if row + 1 < height else None
            if upper is None and lower is not None:
                text.append("▄", Style(color=lower))
            else:
                text.append(" " if upper is None else "▀", Style(color=upper, bgcolor=lower))
        text.append("\n")
    return text


def _colour(image: Image.Image, column: int, row: int) -> str | None:
    pixel = image.getpixel((column, row))
    assert isinstance(pixel, tuple)
    red, green, blue, alpha = pixel
    return f"#{red:02x}{green:02x}{blue:02x}" if alpha > 127 else None


def _preview(pngs: Sequence[bytes], settings: Settings, console: Console) -> RenderableType:
    """Pictures side by side in half blocks, at native size, or smaller if the terminal is."""
    pictures: list[Image.Image] = [Image.open(io.BytesIO(png)) for png in pngs]
    # Cells are shown as they are; of other pictures no pixel is left out.
    way = Image.Resampling.BOX
    if settings.pixel_size is not None:
        way = Image.Resampling.NEAREST
        pictures = [picture.resize(settings.pixel_size, way) for picture in pictures]
    sheet, _ = arrange(pictures)
    width, height = console.size
    factor = min(1.0, width / sheet.width, 2 * max(4, height - _LINES_BELOW) / sheet.height)
    size = max(1, int(sheet.width * factor)), max(1, int(sheet.height * factor))
    return half_blocks(sheet.resize(size, way))
