"""How long a picture takes: learned from those that are finished, told for those that wait.

All easels take their steps together, so a step lasts as long as the costs of all that are on them,
added up. From finished pictures, and from who was beside them, follows what a step of each kind
costs; with that the queue is played through.
"""

import bisect
import itertools
import math
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from bot.jobs import Job
from bot.store.queue import Caps
from engine.errors import SettingsError
from engine.settings import Settings, resolve, split_weight

# From the coarsest on: a kind without finished pictures is taken for the next coarser one.
Kind = tuple[object, ...]

# Of the small judge on two processor cores, before anything was drawn.
_SECONDS_A_VIEW = 0.002
_ROUNDS = 3
# More than that would be guessing too far ahead.
_MOST_NEWCOMERS = 200
# Steps that are less than this are an error of rounding.
_NOTHING = 1e-6
# A picture's shape decides its size alone; of a picture to start from it is not known here.
_ANY_SHAPE = (1, 1)


@dataclass(frozen=True)
class Work:
    """What is still to be done for a picture.

    Attributes:
        kind: what is alike in its cost: drawer, perceptors, quality, and how large it is.
        steps: how many are left.
        views: how many are judged in a step.
        user_id, guild_id: whose it is, for the caps.
        lane, round, yields: its place in the queue, before those of higher numbers.

    """

    kind: Kind
    steps: float
    views: float
    user_id: int
    guild_id: int
    lane: int = 1
    round: int = 0
    yields: int = 0

    @property
    def turn(self) -> tuple[int, int, int]:
        """What the queue is ordered by, before the jobs' numbers."""
        return self.lane, self.round, self.yields


@dataclass(frozen=True)
class Sample:
    """A finished picture: all of its work, and from when to when it was done, in seconds."""

    work: Work
    began: float
    ended: float


@dataclass(frozen=True)
class Newcomers:
    """What people will go on to ask for: these in turn, one every `gap` seconds."""

    works: Sequence[Work]
    gap: float


def work_of(settings: Settings, user_id: int, guild_id: int) -> Work:
    """The whole work of a picture, by its settings as asked or resolved."""
    try:
        known = resolve(settings, init_size=_ANY_SHAPE)
    except SettingsError:
        # The engine will refuse it, in no time.
        return Work((settings.drawer,), 0.0, 1.0, user_id, guild_id)
    assert known.iterations is not None
    assert known.num_cuts is not None
    assert known.size is not None
    perceptors = tuple(split_weight(name)[0] for name in known.perceptors or ())
    # Powers of two: a size in between costs about as much.
    size = (known.size[0] * known.size[1]).bit_length()
    return Work(
        (known.drawer, perceptors, known.quality, size),
        float(known.iterations),
        # A walk leads to a second picture, which is drawn beside the first.
        float(known.num_cuts * known.batches * (1 if known.blend_with is None else 2)),
        user_id,
        guild_id,
    )


def work_of_job(job: Job) -> Work:
    """The whole work of a job."""
    work = work_of(job.settings, job.user_id, job.guild_id)
    return replace(work, lane=job.lane, round=job.round)


class Costs:
    """What a step costs, in seconds of an engine that has nothing else to do."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._a_view: dict[Kind, float] = {(): _SECONDS_A_VIEW}
        drawn = [sample for sample in samples if sample.work.steps > 0]
        for _ in range(_ROUNDS):
            self._learn(drawn)

    def of_step(self, work: Work) -> float:
        """Seconds that a step takes of a picture that is alone."""
        kinds = (work.kind[:length] for length in range(len(work.kind), -1, -1))
        return work.views * next(self._a_view[kind] for kind in kinds if kind in self._a_view)

    def _learn(self, samples: Sequence[Sample]) -> None:
        """Divide the time between those that shared it, by what their steps were thought to cost.

        Who had little of a long time is known only when the others are: it takes a few rounds.
        """
        seconds = self._own_seconds(samples)
        measured: dict[Kind, list[float]] = {}
        for sample, own in zip(samples, seconds, strict=True):
            a_view = own / (sample.work.steps * sample.work.views)
            for length in range(len(sample.work.kind) + 1):
                measured.setdefault(sample.work.kind[:length], []).append(a_view)
        self._a_view |= {kind: statistics.median(all_) for kind, all_ in measured.items()}

    def _own_seconds(self, samples: Sequence[Sample]) -> list[float]:
        """How long the engine worked for each."""
        seconds = [0.0] * len(samples)
        costs = [self.of_step(sample.work) for sample in samples]
        moments = sorted({moment for s in samples for moment in (s.began, s.ended)})
        for begin, end in itertools.pairwise(moments):
            there = [i for i, s in enumerate(samples) if s.began <= begin and end <= s.ended]
            together = sum(costs[i] for i in there)
            for i in there:
                seconds[i] += (end - begin) * costs[i] / together
        return seconds


def seconds_until_drawn(
    running: Sequence[Work],
    waiting: Sequence[Work],
    costs: Costs,
    *,
    easels: int,
    caps: Caps,
    own_caps: Mapping[int, Caps] = MappingProxyType({}),
    newcomers: Newcomers | None = None,
) -> list[float]:
    """Play the queue through; in how many seconds each that waits will be finished.

    Args:
        running: what is on the easels.
        waiting: in the queue's order.
        costs: what a step costs.
        easels: how many may be drawn at the same time.
        caps: how many of them of one person or one server.
        own_caps: what servers have set for themselves, by their ids.
        newcomers: what will be asked for meanwhile; it slows down what is drawn beside it.

    """
    works = [*running, *waiting]
    costs_of = [costs.of_step(work) for work in works]
    left = [max(1.0, work.steps) for work in works]
    finished = [math.nan] * len(works)
    active = list(range(len(running)))
    queue = list(range(len(running), len(works)))
    told = set(queue)
    coming = _coming(newcomers)
    next_at, next_work = next(coming)
    now = 0.0
    while told:
        _admit(active, queue, works, easels, caps, own_caps)
        tick = sum(costs_of[i] for i in active)
        steps = min(left[i] for i in active)
        if now + steps * tick > next_at:
            steps = max(0.0, (next_at - now) / tick)
            fair = _fair_round(next_work, [works[i] for i in active], [works[i] for i in queue])
            works.append(replace(next_work, lane=1, round=fair))
            costs_of.append(costs.of_step(next_work))
            left.append(max(1.0, next_work.steps))
            finished.append(math.nan)
            bisect.insort(queue, len(works) - 1, key=lambda i: works[i].turn)
            next_at, next_work = next(coming)
        now += steps * tick
        for i in active:
            left[i] -= steps
            if left[i] <= _NOTHING:
                finished[i] = now
        active = [i for i in active if left[i] > _NOTHING]
        told = {i for i in told if math.isnan(finished[i])}
    return finished[len(running) : len(running) + len(waiting)]


def _coming(newcomers: Newcomers | None) -> Iterator[tuple[float, Work]]:
    """When the next will come, and with what."""
    if newcomers is not None:
        for number in range(1, _MOST_NEWCOMERS):
            yield number * newcomers.gap, newcomers.works[(number - 1) % len(newcomers.works)]
    yield math.inf, Work((), 0, 0, 0, 0)


def _fair_round(work: Work, running: Sequence[Work], waiting: Sequence[Work]) -> int:
    """Whom a newcomer comes before, as `Queue.add_job` decides it."""
    here = [other for other in waiting if other.guild_id == work.guild_id]
    drawn = [other.round for other in running if other.guild_id == work.guild_id]
    after = min((other.round for other in here if other.lane == 1), default=None)
    if after is None:
        present = max((other.round for other in running), default=0)
    else:
        present = max([*drawn, after - 1]) if drawn else after
    unfinished = sum(other.user_id == work.user_id for other in (*running, *waiting))
    own = [other.round for other in here if other.user_id == work.user_id]
    return max([present + unfinished, *(last + 1 for last in own)])


def _admit(
    active: list[int],
    queue: list[int],
    works: Sequence[Work],
    easels: int,
    caps: Caps,
    own_caps: Mapping[int, Caps],
) -> None:
    """Put whoever may come next on the free easels, as `Queue.claim` does."""
    users = Counter(works[i].user_id for i in active)
    guilds = Counter(works[i].guild_id for i in active)
    members = Counter((works[i].user_id, works[i].guild_id) for i in active)
    for i in list(queue):
        if len(active) >= easels:
            return
        work = works[i]
        member = (work.user_id, work.guild_id)
        own = own_caps.get(work.guild_id, caps)
        if (
            users[work.user_id] < caps.per_user
            and guilds[work.guild_id] < min(caps.per_guild, own.per_guild)
            and members[member] < own.per_user
        ):
            active.append(i)
            queue.remove(i)
            users[work.user_id] += 1
            guilds[work.guild_id] += 1
            members[member] += 1
