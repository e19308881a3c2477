"""The queue at work: handing out, keeping results, cancelling, surviving the engine's death."""

import errno
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.dispatcher import Dispatcher
from bot.jobs import Frame, Job, State
from bot.label import label
from bot.pace import Pace
from bot.pictures import Pictures
from bot.store import Caps, Store
from bot.workshop.client import Workshop
from engine.settings import make_settings
from tests.bot.helpers import ALICE, BOB, CAROL, GUILD, add, png, until
from tests.bot.scripted import ScriptedEngine


class World:
    """A dispatcher with what it needs, and a record of what it told."""

    def __init__(self, store: Store, data: Path) -> None:
        self.store = store
        self.engine = ScriptedEngine()
        self.pictures = Pictures(data)
        self.frames: dict[int, Frame] = {}
        self.told: list[tuple[int, bool]] = []
        self.dispatcher = self.another()

    def another(self, **changes: object) -> Dispatcher:
        options: dict[str, object] = {"easels": lambda: 2, "caps": Caps(per_user=2, per_guild=9)}
        return Dispatcher(
            self.store,
            self.engine,
            self.pictures,
            Workshop(),
            **(options | changes),
            frames=self.frames,
            pace=Pace(),
            on_change=lambda job, urgent: self.told.append((job.id, urgent)),
        )

    async def ask(self, user: int = ALICE, **changes: object) -> int:
        job = await add(self.store, user, **changes)
        self.dispatcher.wake()
        return job.id

    async def state(self, job_id: int) -> State:
        return (await self.job(job_id)).state

    async def job(self, job_id: int) -> Job:
        job = await self.store.get(job_id)
        assert job is not None
        return job

    async def comes_to(self, job_id: int, state: State) -> Job:
        async def arrived() -> bool:
            return await self.state(job_id) is state

        await until(arrived)
        return await self.job(job_id)


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    world = World(store, tmp_path)
    await world.dispatcher.start()
    yield world
    await world.dispatcher.close()


async def test_a_finished_picture_is_on_the_disk_and_in_the_row(world: World) -> None:
    job_id = await world.ask()
    await world.engine.has(job_id)
    world.engine.finish(job_id, picture=png((16, 16)))
    job = await world.comes_to(job_id, State.DONE)
    assert job.picture is not None
    assert await world.pictures.read(job.picture) == png((16, 16))
    assert job.resolved is not None
    assert job.resolved.seed == job.seed
    assert job.drawing_seconds == 8.0


async def test_as_many_are_drawn_at_once_as_there_are_easels(world: World) -> None:
    jobs = [await world.ask(user) for user in (ALICE, BOB, CAROL)]
    await world.engine.has(*jobs[:2])
    world.engine.finish(jobs[0])
    await world.engine.has(*jobs[1:])


async def test_a_frame_is_kept_for_the_time_lapse_and_shown(world: World, tmp_path: Path) -> None:
    job_id = await world.ask()
    await world.engine.has(job_id)
    world.engine.progress(job_id, 20)
    path = tmp_path / f"pictures/0/{job_id}/frames/000020.png"
    await until(path.exists)
    frame = world.frames[job_id]
    assert (frame.iteration, frame.iterations, frame.png, frame.score) == (20, 100, png(), 0.3)
    assert (job_id, False) in world.told
    world.engine.finish(job_id)
    await world.comes_to(job_id, State.DONE)
    await until(lambda: job_id not in world.frames)


async def test_what_the_engine_refuses_fails_with_its_sentence(world: World) -> None:
    job_id = await world.ask()
    await world.engine.has(job_id)
    world.engine.fail(job_id, "There is too little memory.")
    job = await world.comes_to(job_id, State.FAILED)
    assert job.error == "There is too little memory."


async def test_a_picture_that_is_begun_again_smaller_says_why(world: World) -> None:
    job_id = await world.ask()
    await world.engine.has(job_id)
    world.engine.progress(job_id, 20)
    world.engine.begin_smaller(job_id, "It did not fit.")
    world.engine.progress(job_id, 10)
    await until(lambda: job_id in world.frames and world.frames[job_id].iteration == 10)
    job = await world.job(job_id)
    assert (job.note, job.settings.num_cuts, job.settings.batches) == ("It did not fit.", 6, 2)
    # After a crash it goes on as it is by now, and what it says of that stays.
    world.engine.die()
    await until(lambda: world.engine.drawn == [job_id, job_id])
    await world.engine.has(job_id)
    assert world.engine.settings[job_id].num_cuts == 6
    world.engine.finish(job_id)
    job = await world.comes_to(job_id, State.DONE)
    (note,) = [field.value for field in label(job).fields if field.name == "Note"]
    assert note == "It did not fit."


async def test_a_waiting_job_is_cancelled_and_never_drawn(world: World) -> None:
    jobs = [await world.ask() for _ in range(3)]
    await world.engine.has(*jobs[:2])
    assert await world.dispatcher.cancel(jobs[2])
    world.engine.finish(jobs[0])
    last = await world.ask(BOB)
    await world.engine.has(jobs[1], last)
    assert jobs[2] not in world.engine.drawn


async def test_a_running_job_is_cancelled_and_the_others_go_on(world: World) -> None:
    first, second = await world.ask(), await world.ask()
    await world.engine.has(first, second)
    assert await world.dispatcher.cancel(first)
    await world.engine.has(second)
    assert await world.state(first) is State.CANCELLED
    assert await world.state(second) is State.RUNNING


async def test_what_is_over_cannot_be_cancelled(world: World) -> None:
    job_id = await world.ask()
    await world.engine.has(job_id)
    world.engine.finish(job_id)
    await world.comes_to(job_id, State.DONE)
    assert not await world.dispatcher.cancel(job_id)
    assert not await world.dispatcher.cancel(999)


async def test_a_job_that_was_cancelled_while_the_engine_was_starting_is_stopped_there(
    world: World,
) -> None:
    world.engine.up.clear()
    job_id = await world.ask()
    await world.comes_to(job_id, State.RUNNING)
    assert await world.dispatcher.cancel(job_id)
    world.engine.up.set()
    await until(lambda: world.engine.drawn == [job_id])
    await world.engine.has()
    assert await world.state(job_id) is State.CANCELLED


async def test_when_the_engine_dies_its_jobs_go_on_one_at_a_time(world: World) -> None:
    first, second = await world.ask(ALICE), await world.ask(BOB)
    await world.engine.has(first, second)
    newcomer = await world.ask(CAROL)
    world.engine.die()
    await until(lambda: world.engine.drawn.count(first) == 2)
    await world.engine.has(first)
    world.engine.finish(first)
    await until(lambda: world.engine.drawn.count(second) == 2)
    await world.engine.has(second)
    world.engine.finish(second)
    await world.engine.has(newcomer)
    assert (await world.job(first)).attempt == 2


async def test_only_the_job_that_kills_the_engine_is_given_up(world: World) -> None:
    poison, victim = await world.ask(ALICE), await world.ask(BOB)
    await world.engine.has(poison, victim)
    world.engine.die()
    for hand_out in (2, 3):
        await until(lambda hand_out=hand_out: world.engine.drawn.count(poison) == hand_out)
        world.engine.die()
    job = await world.comes_to(poison, State.FAILED)
    assert job.error is not None
    assert "ended the engine twice" in job.error
    await world.engine.has(victim)
    world.engine.finish(victim)
    await world.comes_to(victim, State.DONE)


async def test_a_suspect_is_alone_though_another_has_not_left_yet(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, slow = await world.ask(ALICE), await world.ask(BOB)
    await world.engine.has(poison, slow)
    get = world.store.get

    async def linger(job_id: int) -> Job | None:
        if job_id == slow:
            await until(lambda: world.engine.drawn.count(poison) == 2)
        return await get(job_id)

    # The other is back in its queue, and looks for itself there before it leaves.
    monkeypatch.setattr(world.store, "get", linger)
    world.engine.die()
    for hand_out in (2, 3):
        await until(lambda hand_out=hand_out: world.engine.drawn.count(poison) == hand_out)
        world.engine.die()
    await world.comes_to(poison, State.FAILED)
    assert world.engine.drawn.count(poison) == 3


async def test_a_job_that_gets_further_each_time_is_not_given_up(world: World) -> None:
    job_id = await world.ask()
    for hand_out in range(1, 5):
        await until(lambda hand_out=hand_out: world.engine.drawn.count(job_id) == hand_out)
        world.engine.snapshot(job_id, 10 * hand_out)
        world.engine.die()
    await until(lambda: world.engine.drawn.count(job_id) == 5)
    assert await world.state(job_id) is State.RUNNING


async def test_after_a_restart_the_running_jobs_come_first(world: World) -> None:
    first, second = await world.ask(ALICE), await world.ask(BOB)
    await world.engine.has(first, second)
    waiting = await world.ask(CAROL)
    await world.dispatcher.close()
    assert await world.state(first) is State.RUNNING
    successor = world.another()
    await successor.start()
    try:
        await world.engine.has(first, second)
        assert world.engine.drawn == [first, second, first, second]
        world.engine.finish(first)
        await world.engine.has(second, waiting)
    finally:
        await successor.close()


def starting_from(digest: str) -> dict[str, object]:
    settings = make_settings({"prompts": "a cat", "init_image": digest})
    return {"settings": settings, "init_image": digest}


async def test_a_missing_picture_to_start_from_is_a_sentence(world: World) -> None:
    job_id = await world.ask(**starting_from("0" * 64))
    job = await world.comes_to(job_id, State.FAILED)
    assert job.error is not None
    assert "not there any more" in job.error


async def test_the_picture_to_start_from_reaches_the_engine(world: World) -> None:
    digest = await world.pictures.save_init(b"start")
    job_id = await world.ask(**starting_from(digest))
    await world.engine.has(job_id)
    assert world.engine.pictures[job_id] == {digest: b"start"}


def refusing(refusals: list[Exception], method: Callable[..., Awaitable[object]]) -> object:
    """A method that refuses a few times before it does what it is there for."""

    async def refuse(*arguments: object, **options: object) -> object:
        if refusals:
            raise refusals.pop()
        return await method(*arguments, **options)

    return refuse


FULL = OSError(errno.ENOSPC, "No space left on device")
LOCKED = sqlite3.OperationalError("database is locked")


async def test_a_picture_is_kept_as_soon_as_the_disk_and_the_database_take_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.dispatcher._PAUSE_AFTER_ERROR", 0.01)
    disk, database = [FULL, FULL], [LOCKED, LOCKED]
    job_id = await world.ask()
    await world.engine.has(job_id)
    monkeypatch.setattr(world.pictures, "save_final", refusing(disk, world.pictures.save_final))
    monkeypatch.setattr(world.store, "finish", refusing(database, world.store.finish))
    world.engine.finish(job_id, picture=png((16, 16)))
    job = await world.comes_to(job_id, State.DONE)
    assert job.attempt == 1
    assert job.picture is not None
    assert await world.pictures.read(job.picture) == png((16, 16))
    assert (disk, database) == ([], [])


async def test_a_job_whose_engine_died_is_not_lost_while_the_database_is_locked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.dispatcher._PAUSE_AFTER_ERROR", 0.01)
    job_id = await world.ask()
    await world.engine.has(job_id)
    locked = [LOCKED, LOCKED]
    requeue = refusing(locked, world.store.requeue_suspect)
    monkeypatch.setattr(world.store, "requeue_suspect", requeue)
    world.engine.die()
    await until(lambda: world.engine.drawn == [job_id, job_id])
    assert (await world.job(job_id)).attempt == 2


async def test_an_older_attempts_late_picture_is_dropped_and_the_later_one_stays(
    world: World,
) -> None:
    job_id = await world.ask()
    await world.engine.has(job_id)
    # Somebody else has handed it out once more, and it is finished.
    await world.store.recover()
    later = await world.store.claim(Caps(per_user=9, per_guild=9))
    assert later is not None
    assert later.attempt == 2
    picture, native = await world.pictures.save_final(job_id, png((16, 16)), png((4, 4)))
    await world.store.finish(later, picture=picture, native=native, drawing_seconds=1.0)
    world.engine.finish(job_id, picture=png((16, 16)))
    await world.engine.has()
    await until(lambda: (job_id, True) in world.told[1:])
    job = await world.job(job_id)
    assert (job.state, job.attempt, job.drawing_seconds) == (State.DONE, 2, 1.0)
    assert await world.pictures.read(picture) == png((16, 16))


async def test_the_engine_keeps_nothing_of_jobs_that_end_without_it(world: World) -> None:
    aside, failed = await world.ask(), await world.ask()
    await world.engine.has(aside, failed)
    world.engine.fail(failed, "There is too little memory.")
    await world.comes_to(failed, State.FAILED)
    await world.engine.has(aside)
    # It is a suspect, and waits until nothing else runs.
    other = await world.ask(BOB)
    await world.engine.has(aside, other)
    world.engine.up.clear()
    world.engine.die()
    await world.comes_to(aside, State.RUNNING)
    await world.comes_to(other, State.QUEUED)
    assert await world.dispatcher.cancel(other)
    assert world.engine.forgotten == [failed, other]


async def test_a_servers_cap_leaves_easels_to_others(store: Store, tmp_path: Path) -> None:
    world = World(store, tmp_path)
    world.dispatcher = world.another(caps=Caps(per_user=9, per_guild=1))
    await world.dispatcher.start()
    try:
        first = await world.ask(ALICE)
        await world.ask(BOB)
        elsewhere = await world.ask(CAROL, guild_id=GUILD + 1)
        await world.engine.has(first, elsewhere)
    finally:
        await world.dispatcher.close()
