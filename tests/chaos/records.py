"""The bot's database seen from outside: read beside it, locked against it, and its steps noted."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from bot.folder import database_path, upgrade
from bot.jobs import Job
from bot.store.database import job_of

_NOTE_STEPS = """
CREATE TABLE chaos_steps (job INTEGER NOT NULL, old TEXT NOT NULL, new TEXT NOT NULL);
CREATE TRIGGER chaos_step AFTER UPDATE OF state ON jobs WHEN old.state != new.state
BEGIN
    INSERT INTO chaos_steps VALUES (new.id, old.state, new.state);
END;
"""
_FINAL = ("done", "failed", "cancelled")


class Records:
    """The rows of a data directory, whichever process writes them at the moment."""

    def __init__(self, data: Path) -> None:
        self._path = database_path(data)
        upgrade(data)
        with self._connection() as writing:
            writing.executescript(_NOTE_STEPS)

    def jobs(self) -> list[Job]:
        """All of them, in the order in which they were asked for."""
        return [job_of(row) for row in self._rows("SELECT * FROM jobs ORDER BY id")]

    def find(self, person: str, prompt: str, seed: int) -> Job | None:
        """The job that somebody asked for."""
        rows = self._rows(
            "SELECT * FROM jobs WHERE user_id = ? AND prompt = ? AND seed = ?",
            int(person),
            prompt,
            seed,
        )
        return job_of(rows[0]) if rows else None

    def job(self, job_id: int) -> Job:
        """One of them."""
        (row,) = self._rows("SELECT * FROM jobs WHERE id = ?", job_id)
        return job_of(row)

    def running(self) -> int:
        """How many are being drawn."""
        return int(self._rows("SELECT COUNT(*) FROM jobs WHERE state = 'running'")[0][0])

    def ended(self) -> int:
        """How many jobs have come to an end."""
        ended = "SELECT COUNT(*) FROM jobs WHERE state NOT IN ('queued', 'running')"
        return int(self._rows(ended)[0][0])

    def left(self) -> tuple[int, int]:
        """How many jobs have not ended, and how many messages do not show the end."""
        unfinished = "SELECT COUNT(*) FROM jobs WHERE state IN ('queued', 'running')"
        untold = """
            SELECT (SELECT COUNT(*) FROM jobs WHERE report = 'open')
                + (SELECT COUNT(*) FROM groups WHERE report = 'open')
        """
        return int(self._rows(unfinished)[0][0]), int(self._rows(untold)[0][0])

    def messages_of_groups(self) -> dict[int, int | None]:
        """Each group's message."""
        return dict(map(tuple, self._rows("SELECT id, message_id FROM groups")))

    def steps(self) -> dict[int, list[tuple[str, str]]]:
        """How each job went from state to state."""
        steps: dict[int, list[tuple[str, str]]] = {}
        for row in self._rows("SELECT job, old, new FROM chaos_steps ORDER BY rowid"):
            steps.setdefault(row["job"], []).append((row["old"], row["new"]))
        return steps

    def problems(self) -> list[str]:
        """What SQLite itself finds wrong."""
        found = [row[0] for row in self._rows("PRAGMA integrity_check") if row[0] != "ok"]
        return found + [str(tuple(row)) for row in self._rows("PRAGMA foreign_key_check")]

    @contextlib.contextmanager
    def held_open(self) -> Iterator[None]:
        """Let it be read while the disk is full: whoever opens it first needs room for that."""
        with self._connection() as connection:
            connection.execute("SELECT COUNT(*) FROM jobs").fetchall()
            yield

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep everybody else from writing."""
        with self._connection() as connection:
            connection.execute("BEGIN EXCLUSIVE")
            try:
                yield
            finally:
                connection.rollback()

    def _rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        with self._connection() as connection:
            return connection.execute(statement, values).fetchall()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=30)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()


def ended_once(steps: list[tuple[str, str]]) -> bool:
    """Whether a job came to one end, and nothing happened to it after that."""
    ends = [new for _, new in steps if new in _FINAL]
    return len(ends) == 1 and steps[-1][1] in _FINAL
