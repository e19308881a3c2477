"""The bot's own small web server: whether it is well, and what Prometheus wants to know."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from bot import metrics
from bot.health import HEALTH, address_path
from engine.files import write_atomically

if TYPE_CHECKING:
    from bot.app import PixelBot

METRICS = "/metrics"

# How long answers that are under way may hold up the bot's end.
_SHUTDOWN_SECONDS = 1.0

BOT: web.AppKey["PixelBot"] = web.AppKey("bot")


class AddressInUse(RuntimeError):
    """The web server cannot listen where it should."""


def make_app(bot: "PixelBot") -> web.Application:
    """The server's routes; whoever has a page of their own adds it before it is served."""
    app = web.Application()
    app[BOT] = bot
    app.router.add_get(HEALTH, _health)
    app.router.add_get(METRICS, _metrics)
    return app


@contextlib.asynccontextmanager
async def serving(app: web.Application, host: str, port: int, data: Path) -> AsyncIterator[str]:
    """Serve an app, and leave its address in the data directory; yields the address.

    Args:
        app: the routes.
        host: the address to listen at.
        port: 0 for any that is free.
        data: the bot's data directory.

    Raises:
        AddressInUse: when somebody else listens there, or this machine has no such address.

    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise AddressInUse(
                f"The bot's web server cannot listen at {host}:{port} ({error.strerror}); "
                "set PIXEL_HTTP to another address, or to 127.0.0.1:0 for any free port."
            ) from error
        url = _url(*runner.addresses[0][:2])
        write_atomically(address_path(data), url.encode())
        try:
            yield url
        finally:
            address_path(data).unlink(missing_ok=True)
    finally:
        await runner.cleanup()


def _url(host: str, port: int) -> str:
    """Where this machine reaches the server; one that listens everywhere is at the loopback too."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - is replaced
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _health(request: web.Request) -> web.Response:
    problem = request.app[BOT].problem
    if problem is not None:
        return web.json_response({"status": "unwell", "reason": problem}, status=503)
    return web.json_response({"status": "well"})


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(
        body=await metrics.exposition(request.app[BOT]),
        headers={"Content-Type": CONTENT_TYPE_LATEST},
    )
