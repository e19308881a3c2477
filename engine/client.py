"""The engine as the bot sees it: start it, draw, cancel, watch it, start it again."""

import asyncio
import contextlib
import itertools
import logging
import os
import sys
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from engine.errors import EngineDied, EngineError
from engine.images import MAX_BYTES as MAX_PICTURE_BYTES
from engine.images import Picture, read_picture
from engine.one_engine import end_former
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
    Told,
    decode_reply,
    encode_frame,
    frame_length,
)
from engine.settings import Settings
from engine.snapshots import keep_snapshots, remove_snapshots

__all__ = ["MAX_PICTURE_BYTES", "Engine", "LocalEngine", "Picture"]

log = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 30.0
# An engine whose client was killed saves its jobs and ends in less.
_FORMER_SECONDS = 4.0
# The silence that is allowed is listened through in so many parts.
_LISTENINGS = 10


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

    async def forget(self, job: str) -> None:
        """Delete what is kept of a job that was put aside, or that the engine died of."""

    async def read_picture(self, data: bytes) -> Picture:
        """Decode a stranger's picture safely; raises `engine.errors.PictureError`."""


@dataclass(frozen=True)
class _Drawing:
    """A `draw` that is under way: which one it is, and what the engine said of it."""

    attempt: int
    events: asyncio.Queue[JobEvent | EngineDied] = field(default_factory=asyncio.Queue)


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
        self._drawings: dict[str, _Drawing] = {}
        self._attempts = itertools.count(1)
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

    async def start(self, unfinished: Collection[str] | None = None) -> None:
        """Begin to start the engine; returns at once.

        Args:
            unfinished: the jobs whose snapshots are still wanted; all of them if None.

        """
        if self._supervisor is None:
            supervising = self._supervise(unfinished)
            self._supervisor = asyncio.create_task(supervising, name="engine supervisor")

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
        if job in self._drawings:
            raise EngineError(f"job {job} is being drawn already")
        drawing = self._drawings[job] = _Drawing(next(self._attempts))
        finished = False
        try:
            await self._send(Draw(job, settings, pictures or {}, attempt=drawing.attempt))
            while not finished:
                event = await drawing.events.get()
                finished = isinstance(event, Done | Failed | Cancelled | EngineDied)
                if isinstance(event, EngineDied):
                    raise event
                yield event
        finally:
            self._drawings.pop(job, None)
            if not finished:
                await self._send(Cancel(job, keep=True))

    async def cancel(self, job: str) -> None:
        """Ask for a job to be stopped; its `draw` then ends with `Cancelled`."""
        if job in self._drawings:
            await self._send(Cancel(job))

    async def forget(self, job: str) -> None:
        """Delete what is kept of a job; see `Engine.forget`."""
        # The engine may be about to put it aside; where it is down, nobody does.
        await self._send(Cancel(job))
        await asyncio.to_thread(remove_snapshots, self._snapshots, job)

    async def read_picture(self, data: bytes) -> Picture:
        """Decode a stranger's picture in a process that can be killed."""
        return await asyncio.to_thread(read_picture, data)

    async def _supervise(self, unfinished: Collection[str] | None) -> None:
        try:
            await asyncio.to_thread(_take_over, self._snapshots, unfinished)
        except OSError:
            # What lies there for nothing does so until the next start.
            log.exception("the snapshots could not be looked through")
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
                reply = await self._hear(process)
                if isinstance(reply, Heartbeat):
                    if reply.stalled > self._stall_timeout:
                        return f"one tick took more than {self._stall_timeout:g} s"
                elif isinstance(reply, Told):
                    self._pass_on(reply)
        except TimeoutError:
            return "it was silent for too long"
        except asyncio.IncompleteReadError:
            return f"it closed its output (exit code {await _exit_code(process)})"
        finally:
            await _end(process)
            await drain
            self._process = None

    def _pass_on(self, told: Told) -> None:
        """Give an event to the `draw` that it belongs to; a late one belongs to none."""
        drawing = self._drawings.get(told.event.job)
        if drawing is not None and drawing.attempt == told.attempt:
            drawing.events.put_nowait(told.event)

    async def _hear(self, process: asyncio.subprocess.Process) -> Reply:
        """The next reply; raises `TimeoutError` when the engine is silent for too long.

        If this process was stopped itself, or the whole machine, there is something to be read, but
        a clock that ran on does not know: so only time that was listened through counts.
        """
        receiving = asyncio.ensure_future(self._receive(process))
        try:
            for _ in range(_LISTENINGS):
                timeout = self._silence_timeout / _LISTENINGS
                done, _ = await asyncio.wait({receiving}, timeout=timeout)
                if done:
                    return receiving.result()
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
        raise TimeoutError

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
        for drawing in self._drawings.values():
            drawing.events.put_nowait(EngineDied(reason))


def _take_over(snapshots: Path, unfinished: Collection[str] | None) -> None:
    """Have the folder of the snapshots to ourselves, with nothing in it that nobody wants."""
    killed = end_former(snapshots, _FORMER_SECONDS)
    if killed is not None:
        log.warning("a former engine, process %d, did not end by itself and was killed", killed)
    if unfinished is not None:
        keep_snapshots(snapshots, unfinished)


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


# Of all that begins with the project's name, this is the engine's own business.
_FOR_ENGINE = frozenset({"PIXEL_MODELS", "PIXEL_CUDA_GRAPHS"})


def _clean_environment() -> dict[str, str]:
    """This process's environment without the bot's own settings, above all its token."""
    return {
        name: value
        for name, value in os.environ.items()
        if name in _FOR_ENGINE or not name.upper().startswith(("PIXEL_", "DISCORD_"))
    }
