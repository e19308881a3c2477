"""Who waits how long: in virtual time, with the real store."""

import asyncio
import itertools
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bot.jobs import Job
from bot.store import Caps, Limits, QueueFull, Store, TooSoon
from tests.bot.helpers import ALICE, BOB, CAROL, GUILD, NO_CAPS, Clock, add, claim, new_job
from tests.bot.virtual import Studio, copied, empty_database, opened

ELSEWHERE = GUILD + 1


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("empty"))


@pytest.fixture
async def quick(database: Path, tmp_path: Path, clock: Clock):
    async with opened(copied(database, tmp_path), clock) as store:
        yield store


async def nineteen(
    database: Path, folder: Path, *, first: int, easels: int, caps: Caps, delay: float | None
) -> list[float]:
    """How long nineteen wait who queue one each beside somebody who has queued `first`.

    They come one after the other in `delay` seconds, or all before anything is drawn.
    """
    clock = Clock()
    async with opened(copied(database, folder), clock) as store:
        # Pictures of some people take longer than those of others.
        studio = Studio(
            store, clock, easels=easels, caps=caps, seconds=lambda job: 8.0 + job.user_id % 5
        )
        for _ in range(first):
            await add(store, ALICE)
        begin = clock.now
        jobs = []
        for number in range(19):
            if delay is not None:
                await studio.until(begin + number * delay)
            jobs.append((await add(store, 100 + number)).id)
        await studio.drain(*jobs)
        return [studio.waited[job_id] for job_id in jobs]


@pytest.mark.parametrize(
    ("easels", "caps", "delay"),
    [
        (1, NO_CAPS, 0.0),
        (1, NO_CAPS, 0.5),
        (4, NO_CAPS, None),
        (4, Caps(per_user=2, per_guild=4), None),
        (4, Caps(per_user=2, per_guild=4), 0.0),
        (4, Caps(per_user=2, per_guild=4), 1.0),
        (8, Caps(per_user=2, per_guild=3), 0.4),
    ],
)
async def test_one_who_queues_500_keeps_nobody_waiting_longer_than_with_two(
    database: Path, tmp_path: Path, easels: int, caps: Caps, delay: float | None
) -> None:
    how = {"easels": easels, "caps": caps, "delay": delay}
    with_two = await nineteen(database, tmp_path, first=2, **how)
    with_500 = await nineteen(database, tmp_path, first=500, **how)
    longer = [many - two for many, two in zip(with_500, with_two, strict=True)]
    assert max(longer) <= 0


async def test_whoever_asks_again_and_again_does_not_keep_others_waiting(
    quick: Store, clock: Clock
) -> None:
    studio = Studio(quick, clock, easels=1, caps=NO_CAPS)
    patient = [(await add(quick, ALICE)).id for _ in range(5)]
    await add(quick, BOB)
    await add(quick, CAROL)
    await studio.fill()
    for _ in range(20):
        drawn = await studio.next_end()
        if drawn.user_id != ALICE:
            await add(quick, drawn.user_id)
        await studio.fill()
    assert set(patient) <= set(studio.started)
    order = [studio.started.index(job_id) for job_id in patient]
    assert all(later - earlier <= 3 for earlier, later in itertools.pairwise(order))


async def test_whoever_is_at_their_cap_saves_up_no_turns(quick: Store, clock: Clock) -> None:
    caps = Caps(per_user=1, per_guild=99)
    studio = Studio(
        quick, clock, easels=2, caps=caps, seconds=lambda job: 500.0 if job.user_id == ALICE else 1
    )
    for _ in range(50):
        await add(quick, ALICE)
        await add(quick, BOB)
    # Alice's first picture takes as long as nearly all of Bob's.
    await studio.until(clock.now + 45)
    newcomer = await add(quick, CAROL)
    hers = [job.id for job in await quick.waiting(100) if job.user_id == ALICE]
    order = [job.id for job in await quick.waiting(100)]
    assert order.index(newcomer.id) < order.index(hers[1])


async def test_a_newcomer_in_a_server_at_its_cap_comes_before_second_pictures_there(
    quick: Store, clock: Clock
) -> None:
    studio = Studio(quick, clock, easels=4, caps=Caps(per_user=2, per_guild=2))
    for _ in range(8):
        for user in range(100, 105):
            await add(quick, user)
    for _ in range(40):
        await add(quick, BOB, guild_id=ELSEWHERE)
    await studio.until(clock.now + 95)
    newcomer = await add(quick, CAROL)
    order = [job.id for job in await quick.waiting(100) if job.guild_id == GUILD]
    before = [await quick.get(job_id) for job_id in order[: order.index(newcomer.id)]]
    theirs = Counter(job.user_id for job in before)
    assert max(theirs.values(), default=0) <= 1
    # Who had much drawn where there was room is not set back for it.
    for _ in range(2):
        await add(quick, ALICE, guild_id=ELSEWHERE)
    elsewhere = [job.user_id for job in await quick.waiting(100) if job.guild_id == ELSEWHERE]
    assert elsewhere[:4] == [ALICE, BOB, ALICE, BOB]


async def test_who_comes_first_does_so_in_each_round_and_no_more(quick: Store) -> None:
    yields = Limits(yields=True)
    for user in (ALICE, BOB, ALICE):
        await quick.add_job(new_job(user), waiting_per_user=9, limits=yields)
    for _ in range(2):
        await add(quick, CAROL)
    assert [job.user_id for job in await quick.waiting(9)] == [CAROL, ALICE, BOB, CAROL, ALICE]


async def test_cancelling_moves_ones_later_pictures_up(quick: Store) -> None:
    jobs = [await add(quick, ALICE) for _ in range(4)]
    await add(quick, BOB)
    await add(quick, BOB)
    for job in jobs[:2]:
        assert await quick.cancel(job)
    assert [job.user_id for job in await quick.waiting(9)] == [ALICE, BOB, ALICE, BOB]


async def test_a_role_does_not_put_ones_newer_pictures_before_ones_older(quick: Store) -> None:
    caps = Caps(per_user=1, per_guild=9)
    for user in (BOB, BOB, ALICE, ALICE, ALICE):
        limits = Limits(yields=user == ALICE)
        await quick.add_job(new_job(user), waiting_per_user=9, limits=limits)
    await claim(quick, caps)
    for _ in range(2):
        await quick.finish(await claim(quick, caps), picture="p", native="n", drawing_seconds=1)
    newer = await quick.add_job(new_job(ALICE), waiting_per_user=9)
    assert [job.id for job in await quick.waiting(9) if job.user_id == ALICE][-1] == newer.id


async def test_a_crash_takes_no_turns_back(quick: Store) -> None:
    await add(quick, BOB)
    for _ in range(4):
        await add(quick, ALICE)
    await claim(quick)
    for _ in range(2):
        await quick.finish(await claim(quick), picture="p", native="n", drawing_seconds=1)
    await quick.recover()
    await add(quick, CAROL)
    await add(quick, CAROL)
    assert [job.user_id for job in await quick.waiting(9)] == [BOB, ALICE, CAROL, ALICE, CAROL]


async def test_what_was_drawn_long_ago_does_not_count(quick: Store, clock: Clock) -> None:
    studio = Studio(quick, clock, easels=1, caps=NO_CAPS)
    for _ in range(3):
        await add(quick, ALICE)
    await studio.drain()
    await add(quick, ALICE)
    await add(quick, BOB)
    await add(quick, CAROL)
    assert [job.user_id for job in await quick.waiting(9)] == [ALICE, BOB, CAROL]


EASELS = 3
CAPS = Caps(per_user=2, per_guild=3)
WAITING = 6
COOLDOWN = 5
PEOPLE = st.integers(1, 5)
SERVERS = st.sampled_from((GUILD, ELSEWHERE))

# What happens, one after the other; numbers choose among the jobs that there are.
HAPPENINGS = st.one_of(
    st.tuples(st.just("ask"), PEOPLE, SERVERS),
    st.tuples(st.just("ask for four"), PEOPLE, SERVERS),
    st.tuples(st.just("draw"), st.integers(0, 9)),
    st.tuples(st.just("draw"), st.integers(0, 9)),
    st.tuples(st.just("fail"), st.integers(0, 9)),
    st.tuples(st.just("cancel a waiting one"), st.integers(0, 99)),
    st.tuples(st.just("cancel a running one"), st.integers(0, 9)),
    st.just(("the engine dies",)),
    st.just(("the bot dies",)),
    st.tuples(st.just("a server lowers its caps"), SERVERS, st.integers(1, 3), st.integers(1, 2)),
)


@dataclass
class World:
    """A queue to which things happen, and what is held against it after each."""

    store: Store
    clock: Clock
    # Of each server: how many may be drawn, in all and of one person.
    caps: dict[int, tuple[int, int]] = field(default_factory=dict)
    running: dict[int, Job] = field(default_factory=dict)
    asked: dict[int, Job] = field(default_factory=dict)
    # How many unfinished jobs their owner had when they were asked for.
    own_before: dict[int, int] = field(default_factory=dict)
    # How often somebody's later job was handed out before one that could have been.
    overtaken: Counter[tuple[int, int]] = field(default_factory=Counter)
    disturbances: int = 0

    def limits(self, guild: int) -> Limits:
        """One server has limits of its own."""
        return Limits(waiting=4, cooldown=COOLDOWN) if guild == ELSEWHERE else Limits()

    async def happen(self, what: str, *how: int) -> None:
        running = [job for _, job in sorted(self.running.items())]
        match what:
            case "ask" | "ask for four":
                await self.ask(*how, count=1 if what == "ask" else 4)
            case "draw" if running:
                job = running[how[0] % len(running)]
                assert await self.store.finish(job, picture="p", native="n", drawing_seconds=1)
                del self.running[job.id]
            case "fail" if running:
                job = running[how[0] % len(running)]
                assert await self.store.fail(job, "no")
                del self.running[job.id]
            case "cancel a running one" if running:
                job = running[how[0] % len(running)]
                assert await self.store.cancel(job)
                del self.running[job.id]
            case "cancel a waiting one" if waiting := await self.store.waiting(1000):
                assert await self.store.cancel(waiting[how[0] % len(waiting)])
            case "the engine dies":
                for job in running:
                    alone = len(running) == 1
                    assert await self.store.requeue_suspect(job, alone=alone, sentence="no")
                self.disturb()
            case "the bot dies":
                assert await self.store.recover() == len(running)
                self.disturb()
            case "a server lowers its caps":
                guild, in_all, each = how
                await self.store.set_preference("guild", guild, "running_per_guild", in_all)
                await self.store.set_preference("guild", guild, "running_per_user", each)
                self.caps[guild] = (in_all, each)
        self.clock.now += 1
        await self.hand_out()

    def disturb(self) -> None:
        self.running.clear()
        self.disturbances += 1

    async def ask(self, user: int, guild: int, *, count: int) -> None:
        limits = self.limits(guild)
        unfinished = [
            job
            for job in [*await self.store.waiting(1000), *await self.store.running()]
            if job.user_id == user
        ]
        waiting = [job for job in unfinished if job.id not in self.running]
        here = [job for job in waiting if job.guild_id == guild]
        last = max(
            (
                job.asked_at
                for job in self.asked.values()
                if (job.user_id, job.guild_id) == (user, guild)
            ),
            default=-1e9,
        )
        full = len(waiting) + count > WAITING or len(here) + count > (limits.waiting or WAITING)
        soon = last + limits.cooldown > self.clock.now
        news = [new_job(user, guild_id=guild)] * count
        how = {"waiting_per_user": WAITING, "limits": limits}
        try:
            if count == 1:
                jobs = [await self.store.add_job(news[0], **how)]
            else:
                jobs = await self.store.add_group(news, **how)
        except (QueueFull, TooSoon):
            assert full or soon
            return
        assert not full
        assert not soon
        for number, job in enumerate(jobs):
            self.asked[job.id] = job
            self.own_before[job.id] = len(unfinished) + number

    def may_run(self, job: Job) -> bool:
        """Whether its owner and its server are below their caps."""
        in_all, each = self.caps.get(job.guild_id, (CAPS.per_guild, CAPS.per_user))
        others = self.running.values()
        people = sum(one.user_id == job.user_id for one in others)
        there = [one for one in others if one.guild_id == job.guild_id]
        members = sum(one.user_id == job.user_id for one in there)
        return (
            people < CAPS.per_user
            and len(there) < min(in_all, CAPS.per_guild)
            and members < min(each, CAPS.per_user)
        )

    async def hand_out(self) -> None:
        while len(self.running) < EASELS:
            waiting = await self.store.waiting(1000)
            job = await self.store.claim(CAPS)
            able = [one for one in waiting if self.may_run(one)]
            if job is None:
                # An easel is left empty only for somebody's cap, or beside a suspect.
                suspects = [one for one in [*able[:1], *self.running.values()] if one.suspect]
                assert not able or (self.running and suspects)
                return
            assert self.may_run(job)
            assert job.id == able[0].id
            assert not self.running or not (
                job.suspect or any(one.suspect for one in self.running.values())
            )
            self.running[job.id] = job
            if job.attempt > 1:
                continue
            for one in able:
                same = (one.user_id, one.guild_id) == (job.user_id, job.guild_id)
                assert not same or one.id >= job.id or one.attempt > 0, "not in order"
                if one.guild_id == job.guild_id and one.id < job.id:
                    self.overtaken[one.id, job.user_id] += 1
                    bound = self.own_before[one.id] + 1 + self.disturbances
                    assert self.overtaken[one.id, job.user_id] <= bound, "overtaken too often"

    async def drain(self) -> None:
        """Everybody's turn comes, within as many turns as there are pictures."""
        for _ in range(3 * len(self.asked) + 3):
            await self.happen("draw", 0)
        assert await self.store.count_waiting() == 0
        assert not self.running


@settings(
    max_examples=20,
    # A shorter example is not worth minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(happenings=st.lists(HAPPENINGS, min_size=20, max_size=60))
def test_whatever_happens_caps_hold_order_is_kept_and_everybodys_turn_comes(
    database: Path, happenings: list[tuple]
) -> None:
    async def run() -> None:
        clock = Clock()
        with tempfile.TemporaryDirectory() as folder:
            async with opened(copied(database, Path(folder)), clock) as store:
                world = World(store, clock)
                for happening in happenings:
                    await world.happen(*happening)
                await world.drain()

    asyncio.run(run())
