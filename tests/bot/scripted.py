"""An engine whose every word is said by the test; it draws nothing."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Collection

import msgspec

from engine.errors import EngineDied
from engine.images import Picture
from engine.protocol import (
    Cancelled,
    Done,
    Failed,
    JobEvent,
    Progress,
    Ready,
    Snapshot,
    Started,
    Statistics,
)
from engine.settings import Settings, resolve
from tests.bot.helpers import PROVENANCE, png, until


class ScriptedEngine:
    """Starts each job that it is given, and then waits for what the test wants to happen to it.

    Attributes:
        drawn: the jobs in the order in which they were started.
        settings: what each was started with.
        at_work: the jobs that it has now.
        forgotten: the jobs of which it is to keep nothing.
        up: cleared while it is starting and takes no job.
        listens: False while it is busy and leaves a `cancel` unanswered.

    """

    def __init__(self) -> None:
        self.ready = Ready(1, 1, "cpu", "scripted", ("pixelclip",))
        self.up = asyncio.Event()
        self.up.set()
        self.listens = True
        self.drawn: list[int] = []
        self.settings: dict[int, Settings] = {}
        self.pictures: dict[int, dict[str, bytes] | None] = {}
        self.at_work: set[int] = set()
        self.forgotten: list[int] = []
        # A test may say what happens to a job before the dispatcher has handed it over.
        self._words: defaultdict[int, asyncio.Queue[JobEvent | EngineDied]] = defaultdict(
            asyncio.Queue
        )

    async def start(self, unfinished: Collection[str] | None = None) -> None:
        pass

    async def close(self) -> None:
        pass

    async def draw(
        self, job: str, settings: Settings, pictures: dict[str, bytes] | None = None
    ) -> AsyncGenerator[JobEvent]:
        await self.up.wait()
        number = int(job)
        self.at_work.add(number)
        self.drawn.append(number)
        self.settings[number] = settings
        self.pictures[number] = pictures
        try:
            yield Started(job, resolve(settings), PROVENANCE, 0, (8, 8))
            while True:
                word = await self._words[number].get()
                if isinstance(word, EngineDied):
                    raise word
                yield word
                if isinstance(word, Done | Failed | Cancelled):
                    return
        finally:
            self.at_work.discard(number)
            self._words.pop(number, None)

    async def cancel(self, job: str) -> None:
        if int(job) in self.at_work and self.listens:
            self._words[int(job)].put_nowait(Cancelled(job, 0))

    async def forget(self, job: str) -> None:
        self.forgotten.append(int(job))

    async def read_picture(self, data: bytes) -> Picture:
        return Picture(data, (8, 8))

    async def has(self, *jobs: int) -> None:
        """Wait until it has exactly these jobs."""
        await until(lambda: self.at_work == set(jobs))

    def progress(
        self, job: int, iteration: int, picture: bytes | None = None, score: float = 0.3
    ) -> None:
        picture = picture or png()
        self._words[job].put_nowait(Progress(str(job), iteration, 100, 0.5, score, picture))

    def begin_smaller(self, job: int, note: str) -> None:
        """Begin a job again, with half the views, and say why."""
        settings = resolve(msgspec.structs.replace(self.settings[job], num_cuts=6, batches=2))
        started = Started(str(job), settings, PROVENANCE, 0, (8, 8), note)
        self._words[job].put_nowait(started)

    def snapshot(self, job: int, iteration: int) -> None:
        self._words[job].put_nowait(Snapshot(str(job), iteration))

    def finish(
        self,
        job: int,
        picture: bytes | None = None,
        *,
        native: bytes | None = None,
        svg: str | None = None,
        walk: tuple[bytes, ...] = (),
    ) -> None:
        statistics = Statistics(100, 8.0, 0.5, 0.3)
        done = Done(
            str(job), picture or png(), native or png((4, 4)), statistics, svg=svg, walk=walk
        )
        self._words[job].put_nowait(done)

    def fail(self, job: int, sentence: str) -> None:
        self._words[job].put_nowait(Failed(str(job), "settings", sentence))

    def die(self) -> None:
        """End as a killed process would: every job hears of it."""
        for number in self.at_work:
            self._words[number].put_nowait(EngineDied("it was killed"))
