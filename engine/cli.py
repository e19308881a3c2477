"""`pixel draw` and its companions: the engine from the command line, without a bot."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import EngineError, OutputError, PictureError, SettingsError
from engine.settings import OPTION, PIXELCLIP, find_option, make_settings, picture_names, series

if TYPE_CHECKING:
    from engine.bench.score import Trial

# Plain help: rich, with its Markdown, takes longer to import than all else of it.
app = typer.Typer(add_completion=False, rich_markup_mode=None)
models_app = typer.Typer(
    help="Weights of published models on this machine.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(models_app, name="models")

_SHIPPED_FOR = {
    PIXELCLIP: "judges pictures",
    "guess": "draws the first guess",
    "vqgan-mini": "pictures as codes",
}

# Options of `pixel bench` that only the one or the other thing it measures has.
_BENCH_STEPS = ("drawer", "perceptor", "jobs", "cells", "turns", "seconds", "naive")
_BENCH_SCORES = ("judge", "pictures", "seeds", "steps")

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
    prompt: Annotated[str | None, typer.Argument(help=_help("prompts"))] = None,
    seed: Annotated[str | None, typer.Option(help=_help("seed"))] = None,
    drawer: Annotated[str | None, typer.Option(help=_help("drawer"))] = None,
    preset: Annotated[str | None, typer.Option(help=_help("preset"))] = None,
    aspect: Annotated[str | None, typer.Option(help=_help("aspect"))] = None,
    quality: Annotated[str | None, typer.Option(help=_help("quality"))] = None,
    scale: Annotated[str | None, typer.Option(help=_help("scale"))] = None,
    iterations: Annotated[str | None, typer.Option(help=_help("iterations"))] = None,
    display_every: Annotated[str | None, typer.Option(help=_help("display_every"))] = None,
    pixel_size: Annotated[str | None, typer.Option(help=_help("pixel_size"))] = None,
    pixel_type: Annotated[str | None, typer.Option(help=_help("pixel_type"))] = None,
    palette: Annotated[str | None, typer.Option(help=_help("palette"))] = None,
    colors: Annotated[str | None, typer.Option(help=_help("colors"))] = None,
    dither: Annotated[str | None, typer.Option(help=_help("dither"))] = None,
    transparent: Annotated[bool | None, typer.Option(help=_help("transparent"))] = None,
    tile: Annotated[bool | None, typer.Option(help=_help("tile"))] = None,
    symmetry: Annotated[str | None, typer.Option(help=_help("symmetry"))] = None,
    init_image: Annotated[Path | None, typer.Option(help=_help("init_image"))] = None,
    outline: Annotated[bool | None, typer.Option(help=_help("outline"))] = None,
    target_image: Annotated[Path | None, typer.Option(help=_help("target_image"))] = None,
    mask: Annotated[Path | None, typer.Option(help=_help("mask"))] = None,
    spot_prompts: Annotated[str | None, typer.Option(help=_help("spot_prompts"))] = None,
    spot_off_prompts: Annotated[str | None, typer.Option(help=_help("spot_off_prompts"))] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any setting; see `pixel settings`."),
    ] = None,
    from_: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Draw this PNG again, with the settings in it; others given here win."
        ),
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, max=64, help="So many pictures together, seed by seed.")
    ] = 1,
    out: Annotated[
        Path,
        typer.Option(help="The picture; the native-size one and an SVG are written beside it."),
    ] = Path("output.png"),
    frames: Annotated[Path | None, typer.Option(help="A folder for the progress frames.")] = None,
    timelapse: Annotated[
        list[Path] | None, typer.Option(help="How it grew, as .gif, .webp or .mp4; repeatable.")
    ] = None,
    palette_out: Annotated[
        list[Path] | None, typer.Option(help="Its colours, as .gpl or .hex; repeatable.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(help="The native pictures as one PNG, with a JSON of their places."),
    ] = None,
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
        "pixel_type": pixel_type,
        "palette": palette,
        "colors": colors,
        "dither": dither,
        "transparent": transparent,
        "tile": tile,
        "symmetry": symmetry,
        "init_image": None if init_image is None else str(init_image),
        "outline": outline,
        "target_image": None if target_image is None else str(target_image),
        "mask": None if mask is None else str(mask),
        "spot_prompts": spot_prompts,
        "spot_off_prompts": spot_off_prompts,
    }
    from engine.outputs import Outputs, walk_path

    outputs = Outputs(out, frames, tuple(timelapse or ()), tuple(palette_out or ()), sheet)
    try:
        given |= _assignments(set_ or [])
        recipe = None
        if from_ is None:
            settings = make_settings(given)
        else:
            from engine.recipe import draw_again, read_recipe_file

            recipe = read_recipe_file(from_)
            settings = draw_again(recipe, given)
        if settings.blend_with is not None:
            outputs = replace(outputs, walk=walk_path(out))
        pictures = {}
        if picture_names(settings):
            from engine.picture_files import read_pictures

            pictures = read_pictures(settings)
        outputs.check(count)
    except (SettingsError, PictureError, OutputError) as error:
        raise refuse(error) from None

    from engine.terminal import draw_in_terminal

    try:
        finished = draw_in_terminal(series(settings, count), pictures, outputs, recipe)
    except (EngineError, OutputError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if not finished:
        raise typer.Exit(EXIT_INTERRUPTED)


@app.command()
def blend(
    first: Annotated[
        str,
        typer.Argument(
            metavar="A", help="A prompt, a picture, or a finished picture, which is drawn again."
        ),
    ],
    last: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    frames: Annotated[int | None, typer.Option(help=_help("blend_frames"))] = None,
    out: Annotated[Path, typer.Option(help="A .gif, .webp or .mp4.")] = Path("blend.gif"),
    sheet: Annotated[
        Path | None, typer.Option(help="The frames as one PNG, with a JSON of their places.")
    ] = None,
    seed: Annotated[str | None, typer.Option(help=_help("seed"))] = None,
    drawer: Annotated[str | None, typer.Option(help=_help("drawer"))] = None,
    aspect: Annotated[str | None, typer.Option(help=_help("aspect"))] = None,
    quality: Annotated[str | None, typer.Option(help=_help("quality"))] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any setting; see `pixel settings`."),
    ] = None,
) -> None:
    """Walk from A to B: both are drawn, and then what lies between them."""
    from engine.blend import plan
    from engine.outputs import check_animation, check_target
    from engine.picture_files import read_pictures
    from engine.protocol import Draw

    given: dict[str, object] = {
        "seed": seed,
        "drawer": drawer,
        "aspect": aspect,
        "quality": quality,
    }
    try:
        given |= _assignments(set_ or [])
        check_animation("--out", out)
        if sheet is not None:
            check_target("--sheet", sheet, (".png",))
        asked = plan(first, last, given, frames)
        job = Draw("blend", asked.settings, read_pictures(asked.settings), asked.partner)
    except (SettingsError, PictureError, OutputError) as error:
        raise refuse(error) from None

    from engine.terminal import blend_in_terminal

    try:
        finished = blend_in_terminal(job, out, sheet, backwards=asked.backwards)
    except (EngineError, OutputError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if not finished:
        raise typer.Exit(EXIT_INTERRUPTED)


@app.command()
def sheet(
    pictures: Annotated[list[Path], typer.Argument(help="PNGs, or other pictures, in order.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The sheet, a PNG.")] = Path("sheet.png"),
    columns: Annotated[
        int | None, typer.Option(min=1, help="Pictures in a row; about square if left out.")
    ] = None,
    scale: Annotated[
        int, typer.Option(min=1, max=64, help="Pixels that each pixel becomes, each way.")
    ] = 1,
) -> None:
    """Put PICTURES into one PNG, with a JSON of their places for game engines beside it."""
    from engine.images import open_picture_file
    from engine.outputs import check_target, places_path, write_sheet

    try:
        check_target("--out", out, (".png",))
        write_sheet(
            out, [(path.name, open_picture_file(path)) for path in pictures], columns, scale
        )
    except (OutputError, PictureError) as error:
        raise refuse(error) from None
    typer.echo(f"{out}, {places_path(out)}")


@app.command()
def settings(
    name: Annotated[
        str | None, typer.Argument(help="One setting, to be explained by itself.")
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print it as Markdown.")] = False,
) -> None:
    """Show every setting of a drawing, with its default and what is allowed, and every preset."""
    from engine import settings_table

    if markdown:
        typer.echo(settings_table.markdown(), nl=False)
        return
    from rich.console import Console

    try:
        shown = settings_table.table() if name is None else settings_table.card(find_option(name))
    except SettingsError as error:
        raise refuse(error) from None
    Console().print(shown)


@app.command()
def palettes(
    out: Annotated[Path | None, typer.Option(help="A PNG of all of them.")] = None,
) -> None:
    """Show the named palettes."""
    from rich.console import Console
    from rich.text import Text

    from engine.palettes import PALETTES

    console = Console()
    for name, colours in PALETTES.items():
        blocks = (("  ", "on #{:02x}{:02x}{:02x}".format(*colour)) for colour in colours)
        console.print(Text.assemble(f"{name:12} {len(colours):3}  ", *blocks))
    if out is not None:
        from engine.files import write_atomically
        from engine.outputs import check_target
        from engine.png import encode_png
        from engine.swatches import swatches

        try:
            check_target("--out", out, (".png",))
        except OutputError as error:
            raise refuse(error) from None
        write_atomically(out, encode_png(swatches()))


@app.command()
def bench(
    context: typer.Context,
    drawer: Annotated[
        list[str] | None, typer.Option(help="Which to measure; repeatable; pixel and clipdraw.")
    ] = None,
    perceptor: Annotated[
        list[str] | None,
        typer.Option(
            help="Whose time to measure, with random weights; repeatable; "
            f"{PIXELCLIP} and ViT-B-32/openai."
        ),
    ] = None,
    jobs: Annotated[
        list[int] | None,
        typer.Option(min=1, max=64, help="How many are drawn together; repeatable; 1 2 4 8 16."),
    ] = None,
    cuts: Annotated[
        int | None,
        typer.Option(
            min=1, max=128, help=f"Views of each job in a step; 12 with {PIXELCLIP}, else 36."
        ),
    ] = None,
    cells: Annotated[
        str | None, typer.Option(help="Columns × rows of the pixel drawer, such as 160x90; 80x45.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processor threads; as many as torch takes.")
    ] = None,
    turns: Annotated[int, typer.Option(min=3, help="The most times that each is measured.")] = 20,
    seconds: Annotated[
        float, typer.Option(min=1, help="For each drawer with each perceptor, about.")
    ] = 60.0,
    naive: Annotated[
        bool, typer.Option(help="Whether open_clip's own module and the naive loop are measured.")
    ] = True,
    cpu_clock: Annotated[
        bool,
        typer.Option(
            "--cpu-clock", help="Measure the processor's time, if others use the machine."
        ),
    ] = False,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="Three turns, of 1 and 8 jobs with pixelclip only; or two short drawings.",
        ),
    ] = False,
    whole: Annotated[
        bool | None,
        typer.Option(
            "--drawings/--no-drawings",
            help="Whether whole drawings are measured as well; if there is a GPU, on that.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    chart: Annotated[
        Path | None, typer.Option(help="A PNG of the bars, or with --score of the pictures.")
    ] = None,
    score: Annotated[
        bool,
        typer.Option(
            "--score",
            help="Measure how soon pictures have the score that the naive loop ends with.",
        ),
    ] = False,
    judge: Annotated[
        list[str] | None,
        typer.Option(
            help=f"With --score, who scores; repeatable; {PIXELCLIP}, by views of another kind, or "
            "efficientnet-lite2, which knows photographs."
        ),
    ] = None,
    pictures: Annotated[
        int, typer.Option(min=2, max=24, help="With --score: how many prompts are drawn.")
    ] = 12,
    seeds: Annotated[
        int, typer.Option(min=1, max=100, help="With --score: how often each is drawn.")
    ] = 1,
    steps: Annotated[
        int | None,
        typer.Option(min=1, max=2000, help="With --score: how many steps a drawing may take; 150."),
    ] = None,
) -> None:
    """Measure a step beside its floor and the naive loop: how fast this machine draws."""
    from engine.processors import keep_memory, wait_politely

    wait_politely()
    keep_memory()
    import torch

    from engine.bench import report
    from engine.bench.drawings import drawings
    from engine.bench.measure import Clock, Effort, devices, machine, measure
    from engine.errors import PerceptorError
    from engine.outputs import check_target

    _check_bench(context, score=score)
    if threads is not None:
        torch.set_num_threads(threads)
    clock: Clock = "cpu" if cpu_clock else "wall"
    if score:
        from engine.bench.score import PROMPTS, Trial

        prompts = PROMPTS[: 2 if quick else pictures]
        trial = Trial(
            prompts=prompts,
            seeds=range(1, 1 + seeds),
            steps=steps or (10 if quick else 150),
            naive_cuts=cuts or 36,
            clock=clock,
        )
        _bench_scores(trial, judge or [PIXELCLIP], chart, json=json)
        return
    effort = Effort(3 if quick else turns, seconds, naive, clock)
    counts = sorted(set(jobs)) if jobs else [1, 8] if quick else [1, 2, 4, 8, 16]
    told, rows = machine(effort.clock), []
    try:
        if chart is not None:
            check_target("--chart", chart, (".png",))
        for device in devices():
            for name in perceptor or [PIXELCLIP, "ViT-B-32/openai"]:
                together = counts if jobs or not quick or name == PIXELCLIP else [1]
                for each in drawer or ["pixel", "clipdraw"]:
                    rows += measure(each, name, device, together, effort, cuts, cells)
        device = devices()[-1]
        measured = []
        if whole or (whole is None and device.type == "cuda"):
            measured = drawings(device, [1] if quick else [1, 8])
    except (SettingsError, PerceptorError, EngineError, OutputError) as error:
        raise refuse(error) from None
    if chart is not None:
        from engine.files import write_atomically
        from engine.png import encode_png

        write_atomically(chart, encode_png(report.chart(told, rows)))
    if json:
        typer.echo(report.to_json(told, rows, measured))
        return
    from rich.console import Console

    console = Console(width=max(200, Console().width))
    console.print(report.table(told, rows))
    if measured:
        console.print(report.drawings_table(measured))


def _check_bench(context: typer.Context, *, score: bool) -> None:
    """Refuse options of `pixel bench` that what is measured takes no notice of."""
    for name in _BENCH_STEPS if score else _BENCH_SCORES:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            use = "is not for" if score else "is for"
            raise refuse(SettingsError(f"--{name} {use} pixel bench --score."))


def _bench_scores(trial: "Trial", judges: list[str], chart: Path | None, *, json: bool) -> None:
    """Print what a trial finds, as judges see it."""
    from engine.bench import score_report
    from engine.bench.measure import machine
    from engine.bench.onlookers import make_onlooker
    from engine.bench.score import compare
    from engine.errors import PerceptorError
    from engine.files import write_atomically
    from engine.outputs import check_target
    from engine.png import encode_png

    told = machine(trial.clock)
    try:
        if chart is not None:
            check_target("--chart", chart, (".png",))
        onlookers = {name: make_onlooker(name) for name in judges}
        drawn = list(compare(trial, onlookers))
    except (SettingsError, PerceptorError, EngineError, OutputError) as error:
        raise refuse(error) from None
    rows = [row for each in drawn for row in each.rows]
    if chart is not None:
        write_atomically(chart, encode_png(score_report.sheet(drawn)))
    if json:
        typer.echo(score_report.to_json(told, rows))
        return
    from rich.console import Console

    Console(width=max(140, Console().width)).print(score_report.table(told, rows))


@models_app.command("list")
def list_models(
    published: Annotated[
        bool, typer.Option("--published", help="Also the published VQGANs that can be pulled.")
    ] = False,
) -> None:
    """Show the models that are on this machine, and what each is for."""
    from engine.models import SHIPPED, TORCHVISION, models_folder
    from engine.models.vqgans import PUBLISHED, vqgan_path

    rows = [
        (name, SHIPPED / f"{name}.safetensors", f"{use}; ships with the project")
        for name, use in _SHIPPED_FOR.items()
    ]
    rows += [
        (
            path.stem.replace("--", "/", 1),
            path,
            "judges labels; pulled"
            if path.stem.startswith(f"{TORCHVISION}--")
            else "judges pictures; pulled",
        )
        for path in sorted(models_folder().glob("*--*.safetensors"))
    ]
    rows += [
        (name, vqgan_path(name), f"{_SHIPPED_FOR['vqgan-mini']}; pulled")
        for name in PUBLISHED
        if vqgan_path(name).is_file()
    ]
    for name, path, use in rows:
        typer.echo(f"{name:32} {path.stat().st_size / 2**20:8.1f} MiB  {use}")
    if published:
        typer.echo("\nTo be pulled by name, for vqgan_model:")
        for name, model in PUBLISHED.items():
            known = "hash known" if model.sha256 else "hash unknown"
            typer.echo(
                f"{name:20} {model.trained_on}; by {model.source}; "
                f"licence: {model.licence}; {known}"
            )


@models_app.command("pull")
def pull_model(
    name: Annotated[
        str,
        typer.Argument(
            help="architecture/tag of a CLIP model, such as ViT-B-32/openai; "
            "torchvision/architecture of a classifier, such as torchvision/resnet50; or a VQGAN's "
            "name; see `pixel models list --published`."
        ),
    ],
) -> None:
    """Download a published model and keep it as safetensors."""
    from engine.errors import PerceptorError
    from engine.models import TORCHVISION

    try:
        # Names tell the kinds apart; open_clip and torchvision take seconds to load.
        if name.startswith(f"{TORCHVISION}/"):
            from engine.models.pull_classifier import pull_classifier

            path = pull_classifier(name)
        elif "/" in name:
            from engine.models.pull import pull

            path = pull(name)
        else:
            from engine.models.pull_vqgan import pull_vqgan

            path = pull_vqgan(name)
    except (EngineError, PerceptorError) as error:
        raise refuse(error) from None
    typer.echo(f"{name} is at {path}")


def _assignments(pairs: list[str]) -> dict[str, object]:
    assigned: dict[str, object] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise SettingsError(f"--set {pair} is not possible; write --set name=value.")
        assigned[name.strip()] = value
    return assigned


if __name__ == "__main__":
    sys.exit(app())
