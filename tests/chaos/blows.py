"""What is done to the bot."""

import asyncio
import contextlib
import os
import re
import signal
from collections import Counter

from tests.chaos.disk import Disk
from tests.chaos.plan import Blow
from tests.chaos.records import Records
from tests.chaos.stage import Stage, runs, until
from tests.discord_server.world import Payload

_LONGEST_WAIT, _SOON = 30.0, 4.0
# Six seconds of silence, two until it is killed, and some for a busy machine.
_LONGEST_FREEZE = 40.0

_MESSAGES, _MESSAGE = r"/channels/\d+/messages$", r"/channels/\d+/messages/\d+$"


class Blows:
    """Does what is planned, and counts it.

    Attributes:
        struck: how many of each kind took place.
        missed: frozen engines that nobody ended.

    """

    def __init__(self, stage: Stage, records: Records, disk: Disk) -> None:
        self._stage = stage
        self._records = records
        self._disk = disk
        self.struck: Counter[str] = Counter()
        self.missed = 0

    async def make_discord_unreliable(self) -> None:
        """From now on a part of the bot's requests fails, in each of the ways that are known."""
        fault = self._stage.discord.fault
        messages = rf"{_MESSAGES}|{_MESSAGE}"
        await fault("error", path=messages, status=413, code=40005, uploads=True, **_share(0.12))
        await fault("rate_limit", path=messages, retry_after=0.2, **_share(0.05))
        await fault("error", path=messages, status=500, **_share(0.03))
        await fault("error", path=messages, status=502, carried_out=True, **_share(0.03))
        await fault("reset", path=messages, **_share(0.03))
        await fault("reset", path=messages, carried_out=True, **_share(0.03))
        await fault("slow", path=messages, seconds=0.3, **_share(0.03))
        await fault(
            "slow", method="POST", path=_MESSAGES, seconds=1.0, carried_out=True, **_share(0.5)
        )
        await fault("error", path="/interactions/", status=500, **_share(0.02))
        await fault("reset", path="/interactions/", carried_out=True, **_share(0.02))

    async def make_discord_reliable(self) -> dict[str, int]:
        """From now on all goes well; returns how often each thing went wrong."""
        hits: Counter[str] = Counter()
        for fault in await self._stage.discord.state("faults"):
            kind = f"{fault['status']}" if fault["kind"] == "error" else fault["kind"]
            hits[{"rate_limit": "429"}.get(kind, kind)] += fault["hits"]
        await self._stage.discord.no_faults()
        return dict(hits)

    async def wait_for(self, blow: Blow) -> None:
        """Wait until enough has been drawn and the bot is well, if the blow is to."""
        if blow.ended is not None:
            enough = blow.ended
            with contextlib.suppress(TimeoutError):
                await until(lambda: self._records.ended() >= enough, _LONGEST_WAIT)
                await self._stage.well()

    async def strike(self, blow: Blow) -> None:
        """Do it, if it is to at work as soon as something is being drawn."""
        if blow.ended is not None:
            with contextlib.suppress(TimeoutError):
                await until(self._records.running, _SOON)
        await asyncio.sleep(blow.pause)
        match blow.kind:
            case "kill engine":
                process = await self._engine()
                os.kill(process, signal.SIGKILL)
            case "kill bot":
                await until(lambda: self._stage.bot_id is not None)
                if blow.while_sending:
                    await self._sending()
                await self._stage.kill_bot()
            case "freeze engine":
                # One that is starting has more time to say something.
                await self._stage.well()
                await self._freeze(await self._engine())
            case "freeze engine and kill bot":
                await self._stage.well()
                await self._freeze(await self._engine(), kill_bot=True)
            case "fill disk":
                with self._records.held_open():
                    self._disk.fill(self._stage.processes())
                    try:
                        await asyncio.sleep(blow.seconds)
                    finally:
                        self._disk.free(self._stage.processes())
            case "lock database":
                with self._records.locked():
                    await asyncio.sleep(blow.seconds)
        self.struck[blow.kind] += 1

    async def _sending(self) -> None:
        """Wait until a new message is on its way, in which the bot's death does most harm."""
        seen = len(await self._stage.discord.requests())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SOON):
                while True:
                    if any(map(_is_under_way, await self._stage.discord.requests(seen))):
                        return
                    await asyncio.sleep(0.05)

    async def _engine(self) -> int:
        await until(lambda: self._stage.engine_id is not None)
        process = self._stage.engine_id
        return process if process is not None else await self._engine()

    async def _freeze(self, process: int, *, kill_bot: bool = False) -> None:
        """Freeze an engine until somebody ends it: its bot, or the next one."""
        os.kill(process, signal.SIGSTOP)
        if kill_bot:
            await self._stage.kill_bot()
        try:
            await until(lambda: not runs(process), _LONGEST_FREEZE)
        except TimeoutError:
            self.missed += 1
            os.kill(process, signal.SIGKILL)


def _is_under_way(request: Payload) -> bool:
    sends = request["method"] == "POST" and re.search(_MESSAGES, request["path"]) is not None
    return sends and request["status"] == 0


def _share(share: float) -> dict[str, object]:
    return {"share": share, "times": None}
