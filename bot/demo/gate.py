"""The way from the browser to simcord's page, so that it is always fresh and no click is lost.

simcord publishes its page when it is told to, allows one operation at a time, and refuses clicks
on a page that was published anew in the meantime. So requests to it pass through here: what the
browser polls is published just before it is answered, if the bot has done anything since;
operations queue up; a click that was overtaken by a publication is repeated on the new one; and
a picture is decoded before the page hears of it, so that a message does not blink at each frame.
The page itself gets a style sheet of ours.
"""

import asyncio
import contextlib
import json
import logging
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from bot.demo.server import Simulation

log = logging.getLogger(__name__)

# What simcord accepts: 25 MiB of uploads and the form around them.
_LARGEST_REQUEST = 26 * 2**20
# Not the host and the origin: they are this gate's.
_PASSED_ON = ("X-Simcord-Capability", "X-Simcord-Context", "Content-Type")
_NOT_PASSED_BACK = frozenset(
    {"Connection", "Content-Length", "Date", "Server", "Transfer-Encoding"}
)
_CLOCK_SECONDS = 1.0
# Each picture is decoded in a process of its own; simcord refuses more than eight at a time.
_DECODERS = 2

_STALE = "stale-revision"
_REVISION = re.compile(rb'"published_revision":\d+')

_STYLE = Path(__file__).with_name("page.css")
# The list of messages beside the channel starts folded away; a button shows it.
_PAGE_CHANGES = (
    (b"</head>", b'<link rel="stylesheet" href="/demo.css"></head>'),
    (b"<title>SimCord Preview</title>", b"<title>#art \xc2\xb7 pixel demo</title>"),
    (b'class="preview-shell"', b'class="preview-shell messages-closed"'),
)


class Gate:
    """Passes requests on to a simulation's page, which is open, from a socket that is bound."""

    def __init__(self, simulation: Simulation, listening: socket.socket) -> None:
        host, port = listening.getsockname()
        self._simulation = simulation
        self._listening = listening
        self._hosts = {f"{host}:{port}", f"localhost:{port}"}
        self._page = URL(simulation.preview.url)
        self._client = aiohttp.ClientSession()
        self._operation = asyncio.Lock()
        self._decoders = asyncio.Semaphore(_DECODERS)
        self._published = 0
        self._clock_set = asyncio.get_running_loop().time()
        # simcord leaves mentions in embeds as they are; Discord shows names.
        self._names = [
            (f"<@{number}>".encode(), f"@{name}".encode())
            for number, name in simulation.people.items()
        ]

    @property
    def url(self) -> str:
        """The address to open; a secret, as whoever has it acts as the visitor."""
        return str(self._page.with_port(self._listening.getsockname()[1]))

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Serve."""
        app = web.Application(client_max_size=_LARGEST_REQUEST)
        app.router.add_get("/", self._index)
        app.router.add_get("/demo.css", self._style)
        app.router.add_get("/api/state", self._state)
        app.router.add_post("/api/action", self._action)
        app.router.add_get("/api/assets/{asset}", self._asset)
        app.router.add_route("*", "/{path:.*}", self._anything)
        runner = web.AppRunner(app, access_log=None)
        async with self._client:
            await runner.setup()
            try:
                await web.SockSite(runner, self._listening).start()
                yield
            finally:
                await runner.cleanup()

    async def _anything(self, request: web.Request) -> web.Response:
        return await self._pass_on(request, await request.read())

    async def _index(self, request: web.Request) -> web.Response:
        answer = await self._pass_on(request)
        for old, new in _PAGE_CHANGES:
            answer.body = _content(answer).replace(old, new)
        return answer

    async def _style(self, _request: web.Request) -> web.Response:
        return web.Response(body=_STYLE.read_bytes(), content_type="text/css")

    async def _state(self, request: web.Request) -> web.Response:
        # During an operation the page stays as it was published before.
        if not self._operation.locked():
            async with self._operation:
                await self._publish()
        answer = await self._pass_on(request)
        assets = _value(answer).get("assets", {}).values()
        new = [asset["id"] for asset in assets if asset["available"] and not asset["displayReady"]]
        if new:
            await asyncio.gather(*(self._asset(request, f"/api/assets/{name}") for name in new))
            # Now with their sizes, for which the page keeps room.
            answer = await self._pass_on(request)
        return answer

    async def _asset(self, request: web.Request, path: str | None = None) -> web.Response:
        async with self._decoders:
            return await self._pass_on(request, path=path)

    async def _action(self, request: web.Request) -> web.Response:
        body = await request.read()
        async with self._operation:
            await self._set_clock()
            answer = await self._pass_on(request, body)
            receipt = (
                json.loads(_content(answer)) if answer.status == web.HTTPOk.status_code else {}
            )
            if any(item["code"] == _STALE for item in receipt.get("diagnostics", ())):
                # The first match is the envelope's, in JSON and in a form alike: quotes in what
                # people typed are escaped, and files come after it.
                revision = b'"published_revision":%d' % receipt["revision"]
                answer = await self._pass_on(request, _REVISION.sub(revision, body, count=1))
        return answer

    async def _publish(self) -> None:
        """Show what the bot has done; called with the lock held."""
        await self._set_clock()
        done = len(self._simulation.env.http_requests)
        if done == self._published:
            return
        try:
            await self._simulation.preview.refresh()
        except TimeoutError as error:
            log.warning("the page could not be refreshed: %s", error)
        else:
            self._published = done

    async def _set_clock(self) -> None:
        """Let the simulation's clock, which stands still by itself, catch up with the real one."""
        now = asyncio.get_running_loop().time()
        if now - self._clock_set >= _CLOCK_SECONDS:
            await self._simulation.env.advance_time(now - self._clock_set)
            self._clock_set = now

    async def _pass_on(
        self, request: web.Request, body: bytes = b"", *, path: str | None = None
    ) -> web.Response:
        if request.host not in self._hosts:
            # A foreign page whose name was made to lead to this machine.
            raise web.HTTPForbidden
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        url = self._page.origin().join(URL(path) if path is not None else request.rel_url)
        async with self._client.request(
            request.method, url, headers=headers, data=body or None
        ) as answer:
            content = await answer.read()
            if answer.content_type == "application/json":
                for mention, name in self._names:
                    content = content.replace(mention, name)
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name not in _NOT_PASSED_BACK
            }
            return web.Response(status=answer.status, headers=kept, body=content)


def _content(answer: web.Response) -> bytes:
    assert isinstance(answer.body, bytes)
    return answer.body


def _value(answer: web.Response) -> dict[str, Any]:
    """What simcord says as JSON; nothing when it refuses to say it."""
    value = json.loads(_content(answer)) if answer.status == web.HTTPOk.status_code else {}
    assert isinstance(value, dict)
    return value
