"""Where a job stands in the queue, and about when it is drawn."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.estimate import Costs, Newcomers, Sample, Work, seconds_until_drawn, work_of_job
from bot.jobs import Frame, Job
from bot.pace import Pace
from bot.store import Asked, Caps, Store, Turn

# So much of the queue is played through; whoever comes later waits as long as the last of these,
# and longer in proportion.
_PLAYED = 100
# So many of the newest jobs show what people ask for, and how often.
_LATEST = 10
# Many messages are told of one move of the queue.
_FRESH_SECONDS = 1.0


@dataclass(frozen=True)
class Place:
    """Where a waiting job stands: how many are before it, and about how long until it is drawn."""

    before: int
    seconds: float


class Places:
    """Tells every waiting job its place.

    Args:
        easels: how many jobs may be on the engine, at present.
        caps: how many of them may belong to one person or one server.
        frames: how far those are that are being drawn.
        pace: how quickly they are drawn at present.
        clock: seconds since 1970, as in the store.

    """

    def __init__(
        self,
        store: Store,
        *,
        easels: Callable[[], int],
        caps: Caps,
        frames: Mapping[int, Frame],
        pace: Pace,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._easels = easels
        self._caps = caps
        self._frames = frames
        self._pace = pace
        self._clock = clock
        self._costs = Costs([])
        self._learned_until: float | None = None
        self._played_at = 0.0
        self._seconds: dict[int, float] = {}
        self._works: dict[int, Work] = {}

    async def of(self, job: Job) -> Place | None:
        """Where a job stands, or None when it is not waiting (any more)."""
        before = await self._store.count_before(job)
        if before is None:
            return None
        age = self._clock() - self._played_at
        is_new = job.id not in self._seconds and before < _PLAYED
        if is_new or not 0 <= age < _FRESH_SECONDS:
            await self._play()
            age = 0.0
        if job.id in self._seconds:
            return Place(before, max(0.0, self._seconds[job.id] - age))
        longest = max(self._seconds.values(), default=0.0)
        return Place(before, longest * (before + 1) / max(1, len(self._seconds)))

    async def _play(self) -> None:
        await self._learn()
        jobs = await self._store.running()
        turns = await self._store.turns(_PLAYED)
        latest = await self._store.latest(_LATEST)
        await self._get_to_know([*turns, *latest])
        # Some may be gone by now.
        turns = [turn for turn in turns if turn.job_id in self._works]
        running = [self._rest(job) for job in jobs]
        slower = self._pace.slowness(self._costs)
        seconds = seconds_until_drawn(
            running,
            [self._waiting(turn) for turn in turns],
            self._costs,
            easels=self._easels(),
            caps=self._caps,
            own_caps=await self._store.own_caps(self._caps),
            newcomers=self._newcomers(latest, slower),
        )
        self._played_at = self._clock()
        self._seconds = {
            turn.job_id: slower * left for turn, left in zip(turns, seconds, strict=True)
        }

    async def _get_to_know(self, asked: Sequence[Turn | Asked]) -> None:
        """Have the works of these jobs at hand, and of no others: settings take time to read."""
        ids = [one.job_id for one in asked]
        unknown = [job_id for job_id in ids if job_id not in self._works]
        if unknown:
            jobs = await self._store.several(unknown)
            self._works |= {job.id: work_of_job(job) for job in jobs}
        self._works = {job_id: self._works[job_id] for job_id in ids if job_id in self._works}

    def _waiting(self, turn: Turn) -> Work:
        work = self._works[turn.job_id]
        return replace(work, lane=turn.lane, round=turn.round, yields=turn.yields)

    async def _learn(self) -> None:
        newest = await self._store.newest_end()
        if newest == self._learned_until:
            return
        drawn = await self._store.drawn()
        self._costs = Costs([Sample(work_of_job(one.job), one.began, one.ended) for one in drawn])
        self._learned_until = newest

    def _newcomers(self, latest: Sequence[Asked], slower: float) -> Newcomers | None:
        """What was asked for lately will be asked for again, as often."""
        works = [self._works[one.job_id] for one in reversed(latest) if one.job_id in self._works]
        if len(works) < _LATEST:
            return None
        # In the time of those that play, which `slower` makes that of the clock.
        gap = (self._clock() - latest[-1].asked_at) / len(latest) / slower
        return Newcomers(works, gap) if gap > 0 else None

    def _rest(self, job: Job) -> Work:
        """What is left of a picture that is being drawn."""
        work = work_of_job(job)
        frame = self._frames.get(job.id)
        taken = float(job.snapshot if frame is None else max(frame.iteration, job.snapshot))
        return replace(work, steps=work.steps - taken)
