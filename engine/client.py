"""The engine as the bot sees it: start it, draw, cancel, watch it, start it again."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Protocol

from engine.errors import EngineDied, EngineError
from engine.images import MAX_BYTES as MAX_PICTURE_BYTES
from engine.images import Picture, read_picture
from engine.protocol import (
    HEADER_BYTES,
    PROTOCOL_VERSION,
    Cancel,
    Cancelled,
    Done,
    Draw,
    Failed,
    Heartbeat,
    Hello,
    JobEvent,
    ProtocolError,
    Ready,
    Reply,
    Request,
    decode_reply,
    encode_frame,
    frame_length,
)
from engine.settings import Settings

__all__ = ["MAX_PICTURE_BYTES", "Engine", "LocalEngine", "Picture"]

log = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0


class Engine(Protocol):
    """Something that draws. Nothing above it may assume that it shares a disk or a clock."""

    @property
    def ready(self) -> Ready | None:
        """What the engine said of itself, or None while it is starting."""

    async def start(self) -> None:
        """Begin to start the engine; returns at once."""

    async def close(self) -> None:
        """End the engine and everything that waits for it."""

    def draw(
        self, job: str, settings: Settings, pictures: dict[str, bytes] | None = None
    ) -> AsyncGenerator[JobEvent]:
        """Draw one job, from its last snapshot if there is one; waits until the engine is up.

        The last event is `Done`, `Failed` or `Cancelled`. Closing the generator before that puts
        the job aside: drawn again under the same name, it goes on from where it was.

        Raises:
            EngineDied: when the engine ended or froze while it had the job.

        """

    async def cancel(self, job: str) -> None:
        """Ask for a job to be stopped; its `draw` then ends with `Cancelled`."""

    async def read_picture(self, data: bytes) -> Picture:
        """Decode a stranger's picture safely; raises `engine.errors.PictureError`."""


class LocalEngine:
    """The engine as a child process on this machine, restarted with growing pauses when it dies.

    Args:
        snapshots: folder for the snapshots of running jobs; made if it is missing.
        command: what to run instead of ``python -m engine`` (tests use it).
        start_timeout: seconds from the start of the process to its `Ready`.
        silence_timeout: seconds without a message after which the process is killed.
        stall_timeout: seconds that one tick may take before the process is killed.
        on_restart: called each time that the engine has ended and is about to be started again.

    """

    def __init__(
        self,
        snapshots: Path,
        *,
        command: Sequence[str] | None = None,
        start_timeout: float = 180.0,
        silence_timeout: float = 20.0,
        stall_timeout: float = 300.0,
        on_restart: Callable[[], None] = lambda: None,
    ) -> None:
        self._command = [
            *(command or (sys.executable, "-m", "engine")),
            "--snapshots",
            str(snapshots),
        ]
        self._snapshots = snapshots
        self._start_timeout = start_timeout
        self._silence_timeout = silence_timeout
        self._stall_timeout = stall_timeout
        self._on_restart = on_restart
        self._jobs: dict[str, asyncio.Queue[JobEvent | EngineDied]] = {}
        self._up = asyncio.Event()
        self._ready: Ready | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def ready(self) -> Ready | None:
        """What the engine said of itself, or None while it is starting."""
        return self._ready

    @property
    def process_id(self) -> int | None:
        """The engine's process id while it runs."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Begin to start the engine; returns at once."""
        if self._supervisor is None:
            self._snapshots.mkdir(parents=True, exist_ok=True)
            self._supervisor = asyncio.create_task(self._supervise(), name="engine supervisor")

    async def close(self) -> None:
        """End the engine process and every `draw` that waits for it."""
        self._closed = True
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        self._fail_jobs("the engine was closed")
        self._up.set()

    async def draw(
        self, job: str, settings: Settings, pictures: dict[str, bytes] | None = None
    ) -> AsyncGenerator[JobEvent]:
        """Draw one job; see `Engine.draw`."""
        # Once is not enough: the engine may die again between the event and this task's turn.
        while not self._up.is_set():
            await self._up.wait()
        if self._closed:
            raise EngineDied("the engine is closed")
        if job in self._jobs:
            raise EngineError(f"job {job} is being drawn already")
        events: asyncio.Queue[JobEvent | EngineDied] = asyncio.Queue()
        self._jobs[job] = events
        finished = False
        try:
            await self._send(Draw(job, settings, pictures or {}))
            while not finished:
                event = await events.get()
                finished = isinstance(event, Done | Failed | Cancelled | EngineDied)
                if isinstance(event, EngineDied):
                    raise event
                yield event
        finally:
            self._jobs.pop(job, None)
            if not finished:
                await self._send(Cancel(job, keep=True))

    async def cancel(self, job: str) -> None:
        """Ask for a job to be stopped; its `draw` then ends with `Cancelled`."""
        if job in self._jobs:
            await self._send(Cancel(job))

    async def read_picture(self, data: bytes) -> Picture:
        """Decode a stranger's picture in a process that can be killed."""
        return await asyncio.to_thread(read_picture, data)

    async def _supervise(self) -> None:
        pause = FIRST_BACKOFF_SECONDS
        while True:
            reason = "it could not be started"
            try:
                reason = await self._run_once()
            except (OSError, ProtocolError, TimeoutError, EOFError) as error:
                reason = str(error) or type(error).__name__
            if self._ready is not None:
                pause = FIRST_BACKOFF_SECONDS
            self._ready = None
            self._up.clear()
            log.error("the engine ended: %s; starting it again in %.1f s", reason, pause)
            self._fail_jobs(reason)
            self._on_restart()
            await asyncio.sleep(pause)
            pause = min(LONGEST_BACKOFF_SECONDS, 2 * pause)

    async def _run_once(self) -> str:
        """Run the process until it ends; returns why."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_clean_environment(),
            # Ctrl-C in the bot's terminal must not end the engine before the bot has closed it.
            start_new_session=True,
        )
        self._process = process
        drain = asyncio.create_task(_drain(process), name="engine stderr")
        try:
            await self._send(Hello(PROTOCOL_VERSION))
            async with asyncio.timeout(self._start_timeout):
                ready = await self._receive(process)
                while isinstance(ready, Heartbeat):
                    ready = await self._receive(process)
            if not isinstance(ready, Ready) or ready.version != PROTOCOL_VERSION:
                raise ProtocolError(
                    f"the engine does not speak version {PROTOCOL_VERSION}: {ready}"
                )
            log.info("the engine is ready on %s (%s)", ready.device, ready.device_name)
            self._ready = ready
            self._up.set()
            while True:
                async with asyncio.timeout(self._silence_timeout):
                    reply = await self._receive(process)
                if isinstance(reply, Heartbeat):
                    if reply.stalled > self._stall_timeout:
                        return f"one tick took more than {self._stall_timeout:g} s"
                elif not isinstance(reply, Ready) and reply.job in self._jobs:
                    self._jobs[reply.job].put_nowait(reply)
        except TimeoutError:
            return "it was silent for too long"
        except asyncio.IncompleteReadError:
            return f"it closed its output (exit code {await _exit_code(process)})"
        finally:
            await _end(process)
            await drain
            self._process = None

    async def _receive(self, process: asyncio.subprocess.Process) -> Reply:
        assert process.stdout is not None
        length = frame_length(await process.stdout.readexactly(HEADER_BYTES))
        return decode_reply(await process.stdout.readexactly(length))

    async def _send(self, request: Request) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            return
        process.stdin.write(encode_frame(request))
        # A dead engine is noticed, and told to every job, where its output is read.
        with contextlib.suppress(ConnectionError):
            await process.stdin.drain()

    def _fail_jobs(self, reason: str) -> None:
        for events in self._jobs.values():
            events.put_nowait(EngineDied(reason))


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Copy the process's stderr to the log, so that it never blocks on a full pipe."""
    assert process.stderr is not None
    while chunk := await process.stderr.read(65536):
        for line in chunk.decode(errors="replace").splitlines():
            log.warning("engine: %s", line)


async def _exit_code(process: asyncio.subprocess.Process) -> int | None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2.0):
            await process.wait()
    return process.returncode


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close the process's stdin, which ends it; kill it if that takes longer than two seconds."""
    if process.stdin is not None:
        process.stdin.close()
    if await _exit_code(process) is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _clean_environment() -> dict[str, str]:
    """This process's environment without the bot's own settings, above all its token.

    Where the weights lie is the engine's business, and stays.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name == "PIXEL_MODELS" or not name.upper().startswith(("PIXEL_", "DISCORD_"))
    }
