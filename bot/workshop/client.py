"""The workshop as the bot sees it: an order in, bytes out, a process for each, few at a time."""

import asyncio
import contextlib
import logging
import os
import sys

import msgspec

from bot.workshop.orders import Order

log = logging.getLogger(__name__)

# The bot's engine wants the processors too, and nobody waits for ever.
_AT_ONCE = 2
_WALL_SECONDS = 45.0

# What a process needs to start, and nothing else that this one knows; numpy needs no threads.
_PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}


class Workshop:
    """Has things made; who is cancelled while they wait leaves no process behind."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def make(self, order: Order) -> bytes | None:
        """What was ordered, or None when it cannot be made; the log says why."""
        async with self._places:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot.workshop"),
                env=_ENVIRONMENT
                | {name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                async with asyncio.timeout(_WALL_SECONDS):
                    output, complaint = await process.communicate(msgspec.msgpack.encode(order))
            except TimeoutError:
                output, complaint = b"", b"it took too long"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0 or not output:
            what = type(order).__name__.lower()
            log.warning("no %s was made: %s", what, complaint.decode().strip())
            return None
        return output
