"""The queue at work: who is next goes to the engine, and what comes back is kept."""

import asyncio
import contextlib
import logging
import math
import sqlite3
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from bot import metrics
from bot.estimate import work_of_job
from bot.jobs import Frame, Job, State
from bot.logs import about_job
from bot.pace import Pace
from bot.pictures import Pictures
from bot.store import Caps, Store
from bot.workshop.client import Workshop
from bot.workshop.orders import Walk
from engine.client import Engine
from engine.errors import EngineDied
from engine.protocol import Cancelled, Done, Failed, JobEvent, Progress, Snapshot, Started
from engine.settings import picture_names

log = logging.getLogger(__name__)

# So many waiting jobs are told that the queue has moved; those further back wait too long to care.
TOLD_OF_MOVES = 20
_PAUSE_AFTER_ERROR = 1.0
_LONGEST_PAUSE = 30.0

_POISON = (
    "Drawing this picture ended the engine twice at the same place, so it was given up; "
    "other settings or another prompt may work."
)
_BROKEN = "Something went wrong while this picture was drawn; the cause is in the bot's log."
_NO_INIT_IMAGE = "The picture to start from is not there any more; give it again."

_T = TypeVar("_T")


@dataclass
class _Drawing:
    """A job that is on the engine; `alone` as long as no other one has been there beside it.

    `seen` is the step that it was seen at last, and when, by the monotonic clock; `paced` is until
    when the engine's pace was told of it.
    """

    job: Job
    alone: bool
    task: asyncio.Task[None] | None = None
    seen: tuple[int, float] | None = None
    paced: float = field(default_factory=time.monotonic)

    def reach(self, iteration: int, pace: Pace) -> float | None:
        """It came to a step; returns how long one took since it was seen last, in seconds."""
        now = time.monotonic()
        before, since = self.seen or (iteration, now)
        steps = iteration - before
        # With its first steps counts how it began.
        pace.add(work_of_job(self.job), steps, self.paced, now)
        if steps > 0:
            self.paced = now
        self.seen = (iteration, now)
        return (now - since) / steps if steps > 0 else None


class Dispatcher:
    """Hands jobs to the engine, several at a time, and takes back what it makes.

    Args:
        easels: how many jobs may be on the engine, at present.
        caps: how many of them may belong to one person or one server.
        frames: where the newest look of each job that is being drawn is kept.
        pace: told how quickly the engine works.
        on_change: called with a job that has something new to show, and whether that is urgent
            (its state changed) or can wait for the next edit (progress).
        hands_out: whether waiting jobs may be given to the engine now; `wake` when that changes.

    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        pictures: Pictures,
        workshop: Workshop,
        *,
        easels: Callable[[], int],
        caps: Caps,
        frames: MutableMapping[int, Frame],
        pace: Pace,
        on_change: Callable[[Job, bool], None],
        hands_out: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._engine = engine
        self._pictures = pictures
        self._workshop = workshop
        self._easels = easels
        self._caps = caps
        self._frames = frames
        self._pace = pace
        self._on_change = on_change
        self._hands_out = hands_out
        self._drawings: dict[int, _Drawing] = {}
        self._news = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take up what a former process left, and begin to hand out jobs."""
        recovered = await self._store.recover()
        if recovered:
            log.info("%d jobs that were being drawn go on", recovered)
        # What their messages say may be older than this process.
        await self.tell_waiting()
        self._loop = asyncio.create_task(self._hand_out(), name="dispatcher")

    async def close(self) -> None:
        """Stop; rows of running jobs stay as they are, and the engine puts the jobs aside."""
        tasks = [drawing.task for drawing in self._drawings.values() if drawing.task is not None]
        if self._loop is not None:
            tasks.append(self._loop)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def wake(self) -> None:
        """Look into the queue: something was added, or an easel is free."""
        self._news.set()

    async def tell_waiting(self, limit: int = TOLD_OF_MOVES) -> None:
        """Have the messages of the next waiting jobs brought up to date."""
        for job in await self._store.waiting(limit):
            self._on_change(job, False)

    async def cancel(self, job_id: int) -> bool:
        """Cancel a job, waiting or running; returns whether there was anything to cancel.

        A running one is cancelled when the engine has let go of it; until then its row says that
        this is wanted.
        """
        job = await self._store.get(job_id)
        while job is not None and not job.state.final:
            if job.state is State.RUNNING and await self._store.want_cancelled(job):
                self._on_change(job, True)
                await self._engine.cancel(str(job_id))
                return True
            if job.state is State.QUEUED and await self._cancel(job):
                if job.attempt:
                    await self._engine.forget(str(job_id))
                self._on_change(job, True)
                self._news.set()
                return True
            # It was handed out or finished in between.
            job = await self._store.get(job_id)
        return False

    async def settled(self, job_id: int) -> None:
        """Wait until nothing more comes back of a job that is cancelled."""
        drawing = self._drawings.get(job_id)
        if drawing is not None and drawing.task is not None:
            await asyncio.wait({drawing.task})

    async def _hand_out(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._fill_easels()
            except Exception:
                log.exception("the queue could not be read")
                await asyncio.sleep(_PAUSE_AFTER_ERROR)
            else:
                await self._news.wait()

    async def _fill_easels(self) -> None:
        moved = False
        while len(self._drawings) < self._easels() and self._hands_out():
            job = await self._store.claim(self._caps)
            if job is None:
                break
            for other in self._drawings.values():
                other.alone = False
            # A suspect is handed out when nothing runs: whoever is here still is about to leave.
            drawing = _Drawing(job, alone=job.suspect or not self._drawings)
            self._drawings[job.id] = drawing
            if job.attempt == 1 and job.started_at is not None:
                metrics.WAIT_SECONDS.observe(job.started_at - job.asked_at)
            with about_job(job.id):
                drawing.task = asyncio.create_task(self._draw(drawing), name=f"job {job.id}")
            # Not a `finally` in the task: one that is cancelled before its first step has none.
            drawing.task.add_done_callback(partial(self._leave, job))
            self._on_change(job, True)
            moved = True
        if moved:
            await self.tell_waiting()

    async def _draw(self, drawing: _Drawing) -> None:
        """Draw one job to its end; if this task is cancelled first, its row is left running."""
        job = drawing.job
        log.info("attempt %d is handed to the engine", job.attempt)
        try:
            await self._follow(drawing)
        except EngineDied as error:
            log.warning("the engine died: %s (alone: %s)", error, drawing.alone)
            metrics.ERRORS.labels("engine").inc()
            # As it was then: others may come while this cannot be kept.
            await self._kept(partial(self._suspect, job, alone=drawing.alone))
        except Exception:
            log.exception("it could not be drawn")
            await self._kept(partial(self._fail, job, "internal", _BROKEN))

    def _leave(self, job: Job, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            with about_job(job.id):
                log.error("it is left running until the next start", exc_info=error)
        del self._drawings[job.id]
        self._frames.pop(job.id, None)
        self._on_change(job, True)
        self._news.set()

    async def _follow(self, drawing: _Drawing) -> None:
        job = drawing.job
        pictures: dict[str, bytes] = {}
        for name in picture_names(job.settings):
            picture = await self._pictures.read_init(name)
            if picture is None:
                await self._fail(job, "settings", _NO_INIT_IMAGE)
                return
            pictures[name] = picture
        draw = self._engine.draw(str(job.id), job.settings, pictures)
        async with contextlib.aclosing(draw) as events:
            async for event in events:
                if not await self._kept(partial(self._keep, drawing, event)):
                    # Cancelled before the engine had it, so that `cancel` did not reach it there.
                    await self._engine.cancel(str(job.id))

    async def _keep(self, drawing: _Drawing, event: JobEvent) -> bool:
        """Keep what the engine said; returns whether the job still is to be drawn."""
        job = drawing.job
        match event:
            case Started(settings=resolved, provenance=provenance, iteration=iteration, note=note):
                drawing.seen = None
                drawing.reach(iteration, self._pace)
                if note is not None:
                    log.warning("%s", note)
                return await self._store.record_start(job, resolved, provenance, iteration, note)
            case Progress(iteration=iteration, png=png):
                self._frames[job.id] = Frame(
                    iteration,
                    event.iterations,
                    png,
                    _known(event.score),
                    drawing.reach(iteration, self._pace),
                )
                self._on_change(job, False)
                await self._save_frame(job, iteration, png)
                return True
            case Snapshot(iteration=iteration):
                return await self._store.record_snapshot(job, iteration)
            case Done(png=png, native_png=native_png, statistics=statistics, svg=svg, walk=walk):
                drawing.reach(statistics.iterations, self._pace)
                picture, native = await self._pictures.save_final(job.id, png, native_png, svg)
                if walk:
                    await self._save_walk(job, walk)
                finished = await self._store.finish(
                    job,
                    picture=picture,
                    native=native,
                    drawing_seconds=statistics.seconds,
                    score=_known(statistics.score),
                )
                if not finished:
                    # Cancelled, but the engine was quicker; or of an older attempt, and then what
                    # is on the disk belongs to a later one.
                    cancelled = await self._cancel(job)
                    if cancelled:
                        await self._pictures.remove(job.id)
                    return cancelled
                log.info("it is drawn, in %.1f s", statistics.seconds)
                metrics.FINISHED.labels("done").inc()
                metrics.DRAW_SECONDS.observe(statistics.seconds)
                return finished
            case Failed(code=code, sentence=sentence):
                log.warning("it failed (%s): %s", code, sentence)
                return await self._fail(job, code, sentence)
            case Cancelled():
                return await self._cancel(job)

    async def _kept(self, keep: Callable[[], Awaitable[_T]]) -> _T:
        """Keep something, and if the disk is full or the database locked, as soon as it is not.

        Until then the job has its easel, so that no more is begun than can be kept.
        """
        pause = _PAUSE_AFTER_ERROR
        while True:
            try:
                return await keep()
            except (sqlite3.OperationalError, OSError) as error:
                metrics.ERRORS.labels("storage").inc()
                log.warning("it cannot be kept now, next try in %g s: %s", pause, error)
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)

    async def _suspect(self, job: Job, *, alone: bool) -> None:
        """Put a job that the engine died with back into the queue, if that may be tried again."""
        await self._store.requeue_suspect(job, alone=alone, sentence=_POISON)
        row = await self._store.get(job.id)
        if row is None or row.state.final:
            # Given up, or cancelled in the meantime.
            await self._engine.forget(str(job.id))

    async def _cancel(self, job: Job) -> bool:
        cancelled = await self._store.cancel(job)
        if cancelled:
            metrics.FINISHED.labels("cancelled").inc()
        return cancelled

    async def _fail(self, job: Job, kind: str, sentence: str) -> bool:
        failed = await self._store.fail(job, sentence)
        if failed:
            metrics.FINISHED.labels("failed").inc()
            metrics.ERRORS.labels(kind).inc()
            await self._engine.forget(str(job.id))
        return failed

    async def _save_walk(self, job: Job, frames: Sequence[bytes]) -> None:
        gif = await self._workshop.make(Walk(tuple(frames)))
        if gif is None:
            return
        try:
            await self._pictures.save_walk(job.id, gif)
        except OSError:
            log.exception("the way to its partner could not be kept")

    async def _save_frame(self, job: Job, iteration: int, png: bytes) -> None:
        try:
            await self._pictures.save_frame(job.id, iteration, png)
        except OSError:
            # The time-lapse will lack a frame; the picture is drawn all the same.
            log.exception("a frame could not be kept")


def _known(score: float) -> float | None:
    """A score, or None for that of a picture without prompts, which is not a number."""
    return score if math.isfinite(score) else None
