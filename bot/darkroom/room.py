"""The darkroom: a process for each thing that is made, which can be killed; few at a time."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bot.darkroom.tasks import Task, Walk
from bot.errors import Refusal

log = logging.getLogger(__name__)

# The bot's engine wants the processors too, and nobody waits for ever.
_AT_ONCE = 2
_WALL_SECONDS = 45.0
# Of a longer drawing so many frames are shown, evenly taken.
_MOST_FRAMES = 96

# What a process needs to start, and nothing else that this one knows; numpy needs no threads.
_PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}


class DarkroomError(Refusal):
    """Something could not be made; the message is for whoever wanted it."""

    def __init__(self) -> None:
        super().__init__("That could not be made of this picture; the cause is in the bot's log.")


class Darkroom:
    """Makes what a task asks for, in a process of its own."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def make(self, task: Task) -> bytes:
        """The bytes of a file.

        Raises:
            DarkroomError: when it could not be made, or took too long.

        """
        async with self._places:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot.darkroom.worker"),
                env=_ENVIRONMENT
                | {name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                async with asyncio.timeout(_WALL_SECONDS):
                    output, complaint = await process.communicate(msgspec.msgpack.encode(task))
            except TimeoutError:
                output, complaint = b"", b"it took too long"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0 or not output:
            said = complaint.decode(errors="replace").strip()
            log.warning("a %s could not be made: %s", type(task).__name__, said)
            raise DarkroomError
        return output

    async def walk(self, frames: Sequence[bytes]) -> bytes:
        """The way from one picture to another as a GIF; raises `DarkroomError`."""
        return await self.make(Walk(tuple(frames)))


def evenly(frames: Sequence[Path], at_most: int = _MOST_FRAMES) -> tuple[str, ...]:
    """The paths of so many frames, with the first and the last."""
    if len(frames) > at_most:
        last = at_most - 1
        frames = [frames[round(i * (len(frames) - 1) / last)] for i in range(at_most)]
    return tuple(map(str, frames))
