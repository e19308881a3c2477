"""Databases as earlier versions of the bot left them, with rows in every table."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from unittest import mock

from bot import folder
from bot.folder import database_path, upgrade

ROWS = Path(__file__).parent / "rows"
VERSIONS = tuple(path.stem for path in sorted(folder.MIGRATIONS.glob("*.sql")))


def leave_behind(data: Path, version: str) -> None:
    """Let a version of the bot, and those before it, have worked in a folder."""
    data.mkdir(parents=True, exist_ok=True)
    for name in VERSIONS[: VERSIONS.index(version) + 1]:
        migrations = data / "migrations"
        migrations.mkdir(exist_ok=True)
        shutil.copy(folder.MIGRATIONS / f"{name}.sql", migrations)
        with mock.patch.object(folder, "MIGRATIONS", migrations):
            assert upgrade(data) == [name]
        with closing(sqlite3.connect(database_path(data))) as database:
            database.executescript((ROWS / f"{name}.sql").read_text())
    shutil.rmtree(data / "migrations")


def schema(path: Path) -> dict[str, str]:
    """Everything that a database is made of, without yoyo's tables."""
    with closing(sqlite3.connect(path)) as database:
        listed = database.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE sql NOTNULL")
        return {name: sql for name, table, sql in listed if "yoyo" not in table}


def applied(path: Path) -> list[str]:
    """The migrations that a database has."""
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT migration_id FROM _yoyo_migration ORDER BY migration_id")
        return [name for (name,) in rows]


def tables(path: Path) -> list[str]:
    """The tables that hold rows of the bot's own."""
    with closing(sqlite3.connect(path)) as database:
        listed = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = [name for (name,) in listed]
    return [name for name in names if "yoyo" not in name and not name.startswith("words_")]


def readable_views(path: Path) -> set[str]:
    """The views; each is read once."""
    with closing(sqlite3.connect(path)) as database:
        listed = database.execute("SELECT name FROM sqlite_master WHERE type = 'view'")
        names = {name for (name,) in listed}
        for name in names:
            database.execute(f'SELECT * FROM "{name}"').fetchall()  # noqa: S608 - our own
    return names


def content(path: Path) -> dict[str, list[dict[str, object]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return {
            table: [dict(row) for row in database.execute(f'SELECT * FROM "{table}"')]  # noqa: S608 - our own
            for table in tables(path)
        }


def problems(path: Path) -> Iterator[str]:
    """What SQLite itself finds wrong with a database."""
    with closing(sqlite3.connect(path)) as database:
        for (sentence,) in database.execute("PRAGMA integrity_check"):
            if sentence != "ok":
                yield sentence
        for row in database.execute("PRAGMA foreign_key_check"):
            yield f"a row of {row[0]} points to nothing in {row[2]}"
        if any(table == "words" for table in tables(path)):
            database.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
