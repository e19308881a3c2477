"""No question that is asked often becomes slower as the history grows."""

import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bot.folder import database_path, upgrade
from bot.jobs import Group, Job
from bot.store import Answer, Caps, Limits, Scope, Store, Wanted, finding
from engine.settings import resolve
from tests.bench_store import fill
from tests.bot.helpers import NO_CAPS, PROVENANCE, Clock, new_job
from tests.bot.virtual import opened

# Rather much of it belongs to this person, server and channel.
USER, GUILD, CHANNELS = 1, 1, range(100, 150)
WAITING = 200
EVERYWHERE = set(CHANNELS)


async def _job(store: Store, number: int = 5) -> Job:
    job = await store.get(number)
    assert job is not None
    return job


async def _claimed(store: Store) -> Job:
    job = await store.claim(NO_CAPS)
    assert job is not None
    return job


async def _cancel(store: Store) -> None:
    (job,) = await store.waiting(1)
    assert await store.cancel(job)


async def _finish(store: Store) -> None:
    job = await _claimed(store)
    await store.record_start(job, resolve(job.settings), PROVENANCE, 0)
    await store.record_snapshot(job, 5)
    assert await store.finish(job, picture="a", native="b", drawing_seconds=1)


async def _fail(store: Store) -> None:
    assert await store.fail(await _claimed(store), "no")


async def _die(store: Store) -> None:
    assert await store.requeue_suspect(await _claimed(store), alone=True, sentence="no")


async def _group(store: Store) -> None:
    news = [new_job(USER, guild_id=GUILD)] * 2
    (first, _) = await store.add_group(news, waiting_per_user=1000)
    assert first.group_id is not None
    group = await store.group(first.group_id)
    assert isinstance(group, Group)
    await store.set_message(group, 7, 0.0)
    await store.group_message(group.id)
    await store.set_posted(group)
    await store.reopen(group)


async def _message(store: Store) -> None:
    job = await _job(store)
    await store.set_message(job, 8, 0.0)
    await store.set_posted(job)
    await store.silence(job)
    await store.add_copy(job, 1, 9)
    await store.shown_by(8)


async def _keepsakes(store: Store) -> None:
    job = await _job(store)
    await store.toggle_favourite(USER, job)
    await store.count_favourites(job.id)
    await store.add_answer(job, "x", Answer(1, 2))
    await store.answers(job)
    await store.answers(job, "x")
    await store.forget_answer(job, Answer(1, 2))
    await store.provenance(job)


async def _star(store: Store) -> None:
    await store.claim_star(5, 1)
    await store.set_star(5, 2)
    await store.stars(5)
    await store.star(5)
    await store.drop_star(5)


async def _delete(store: Store) -> None:
    assert await store.delete(await _job(store, 6))


async def _preferences(store: Store) -> None:
    scope: Scope = "guild"
    await store.set_preference(scope, GUILD, "cooldown", 5)
    await store.preference(scope, GUILD, "cooldown")
    await store.preferences(scope, GUILD)
    await store.preferences_of(scope, [GUILD])
    await store.own_caps(NO_CAPS)


def _excerpts(**wanted) -> Callable[[Store], Awaitable[None]]:
    async def ask(store: Store) -> None:
        what = Wanted(**({"viewer": USER, "channels": EVERYWHERE} | wanted))
        for edge in (None, 150):
            for direction in ("older", "newer"):
                await store.excerpt(what, edge=edge, direction=direction, limit=9)

    return ask


async def _ask_with_limits(store: Store) -> None:
    limits = Limits(waiting=1000, cooldown=1)
    await store.add_job(new_job(USER, guild_id=GUILD), waiting_per_user=1000, limits=limits)


# Everything that is done for a command, a button, a drawing or a message, by what it is for.
QUESTIONS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "ask": _ask_with_limits,
    "ask for a group": _group,
    "hand out": lambda store: store.claim(Caps(per_user=1, per_guild=1)),
    "finish": _finish,
    "fail": _fail,
    "die": _die,
    "cancel": _cancel,
    "recover": lambda store: store.recover(),
    "who waits": lambda store: store.waiting(100),
    "how many wait": lambda store: store.count_waiting(),
    "who is drawn": lambda store: store.running(),
    "unfinished": lambda store: store.unfinished(),
    "newest durations": lambda store: store.drawn(),
    "newest requests": lambda store: store.latest(10),
    "whose turn it is": lambda store: store.turns(100),
    "several jobs": lambda store: store.several([1, 2, 3]),
    "newest end": lambda store: store.newest_end(),
    "message": _message,
    "untold": lambda store: store.unreported(),
    "show": _job,
    "offered pictures": lambda store: store.own_pictures(USER),
    "former prompts": lambda store: store.former_prompts(USER),
    "mine": _excerpts(by=USER),
    "channel": _excerpts(channels={100}),
    "server": _excerpts(),
    "favourites": _excerpts(favourites=True),
    "mine, words": _excerpts(by=USER, words="art"),
    "by, words": _excerpts(by=2, words="art"),
    "channel, words": _excerpts(channels={100}, words="art"),
    "server, words": _excerpts(words="a"),
    "favourites, words": _excerpts(favourites=True, words="art"),
    "family": lambda store: store.ancestors(5),
    "brood": lambda store: store.descendants(5),
    "children": lambda store: store.children(5, limit=9),
    "gallery": lambda store: store.gallery_page(before=None, limit=9),
    "gallery, words": lambda store: store.gallery_search("art", before=None, limit=9),
    "gallery, one": lambda store: store.gallery_picture(5),
    "gallery, children": lambda store: store.gallery_children(5, limit=9),
    "keepsakes": _keepsakes,
    "starboard": _star,
    "delete": _delete,
    "preferences": _preferences,
    "spare": lambda store: store.spare("picture", before=1e12, after=None, limit=9),
    "left over": lambda store: store.let_go_left_over(9),
    "untidied": lambda store: store.untidied(after=0, limit=9),
    "switch": lambda store: store.switch("mode"),
    "bans": lambda store: store.bans(),
}

# What may be gone through: what is unfinished or untold, the newest entries of an index, and what
# is small anyhow.
MAY_BE_SCANNED = re.compile(
    r"SCAN \w+ USING (COVERING )?INDEX jobs_(running|queued\w*|open|done|left_over|untidied)$"
    r"|SCAN groups USING (COVERING )?INDEX groups_open$"
    r"|SCAN (value|channel|json_each|CONSTANT ROW|bans|line|brood|preferences|words)\b"
    r"|SCAN \(subquery"
)
# By which the questions find their rows.
INDEXES = {
    *("jobs_by_group", "jobs_by_member", "jobs_by_message", "jobs_by_parent", "jobs_by_user"),
    *("jobs_done", "jobs_done_by_channel", "jobs_done_by_user", "jobs_open", "jobs_running"),
    *("jobs_queued", "jobs_queued_by_guild", "jobs_queued_by_user"),
    *("favourites_by_job", "groups_by_message", "groups_open", "preferences_by_name"),
    *("jobs_kept", "jobs_left_over", "jobs_shown_by_channel", "jobs_untidied"),
}
# The last rows, whatever they are.
NEWEST = "SELECT id AS job_id, asked_at FROM jobs ORDER BY id DESC LIMIT 10"


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Two communities, one with four times as many pictures, by their number."""
    found = {}
    for pictures in (3000, 12_000):
        folder = tmp_path_factory.mktemp(f"with_{pictures}")
        upgrade(folder)
        fill(database_path(folder), pictures, WAITING, seed=1)
        found[pictures] = database_path(folder)
    return found


@pytest.fixture
async def stores(
    databases: dict[int, Path], tmp_path: Path, clock: Clock
) -> AsyncIterator[list[Store]]:
    small, large = (
        Path(shutil.copy(path, tmp_path / f"{pictures}.db"))
        for pictures, path in sorted(databases.items())
    )
    async with opened(small, clock) as one, opened(large, clock) as other:
        yield [one, other]


async def steps_of(store: Store, question: Callable[[Store], Awaitable[object]]) -> int:
    """How many steps SQLite's machine takes for it."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1

    for connection in (store._writer, store._reader):
        await connection.set_progress_handler(count, 1)
    await question(store)
    for connection in (store._writer, store._reader):
        await connection.set_progress_handler(None, 1)
    return taken


@pytest.mark.parametrize("name", QUESTIONS)
async def test_a_longer_history_is_no_more_work(
    stores: list[Store], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Rare words are looked up all at once, and more of them are rare in a small history.
    monkeypatch.setattr(finding, "_RARE", 100)
    small, large = [await steps_of(store, QUESTIONS[name]) for store in stores]
    # In the index of words each way down becomes longer, but not four times as long.
    growth = 2.6 if "words" in name else 1.3
    assert large <= growth * small + 200, (small, large)


async def statements_of(store: Store) -> set[str]:
    """Everything that the questions send to the database."""
    sent: set[str] = set()
    for connection in (store._writer, store._reader):
        await connection.set_trace_callback(sent.add)
    for question in QUESTIONS.values():
        await question(store)
    for connection in (store._writer, store._reader):
        await connection.set_trace_callback(None)
    kinds = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
    # The index of words has tables of its own, and sees to them itself.
    return {
        text
        for text in sent
        if text.lstrip().startswith(kinds) and "'words_" not in text and text != NEWEST
    }


def steps_of_plans(database: sqlite3.Connection, statements: set[str]) -> list[tuple[str, str]]:
    """How SQLite goes about each, step by step."""
    return [
        (row[3], statement)
        for statement in statements
        for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]


async def test_nothing_is_gone_through_from_end_to_end(stores: list[Store], tmp_path: Path) -> None:
    statements = await statements_of(stores[1])
    assert len(statements) > 80
    with sqlite3.connect(tmp_path / "12000.db") as database:
        steps = steps_of_plans(database, statements)
    database.close()
    for step, statement in steps:
        assert not step.startswith("SCAN") or MAY_BE_SCANNED.match(step), (step, statement)
        assert "AUTOMATIC" not in step, (step, statement)
    used = {match[1] for step, _ in steps if (match := re.search(r"INDEX ([a-z]+_\w+)", step))}
    assert {name for name in used if not name.startswith("sqlite_")} == INDEXES
