"""`pixel draw`, `settings` and `models`: the engine from the command line, without a bot."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import EngineError, PictureError, SettingsError
from engine.presets import PRESETS
from engine.settings import OPTION, OPTIONS, PIXELCLIP, make_settings

app = typer.Typer(add_completion=False)
models_app = typer.Typer(help="Weights of published models on this machine.", no_args_is_help=True)
app.add_typer(models_app, name="models")

# sysexits.h: what was asked for is wrong; the shell's code for Ctrl-C.
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def _help(name: str) -> str:
    option = OPTION[name]
    ranged = f" ({option.low:g}–{option.high:g})" if option.high != float("inf") else ""
    return f"{option.meaning}{ranged} Default: {option.default}."


def refuse(error: Exception) -> typer.Exit:
    """Tell a refusal as one sentence on stderr; the exit to raise."""
    typer.echo(str(error), err=True)
    return typer.Exit(EXIT_USAGE)


@app.command()
def draw(
    prompt: Annotated[str, typer.Argument(help=_help("prompts"))],
    seed: Annotated[str | None, typer.Option(help=_help("seed"))] = None,
    drawer: Annotated[str | None, typer.Option(help=_help("drawer"))] = None,
    preset: Annotated[str | None, typer.Option(help=_help("preset"))] = None,
    aspect: Annotated[str | None, typer.Option(help=_help("aspect"))] = None,
    quality: Annotated[str | None, typer.Option(help=_help("quality"))] = None,
    scale: Annotated[str | None, typer.Option(help=_help("scale"))] = None,
    iterations: Annotated[str | None, typer.Option(help=_help("iterations"))] = None,
    display_every: Annotated[str | None, typer.Option(help=_help("display_every"))] = None,
    pixel_size: Annotated[str | None, typer.Option(help=_help("pixel_size"))] = None,
    palette: Annotated[str | None, typer.Option(help=_help("palette"))] = None,
    colors: Annotated[str | None, typer.Option(help=_help("colors"))] = None,
    transparent: Annotated[bool | None, typer.Option(help=_help("transparent"))] = None,
    symmetry: Annotated[str | None, typer.Option(help=_help("symmetry"))] = None,
    init_image: Annotated[Path | None, typer.Option(help=_help("init_image"))] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any setting; see `pixel settings`."),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(help="The picture; the native-size one, and an SVG, are written beside it."),
    ] = Path("output.png"),
    frames: Annotated[Path | None, typer.Option(help="A folder for the progress frames.")] = None,
) -> None:
    """Draw a picture of PROMPT with the models on this machine."""
    given: dict[str, object] = {
        "prompts": prompt,
        "seed": seed,
        "drawer": drawer,
        "preset": preset,
        "aspect": aspect,
        "quality": quality,
        "scale": scale,
        "iterations": iterations,
        "display_every": display_every,
        "pixel_size": pixel_size,
        "palette": palette,
        "colors": colors,
        "transparent": transparent,
        "symmetry": symmetry,
        "init_image": None if init_image is None else str(init_image),
    }
    try:
        settings = make_settings(given | _assignments(set_ or []))
        picture = None
        if settings.init_image is not None:
            from engine.images import read_picture_file

            picture = read_picture_file(Path(settings.init_image)).png
        _check_targets(out, frames)
    except (SettingsError, PictureError) as error:
        raise refuse(error) from None

    from engine.terminal import draw_in_terminal

    try:
        finished = draw_in_terminal(settings, picture, out, frames)
    except EngineError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if not finished:
        raise typer.Exit(EXIT_INTERRUPTED)


@app.command()
def settings() -> None:
    """Show every setting of a drawing, with its default and what is allowed, and every preset."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("setting", "default", "allowed", "meaning"):
        table.add_column(heading, overflow="fold")
    for option in OPTIONS:
        table.add_row(option.name, option.default, option.allowed, option.meaning)
    presets = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("preset", "is"):
        presets.add_column(heading, overflow="fold")
    for name, values in PRESETS.items():
        presets.add_row(
            name, ", ".join(f"{key}={_written(value)}" for key, value in values.items())
        )
    console = Console()
    console.print(table)
    console.print()
    console.print(presets)


@app.command()
def bench(
    cuts: Annotated[int, typer.Option(min=1, max=128, help=_help("num_cuts"))] = 16,
) -> None:
    """Measure how fast this machine draws, alone and several pictures together."""
    from rich.console import Console
    from rich.table import Table

    from engine.processors import wait_politely

    wait_politely()
    from engine.bench import measure

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("jobs", "cuts each", "ms a tick", "floor, ms", "efficiency", "steps a second"):
        table.add_column(heading, justify="right")
    for jobs in (1, 2, 4, 8):
        row = measure(jobs, cuts)
        table.add_row(
            str(row.jobs),
            str(row.cuts),
            f"{1000 * row.iteration:.1f}",
            f"{1000 * row.floor:.1f}",
            f"{row.efficiency:.2f}",
            f"{row.throughput:.1f}",
        )
    Console().print(table)


@models_app.command("list")
def list_models() -> None:
    """Show the models that can draw on this machine."""
    from engine.models import SHIPPED, models_folder

    pulled = sorted(models_folder().glob("*--*.safetensors"))
    for path in (SHIPPED / f"{PIXELCLIP}.safetensors", *pulled):
        name = path.stem.replace("--", "/", 1)
        origin = "pulled" if path in pulled else "shipped"
        typer.echo(f"{name:32} {path.stat().st_size / 2**20:8.1f} MiB  {origin}")


@models_app.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(help="architecture/tag, such as ViT-B-32/openai.")],
) -> None:
    """Download a published CLIP model through open_clip and keep it as safetensors."""
    from engine.errors import PerceptorError
    from engine.models.pull import pull

    try:
        path = pull(name)
    except PerceptorError as error:
        raise refuse(error) from None
    typer.echo(f"{name} is at {path}")


def _written(value: object) -> str:
    """A setting's value as it is written on the command line."""
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _assignments(pairs: list[str]) -> dict[str, object]:
    assigned: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingsError(f"--set {pair} is not possible; write --set name=value.")
        assigned[name.strip()] = value
    return assigned


def _check_targets(out: Path, frames: Path | None) -> None:
    if out.suffix.lower() != ".png":
        raise SettingsError(f"--out {out} is not possible; the name must end in .png.")
    if not out.absolute().parent.is_dir():
        raise SettingsError(f"--out {out} is not possible; there is no such folder.")
    if frames is not None and frames.exists() and not frames.is_dir():
        raise SettingsError(f"--frames {frames} is not possible; it is not a folder.")


if __name__ == "__main__":
    sys.exit(app())
