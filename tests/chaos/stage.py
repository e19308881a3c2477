"""The processes: a Discord that outlives the bot, and the bot, which is started again when it ends.

What a killed process leaves behind comes to this one, so that no orphan can hide.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Self

from bot.health import check
from tests.discord_server.client import BotProcess, DiscordServer

PEOPLE, CHANNELS = 20, 4

_PR_SET_CHILD_SUBREAPER = 36
_PROC = Path("/proc")
_LOOK_SECONDS = 0.05
# Whoever runs a bot has it started again soon after it has ended.
_PAUSE_SECONDS = 0.5
_LONGEST_START = 60.0


class Stage:
    """One Discord, one data directory, and at most one bot in it.

    Attributes:
        discord: the server.
        data: the bot's data directory.
        log: what all bots have said so far.
        starts: how many bots were started.
        exits: with which codes bots ended that nobody had killed.

    """

    def __init__(self, discord: DiscordServer, data: Path) -> None:
        self.discord = discord
        self.data = data
        self.log: list[str] = []
        self.starts = 0
        self.exits: list[int] = []
        self._bot: BotProcess | None = None
        self._ending = False
        self._known = _children(os.getpid())

    @classmethod
    @contextlib.asynccontextmanager
    async def set(cls, data: Path, seed: int) -> AsyncIterator[Self]:
        """Start Discord and the bot; both are gone at the end."""
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        counts = {"users": PEOPLE, "channels": CHANNELS, "seed": seed}
        async with DiscordServer.running(**counts) as discord:
            stage = cls(discord, data)
            keeper = asyncio.create_task(stage._keep(), name="keeper of the bot")
            try:
                yield stage
            finally:
                keeper.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await keeper

    @property
    def bot_id(self) -> int | None:
        """The bot's process id, while there is one."""
        if self._bot is None or self._bot.process.returncode is not None:
            return None
        return self._bot.process.pid

    @property
    def engine_id(self) -> int | None:
        """The engine's process id, while there is one."""
        if self.bot_id is None:
            return None
        return next((p for p in _children(self.bot_id) if "engine" in _command(p).split()), None)

    def processes(self) -> Iterator[int]:
        """The ids of everything that works for the bot."""
        if self.bot_id is not None:
            yield self.bot_id
            yield from _children(self.bot_id)

    async def well(self) -> None:
        """Wait until the bot says that it is well: connected, and the engine is ready."""
        await until(lambda: self.bot_id is not None)
        async with asyncio.timeout(_LONGEST_START):
            while await asyncio.to_thread(check, self.data) is not None:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)

    async def kill_bot(self) -> bool:
        """End the bot as the kernel does when memory is short; returns whether there was one.

        Discord forgets what was sent a moment ago, as if the bot had been away for minutes.
        """
        bot = self._bot
        if bot is None or self.bot_id is None:
            return False
        bot.signal(signal.SIGKILL)
        await bot.ended()
        await self.discord.forget_nonces()
        return True

    async def end_bot(self) -> int:
        """Ask the bot to end, as an update does; returns its exit code."""
        assert self._bot is not None
        self._ending = True
        self._bot.signal(signal.SIGTERM)
        return await self._bot.ended()

    async def orphans(self, patience: float = 10.0) -> list[str]:
        """What still runs although its bot has ended: command lines, after some patience."""
        strangers: set[int] = set()
        for _ in range(round(patience / _LOOK_SECONDS)):
            strangers = _children(os.getpid()) - self._known
            for process in strangers:
                if not runs(process):
                    with contextlib.suppress(ChildProcessError):
                        os.waitpid(process, os.WNOHANG)  # noqa: ASYNC222
            if not strangers:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        return [_command(process) for process in strangers]

    def open_files(self) -> list[str]:
        """Files in the data directory that the bot and all that belongs to it have open."""
        found = []
        for process in self.processes():
            for handle in (_PROC / str(process) / "fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    path = str(handle.readlink())
                    if path.startswith(str(self.data)):
                        found.append(path.removeprefix(f"{self.data}/"))
        return found

    async def _keep(self) -> None:
        """Have a bot, whatever happens to it."""
        settings = {"http": "127.0.0.1:0", "edit_interval": 0.5, "running_per_guild": 4}
        while not self._ending:
            async with self.discord.bot(self.data, program="tests.chaos.bot", **settings) as bot:
                self.starts += 1
                self._known = self._known | {bot.process.pid}
                self._bot = bot
                code = await bot.process.wait()
            self.log += bot.log
            if code != -signal.SIGKILL and not self._ending:
                self.exits.append(code)
                await asyncio.sleep(_PAUSE_SECONDS)


async def until(condition: Callable[[], object], seconds: float = _LONGEST_START) -> None:
    """Wait until something has become true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - no event tells of other processes
            await asyncio.sleep(_LOOK_SECONDS)


def _children(process: int) -> set[int]:
    found: set[int] = set()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in (_PROC / str(process) / "task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.update(map(int, (thread / "children").read_text().split()))
    return found


def _command(process: int) -> str:
    try:
        return (_PROC / str(process) / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def runs(process: int) -> bool:
    """Whether a process is there and not only waiting to be noticed."""
    try:
        status = (_PROC / str(process) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
