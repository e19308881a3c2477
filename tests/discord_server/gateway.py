"""The gateway: sessions that number their events, and send again what a lost connection missed."""

import asyncio
from collections import deque
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from tests.discord_server.world import APPLICATION, TOKEN, Payload, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11

_HEARTBEAT_MS = 40_000
_AUTHENTICATION_FAILED = 4004
# A bot that was away for more events than this has to begin anew.
_KEPT_EVENTS = 10_000


class Session:
    """One bot's view of the events, over any number of connections."""

    def __init__(self, number: str, socket: web.WebSocketResponse) -> None:
        self.number = number
        self.socket: web.WebSocketResponse | None = socket
        self.transport: asyncio.Transport | None = None
        self.sequence = 0
        self.events: deque[Payload] = deque(maxlen=_KEPT_EVENTS)
        self._lock = asyncio.Lock()

    async def dispatch(self, name: str, data: Payload) -> None:
        """Send an event, now or when the bot resumes."""
        async with self._lock:
            self.sequence += 1
            event = {"op": DISPATCH, "t": name, "s": self.sequence, "d": data}
            self.events.append(event)
            if self.socket is not None:
                await send(self.socket, event)

    async def resume(self, socket: web.WebSocketResponse, after: int) -> None:
        """Go on at another connection: send every event after one, and then those to come."""
        async with self._lock:
            for event in self.events:
                if event["s"] > after:
                    await send(socket, event)
            self.socket = socket


class Gateway:
    """The side that bots connect to.

    Attributes:
        identified: how many sessions were begun.
        resumed: how often one went on after its connection was lost.

    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._sessions: dict[str, Session] = {}
        self._newest: Session | None = None
        self._ready = asyncio.Event()
        self.url = ""
        self.identified = 0
        self.resumed = 0

    @property
    def connected(self) -> bool:
        """Whether a bot listens."""
        return self._newest is not None and self._newest.socket is not None

    async def wait_connected(self, identified: int) -> None:
        """Wait until so many sessions were begun, and a bot listens."""
        while self.identified < identified or not self.connected:
            self._ready.clear()
            await self._ready.wait()

    async def dispatch(self, name: str, data: Payload) -> bool:
        """Send an event to the newest session; returns whether there is one."""
        if self._newest is None:
            return False
        await self._newest.dispatch(name, data)
        return True

    async def reconnect(self) -> None:
        """Ask the bot to connect again and resume."""
        if self._newest is not None and self._newest.socket is not None:
            socket, self._newest.socket = self._newest.socket, None
            await send(socket, {"op": RECONNECT, "d": None})

    async def invalidate(self, *, resumable: bool) -> None:
        """End the session, or have it resumed."""
        if self._newest is not None and self._newest.socket is not None:
            socket, self._newest.socket = self._newest.socket, None
            if not resumable:
                del self._sessions[self._newest.number]
            await send(socket, {"op": INVALID, "d": resumable})

    async def close(self, code: int) -> None:
        """Close the connection properly, with a code."""
        if self._newest is not None and self._newest.socket is not None:
            socket, self._newest.socket = self._newest.socket, None
            await socket.close(code=code)

    def abort(self) -> None:
        """Lose the connection without a word."""
        if self._newest is not None and self._newest.socket is not None:
            self._newest.socket = None
            if self._newest.transport is not None:
                self._newest.transport.abort()

    async def talk(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await send(socket, {"op": HELLO, "d": {"heartbeat_interval": _HEARTBEAT_MS}})
        session: Session | None = None
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    continue
                said = msgspec.json.decode(message.data)
                if said["op"] == HEARTBEAT:
                    # Sooner than over any network, and discord.py's stopwatch is not started yet.
                    await asyncio.sleep(0.02)
                    await send(socket, {"op": ACK, "d": None})
                elif said["op"] == IDENTIFY:
                    session = await self._identify(socket, said["d"])
                elif said["op"] == RESUME:
                    session = await self._resume(socket, said["d"])
                if session is not None:
                    session.transport = request.transport
        finally:
            if session is not None and session.socket is socket:
                session.socket = None
        return socket

    async def _identify(
        self, socket: web.WebSocketResponse, said: dict[str, Any]
    ) -> Session | None:
        if said["token"] != TOKEN:
            await socket.close(code=_AUTHENTICATION_FAILED)
            return None
        session = self._newest = Session(self._world.new_number(), socket)
        self._sessions[session.number] = session
        unavailable = [{"id": guild, "unavailable": True} for guild in self._world.guilds]
        ready = {
            "v": 10,
            "user": self._world.user(APPLICATION),
            "guilds": unavailable,
            "session_id": session.number,
            "resume_gateway_url": self.url,
            "application": {"id": APPLICATION, "flags": 0},
            "shard": said.get("shard", [0, 1]),
        }
        await session.dispatch("READY", ready)
        for guild in self._world.guilds:
            await session.dispatch("GUILD_CREATE", self._world.guild(guild))
        self.identified += 1
        self._ready.set()
        return session

    async def _resume(self, socket: web.WebSocketResponse, said: dict[str, Any]) -> Session | None:
        session = self._sessions.get(said["session_id"])
        if session is None:
            await send(socket, {"op": INVALID, "d": False})
            return None
        await session.resume(socket, said["seq"])
        await session.dispatch("RESUMED", {})
        self.resumed += 1
        self._ready.set()
        return session


async def send(socket: web.WebSocketResponse, message: Payload) -> None:
    """Write one message; whether it arrives is the connection's affair."""
    try:
        await socket.send_str(msgspec.json.encode(message).decode())
    except ConnectionError:
        return
