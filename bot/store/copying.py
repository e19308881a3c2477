"""The database as a file: copied while a bot writes into it, and checked.

These are no part of a bot at work, so they block, on connections of their own.
"""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

# A mebibyte or so, and then a pause in which the disk is the bot's.
_PAGES_AT_ONCE = 256
_PAUSE_SECONDS = 0.01

_NULL = re.compile(r"NULL value in (\w+)\.(\w+)")


def copy_database(source: Path, target: Path) -> None:
    """Copy a database as it is now, whatever is written into it meanwhile.

    Args:
        source: a database.
        target: an empty file.

    Raises:
        sqlite3.Error: as SQLite does.

    """
    with closing(_read_only(source)) as original, closing(sqlite3.connect(target)) as copy:
        # What this transaction sees stays as it is. Without it, each change by another process
        # would have SQLite's backup begin anew, and in a busy channel it might never end. With
        # write-ahead logging nobody waits for whoever reads.
        original.execute("BEGIN")
        original.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        original.backup(copy, pages=_PAGES_AT_ONCE, progress=_pause)
        # One file for everything, also while somebody reads it; a bot changes that again.
        copy.execute("PRAGMA journal_mode = DELETE")


def flaws(path: Path) -> Iterator[str]:
    """What is wrong with a database: damage, and rows that point to none."""
    with closing(_read_only(path)) as database:
        for (sentence,) in database.execute("PRAGMA integrity_check"):
            if sentence != "ok" and not _is_false_alarm(database, sentence):
                yield sentence
        for table, _, parent, _ in database.execute("PRAGMA foreign_key_check"):
            yield f"a row of {table} points to one of {parent} that is not there"


def migrations_of(path: Path) -> list[str]:
    """The migrations that a database has, in their order; none if it is not one of the bot's."""
    with closing(_read_only(path)) as database:
        if not database.execute(
            "SELECT 1 FROM sqlite_master WHERE name = '_yoyo_migration'"
        ).fetchone():
            return []
        rows = database.execute("SELECT migration_id FROM _yoyo_migration ORDER BY migration_id")
        return [name for (name,) in rows]


def pictures_of(path: Path) -> Iterator[tuple[int, str]]:
    """The jobs whose pictures are kept, and where; for a database that is up to date."""
    with closing(_read_only(path)) as database:
        yield from database.execute("SELECT id, picture FROM art WHERE kept != 'nothing'")


def _pause(_status: int, _remaining: int, _total: int) -> None:
    time.sleep(_PAUSE_SECONDS)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)


def _is_false_alarm(database: sqlite3.Connection, sentence: str) -> bool:
    """Whether it is about values that are there.

    SQLite 3.40 looks for them in the wrong places of tables without rowids whose keys are not in
    front.
    """
    match = _NULL.fullmatch(sentence)
    if match is None:
        return False
    table, column = match.groups()
    statement = f'SELECT 1 FROM "{table}" WHERE "{column}" IS NULL'  # noqa: S608 - a schema's names
    return database.execute(statement).fetchone() is None
