"""The way from the browser to simcord's page, so that it is always fresh and no click is lost.

simcord publishes its page when it is told to, allows one operation at a time, and refuses clicks
on a page that was published anew in the meantime. So requests to it pass through here: what the
browser polls is published just before it is answered, operations wait for each other, a click that
was overtaken by a publication is repeated on the new page, and a picture is decoded before the
page hears of it, so that a message does not blink at each frame. Beside that the page gets a style
sheet and a script of ours.
"""

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from bot.demo.simulation import Simulation

# What simcord accepts: 25 MiB of uploads and the form around them.
_LARGEST_REQUEST = 26 * 2**20
# Not the host and the origin: they are this gate's.
_PASSED_ON = ("X-Simcord-Capability", "X-Simcord-Context", "Content-Type")
_NOT_PASSED_BACK = ("Connection", "Content-Length", "Date", "Server", "Transfer-Encoding")

# How often a poll is begun anew because something happened meanwhile.
_TRIES = 3
# Each picture is decoded in a process of its own; simcord refuses more than eight at a time.
_DECODERS = 2

_STALE = "stale-revision"
_REVISION = re.compile(rb'"published_revision":\d+')

_EXTRAS = Path(__file__).parent
# The list of messages beside the channel starts folded away; a button shows it.
_PAGE_CHANGES = (
    (b"</head>", b'<link rel="stylesheet" href="/demo/page.css"></head>'),
    (b"</body>", b'<script src="/demo/page.js"></script></body>'),
    (b"<title>SimCord Preview</title>", b"<title>#art \xc2\xb7 pixel demo</title>"),
    (b'class="preview-shell"', b'class="preview-shell messages-closed"'),
)


@contextlib.asynccontextmanager
async def open_gate(simulation: Simulation, listening: socket.socket) -> AsyncIterator[str]:
    """Serve a simulation's page on a bound socket.

    Yields its address, which is a secret: whoever has it acts as the visitor.
    """
    host, port = listening.getsockname()
    page = URL(simulation.preview.url)
    async with aiohttp.ClientSession() as client:
        gate = _Gate(simulation, client, page.origin(), {f"{host}:{port}", f"localhost:{port}"})
        runner = web.AppRunner(gate.application(), access_log=None)
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            yield str(page.with_port(port))
        finally:
            await runner.cleanup()


class _Gate:
    def __init__(
        self, simulation: Simulation, client: aiohttp.ClientSession, page: URL, hosts: set[str]
    ) -> None:
        self._simulation = simulation
        self._client = client
        self._page = page
        self._hosts = hosts
        self._decoders = asyncio.Semaphore(_DECODERS)
        # simcord leaves mentions in embeds as they are; Discord shows names.
        self._names = [
            (f"<@{number}>".encode(), f"@{name}".encode())
            for number, name in simulation.people.items()
        ]

    def application(self) -> web.Application:
        app = web.Application(client_max_size=_LARGEST_REQUEST)
        app.router.add_get("/", self._index)
        app.router.add_get("/demo/{name:page.(css|js)}", self._extra)
        app.router.add_get("/api/state", self._state)
        app.router.add_post("/api/action", self._action)
        app.router.add_get("/api/assets/{asset}", self._asset)
        app.router.add_route("*", "/{path:.*}", self._anything)
        return app

    async def _anything(self, request: web.Request) -> web.Response:
        return await self._pass_on(request, await request.read())

    async def _index(self, request: web.Request) -> web.Response:
        answer = await self._pass_on(request)
        for old, new in _PAGE_CHANGES:
            answer.body = _content(answer).replace(old, new)
        return answer

    async def _extra(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(_EXTRAS / request.match_info["name"])

    async def _state(self, request: web.Request) -> web.Response:
        for _ in range(_TRIES):
            async with self._simulation.operation:
                await self._simulation.publish()
                answer = await self._pass_on(request)
            if self._simulation.has_news:
                # A frame that was replaced since the publication is missing from the answer.
                continue
            assets = _value(answer).get("assets", {}).values()
            new = [item["id"] for item in assets if item["available"] and not item["displayReady"]]
            if not new:
                break
            # Once more after that, with their sizes, for which the page keeps room.
            await asyncio.gather(*(self._asset(request, f"/api/assets/{name}") for name in new))
        return answer

    async def _asset(self, request: web.Request, path: str | None = None) -> web.Response:
        async with self._decoders:
            return await self._pass_on(request, path=path)

    async def _action(self, request: web.Request) -> web.Response:
        body = await request.read()
        async with self._simulation.operation:
            await self._simulation.set_clock()
            answer = await self._pass_on(request, body)
            receipt = _value(answer)
            if any(item["code"] == _STALE for item in receipt.get("diagnostics", ())):
                # The first match is the envelope's, in JSON and in a form alike: quotes in what
                # people typed are escaped, and files come after it.
                revision = b'"published_revision":%d' % receipt["revision"]
                answer = await self._pass_on(request, _REVISION.sub(revision, body, count=1))
        return answer

    async def _pass_on(
        self, request: web.Request, body: bytes = b"", *, path: str | None = None
    ) -> web.Response:
        if request.host not in self._hosts:
            # A foreign page whose name was made to lead to this machine.
            raise web.HTTPForbidden
        if path is None:
            path = request.rel_url.raw_path
        url = self._page.with_path(path, encoded=True).with_query(request.rel_url.query)
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        async with self._client.request(
            request.method, url, headers=headers, data=body or None
        ) as answer:
            content = await answer.read()
            kept = answer.headers.copy()
        for name in _NOT_PASSED_BACK:
            kept.popall(name, None)
        if answer.content_type == "application/json":
            for mention, person in self._names:
                content = content.replace(mention, person)
        return web.Response(status=answer.status, headers=kept, body=content)


def _content(answer: web.Response) -> bytes:
    assert isinstance(answer.body, bytes)
    return answer.body


def _value(answer: web.Response) -> dict[str, Any]:
    """What simcord says as JSON; nothing when it refuses to say it."""
    value = json.loads(_content(answer)) if answer.status == web.HTTPOk.status_code else {}
    assert isinstance(value, dict)
    return value
