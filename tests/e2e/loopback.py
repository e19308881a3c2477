"""A Discord on this machine's loopback: just enough HTTP and gateway for the bot's real process.

The simulation replaces discord.py's network; here it is discord.py itself that speaks, and a rate
limit, an upload and a lost process are real.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import WSMsgType, web

ROOT = Path(__file__).parent.parent.parent
TOKEN = "good-token"
BOT, APPLICATION, GUILD, CHANNEL, ALICE = "100", "100", "200", "300", "400"

# Runs `python -m bot` with discord.py's base address changed, and nothing else.
_BOT = """
import sys, discord.http
discord.http.Route.BASE = sys.argv[1]
from bot.runner import run
sys.exit(run())
"""


def _user(number: str, name: str, *, bot: bool = False) -> dict[str, object]:
    return {"id": number, "username": name, "discriminator": "0", "avatar": None, "bot": bot}


@dataclass
class Message:
    """What a message shows by now, and how often it was edited."""

    number: str
    text: str = ""
    custom_ids: list[str] = field(default_factory=list)
    picture: bytes | None = None
    edits: int = 0
    nonce: str | None = None


class Loopback:
    """The server's side of Discord.

    Attributes:
        base: its address, for `discord.http.Route.BASE`.
        messages: those in the channel, by their ids.
        answers: what interactions were answered, in order.
        log: what the last bot's process wrote to stderr.
        rate_limits: how many of the next edits are answered with 429.

    """

    def __init__(self) -> None:
        self.base = ""
        self.messages: dict[str, Message] = {}
        self.answers: list[str] = []
        self.syncs = 0
        self.log: list[str] = []
        self.rate_limits = 0
        self.rate_limited = 0
        self._numbers = itertools.count(1000)
        self._gateway: web.WebSocketResponse | None = None
        self._ready = asyncio.Event()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Loopback"]:
        app = web.Application()
        api = "/api/v10"
        app.add_routes(
            [
                web.get("/gateway/", self._talk),
                web.get(f"{api}/users/@me", self._me),
                web.get(f"{api}/oauth2/applications/@me", self._application),
                web.get(f"{api}/gateway/bot", self._gateway_address),
                web.put(f"{api}/applications/{{id}}/commands", self._sync),
                web.post(f"{api}/interactions/{{id}}/{{token}}/callback", self._callback),
                web.patch(f"{api}/webhooks/{{id}}/{{token}}/messages/@original", self._answer),
                web.post(f"{api}/channels/{{id}}/messages", self._send),
                web.patch(f"{api}/channels/{{id}}/messages/{{message}}", self._edit),
            ]
        )
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.base = f"http://127.0.0.1:{port}{api}"
        self._gateway_url = f"ws://127.0.0.1:{port}/gateway/"
        try:
            yield self
        finally:
            await runner.cleanup()

    @contextlib.asynccontextmanager
    async def bot(
        self, data: Path, token: str = TOKEN
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """The bot's process, connected; killed at the end if it still runs."""
        self._ready.clear()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIXEL_")}
        settings = {"PIXEL_TOKEN": token, "PIXEL_DATA": str(data), "PIXEL_EDIT_INTERVAL": "0.05"}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _BOT,
            self.base,
            cwd=ROOT,
            env={**kept, **settings},
            stderr=asyncio.subprocess.PIPE,
        )
        self.log.clear()
        drain = asyncio.create_task(self._drain(process))
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()
            await drain

    async def _drain(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self.log.append(line.decode().rstrip())

    async def connected(self) -> None:
        """Wait until the bot listens."""
        async with asyncio.timeout(60):
            await self._ready.wait()

    async def slash(self, **options: object) -> None:
        """Type /pixel as Alice."""
        given = [
            {"name": name, "type": 4 if isinstance(value, int) else 3, "value": value}
            for name, value in options.items()
        ]
        await self._interact(2, {"id": "1", "name": "pixel", "type": 1, "options": given})

    async def click(self, message: Message, action: str) -> None:
        """Press a button of a message as Alice."""
        (custom_id,) = (number for number in message.custom_ids if f":{action}:" in number)
        await self._interact(
            3,
            {"custom_id": custom_id, "component_type": 2},
            message=self._payload(message),
        )

    async def _interact(self, kind: int, data: dict[str, object], **more: object) -> None:
        number = str(next(self._numbers))
        everything = str((1 << 53) - 1)
        await self._dispatch(
            "INTERACTION_CREATE",
            {
                "id": number,
                "application_id": APPLICATION,
                "type": kind,
                "token": f"token-{number}",
                "version": 1,
                "data": data,
                "guild_id": GUILD,
                "channel_id": CHANNEL,
                "channel": {"id": CHANNEL, "type": 0, "name": "art", "permissions": everything},
                "member": {
                    "user": _user(ALICE, "alice"),
                    "roles": [],
                    "joined_at": "2026-01-01T00:00:00+00:00",
                    "deaf": False,
                    "mute": False,
                    "flags": 0,
                    "permissions": "0",
                },
                "app_permissions": everything,
                "locale": "en-US",
                "entitlements": [],
                "attachment_size_limit": 10485760,
                **more,
            },
        )

    async def _dispatch(self, name: str, data: dict[str, object]) -> None:
        assert self._gateway is not None
        await self._gateway.send_json({"op": 0, "t": name, "s": next(self._numbers), "d": data})

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"op": 10, "d": {"heartbeat_interval": 40000}})
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            said = json.loads(message.data)
            if said["op"] == 1:
                await socket.send_json({"op": 11, "d": None})
            elif said["op"] == 2:
                self._gateway = socket
                await self._welcome()
        return socket

    async def _welcome(self) -> None:
        await self._dispatch(
            "READY",
            {
                "v": 10,
                "user": _user(BOT, "pixel", bot=True),
                "guilds": [{"id": GUILD, "unavailable": True}],
                "session_id": "session",
                "resume_gateway_url": self._gateway_url,
                "application": {"id": APPLICATION, "flags": 0},
                "shard": [0, 1],
            },
        )
        await self._dispatch(
            "GUILD_CREATE",
            {
                "id": GUILD,
                "name": "Art lovers",
                "owner_id": ALICE,
                "roles": [],
                "emojis": [],
                "members": [],
                "channels": [{"id": CHANNEL, "type": 0, "name": "art", "position": 0}],
            },
        )
        self._ready.set()

    async def _me(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != f"Bot {TOKEN}":
            return _json({"code": 0, "message": "401: Unauthorized"}, status=401)
        return _json(_user(BOT, "pixel", bot=True))

    async def _application(self, _request: web.Request) -> web.Response:
        return _json(
            {
                "id": APPLICATION,
                "name": "pixel",
                "description": "",
                "icon": None,
                "bot_public": True,
                "bot_require_code_grant": False,
                "verify_key": "0",
                "owner": _user(ALICE, "alice"),
                "flags": 0,
            }
        )

    async def _gateway_address(self, _request: web.Request) -> web.Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return _json({"url": self._gateway_url, "shards": 1, "session_start_limit": limit})

    async def _sync(self, request: web.Request) -> web.Response:
        self.syncs += 1
        more = {"application_id": APPLICATION, "version": "1", "default_member_permissions": None}
        return _json(
            [command | more | {"id": str(n)} for n, command in enumerate(await request.json(), 1)]
        )

    async def _callback(self, request: web.Request) -> web.Response:
        said = await request.json()
        if content := (said.get("data") or {}).get("content"):
            self.answers.append(content)
        return _json({"interaction": {"id": request.match_info["id"], "type": 2}})

    async def _answer(self, request: web.Request) -> web.Response:
        self.answers.append((await request.json())["content"])
        return _json(self._payload(Message(str(next(self._numbers)))))

    async def _send(self, request: web.Request) -> web.Response:
        said, picture = await _body(request)
        for message in self.messages.values():
            if said["enforce_nonce"] and message.nonce == said["nonce"]:
                return _json(self._payload(message))
        message = Message(str(next(self._numbers)), nonce=said["nonce"])
        self.messages[message.number] = message
        self._show(message, said, picture)
        return _json(self._payload(message))

    async def _edit(self, request: web.Request) -> web.Response:
        said, picture = await _body(request)
        if self.rate_limits:
            self.rate_limits -= 1
            self.rate_limited += 1
            return _json(
                {"message": "You are being rate limited.", "retry_after": 0.1, "global": False},
                status=429,
                Via="1.1 loopback",
            )
        message = self.messages[request.match_info["message"]]
        message.edits += 1
        self._show(message, said, picture)
        return _json(self._payload(message))

    def _show(self, message: Message, said: dict[str, object], picture: bytes | None) -> None:
        message.text = said["embeds"][0]["description"]
        message.custom_ids = [
            button["custom_id"] for row in said["components"] for button in row["components"]
        ]
        if "attachments" in said:
            message.picture = picture

    def _payload(self, message: Message) -> dict[str, object]:
        buttons = [
            {"type": 2, "style": 1, "label": "button", "custom_id": number}
            for number in message.custom_ids
        ]
        return {
            "id": message.number,
            "channel_id": CHANNEL,
            "author": _user(BOT, "pixel", bot=True),
            "content": "",
            "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "pinned": False,
            "type": 0,
            "flags": 0,
            "components": [{"type": 1, "components": buttons}] if buttons else [],
        }


def _json(data: object, *, status: int = 200, **headers: str) -> web.Response:
    # discord.py reads a body as JSON only if its type is this, without a charset.
    return web.Response(
        body=json.dumps(data),
        status=status,
        headers={"Content-Type": "application/json", **headers},
    )


async def _body(request: web.Request) -> tuple[dict, bytes | None]:
    """What was sent, as JSON or as a form with a file."""
    if not request.content_type.startswith("multipart/"):
        return await request.json(), None
    form = await request.post()
    file = form.get("files[0]")
    picture = file.file.read() if isinstance(file, web.FileField) else None
    return json.loads(str(form["payload_json"])), picture
