"""What goes wrong, on demand: rate limits, errors, lost connections, slow uploads."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from aiohttp import web

API = "/api/v10"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Fault(msgspec.Struct):
    """Something that happens to requests of the bot.

    Attributes:
        kind: `rate_limit` answers 429; `error` answers `status` with Discord's `code`; `reset`
            closes the connection without an answer; `slow` leaves the body unread for `seconds`
            and then does as asked, or does as asked and is silent about it for so long.
        method: of the requests that it happens to; any if empty.
        path: a regular expression that is found in their path after ``/api/v10``.
        uploads: whether it happens only to requests with files.
        times: to how many it happens; None for all.
        share: the share of matching requests that it happens to, 0…1.
        retry_after: seconds, for `rate_limit`.
        everywhere: whether a `rate_limit` is the global one.
        status: for `error`.
        code: for `error`.
        carried_out: for `reset` and `error`, whether the request is carried out nevertheless, so
            that only its answer is lost; for `slow`, whether it is so at once.
        seconds: for `slow`.
        hits: to how many requests it has happened.

    """

    kind: Literal["rate_limit", "error", "reset", "slow"]
    method: str = ""
    path: str = ""
    uploads: bool = False
    times: int | None = 1
    share: float = 1.0
    retry_after: float = 0.1
    everywhere: bool = False
    status: int = 500
    code: int = 0
    carried_out: bool = False
    seconds: float = 1.0
    hits: int = 0

    def fits(self, method: str, path: str, *, uploads: bool) -> bool:
        """Whether a request is one of those that it may happen to."""
        spent = self.times is not None and self.hits >= self.times
        if spent or (self.uploads and not uploads):
            return False
        return self.method in ("", method) and bool(re.search(self.path, path))


class Faults:
    """The faults at hand; the first that fits a request happens to it."""

    def __init__(self, seed: int = 0) -> None:
        self.all: list[Fault] = []
        self._random = random.Random(seed)

    def find(self, method: str, path: str, *, uploads: bool) -> Fault | None:
        """The fault that happens to a request, which is counted."""
        for fault in self.all:
            if fault.fits(method, path, uploads=uploads) and self._random.random() < fault.share:
                fault.hits += 1
                return fault
        return None

    async def apply(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request of the bot, with whatever goes wrong."""
        uploads = request.content_type.startswith("multipart/")
        fault = self.find(request.method, request.path.removeprefix(API), uploads=uploads)
        if fault is None:
            return await handler(request)
        if fault.kind == "slow":
            if fault.carried_out:
                response = await handler(request)
                await asyncio.sleep(fault.seconds)
                return response
            # An unread body fills the buffers, and then the sender waits.
            await asyncio.sleep(fault.seconds)
            return await handler(request)
        if fault.kind == "rate_limit":
            await request.read()
            return _rate_limited(fault)
        if fault.carried_out:
            await handler(request)
        if fault.kind == "reset":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        await request.read()
        return json_response({"code": fault.code, "message": "on demand"}, status=fault.status)


def json_response(data: object, *, status: int = 200, **headers: str) -> web.Response:
    """JSON as Discord sends it: discord.py wants exactly this type, without a charset."""
    return web.Response(
        body=msgspec.json.encode(data),
        status=status,
        headers={"Content-Type": "application/json", **headers},
    )


def _rate_limited(fault: Fault) -> web.Response:
    body = {
        "message": "You are being rate limited.",
        "retry_after": fault.retry_after,
        "global": fault.everywhere,
    }
    scope = "global" if fault.everywhere else "user"
    # Without `Via` discord.py takes it for a ban of its address.
    headers = {"Via": "1.1 loopback", "X-RateLimit-Scope": scope}
    return json_response(body, status=429, **headers)
