"""The gallery on an address of its own: beside the bot, or alone on its data directory."""

import asyncio
import contextlib
import logging
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from bot import folder
from bot.gallery.app import gallery_app
from bot.gallery.errors import GalleryClosed
from bot.pictures import Pictures
from bot.store import Gallery

log = logging.getLogger(__name__)

_NOTHING_THERE = (
    "There is no gallery in {} ({}); start the bot there once, run “pixel db upgrade”, "
    "or set PIXEL_DATA to the bot's data directory."
)


@contextlib.asynccontextmanager
async def open_gallery(data: Path) -> AsyncIterator[web.Application]:
    """The gallery of a data directory, which a bot may be at work in; to be served by the caller.

    Raises:
        GalleryClosed: when there is no database, or an older one.

    """
    path = folder.database_path(data)
    async with contextlib.AsyncExitStack() as stack:
        try:
            if not await asyncio.to_thread(path.exists):
                raise GalleryClosed(_NOTHING_THERE.format(data, "there is no database"))
            gallery = await stack.enter_async_context(Gallery.open_read_only(path, time.time))
            await gallery.gallery_page(before=None, limit=1)
        except sqlite3.OperationalError as error:
            raise GalleryClosed(_NOTHING_THERE.format(data, error)) from None
        yield gallery_app(gallery, Pictures(data))


@contextlib.asynccontextmanager
async def serve_gallery(data: Path, host: str, port: int) -> AsyncIterator[str]:
    """Serve the gallery of a data directory; gives its address.

    Args:
        data: a bot's data directory.
        host: the name or number of an interface, such as 127.0.0.1.
        port: 0 for any that is free.

    Raises:
        GalleryClosed: as `open_gallery` does, or when the address cannot be had.

    """
    async with open_gallery(data) as app:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                raise GalleryClosed(
                    f"The gallery cannot be served at {host}:{port} ({error.strerror}); choose "
                    "another address for PIXEL_GALLERY."
                ) from None
            url = _url(*runner.addresses[0][:2])
            log.info("the gallery is at %s", url)
            yield url
        finally:
            await runner.cleanup()


def run_gallery(data: Path, host: str, port: int) -> int:
    """Serve a gallery alone until Ctrl-C; returns the process's exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(_run(data, host, port))
    except GalleryClosed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass
    return 0


async def _run(data: Path, host: str, port: int) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with serve_gallery(data, host, port):
        await asyncio.Event().wait()


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
