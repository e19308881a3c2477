"""A drawing as it is watched in a terminal: the growing picture above a progress bar."""

import io
from pathlib import Path

from PIL import Image
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.style import Style
from rich.text import Text

from engine import protocol
from engine.files import write_atomically
from engine.processors import wait_politely
from engine.settings import Settings

# Lines that the progress bar and the shell's prompt need below the picture.
_LINES_BELOW = 4


def draw_in_terminal(
    settings: Settings, init_image: bytes | None, out: Path, frames: Path | None
) -> bool:
    """Draw, show how it grows, and write the picture; False if Ctrl-C stopped it.

    Args:
        settings: as asked.
        init_image: a PNG, or None.
        out: the picture's file; the native-size one is written beside it as ``NAME-native.png``,
            and where there is an SVG, that as ``NAME.svg``.
        frames: a folder for every progress frame, or None.

    Raises:
        EngineError: when the picture cannot be drawn.

    """
    console = Console()
    if frames is not None:
        frames.mkdir(parents=True, exist_ok=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TextColumn("· left"),
        TimeRemainingColumn(),
        console=console,
    )
    task = bar.add_task("waking the model", total=None)
    look = None
    done: protocol.Done | None = None
    with Live(bar, console=console, transient=True) as live:
        try:
            # torch takes most of the time until the first frame: the bar is on the screen by then.
            wait_politely()
            from engine.drawing import JOB, draw
            from engine.studio import Studio

            studio = Studio()
            for event in draw(settings, init_image, studio=studio):
                look = studio.look
                match event:
                    case protocol.Started(settings=settings):
                        bar.update(task, description="drawing", total=settings.iterations)
                    case protocol.Progress(iteration=iteration, png=png):
                        bar.update(task, completed=iteration)
                        live.update(Group(_preview(png, settings, console), bar))
                        _keep_frame(frames, iteration, png)
                    case protocol.Done() as done:
                        _keep_frame(frames, done.statistics.iterations, done.png)
        except KeyboardInterrupt:
            # One that comes after the last step finds a whole picture, which is written below.
            if done is None:
                live.stop()
                if look is None:
                    console.print("Stopped before the first step; nothing was written.")
                    return False
                iteration, png, native_png = look(JOB)
                _write(out, png, native_png, studio.svg(JOB))
                console.print(f"Stopped after {iteration} steps; the picture so far is {out}.")
                return False
    assert done is not None
    statistics = done.statistics
    _write(out, done.png, done.native_png, done.svg)
    if console.is_terminal:
        console.print(_preview(done.png, settings, console))
    width, height = Image.open(io.BytesIO(done.png)).size
    console.print(
        f"{out}  {width} × {height}   seed {settings.seed}   {statistics.iterations} steps in "
        f"{statistics.seconds:.1f} s   score {statistics.score:.3f}",
        highlight=False,
        soft_wrap=True,
    )
    return True


def native_path(out: Path) -> Path:
    """Where the native-size picture goes: ``output.png`` → ``output-native.png``."""
    return out.with_name(f"{out.stem}-native.png")


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


def _preview(png: bytes, settings: Settings, console: Console) -> RenderableType:
    """The picture in half blocks at its native size, or smaller if the terminal is."""
    picture = Image.open(io.BytesIO(png))
    columns, rows = settings.pixel_size or picture.size
    width, height = console.size
    factor = min(1.0, width / columns, 2 * max(4, height - _LINES_BELOW) / rows)
    size = max(1, int(columns * factor)), max(1, int(rows * factor))
    # Cells are shown as they are; of other pictures no pixel is left out.
    cells = settings.pixel_size is not None
    return half_blocks(
        picture.resize(size, Image.Resampling.NEAREST if cells else Image.Resampling.BOX)
    )


def _keep_frame(folder: Path | None, iteration: int, png: bytes) -> None:
    if folder is not None:
        write_atomically(folder / f"frame-{iteration:04d}.png", png)


def _write(out: Path, png: bytes, native_png: bytes, svg: str | None) -> None:
    write_atomically(out, png)
    write_atomically(native_path(out), native_png)
    if svg is not None:
        write_atomically(out.with_suffix(".svg"), svg.encode())
