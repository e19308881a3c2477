"""Waiting times: learned from pictures that shared the engine, and how far off they are."""

import random
import statistics
from dataclasses import replace

import pytest

from bot.estimate import Costs, Newcomers, Sample, Work, seconds_until_drawn, work_of, work_of_job
from bot.jobs import Frame, Job
from bot.pace import Pace
from bot.places import Places
from bot.store import Caps, Store
from engine.settings import make_settings, resolve
from tests.bot.helpers import ALICE, BOB, CAROL, GUILD, PROVENANCE, Clock, add

NO_COSTS = Costs([])
CAPS = Caps(per_user=2, per_guild=9)


def work(steps: float, views: float = 10, kind: str = "pixel", user: int = ALICE) -> Work:
    return Work((kind, "judge", "draft", 1), steps, views, user, GUILD)


def until(running: list[Work], waiting: list[Work], costs: Costs = NO_COSTS, **changes) -> list:
    return seconds_until_drawn(
        running, waiting, costs, **({"easels": 2, "caps": Caps(9, 9)} | changes)
    )


def test_work_grows_with_steps_views_and_a_walk_s_partner() -> None:
    draft, better = (
        work_of(make_settings({"prompts": "x", "quality": quality}), 1, 1)
        for quality in ("draft", "better")
    )
    assert (draft.steps, draft.views) == (40, 12)
    assert (better.steps, better.views) == (160, 20)
    assert draft.kind != better.kind
    walk = make_settings({"prompts": "x", "quality": "draft", "blend_with": "a blue sea"})
    assert work_of(walk, 1, 1).views == 2 * draft.views
    retain = make_settings({"init_image": "picture", "prompts": "x", "aspect": "retain"})
    assert work_of(retain, 1, 1).steps == 80


def test_a_newcomer_comes_before_somebody_s_second_picture() -> None:
    costs = Costs([Sample(work(100), 0, 10)])
    second = replace(work(100), round=1)
    waiting = [work(100, user=BOB), second]
    quiet = until([work(100)], waiting, costs, easels=1)
    assert quiet == pytest.approx([20, 30])
    busy = Newcomers([work(100, user=CAROL)], 5.0)
    bob, alice = until([work(100)], waiting, costs, easels=1, newcomers=busy)
    assert bob == pytest.approx(20)
    assert alice == pytest.approx(40), "Carol's first comes in between"


def test_those_that_share_the_engine_take_as_long_as_all_of_them_together() -> None:
    costs = Costs([Sample(work(100), 0, 10)])
    assert until([], [work(100)], costs) == pytest.approx([10])
    # Both take their steps together until the shorter one is finished.
    assert until([], [work(100), work(50)], costs) == pytest.approx([15, 10])
    # The third begins when the first of two has left.
    assert until([work(50), work(100)], [work(50)], costs) == pytest.approx([20])


def test_what_a_step_costs_is_learned_from_pictures_that_were_drawn_beside_others() -> None:
    # A step of the first kind costs 0.1 s alone, of the second 0.3 s; together 0.4 s.
    costs = Costs([Sample(work(100), 0, 40), Sample(work(100, kind="vqgan"), 0, 40)])
    both = costs.of_step(work(1)) + costs.of_step(work(1, kind="vqgan"))
    assert both == pytest.approx(0.4)
    alone = Sample(work(100, kind="vqgan"), 100, 130)
    costs = Costs([*[Sample(work(100), 40 * i, 40 * i + 10) for i in range(3)], alone])
    assert costs.of_step(work(1)) == pytest.approx(0.1)
    assert costs.of_step(work(1, kind="vqgan")) == pytest.approx(0.3)


def test_a_kind_that_was_never_drawn_is_taken_for_the_next_like_it() -> None:
    costs = Costs([Sample(work(100), 0, 10), Sample(work(100, kind="fft"), 20, 80)])
    large = Work(("fft", "judge", "best", 9), 1, 10, ALICE, GUILD)
    assert costs.of_step(large) == pytest.approx(0.6)
    assert NO_COSTS.of_step(large) > 0


def test_whoever_is_at_their_cap_is_passed_over() -> None:
    costs = Costs([Sample(work(100), 0, 10)])
    waiting = [work(10, user=ALICE), work(10, user=ALICE), work(10, user=BOB)]
    times = until([], waiting, costs, caps=Caps(1, 9))
    assert times[2] < times[1]
    assert until([], waiting, costs, caps=Caps(9, 1)) == pytest.approx([1, 2, 3])
    own = {"own_caps": {GUILD: Caps(1, 9)}}
    assert until([], waiting, costs, **own) == times
    assert until([], waiting, costs, own_caps={GUILD + 1: Caps(1, 1)}) < times


def test_the_present_pace_corrects_what_was_learned_within_reason() -> None:
    costs = Costs([Sample(work(100), 0, 10)])
    pace = Pace()
    assert pace.slowness(costs) == 1
    # Two side by side: ten steps of each in two seconds, as was learned.
    pace.add(work(100), 10, 100, 102)
    pace.add(work(100), 10, 100, 102)
    assert pace.slowness(costs) == pytest.approx(1)
    # Then one of them has left, nothing is done for a while, and the machine is busy elsewhere.
    pace.add(work(100), 10, 108, 112)
    assert pace.slowness(costs) == pytest.approx(2)
    pace.add(work(100), 10, 130, 133)
    assert pace.slowness(costs) == pytest.approx(3), "what is older than 20 seconds is forgotten"
    pace.add(work(100), 1, 200, 220)
    assert pace.slowness(costs) == 20


def test_of_a_long_stride_only_the_end_is_present() -> None:
    costs = Costs([Sample(work(100), 0, 10)])
    pace = Pace()
    pace.add(work(1000), 300, 0, 30)
    pace.add(work(1000), 100, 30, 40)
    assert pace.slowness(costs) == pytest.approx(1)
    pace.add(work(1000), 20, 40, 50)
    assert pace.slowness(costs) == pytest.approx(20 / 12)


async def test_a_place_says_how_many_are_before_and_how_long_they_all_take(
    store: Store, clock: Clock
) -> None:
    for _ in range(3):
        job = await done_in(store, clock, 10)
    places = Places(store, easels=lambda: 1, caps=CAPS, frames={}, pace=Pace(), clock=clock)
    jobs = [await add(store, user) for user in (ALICE, BOB, CAROL)]
    told = [await places.of(job) for job in jobs]
    assert [place.before for place in told] == [0, 1, 2]
    assert [place.seconds for place in told] == pytest.approx([10, 20, 30])
    assert await places.of(job) is None, "it is finished"
    clock.now += 0.5
    later = await places.of(jobs[0])
    assert later.seconds == pytest.approx(9.5)
    parallel = Places(store, easels=lambda: 3, caps=CAPS, frames={}, pace=Pace(), clock=clock)
    last = await parallel.of(jobs[2])
    assert last.seconds == pytest.approx(30), "side by side each is slower"


async def test_the_progress_of_those_on_the_easels_shortens_the_wait(
    store: Store, clock: Clock
) -> None:
    await done_in(store, clock, 10)
    first, second = await add(store), await add(store, BOB)
    claimed = await store.claim(CAPS)
    assert claimed.id == first.id
    frames: dict[int, Frame] = {}
    places = Places(store, easels=lambda: 1, caps=CAPS, frames=frames, pace=Pace(), clock=clock)
    before = await places.of(second)
    frames[first.id] = Frame(60, 80, b"")
    clock.now += 2
    after = await places.of(second)
    assert after.seconds == pytest.approx(before.seconds - 7.5, rel=0.01)


async def done_in(store: Store, clock: Clock, seconds: float) -> Job:
    await add(store)
    job = await store.claim(CAPS)
    assert job is not None
    await store.record_start(job, resolve(job.settings), PROVENANCE, 0)
    clock.now += seconds
    await store.finish(job, picture="a", native="b", drawing_seconds=seconds)
    return job


# Recorded with the real engine on two processor cores: what is asked for, and the seconds that a
# step of it takes alone, after about half a second for the first guess (docs/performance.md).
RECORDED = (
    ({"quality": "draft"}, 0.018),
    ({}, 0.025),
    ({"quality": "better"}, 0.036),
    ({"quality": "best"}, 0.048),
    ({"drawer": "clipdraw"}, 0.060),
    ({"drawer": "line_sketch"}, 0.029),
    ({"drawer": "vqgan"}, 0.160),
)
BEGINNING_SECONDS = 0.5
# One step of two together costs a little less than the steps of both.
SHARED = 0.93
EASELS = 2


class Simulation:
    """An engine that has no pictures, but takes the time that the real one takes."""

    def __init__(self, store: Store, clock: Clock, seed: int) -> None:
        self.store, self.clock = store, clock
        self.chance = random.Random(seed)
        self.frames: dict[int, Frame] = {}
        self.pace = Pace()
        self.paced: dict[int, tuple[int, float]] = {}
        self.places = Places(
            store, easels=lambda: EASELS, caps=CAPS, frames=self.frames, pace=self.pace, clock=clock
        )
        self.kinds: dict[int, float] = {}
        self.on: dict[int, tuple[Job, int, float]] = {}
        self.told: dict[int, float] = {}
        self.took: dict[int, float] = {}

    async def ask(self) -> None:
        asked, seconds = self.chance.choice(RECORDED)
        settings = make_settings({"prompts": "a red apple"} | asked)
        job = await add(self.store, self.chance.randrange(1, 7), settings=settings)
        # Neither the machine nor the pictures are as even as a table.
        self.kinds[job.id] = seconds * self.chance.lognormvariate(0, 0.15)
        place = await self.places.of(job)
        assert place is not None
        self.told[job.id] = place.seconds

    async def tick(self) -> None:
        while len(self.on) < EASELS and (job := await self.store.claim(CAPS)) is not None:
            resolved = resolve(job.settings)
            await self.store.record_start(job, resolved, PROVENANCE, 0)
            self.on[job.id] = (job, resolved.iterations, self.clock.now)
            self.paced[job.id] = (0, self.clock.now)
            self.clock.now += BEGINNING_SECONDS
        if not self.on:
            self.clock.now += 0.5
            return
        step = sum(self.kinds[job_id] for job_id in self.on)
        step *= SHARED if len(self.on) > 1 else 1
        self.clock.now += step
        for job_id, (job, left, began) in list(self.on.items()):
            steps = resolve(job.settings).iterations
            taken = steps - left + 1
            self.on[job_id] = (job, left - 1, began)
            if taken % 20 == 0 or left == 1:
                before, since = self.paced[job_id]
                self.pace.add(work_of_job(job), taken - before, since, self.clock.now)
                self.paced[job_id] = (taken, self.clock.now)
                self.frames[job_id] = Frame(taken, steps, b"", None, step)
            if left == 1:
                del self.on[job_id]
                self.frames.pop(job_id, None)
                seconds = self.clock.now - began
                await self.store.finish(job, picture="a", native="b", drawing_seconds=seconds)
                self.took[job_id] = self.clock.now - job.asked_at


@pytest.mark.parametrize("seconds", [200, 400], ids=["busy", "quiet"])
@pytest.mark.parametrize("seed", [0, 2, 4])
async def test_half_of_50_mixed_pictures_are_told_their_time_within_30_percent(
    store: Store, clock: Clock, seed: int, seconds: float
) -> None:
    simulation = Simulation(store, clock, seed)
    arrivals = sorted(simulation.chance.uniform(0, seconds) for _ in range(50))
    beginning = clock.now
    while len(simulation.took) < 50:
        while arrivals and clock.now - beginning >= arrivals[0]:
            arrivals.pop(0)
            await simulation.ask()
        await simulation.tick()
    errors = [abs(told / simulation.took[job_id] - 1) for job_id, told in simulation.told.items()]
    assert statistics.median(errors) < 0.3, statistics.quantiles(errors)
