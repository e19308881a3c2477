"""The queue and the history in SQLite: every SQL statement of the project.

The database is the queue. A job's state changes by one guarded UPDATE that names the state and the
attempt it changes from, and tells whether it took; a result of an old attempt finds no row.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import aiosqlite
import msgspec

from bot.errors import Refusal
from bot.jobs import Job, NewJob, State
from engine.protocol import Provenance
from engine.settings import Settings

# A job that died alone so often, with no new snapshot in between, is given up.
LONE_DEATHS = 2

# The columns that a `Job` shows; the others matter only in here.
_COLUMNS = tuple(field.name for field in fields(Job))

# How many finished pictures the waiting time is estimated from, and what is taken before any.
_SAMPLE = 20
_GUESS_SECONDS = 10.0


class QueueFull(Refusal):
    """Somebody has as many pictures waiting as one person may; the message is for them."""


@dataclass(frozen=True)
class Caps:
    """How many jobs may run at the same time."""

    per_user: int
    per_guild: int


@dataclass(frozen=True)
class Place:
    """Where a waiting job stands: how many are before it, and about how long until it is drawn."""

    before: int
    seconds: float


@dataclass(frozen=True)
class Neighbours:
    """What lies beside a picture in its owner's history, and its place from the newest on."""

    newer: int | None
    older: int | None
    number: int
    total: int


class Store:
    """The table of jobs. Open it with `Store.open`.

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
        """Open a database that `bot.folder.upgrade` has brought up to date."""
        async with _connect(path) as writer, _connect(path) as reader:
            await writer.execute("PRAGMA journal_mode = WAL")
            # A queued job survives a power cut, not only the end of a process.
            await writer.execute("PRAGMA synchronous = FULL")
            await reader.execute("PRAGMA query_only = ON")
            yield cls(writer, reader, clock)

    # --- asking ---

    async def add_job(self, new: NewJob, *, waiting_per_user: int) -> Job:
        """Put a job into the queue.

        Its fair round is that of the job that is next, plus one for each unfinished job of its
        owner: a newcomer comes before somebody's second picture, but not before one whose turn
        it is.

        Raises:
            QueueFull: when its owner has `waiting_per_user` jobs waiting already.

        """
        async with self._transaction():
            row = await self._write(
                """
                SELECT COUNT(*) AS waiting, MAX(round) AS last_round,
                    (SELECT COUNT(*) FROM jobs
                     WHERE state = 'running' AND user_id = :user) AS running,
                    (SELECT MIN(round) FROM jobs WHERE state = 'queued' AND lane = 1) AS next_round
                FROM jobs WHERE state = 'queued' AND user_id = :user
                """,
                {"user": new.user_id},
            )
            assert row is not None
            if row["waiting"] >= waiting_per_user:
                raise QueueFull(
                    f"{row['waiting']} of your pictures are waiting already, which is as many as "
                    "one person may have; wait for one of them or cancel one."
                )
            fair_round = (row["next_round"] or 0) + row["waiting"] + row["running"]
            added = await self._write(
                """
                INSERT INTO jobs (user_id, guild_id, channel_id, asked, resolved, seed,
                    init_image, parent_id, relation, round, asked_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                RETURNING *
                """,
                (
                    new.user_id,
                    new.guild_id,
                    new.channel_id,
                    _to_json(new.settings),
                    _to_json(new.resolved) if new.resolved is not None else None,
                    new.seed,
                    new.init_image,
                    new.parent_id,
                    new.relation,
                    max(fair_round, row["last_round"] or 0),
                    self._clock(),
                ),
            )
        assert added is not None
        return _job(added)

    # --- the queue ---

    async def claim(self, caps: Caps) -> Job | None:
        """Hand out the next job that may run: queued → running, with a new attempt number.

        Jobs of people and servers at their cap are passed over. A suspect runs alone: it is handed
        out when nothing runs, and nothing is handed out beside it.
        """
        async with self._transaction():
            running = await self._write(
                "SELECT COUNT(*) AS jobs, MAX(suspect) AS suspect FROM jobs WHERE state = 'running'"
            )
            assert running is not None
            if running["suspect"]:
                return None
            row = await self._write(
                """
                SELECT id, attempt, suspect FROM jobs
                WHERE state = 'queued'
                    AND user_id NOT IN (
                        SELECT user_id FROM jobs WHERE state = 'running'
                        GROUP BY user_id HAVING COUNT(*) >= :per_user)
                    AND guild_id NOT IN (
                        SELECT guild_id FROM jobs WHERE state = 'running'
                        GROUP BY guild_id HAVING COUNT(*) >= :per_guild)
                ORDER BY lane, round, id LIMIT 1
                """,
                {"per_user": caps.per_user, "per_guild": caps.per_guild},
            )
            if row is None or (row["suspect"] and running["jobs"]):
                return None
            claimed = await self._write(
                """
                UPDATE jobs SET state = 'running', attempt = attempt + 1,
                    started_at = COALESCE(started_at, ?)
                WHERE id = ? AND state = 'queued' AND attempt = ?
                RETURNING *
                """,
                (self._clock(), row["id"], row["attempt"]),
            )
        return _job(claimed) if claimed is not None else None

    async def record_start(
        self, job: Job, resolved: Settings, provenance: Provenance, iteration: int
    ) -> bool:
        """Keep what the engine made of the settings, and where it goes on."""
        return await self._change(
            """
            UPDATE jobs SET resolved = ?, provenance = ?, snapshot = ?
            WHERE id = ? AND state = 'running' AND attempt = ?
            """,
            (_to_json(resolved), _to_json(provenance), iteration, job.id, job.attempt),
        )

    async def record_snapshot(self, job: Job, iteration: int) -> bool:
        """Keep from where the job can go on."""
        return await self._change(
            "UPDATE jobs SET snapshot = ? WHERE id = ? AND state = 'running' AND attempt = ?",
            (iteration, job.id, job.attempt),
        )

    async def finish(self, job: Job, *, picture: str, native: str, drawing_seconds: float) -> bool:
        """Running → done; the pictures are on the disk."""
        return await self._change(
            """
            UPDATE jobs SET state = 'done', picture = ?, native = ?, drawing_seconds = ?,
                finished_at = ?
            WHERE id = ? AND state = 'running' AND attempt = ?
            """,
            (picture, native, drawing_seconds, self._clock(), job.id, job.attempt),
        )

    async def fail(self, job: Job, sentence: str) -> bool:
        """Running → failed."""
        return await self._change(
            """
            UPDATE jobs SET state = 'failed', error = ?, finished_at = ?
            WHERE id = ? AND state = 'running' AND attempt = ?
            """,
            (sentence, self._clock(), job.id, job.attempt),
        )

    async def cancel(self, job: Job) -> bool:
        """Queued or running → cancelled, if the job still is what `job` says."""
        return await self._change(
            """
            UPDATE jobs SET state = 'cancelled', finished_at = ?
            WHERE id = ? AND state IN ('queued', 'running') AND state = ? AND attempt = ?
            """,
            (self._clock(), job.id, job.state, job.attempt),
        )

    async def requeue_suspect(self, job: Job, *, alone: bool, sentence: str) -> bool:
        """Running → queued, to the front, because the engine died while it had the job.

        Args:
            job: as it was handed out.
            alone: whether the job had the engine to itself.
            sentence: why it fails if it died alone `LONE_DEATHS` times and got no further in
                between; it then goes to `failed`.

        """
        async with self._transaction():
            row = await self._write(
                """
                SELECT snapshot, died_at, lone_deaths FROM jobs
                WHERE id = ? AND state = 'running' AND attempt = ?
                """,
                (job.id, job.attempt),
            )
            if row is None:
                return False
            died_at, lone_deaths = row["died_at"], row["lone_deaths"]
            if alone:
                further = died_at is None or row["snapshot"] > died_at
                died_at, lone_deaths = row["snapshot"], 1 if further else lone_deaths + 1
            given_up = lone_deaths >= LONE_DEATHS
            await self._write(
                """
                UPDATE jobs SET state = ?, error = ?, finished_at = ?,
                    lane = 0, suspect = 1, died_at = ?, lone_deaths = ?
                WHERE id = ? AND state = 'running' AND attempt = ?
                """,
                (
                    State.FAILED if given_up else State.QUEUED,
                    sentence if given_up else None,
                    self._clock() if given_up else None,
                    died_at,
                    lone_deaths,
                    job.id,
                    job.attempt,
                ),
            )
            return True

    async def recover(self) -> int:
        """Put the jobs that a former process was drawing back to the front; returns how many."""
        async with self._lock:
            cursor = await self._writer.execute(
                "UPDATE jobs SET state = 'queued', lane = 0 WHERE state = 'running'"
            )
            return cursor.rowcount

    # --- the message in the channel ---

    async def set_message(self, job_id: int, message_id: int) -> None:
        """Keep which message shows the job, and that it was sent just now."""
        await self._change(
            "UPDATE jobs SET message_id = ?, message_at = ? WHERE id = ?",
            (message_id, self._clock(), job_id),
        )

    async def set_posted(self, job_id: int) -> None:
        """The message shows the end."""
        await self._change("UPDATE jobs SET report = 'posted' WHERE id = ?", (job_id,))

    async def silence(self, job_id: int) -> None:
        """Send nothing more about a job: its message or its channel is out of reach."""
        await self._change("UPDATE jobs SET report = 'silenced' WHERE id = ?", (job_id,))

    # --- reading ---

    async def get(self, job_id: int) -> Job | None:
        """One job, or None if there is none with this number."""
        return await self._read_job("SELECT * FROM jobs WHERE id = ?", (job_id,))

    async def place(self, job: Job, *, easels: int) -> Place | None:
        """Where a job stands in the queue, or None when it is not waiting (any more)."""
        row = await self._read(
            """
            SELECT
                (SELECT COUNT(*) FROM jobs
                 WHERE state = 'queued' AND (lane, round, id) < (this.lane, this.round, this.id)
                ) AS before,
                (SELECT COUNT(*) FROM jobs WHERE state = 'running') AS running
            FROM jobs AS this WHERE id = ? AND state = 'queued'
            """,
            (job.id,),
        )
        if row is None:
            return None
        turns = (row["before"] + row["running"]) // easels + 1
        return Place(row["before"], turns * await self._typical_seconds())

    async def waiting(self, limit: int) -> list[Job]:
        """The next jobs of the queue, in its order."""
        return await self._read_jobs(
            "SELECT * FROM jobs WHERE state = 'queued' ORDER BY lane, round, id LIMIT ?", (limit,)
        )

    async def count_waiting(self) -> int:
        """How many jobs wait."""
        row = await self._read("SELECT COUNT(*) AS jobs FROM jobs WHERE state = 'queued'")
        assert row is not None
        return int(row["jobs"])

    async def running(self) -> list[Job]:
        """The jobs that are being drawn."""
        return await self._read_jobs("SELECT * FROM jobs WHERE state = 'running' ORDER BY id")

    async def unreported(self) -> list[Job]:
        """The jobs whose message is missing, or shows less than it should after a restart.

        Those that only wait are left out: their place is corrected when they get near the front.
        """
        return await self._read_jobs(
            """
            SELECT * FROM jobs
            WHERE report = 'open'
                AND (message_id IS NULL OR attempt > 0 OR state NOT IN ('queued', 'running'))
            ORDER BY id
            """
        )

    async def newest_done(self, user_id: int) -> Job | None:
        """Somebody's newest finished picture."""
        return await self._read_job(
            "SELECT * FROM jobs WHERE state = 'done' AND user_id = ? ORDER BY id DESC LIMIT 1",
            (user_id,),
        )

    async def neighbours(self, job: Job) -> Neighbours:
        """What lies beside a finished picture in its owner's history."""
        row = await self._read(
            """
            SELECT
                (SELECT MIN(id) FROM jobs
                 WHERE state = 'done' AND user_id = :user AND id > :id) AS newer,
                (SELECT MAX(id) FROM jobs
                 WHERE state = 'done' AND user_id = :user AND id < :id) AS older,
                (SELECT COUNT(*) FROM jobs
                 WHERE state = 'done' AND user_id = :user AND id >= :id) AS number,
                (SELECT COUNT(*) FROM jobs WHERE state = 'done' AND user_id = :user) AS total
            """,
            {"user": job.user_id, "id": job.id},
        )
        assert row is not None
        return Neighbours(row["newer"], row["older"], row["number"], row["total"])

    async def _typical_seconds(self) -> float:
        row = await self._read(
            """
            SELECT AVG(drawing_seconds) AS seconds FROM (
                SELECT drawing_seconds FROM jobs WHERE state = 'done'
                ORDER BY finished_at DESC LIMIT ?)
            """,
            (_SAMPLE,),
        )
        assert row is not None
        return _GUESS_SECONDS if row["seconds"] is None else float(row["seconds"])

    # --- plumbing ---

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

    async def _write(
        self, statement: str, values: Sequence[object] | dict[str, object] = ()
    ) -> sqlite3.Row | None:
        """Run one statement of a transaction; returns its first row."""
        rows = await self._writer.execute_fetchall(statement, values)
        return next(iter(rows), None)

    async def _change(self, statement: str, values: Sequence[object] | dict[str, object]) -> bool:
        """Run one UPDATE; returns whether it found its row."""
        async with self._lock:
            cursor = await self._writer.execute(statement, values)
            return cursor.rowcount > 0

    async def _read(
        self, statement: str, values: Sequence[object] | dict[str, object] = ()
    ) -> sqlite3.Row | None:
        rows = await self._reader.execute_fetchall(statement, values)
        return next(iter(rows), None)

    async def _read_job(self, statement: str, values: Sequence[object]) -> Job | None:
        row = await self._read(statement, values)
        return _job(row) if row is not None else None

    async def _read_jobs(self, statement: str, values: Sequence[object] = ()) -> list[Job]:
        rows = await self._reader.execute_fetchall(statement, values)
        return [_job(row) for row in rows]


@contextlib.asynccontextmanager
async def _connect(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    # Autocommit: a transaction begins where BEGIN says so, not wherever the driver guesses.
    async with aiosqlite.connect(path, isolation_level=None) as connection:
        connection.row_factory = sqlite3.Row
        await connection.execute("PRAGMA busy_timeout = 5000")
        await connection.execute("PRAGMA foreign_keys = ON")
        yield connection


def _to_json(value: Settings | Provenance) -> str:
    return msgspec.json.encode(value).decode()


def _job(row: sqlite3.Row) -> Job:
    resolved = row["resolved"]
    return Job(
        **{
            **{name: row[name] for name in _COLUMNS},
            "asked": msgspec.json.decode(row["asked"], type=Settings),
            "resolved": resolved and msgspec.json.decode(resolved, type=Settings),
            "state": State(row["state"]),
            "suspect": bool(row["suspect"]),
        }
    )
