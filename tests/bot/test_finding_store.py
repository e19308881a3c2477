"""The statements with which pictures are found: what they find, and that they use their indexes."""

import sqlite3
from pathlib import Path

import pytest

from bot.folder import database_path
from bot.store import Store, Wanted, finding, forgetting
from engine.settings import make_settings
from tests.bot.gallery import PRIVATE, PUBLIC, Painter
from tests.bot.helpers import ALICE, BOB, CAROL, add


@pytest.fixture
def painter(store: Store, tmp_path: Path) -> Painter:
    return Painter(store, tmp_path)


async def found(store: Store, wanted: Wanted, **how) -> list[int]:
    how = {"edge": None, "direction": "older", "limit": 10} | how
    return [job.id for job in (await store.excerpt(wanted, **how)).jobs]


async def test_pictures_on_both_sides_of_an_edge(store: Store, painter: Painter) -> None:
    for _ in range(5):
        await painter.paint()
        await painter.paint(user=BOB)
    mine = Wanted(ALICE, by=ALICE)
    assert await found(store, mine) == [9, 7, 5, 3, 1]
    assert await found(store, mine, edge=5) == [3, 1]
    assert await found(store, mine, edge=6) == [5, 3, 1]
    assert await found(store, mine, edge=3, direction="newer") == [9, 7, 5]
    assert await found(store, mine, edge=3, direction="newer", limit=2) == [7, 5]
    assert await found(store, mine, edge=1) == []


@pytest.mark.parametrize(
    ("edge", "direction", "limit", "newer", "older"),
    [
        (None, "older", 2, False, True),
        (None, "older", 3, False, False),
        (3, "older", 1, True, True),
        (3, "older", 2, True, False),
        (1, "newer", 1, True, True),
        (1, "newer", 2, False, True),
    ],
)
async def test_whether_there_are_more(
    store: Store, painter: Painter, edge, direction, limit, newer, older
) -> None:
    for _ in range(3):
        await painter.paint()
    excerpt = await store.excerpt(
        Wanted(ALICE, {PUBLIC}), edge=edge, direction=direction, limit=limit
    )
    assert (excerpt.newer, excerpt.older) == (newer, older)


async def test_only_what_may_be_seen_is_found(store: Store, painter: Painter) -> None:
    public, own, private = (
        (await painter.paint(user=BOB)).id,
        (await painter.paint(channel=PRIVATE)).id,
        (await painter.paint(user=BOB, channel=PRIVATE)).id,
    )
    for job_id in (public, own, private):
        await painter.change("INSERT INTO favourites VALUES (?, ?, 0)", ALICE, job_id)
    both = {PUBLIC, PRIVATE}
    for words in ("", "apple"):
        assert await found(store, Wanted(ALICE, {PUBLIC}, words=words)) == [public]
        assert await found(store, Wanted(ALICE, both, words=words)) == [private, own, public]
        assert await found(store, Wanted(ALICE, (), words=words)) == []
        assert await found(store, Wanted(ALICE, {PUBLIC}, by=BOB, words=words)) == [public]
        assert await found(store, Wanted(ALICE, both, by=BOB, words=words)) == [private, public]
        assert await found(store, Wanted(ALICE, by=ALICE, words=words)) == [own]
        starred = Wanted(ALICE, {PUBLIC}, favourites=True, words=words)
        assert await found(store, starred) == [own, public]
        assert await found(store, Wanted(CAROL, both, favourites=True, words=words)) == []


async def test_what_is_not_finished_or_deleted_is_not_found(store: Store, painter: Painter) -> None:
    job = await painter.paint()
    await painter.change("INSERT INTO favourites VALUES (?, ?, 0)", ALICE, job.id)
    await add(store, ALICE)
    searches = [
        Wanted(ALICE, {PUBLIC}),
        Wanted(ALICE, {PUBLIC}, words="apple"),
        Wanted(ALICE, by=ALICE),
        Wanted(ALICE, by=ALICE, words="apple"),
        Wanted(ALICE, favourites=True),
    ]
    for wanted in searches:
        assert await found(store, wanted) == [job.id]
    await painter.change("UPDATE jobs SET deleted_at = 1 WHERE id = ?", job.id)
    for wanted in searches:
        assert await found(store, wanted) == []
    assert await store.own_pictures(ALICE) == []


async def test_the_queries_use_their_indexes(store: Store, painter: Painter) -> None:
    first = await painter.paint()
    await painter.paint(parent=first.id, relation="reroll")
    await painter.copies(500)
    statements: list[str] = []
    await store._reader.set_trace_callback(statements.append)
    everywhere = {PUBLIC, PRIVATE}
    for words in ("", "apple"):
        for wanted in (
            Wanted(ALICE, by=ALICE, words=words),
            Wanted(ALICE, everywhere, words=words),
            Wanted(ALICE, everywhere, by=BOB, words=words),
            Wanted(ALICE, everywhere, favourites=True, words=words),
        ):
            await store.excerpt(wanted, edge=400, direction="older", limit=9)
            await store.excerpt(wanted, edge=100, direction="newer", limit=9)
    await store.shown_by(5)
    await store.own_pictures(ALICE)
    await store.ancestors(2)
    await store.descendants(1)
    await store.children(1, limit=5)
    await store._reader.set_trace_callback(None)
    ours = [text for text in statements if "jobs" in text or "art" in text]
    assert len(ours) > 20
    with sqlite3.connect(database_path(painter.data)) as database:
        for statement in ours:
            plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")]
            for step in plan:
                assert "SCAN jobs" not in step, (statement, plan)
                assert "SCAN favourites" not in step, (statement, plan)
                assert "SCAN groups" not in step, (statement, plan)
                assert "AUTOMATIC" not in step, (statement, plan)
            # Of a person's pictures no more are read than are shown; of channels, of each as many.
            if "AS channel" not in statement:
                assert not any("TEMP B-TREE" in step for step in plan), (statement, plan)
    database.close()


async def test_favourites_are_found_by_rare_and_by_common_words(
    store: Store, painter: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    liked = [(await painter.paint(f"a {name} apple")).id for name in ("red", "green", "blue")]
    await painter.paint("a green pear")
    for job_id in liked:
        await painter.change("INSERT INTO favourites VALUES (?, ?, 0)", ALICE, job_id)
    for rare in (0, 50_000):
        monkeypatch.setattr(finding, "_RARE", rare)
        for words, there in (("apple", liked[::-1]), ("gre", [liked[1]]), ("pear", []), ("x", [])):
            assert await found(store, Wanted(ALICE, favourites=True, words=words)) == there


async def test_words_that_are_hidden_leave_the_index(
    store: Store, painter: Painter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "_PAGES_AT_ONCE", 1)
    first = await painter.paint("an unspeakable apple")
    await painter.copies(40)
    for number in range(40):
        await add(store, BOB, settings=make_settings({"prompts": f"a fox {number}"}))
    await store.begin_forgetting(ALICE)
    assert await found(store, Wanted(BOB, {PUBLIC}, words="unspeakable")) == []
    while jobs := await store.next_to_forget(ALICE):
        for job in jobs:
            await store.forget_job(job, unreachable=0)
    await store.end_forgetting(ALICE, unreachable=0)
    assert await store.get(first.id) is None
    kept = await store._read_all("SELECT block FROM words_data")
    assert not any(b"unspeak" in row["block"] for row in kept)
    rows = await store._read_all("SELECT rowid FROM words WHERE words MATCH 'fox'")
    assert len(rows) == 40
