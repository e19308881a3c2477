"""A studio in virtual time: the real queue on a real database, and easels that only take time."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from bot.folder import database_path, upgrade
from bot.jobs import Job
from bot.store import Caps, Store
from tests.bot.helpers import Clock


@contextlib.asynccontextmanager
async def opened(path: Path, clock: Clock) -> AsyncIterator[Store]:
    """A store that does not wait for the disk; no power is cut here."""
    async with Store.open(path, clock) as store:
        await store._writer.execute("PRAGMA synchronous = OFF")
        yield store


def empty_database(folder: Path) -> Path:
    """A database of the present version, made once in a folder that tests share."""
    folder.mkdir(exist_ok=True)
    upgrade(folder)
    return database_path(folder)


def copied(database: Path, folder: Path) -> Path:
    """A database of one's own, like another one."""
    return Path(shutil.copy(database, folder))


class Studio:
    """Hands out what the store says is next, and finishes each picture in its time.

    Args:
        easels: how many pictures are drawn at the same time.
        caps: how many of them of one person and one server.
        seconds: how long a job takes.

    Attributes:
        started: the jobs in the order in which they were handed out first.
        waited: how long each waited for that, in seconds.

    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        easels: int,
        caps: Caps,
        seconds: Callable[[Job], float] = lambda _: 10.0,
    ) -> None:
        self.store = store
        self.clock = clock
        self.easels = easels
        self.caps = caps
        self.seconds = seconds
        self.busy: dict[int, tuple[float, Job]] = {}
        self.started: list[int] = []
        self.waited: dict[int, float] = {}

    async def fill(self) -> None:
        """Put whoever comes next on the free easels."""
        while len(self.busy) < self.easels:
            job = await self.store.claim(self.caps)
            if job is None:
                return
            self.busy[job.id] = (self.clock.now + self.seconds(job), job)
            if job.attempt == 1:
                self.started.append(job.id)
                self.waited[job.id] = self.clock.now - job.asked_at

    async def next_end(self) -> Job:
        """Let time pass until a picture is finished; its easel is free then."""
        at, job = min(self.busy.values(), key=lambda one: (one[0], one[1].id))
        self.clock.now = max(self.clock.now, at)
        del self.busy[job.id]
        assert await self.store.finish(job, picture="p", native="n", drawing_seconds=1)
        return job

    async def until(self, moment: float) -> None:
        """Draw until a moment."""
        await self.fill()
        while self.busy and min(at for at, _ in self.busy.values()) <= moment:
            await self.next_end()
            await self.fill()
        self.clock.now = moment

    async def drain(self, *jobs: int) -> None:
        """Draw until these jobs have been handed out, or everything is finished."""
        await self.fill()
        while self.busy and not (jobs and self.waited.keys() >= set(jobs)):
            await self.next_end()
            await self.fill()
