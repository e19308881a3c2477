"""A backup is made while the bot writes, and a bot is started from it."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.backup import BackupError, back_up, check
from bot.folder import database_path, upgrade
from bot.store import Store, copying
from tests.bot.helpers import ALICE, Clock, done, new_job, until
from tests.bot.scripted import ScriptedEngine
from tests.bot.test_cli import pixel
from tests.bot.versions import VERSIONS, content, leave_behind, problems
from tests.simulated import Server, simulated


@pytest.fixture
async def filled(store: Store, tmp_path: Path) -> AsyncIterator[Store]:
    """A store with some megabytes, so that copying it takes several steps."""
    await done(store)
    with closing(sqlite3.connect(database_path(tmp_path))) as database, database:
        database.execute(
            """
            WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number
                WHERE n < 8000)
            INSERT INTO jobs (user_id, guild_id, channel_id, asked, seed, round, asked_at)
            SELECT n, 1, 1, asked, n, n, 0 FROM number, jobs
            """
        )
    return store


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_what_is_written_meanwhile_is_in_the_copy_whole_or_not_at_all(
    filled: Store, tmp_path: Path
) -> None:
    made = asyncio.create_task(
        asyncio.to_thread(pixel, "db", "backup", str(tmp_path / "copy"), "--data", str(tmp_path))
    )
    groups = 0
    while not made.done():
        await filled.add_group([new_job(ALICE + groups) for _ in range(4)], waiting_per_user=10)
        groups += 1
    assert (await made).returncode == 0
    assert groups > 5
    assert not list(problems(tmp_path / "copy"))
    before, after = content(tmp_path / "copy"), content(database_path(tmp_path))
    assert len(before["jobs"]) == 8001 + 4 * len(before["groups"])
    assert before["jobs"] == after["jobs"][: len(before["jobs"])]
    assert names(tmp_path) == {"copy", "pixel.db", "pixel.db-wal", "pixel.db-shm"}


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    upgrade(tmp_path)
    back_up(tmp_path, tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0


async def test_the_copy_is_not_begun_anew_at_each_change(
    filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which SQLite's backup does, unless it reads within one transaction."""
    monkeypatch.setattr(copying, "_PAGES_AT_ONCE", 64)
    monkeypatch.setattr(copying, "_PAUSE_SECONDS", 0.02)
    made = asyncio.create_task(asyncio.to_thread(back_up, tmp_path, tmp_path / "copy"))
    changes = 0
    while not made.done():
        await filled.set_switch("mode", str(changes))
        changes += 1
        assert changes < 1000, "it never ends"
        await asyncio.sleep(0.005)
    assert await made > 1_000_000
    assert changes > 10


@pytest.mark.parametrize("version", VERSIONS)
def test_the_database_of_an_earlier_version_is_copied_as_it_is(
    tmp_path: Path, version: str
) -> None:
    leave_behind(tmp_path, version)
    back_up(tmp_path, tmp_path / "copy")
    assert content(tmp_path / "copy") == content(database_path(tmp_path))
    report = check(tmp_path / "copy")
    assert (report.problems, report.version) == ([], version)
    assert report.outdated == (version != VERSIONS[-1])


def test_each_reason_for_no_backup_is_one_sentence(tmp_path: Path) -> None:
    upgrade(tmp_path)
    (tmp_path / "taken").write_bytes(b"precious")
    (tmp_path / "file").touch()
    refused = f"{tmp_path / 'taken'} is there already, and a backup replaces nothing."
    for data, target, sentence in (
        (tmp_path / "elsewhere", "copy", "There is no database"),
        (tmp_path, "taken", refused),
        (tmp_path, "no/folder", "cannot be written: No such file or directory."),
        (tmp_path, "file/copy", "cannot be written: Not a directory."),
    ):
        with pytest.raises(BackupError) as refusal:
            back_up(data, tmp_path / target)
        assert sentence in str(refusal.value)
    told = pixel("db", "backup", str(tmp_path / "taken"), "--data", str(tmp_path))
    assert told.returncode == 1
    assert told.stderr == f"{refused}\n"
    assert (tmp_path / "taken").read_bytes() == b"precious"
    assert names(tmp_path) == {"file", "pixel.db", "taken"}


def test_a_damaged_database_is_not_passed_off_as_a_backup(tmp_path: Path) -> None:
    leave_behind(tmp_path, VERSIONS[-1])
    path = database_path(tmp_path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute("INSERT INTO favourites VALUES (1, 4711, 0)")
    with pytest.raises(BackupError, match="favourites points to one of jobs that is not there"):
        back_up(tmp_path, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
    told = pixel("db", "check", str(tmp_path))
    assert told.returncode == 1
    assert "- a row of favourites points to one of jobs" in told.stderr
    pages = bytearray(path.read_bytes())
    pages[len(pages) // 2 :] = bytes(len(pages) - len(pages) // 2)
    path.write_bytes(pages)
    assert check(path).problems
    path.write_bytes(b"not a database" * 1000)
    assert check(path).problems == ["file is not a database"]
    with pytest.raises(BackupError, match=r"cannot be copied to .*: file is not a database"):
        back_up(tmp_path, tmp_path / "copy")


def test_check_tells_what_is_there(tmp_path: Path) -> None:
    leave_behind(tmp_path, VERSIONS[-1])
    told = pixel("db", "check", PIXEL_DATA=str(tmp_path))
    assert told.returncode == 0
    assert told.stdout == (
        f"The database of {tmp_path} is sound. It is that of version {VERSIONS[-1]}.\n"
        "Of 4 pictures that are kept, 4 have no file.\n"
    )
    with pytest.raises(BackupError, match=f"There is no database {tmp_path}/nothing"):
        check(tmp_path / "nothing")
    with closing(sqlite3.connect(database_path(tmp_path))) as database, database:
        database.execute("INSERT INTO _yoyo_migration VALUES ('x', '9999_future', '2030-01-01')")
    with pytest.raises(BackupError, match=r"of a newer version of the bot \(9999_future\)"):
        check(database_path(tmp_path))


async def drawn(server: Server, engine: ScriptedEngine) -> int:
    job_id = await server.ask()
    await engine.has(job_id)
    engine.finish(job_id)
    await server.finished(job_id)
    return job_id


async def test_a_bot_starts_from_a_backup_and_its_pictures(tmp_path: Path) -> None:
    engine, old, new = ScriptedEngine(), tmp_path / "old", tmp_path / "new"
    async with simulated(old, engine) as server:
        first = await drawn(server, engine)
        waiting = await server.ask("a waiting fox")
        told = await asyncio.to_thread(
            pixel, "db", "backup", str(tmp_path / "copy"), "--data", str(old)
        )
        assert told.stdout.endswith(f"copy {old / 'pictures'} after it.\n"), told.stderr
        # It comes too late for the database, and its files do not.
        engine.finish(waiting)
        await server.finished(waiting)
        late = await drawn(server, engine)
        new.mkdir()
        shutil.copytree(old / "pictures", new / "pictures")
    shutil.copy(tmp_path / "copy", database_path(new))
    engine = ScriptedEngine()
    async with simulated(new, engine) as server:
        job = await server.job(first)
        assert job.picture is not None
        assert await server.bot.pictures.read(job.picture)
        # What was being drawn then goes on, though its picture was finished meanwhile.
        await engine.has(waiting)
        engine.finish(waiting)

        async def is_done() -> bool:
            return (await server.job(waiting)).state == "done"

        await until(is_done)
        # No message and no file of a later picture is taken for that of another one.
        assert await server.bot.store.get(late) is None
        assert await server.ask() == late + 1


async def test_numbers_go_on_after_those_that_have_files(store: Store, clock: Clock) -> None:
    await store.number_from(41)
    await store.number_from(7)
    assert (await done(store)).id == 42
