"""The database is the queue: order, fairness, guarded changes, recovery, the poison rule."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bot.folder import database_path, upgrade
from bot.jobs import State
from bot.store import Caps, QueueFull, Store
from engine.settings import make_settings, resolve
from tests.bot.helpers import (
    ALICE,
    BOB,
    CAROL,
    NO_CAPS,
    PROVENANCE,
    Clock,
    add,
    claim,
    done,
    new_job,
)
from tests.bot.versions import VERSIONS, leave_behind


async def test_a_job_comes_back_as_it_was_asked_for(store: Store, clock: Clock) -> None:
    settings = make_settings(
        {"prompts": "a cat:2 | dogs:-1", "quality": "draft", "aspect": "square"}
    )
    parent = await add(store)
    added = await store.add_job(
        new_job(settings=settings, seed=5, parent_id=parent.id, relation="reroll"),
        waiting_per_user=9,
    )
    job = await store.get(added.id)
    assert job == added
    assert job.asked == settings
    assert (job.seed, job.parent_id, job.relation) == (5, parent.id, "reroll")
    assert (job.state, job.attempt, job.report, job.asked_at) == ("queued", 0, "open", clock.now)
    assert job.settings.seed == 5


async def test_an_unknown_number_is_no_job(store: Store) -> None:
    assert await store.get(999) is None


async def test_numbers_are_never_used_again(store: Store, tmp_path: Path) -> None:
    job = await add(store)
    with sqlite3.connect(database_path(tmp_path)) as database:
        database.execute("DELETE FROM jobs")
    database.close()
    assert (await add(store)).id > job.id


async def test_a_newcomer_comes_before_somebodys_second_picture(store: Store) -> None:
    first, second, third = [await add(store, ALICE) for _ in range(3)]
    newcomer = await add(store, BOB)
    order = [job.id for job in await store.waiting(9)]
    assert order == [first.id, newcomer.id, second.id, third.id]


async def test_somebodys_own_pictures_keep_their_order(store: Store) -> None:
    jobs = [await add(store, ALICE) for _ in range(4)]
    for _ in range(2):
        await store.finish(await claim(store), picture="p", native="n", drawing_seconds=1)
    jobs.append(await add(store, ALICE))
    assert [job.id for job in await store.waiting(9)] == [job.id for job in jobs[2:]]


async def test_a_newcomer_does_not_overtake_a_picture_whose_turn_it_is(store: Store) -> None:
    large_order = [await add(store, ALICE) for _ in range(3)]
    await store.finish(await claim(store), picture="p", native="n", drawing_seconds=1)
    newcomer = await add(store, BOB)
    order = [job.id for job in await store.waiting(9)]
    assert order == [large_order[1].id, newcomer.id, large_order[2].id]


async def test_a_running_picture_counts_as_ones_own(store: Store) -> None:
    await add(store, ALICE)
    await claim(store)
    await add(store, BOB)
    second = await add(store, ALICE)
    third = await add(store, CAROL)
    assert [job.id for job in await store.waiting(9)][-2:] == [third.id, second.id]


async def test_a_full_queue_is_refused_with_a_sentence(store: Store) -> None:
    for _ in range(2):
        await store.add_job(new_job(), waiting_per_user=2)
    with pytest.raises(QueueFull, match="2 of your pictures are waiting"):
        await store.add_job(new_job(), waiting_per_user=2)
    await store.add_job(new_job(BOB), waiting_per_user=2)
    assert await store.count_waiting() == 3


async def test_people_and_servers_at_their_cap_are_passed_over(store: Store) -> None:
    await add(store, ALICE, guild_id=1)
    await add(store, ALICE, guild_id=1)
    await add(store, BOB, guild_id=1)
    elsewhere = await add(store, CAROL, guild_id=2)
    caps = Caps(per_user=1, per_guild=2)
    assert [(await claim(store, caps)).user_id for _ in range(3)] == [ALICE, BOB, CAROL]
    assert elsewhere.id in {job.id for job in await store.running()}
    assert await store.claim(caps) is None
    assert await store.claim(Caps(per_user=1, per_guild=9)) is None
    assert await store.claim(Caps(per_user=9, per_guild=2)) is None


async def test_two_claims_at_once_get_different_jobs(store: Store) -> None:
    for user in range(20):
        await add(store, user)
    claimed = await asyncio.gather(*(store.claim(NO_CAPS) for _ in range(25)))
    numbers = [job.id for job in claimed if job is not None]
    assert len(numbers) == len(set(numbers)) == 20


async def test_each_hand_out_has_a_new_attempt_and_old_results_are_dropped(store: Store) -> None:
    await add(store)
    old = await claim(store)
    assert await store.recover() == 1
    new = await claim(store)
    assert (new.id, new.attempt) == (old.id, old.attempt + 1)
    assert not await store.record_start(old, old.settings, PROVENANCE, 0)
    assert not await store.record_snapshot(old, 5)
    assert not await store.finish(old, picture="p", native="n", drawing_seconds=1)
    assert not await store.fail(old, "no")
    assert not await store.cancel(old)
    assert not await store.requeue_suspect(old, alone=True, sentence="no")
    assert await store.finish(new, picture="p", native="n", drawing_seconds=1)


async def test_a_finished_job_stays_as_it_is(store: Store) -> None:
    job = await done(store)
    assert job.state is State.DONE
    assert not await store.fail(job, "no")
    assert not await store.cancel(job)
    assert await store.recover() == 0
    assert await store.get(job.id) == job


async def test_a_job_is_cancelled_while_it_waits_and_while_it_runs(store: Store) -> None:
    waiting = await add(store)
    assert await store.cancel(waiting)
    assert await store.claim(NO_CAPS) is None
    await add(store)
    running = await claim(store)
    assert await store.cancel(running)
    assert not await store.finish(running, picture="p", native="n", drawing_seconds=1)
    job = await store.get(running.id)
    assert job is not None
    assert job.state is State.CANCELLED


async def test_what_the_engine_resolved_is_what_is_drawn_next_time(store: Store) -> None:
    await add(store)
    job = await claim(store)
    resolved = resolve(job.settings)
    await store.record_start(job, resolved, PROVENANCE, 0)
    await store.recover()
    assert (await claim(store)).settings == resolved


async def test_jobs_of_a_former_process_come_first_and_in_their_order(store: Store) -> None:
    jobs = [await add(store, user) for user in (ALICE, BOB, CAROL)]
    await claim(store)
    await claim(store)
    early = await add(store, CAROL)
    assert await store.recover() == 2
    order = [job.id for job in await store.waiting(9)]
    assert order == [jobs[0].id, jobs[1].id, jobs[2].id, early.id]


async def test_a_suspect_runs_alone(store: Store) -> None:
    for user in (ALICE, BOB, CAROL):
        await add(store, user)
    first, second = await claim(store), await claim(store)
    await store.requeue_suspect(first, alone=False, sentence="no")
    assert await store.claim(NO_CAPS) is None, "the second one is still on the engine"
    await store.requeue_suspect(second, alone=False, sentence="no")
    suspect = await claim(store)
    assert suspect.id == first.id
    assert suspect.suspect
    assert await store.claim(NO_CAPS) is None, "nothing runs beside a suspect"
    await store.finish(suspect, picture="p", native="n", drawing_seconds=1)
    assert (await claim(store)).id == second.id


async def test_nothing_is_handed_out_beside_a_suspect(store: Store) -> None:
    await add(store, ALICE)
    await store.requeue_suspect(await claim(store), alone=True, sentence="no")
    innocent = await add(store, BOB)
    suspect = await claim(store)
    assert await store.claim(NO_CAPS) is None
    await store.finish(suspect, picture="p", native="n", drawing_seconds=1)
    assert (await claim(store)).id == innocent.id


@pytest.mark.parametrize(
    ("snapshots", "given_up"),
    [
        ((10, 10), True),
        ((10, 20), False),
        ((10, 20, 20), True),
        ((0, 0), True),
    ],
)
async def test_only_a_job_that_dies_alone_twice_without_progress_is_given_up(
    store: Store, snapshots: tuple[int, ...], given_up: bool
) -> None:
    added = await add(store)
    for snapshot in snapshots:
        job = await claim(store)
        await store.record_snapshot(job, snapshot)
        assert await store.requeue_suspect(job, alone=True, sentence="It died.")
    after = await store.get(added.id)
    assert after is not None
    assert after.state == (State.FAILED if given_up else State.QUEUED)
    assert after.error == ("It died." if given_up else None)


async def test_deaths_in_company_give_nobody_up(store: Store) -> None:
    added = await add(store)
    for _ in range(5):
        await store.requeue_suspect(await claim(store), alone=False, sentence="no")
    after = await store.get(added.id)
    assert after is not None
    assert after.state is State.QUEUED


async def test_jobs_of_a_group_are_added_all_or_none(store: Store) -> None:
    await add(store, BOB)
    jobs = await store.add_group([new_job(seed=seed) for seed in range(4)], waiting_per_user=4)
    assert {job.report for job in jobs} == {"grouped"}
    assert len({job.group_id for job in jobs}) == 1
    with pytest.raises(QueueFull, match="4 of your pictures are waiting"):
        await store.add_group([new_job() for _ in range(4)], waiting_per_user=7)
    assert await store.count_waiting() == 5
    assert jobs[0].group_id is not None
    assert await store.group(jobs[0].group_id + 1) is None


async def test_the_count_of_those_before_follows_the_queue(store: Store) -> None:
    jobs = [await add(store, user) for user in (ALICE, BOB, CAROL)]
    assert [await store.count_before(job) for job in jobs] == [0, 1, 2]
    await claim(store)
    assert [await store.count_before(job) for job in jobs] == [None, 0, 1]


async def test_what_was_cancelled_while_it_was_drawn_is_neither_finished_nor_drawn_again(
    store: Store,
) -> None:
    first, second = await add(store), await add(store, BOB)
    running = [await claim(store), await claim(store)]
    for job in running:
        assert await store.want_cancelled(job)
        assert not await store.record_snapshot(job, 5)
        assert not await store.finish(job, picture="a", native="b", drawing_seconds=1)
    assert await store.requeue_suspect(running[0], alone=True, sentence="no")
    assert await store.recover() == 0
    for job_id in (first.id, second.id):
        job = await store.get(job_id)
        assert job is not None
        assert job.state is State.CANCELLED


async def test_what_was_not_told_to_the_end_is_found_again(store: Store, clock: Clock) -> None:
    told, gone, untold = [await done(store, ALICE) for _ in range(3)]
    waiting, mute = await add(store, BOB), await add(store, BOB)
    for job in (told, gone, untold, waiting):
        await store.set_message(job, 100 + job.id, clock())
    await store.set_posted(told)
    await store.silence(gone)
    assert [job.id for job in await store.unreported()] == [untold.id, mute.id]
    job = await store.get(told.id)
    assert job is not None
    assert (job.message_id, job.message_at, job.report) == (100 + told.id, clock.now, "posted")


async def test_a_cancelled_writer_leaves_no_open_transaction(store: Store) -> None:
    for _ in range(30):
        task = asyncio.create_task(store.add_job(new_job(), waiting_per_user=1000))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await add(store)
    assert await store.count_waiting() >= 1


async def test_former_prompts_are_ones_own_newest_first_and_each_once(
    store: Store, tmp_path: Path
) -> None:
    for prompt in ("a cat", "a fox", "a cat", "a bird"):
        await add(store, ALICE, settings=make_settings({"prompts": prompt}))
    await add(store, BOB)
    await add(store, ALICE, settings=make_settings({"target_image": "a hash"}))
    with sqlite3.connect(database_path(tmp_path)) as database:
        database.execute("UPDATE jobs SET deleted_at = 1 WHERE id = 4")
    database.close()
    former = await store.former_prompts(ALICE)
    assert [(old.job_id, old.prompt) for old in former] == [(3, "a cat"), (2, "a fox")]


def test_migrations_are_applied_once(tmp_path: Path) -> None:
    assert upgrade(tmp_path) == ["0001_jobs", "0002_community", "0003_keeping"]
    assert upgrade(tmp_path) == []


def test_a_lock_that_a_killed_upgrade_left_behind_is_broken(tmp_path: Path) -> None:
    leave_behind(tmp_path, VERSIONS[-2])
    with sqlite3.connect(database_path(tmp_path)) as database:
        database.execute("INSERT INTO yoyo_lock (locked, ctime, pid) VALUES (1, '2026-01-01', 1)")
    database.close()
    assert upgrade(tmp_path) == [VERSIONS[-1]]


def test_a_folder_with_odd_letters_holds_a_database(tmp_path: Path) -> None:
    folder = tmp_path / "a b#c?d%20é"
    folder.mkdir()
    upgrade(folder)
    assert database_path(folder).exists()
