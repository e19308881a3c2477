"""The connections: one that writes, one transaction at a time, and one that reads."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Self
from urllib.parse import quote

import aiosqlite
import msgspec

from bot.jobs import Job, State
from engine.protocol import Provenance
from engine.settings import Settings

# The columns that a `Job` shows; the others matter only in here.
_COLUMNS = tuple(field.name for field in fields(Job))

Values = Sequence[object] | dict[str, object]


class Database:
    """A database that `bot.folder.upgrade` has brought up to date.

    Writes go through one connection, one transaction at a time; reads through another, which sees
    the last committed state and never waits for a write.
    """

    def __init__(
        self,
        writer: aiosqlite.Connection,
        reader: aiosqlite.Connection,
        clock: Callable[[], float],
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._lock = asyncio.Lock()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, path: Path, clock: Callable[[], float]) -> AsyncIterator[Self]:
        """Open it; `clock` gives seconds since 1970."""
        async with _connect(path) as writer, _connect(path) as reader:
            await writer.execute("PRAGMA journal_mode = WAL")
            # A queued job survives a power cut, not only the end of a process.
            await writer.execute("PRAGMA synchronous = FULL")
            # What is deleted is not left lying in unused pages.
            await writer.execute("PRAGMA secure_delete = ON")
            await reader.execute("PRAGMA query_only = ON")
            yield cls(writer, reader, clock)

    @classmethod
    @contextlib.asynccontextmanager
    async def open_read_only(cls, path: Path, clock: Callable[[], float]) -> AsyncIterator[Self]:
        """Open it for reading alone, on one connection, beside whatever bot writes into it.

        Raises:
            sqlite3.OperationalError: when there is no such database; and from whatever would
                write.

        """
        async with _connect(f"file:{quote(str(path))}?mode=ro") as reader:
            yield cls(reader, reader, clock)

    @contextlib.asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        async with self._lock:
            try:
                await self._writer.execute("BEGIN IMMEDIATE")
                yield
                await self._writer.commit()
            except BaseException:
                # Also when this task is cancelled: the next one must find no open transaction.
                await self._writer.rollback()
                raise

    async def _write(self, statement: str, values: Values = ()) -> sqlite3.Row | None:
        """Run one statement of a transaction; returns its first row."""
        rows = await self._writer.execute_fetchall(statement, values)
        return next(iter(rows), None)

    async def _change(self, statement: str, values: Values) -> bool:
        """Run one UPDATE; returns whether it found its row."""
        async with self._lock:
            cursor = await self._writer.execute(statement, values)
            return cursor.rowcount > 0

    async def _read(self, statement: str, values: Values = ()) -> sqlite3.Row | None:
        rows = await self._reader.execute_fetchall(statement, values)
        return next(iter(rows), None)

    async def _read_job(self, statement: str, values: Values) -> Job | None:
        row = await self._read(statement, values)
        return job_of(row) if row is not None else None

    async def _read_all(self, statement: str, values: Values = ()) -> list[sqlite3.Row]:
        return list(await self._reader.execute_fetchall(statement, values))

    async def _read_jobs(self, statement: str, values: Values = ()) -> list[Job]:
        return [job_of(row) for row in await self._read_all(statement, values)]


@contextlib.asynccontextmanager
async def _connect(path: Path | str) -> AsyncIterator[aiosqlite.Connection]:
    """A connection to a database, by its path or by a ``file:`` address that says more."""
    # Autocommit: a transaction begins where BEGIN says so, not wherever the driver guesses.
    connecting = aiosqlite.connect(path, isolation_level=None, uri=isinstance(path, str))
    async with connecting as connection:
        connection.row_factory = sqlite3.Row
        await connection.execute("PRAGMA busy_timeout = 5000")
        await connection.execute("PRAGMA foreign_keys = ON")
        yield connection


def to_json(value: Settings | Provenance) -> str:
    """How settings and provenance are kept."""
    return msgspec.json.encode(value).decode()


def job_of(row: sqlite3.Row) -> Job:
    """A row of the table `jobs`."""
    resolved = row["resolved"]
    return Job(
        **{
            **{name: row[name] for name in _COLUMNS},
            "asked": msgspec.json.decode(row["asked"], type=Settings),
            "resolved": resolved and msgspec.json.decode(resolved, type=Settings),
            "state": State(row["state"]),
            "suspect": bool(row["suspect"]),
            "spoiler": bool(row["spoiler"]),
        }
    )
