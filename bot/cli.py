"""`pixel`: run the bot, try it without Discord, look after its database; and draw pictures.

What a command needs is imported when it is called, so that `pixel --help` answers at once.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine import cli as engine_cli
from engine.importing import importing

if TYPE_CHECKING:
    from bot.config import Config

app = typer.Typer(
    name="pixel",
    help="A community art bot, and the engine that draws for it.",
    no_args_is_help=True,
    add_completion=False,
    # A traceback's variables may hold the token.
    pretty_exceptions_show_locals=False,
    # Plain help: rich, with its Markdown, takes longer to import than all else of it.
    rich_markup_mode=None,
    context_settings={"max_content_width": 100},
)
database = typer.Typer(
    help="Look after the bot's database.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(database, name="db")
# Without a name: its commands stand beside these.
app.add_typer(engine_cli.app)


@app.command()
def run() -> None:
    """Run the bot on Discord; its settings come from the environment (PIXEL_TOKEN and others)."""
    with importing():
        from bot.runner import run as run_bot

    raise typer.Exit(run_bot())


@app.command()
def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The page's port on this machine; 0 for any.")
    ] = 8765,
    data: Annotated[
        Path | None,
        typer.Option(help="A data directory to keep; without it one that is removed at the end."),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Whether to open the page in the browser.")
    ] = True,
) -> None:
    """Try the bot in the local browser, on a simulated Discord."""
    try:
        import simcord.preview  # noqa: F401 - only whether it is there
    except ImportError:
        typer.echo("The demo needs the extra “demo”: uv run --extra demo pixel demo", err=True)
        raise typer.Exit(1) from None
    from bot.demo.run import run_demo

    raise typer.Exit(run_demo(port=port, data=data, browser=browser))


@app.command()
def gallery(
    data: Annotated[
        Path | None, typer.Option(help="The bot's data directory, if not the configured one.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT", help="Where to serve it; PIXEL_GALLERY or 127.0.0.1:8781 if unset."
        ),
    ] = None,
) -> None:
    """Serve the gallery page of the channels that opted in; the bot may run beside it, or not."""
    from bot.config import Address
    from bot.gallery.server import run_gallery

    config = _config()
    try:
        address = Address(at or config.gallery or "127.0.0.1:8781")
    except ValueError as error:
        raise typer.BadParameter(f"{error}; not {at}.", param_hint="--at") from None
    raise typer.Exit(run_gallery(data or config.data, address.host, address.port))


@app.command()
def chaos(
    jobs: Annotated[int, typer.Option(min=5, help="How many pictures are asked for.")] = 200,
    kills: Annotated[
        int, typer.Option(min=1, help="How often the engine or the bot is killed.")
    ] = 70,
    seed: Annotated[int, typer.Option(help="What chance decides follows from it.")] = 1,
) -> None:
    """Kill, freeze and starve a bot of its own while people use it, and check what is left."""
    try:
        from tests.chaos.run import run_chaos
    except ImportError:
        typer.echo(
            "Chaos is a part of the project's tests: run it in a checkout of the project, with the "
            "extra “dev”: uv run --extra dev pixel chaos",
            err=True,
        )
        raise typer.Exit(1) from None
    raise typer.Exit(run_chaos(jobs=jobs, kills=kills, seed=seed))


@app.command()
def health() -> None:
    """Say whether the bot of this data directory is well; exits with 1 if it is not."""
    from bot.health import main as check

    raise typer.Exit(check())


@database.command()
def upgrade(
    data: Annotated[
        Path | None, typer.Option(help="The bot's data directory, if not the configured one.")
    ] = None,
) -> None:
    """Apply the migrations that are missing; the bot does the same when it starts."""
    from bot import folder

    data = data or _config().data
    try:
        with folder.locked(data):
            applied = folder.upgrade(data)
    except folder.FolderInUse as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(os.EX_TEMPFAIL) from None
    except folder.NewerDatabase as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(os.EX_CONFIG) from None
    typer.echo(f"Applied: {', '.join(applied)}." if applied else "The database is up to date.")


@database.command()
def backup(
    path: Annotated[Path, typer.Argument(help="The file to write; there must be none.")],
    data: Annotated[
        Path | None, typer.Option(help="The bot's data directory, if not the configured one.")
    ] = None,
) -> None:
    """Copy the database into one file; the bot may run meanwhile."""
    from bot.backup import BackupError, back_up
    from bot.texts import size

    data = data or _config().data
    try:
        written = back_up(data, path)
    except BackupError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    typer.echo(
        f"The database of {data} is copied to {path} ({size(written)}), and the copy is sound. "
        f"Pictures are not part of it: copy {data / 'pictures'} after it."
    )


@database.command()
def check(
    path: Annotated[
        Path | None,
        typer.Argument(help="A data directory or a backup; the configured directory if left out."),
    ] = None,
) -> None:
    """Look for damage in a database; exits with 1 if there is any. The bot may run meanwhile."""
    from bot import backup

    path = path or _config().data
    try:
        report = backup.check(path)
    except backup.BackupError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if report.problems:
        typer.echo(f"The database of {path} is damaged:", err=True)
        for problem in report.problems:
            typer.echo(f"- {problem}", err=True)
        raise typer.Exit(1)
    later = "; the bot brings it up to date when it starts" if report.outdated else ""
    typer.echo(f"The database of {path} is sound. It is that of version {report.version}{later}.")
    if report.missing is not None:
        missing, pictures = report.missing
        typer.echo(f"Of {pictures} pictures that are kept, {missing} have no file.")


def _config() -> "Config":
    """The settings of the environment; ends the command if some of them cannot work."""
    from bot.config import ConfigError, read_config

    try:
        return read_config()
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(os.EX_CONFIG) from None


def main() -> None:
    """The script's entry."""
    app()
