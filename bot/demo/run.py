"""Open the demo, say what to do with it, and close it again."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import discord
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table

from bot.app import open_bot
from bot.config import Config
from bot.demo.gate import open_gate
from bot.demo.server import simulated_server
from bot.folder import FolderInUse, NewerDatabase
from bot.logs import TextLine

# Nobody limits the edits of a simulated Discord; the page asks for news twice a second.
_EDIT_INTERVAL_SECONDS = 0.5


def run_demo(*, port: int, data: Path | None, browser: bool) -> int:
    """Run the demo until Ctrl-C; returns the process's exit code.

    Args:
        port: where the page is served on this machine; 0 for any free one.
        data: the bot's data directory; one that is removed at the end if None.
        browser: whether to open the page.

    """
    console = Console()
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        sys.stderr.write(
            f"Port {port} cannot be used ({error.strerror}); choose another with --port, "
            "or --port 0 for any that is free.\n"
        )
        return os.EX_TEMPFAIL
    _log_to(console)
    with listening, _folder(data) as folder:
        try:
            asyncio.run(_demo(console, listening, folder, kept=data is not None, browser=browser))
        except FolderInUse as error:
            sys.stderr.write(f"{error}\n")
            return os.EX_TEMPFAIL
        except NewerDatabase as error:
            sys.stderr.write(f"{error}\n")
            return os.EX_CONFIG
        except (KeyboardInterrupt, asyncio.CancelledError):
            console.print("Ended as asked.")
    return 0


async def _demo(
    console: Console, listening: socket.socket, folder: Path, *, kept: bool, browser: bool
) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    # Neither the environment nor .env has a say: they may hold the settings of a real bot. And its
    # commands are registered by the simulated server, which nobody knows before it is started.
    config = Config(data=folder, edit_interval=_EDIT_INTERVAL_SECONDS, sync_commands=False)
    async with (
        open_bot(config) as bot,
        simulated_server(bot) as simulation,
        open_gate(simulation, listening) as url,
    ):
        _introduce(console, url, folder, kept=kept)
        if browser:
            await asyncio.to_thread(webbrowser.open, url)
        await simulation.preview.wait_closed()
        console.print("The page was closed from its menu.")


def _introduce(console: Console, url: str, folder: Path, *, kept: bool) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold cyan", no_wrap=True)
    # Folding would break the address.
    table.add_column(overflow="ignore", no_wrap=True)
    table.add_row("Open", f"[link={url}]{url}[/link]")
    table.add_row("Type", "/pixel [green]a red apple[/green]  and press Enter; then watch it grow")
    table.add_row("", "/queue  what is being drawn     /history  what you have drawn")
    table.add_row("Press", "Variations, Remix, Palette and the other buttons below a picture")
    table.add_row("Data", f"{escape(str(folder))}{'' if kept else '  (removed at the end)'}")
    table.add_row("End", "Ctrl-C")
    console.print()
    console.print("[bold]pixel demo[/bold]  the whole bot, on a simulated Discord")
    console.print(table, soft_wrap=True)
    console.print()


@contextlib.contextmanager
def _folder(data: Path | None) -> Iterator[Path]:
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="pixel-demo-") as folder:
        yield Path(folder)


def _log_to(console: Console) -> None:
    """Show what the bot and its engine do, and of everything else what goes wrong."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    handler = RichHandler(
        console=console, show_path=False, rich_tracebacks=True, log_time_format="%X"
    )
    handler.setFormatter(TextLine("%(about)s%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for name in ("bot", "engine"):
        logging.getLogger(name).setLevel(logging.INFO)
