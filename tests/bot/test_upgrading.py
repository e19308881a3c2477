"""The database of any earlier version is brought up to date, whole or not at all."""

import hashlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.folder import MIGRATIONS, NewerDatabase, database_path, upgrade
from bot.jobs import State
from bot.store import Store, Wanted
from tests.bot.helpers import NO_CAPS, Clock, add
from tests.bot.versions import (
    VERSIONS,
    applied,
    content,
    leave_behind,
    problems,
    readable_views,
    schema,
    tables,
)

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("version", VERSIONS)
def test_every_row_of_every_table_is_there_afterwards(tmp_path: Path, version: str) -> None:
    leave_behind(tmp_path / "old", version)
    path = database_path(tmp_path / "old")
    before = content(path)
    assert set(before) == set(tables(path))
    assert all(before.values()), "a table without rows is not tried"
    assert upgrade(tmp_path / "old") == list(VERSIONS[VERSIONS.index(version) + 1 :])
    after = content(path)
    for table, rows in before.items():
        kept = [
            {name: row[name] for name in old} for old, row in zip(rows, after[table], strict=True)
        ]
        assert kept == rows, table
    assert not list(problems(path))


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_made_of_the_same_as_one_made_now(tmp_path: Path, version: str) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    new.mkdir()
    leave_behind(old, version)
    upgrade(old)
    upgrade(new)
    assert schema(database_path(old)) == schema(database_path(new))
    assert applied(database_path(old)) == applied(database_path(new)) == list(VERSIONS)
    assert {"art", "open_art", "gallery_art"} <= readable_views(database_path(old))


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_bot_goes_on_with_it(tmp_path: Path, version: str, clock: Clock) -> None:
    leave_behind(tmp_path, version)
    upgrade(tmp_path)
    async with Store.open(database_path(tmp_path), clock) as store:
        for job_id, state in enumerate(
            ("done", "failed", "cancelled", "running", "queued", "queued"), start=1
        ):
            job = await store.get(job_id)
            assert job is not None
            assert job.state == state
        first = await store.get(1)
        assert first is not None
        assert (first.prompt, first.seed, first.message_id) == ("a lighthouse at dusk", 7, 41)
        assert await store.provenance(first) is not None
        found = await store.excerpt(
            Wanted(viewer=12, channels=[31], words="LIGHT"), edge=None, direction="older", limit=9
        )
        assert [job.id for job in found.jobs] == [1]
        recovered = await store.recover()
        assert recovered == 1
        claimed = await store.claim(NO_CAPS)
        assert claimed is not None
        assert (claimed.id, claimed.state, claimed.attempt) == (4, State.RUNNING, 2)


async def test_numbers_of_deleted_jobs_are_not_used_again(tmp_path: Path, clock: Clock) -> None:
    leave_behind(tmp_path, VERSIONS[0])
    upgrade(tmp_path)
    async with Store.open(database_path(tmp_path), clock) as store:
        assert (await add(store)).id == 10


def test_the_pictures_that_jobs_need_are_noted_for_earlier_ones_too(tmp_path: Path) -> None:
    leave_behind(tmp_path, "0002_community")
    upgrade(tmp_path)
    noted = content(database_path(tmp_path))["attached"]
    assert {(row["name"][-2:], row["job_id"]) for row in noted} == {
        *[("aa", 4), ("bb", 24), ("cc", 24), ("aa", 24)]
    }


@pytest.mark.parametrize(("version", "stride"), [(None, 4), (VERSIONS[0], 1)])
def test_a_killed_upgrade_leaves_nothing_half_done_and_the_next_one_ends_it(
    tmp_path: Path, version: str | None, stride: int
) -> None:
    left = tmp_path / "left"
    left.mkdir()
    if version is not None:
        leave_behind(left, version)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.bot.dying_upgrade",
            str(tmp_path / "work"),
            str(left),
            str(stride),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    at_statements, _ = map(int, done.stdout.split())
    assert at_statements * stride > 100


def test_a_migration_that_databases_have_is_not_changed_any_more() -> None:
    """They would lack the change; it belongs into a migration of its own."""
    applied_somewhere = {
        "0001_jobs": "67c33db90428091e8edbb50210f582d73580a040489d77198a5c3cff863f95f3",
        "0002_community": "94a7d6876ac5adb6d9bab6be73184370071c22bf6eed38ca3f07780dfb3435d1",
    }
    for name, digest in applied_somewhere.items():
        assert hashlib.sha256((MIGRATIONS / f"{name}.sql").read_bytes()).hexdigest() == digest


def test_the_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    upgrade(tmp_path)
    path = database_path(tmp_path)
    change(path, "INSERT INTO _yoyo_migration VALUES ('a hash', '9999_future', '2030-01-01')")
    before = content(path)
    with pytest.raises(NewerDatabase, match=r"newer version of the bot .*: 1\); update"):
        upgrade(tmp_path)
    assert content(path) == before
    change(path, "DELETE FROM _yoyo_migration WHERE migration_id = '9999_future'")
    assert upgrade(tmp_path) == []


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(statement)
