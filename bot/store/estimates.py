"""What the waiting time is estimated from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.jobs import Job
from bot.store.database import Database
from bot.store.queue import Caps

# The newest finished pictures that are looked at.
_SAMPLE = 80


@dataclass(frozen=True)
class Drawn:
    """A finished picture that was drawn in one go, and when, in seconds since 1970."""

    job: Job
    began: float
    ended: float


@dataclass(frozen=True)
class Turn:
    """Where a waiting job stands in the queue's order; see `Queue.claim`."""

    job_id: int
    lane: int
    round: int
    yields: int


@dataclass(frozen=True)
class Asked:
    """Which job was asked for, and when, in seconds since 1970."""

    job_id: int
    asked_at: float


class Estimates(Database):
    """The newest durations, and what lies before a job."""

    async def drawn(self) -> list[Drawn]:
        """The newest pictures that were drawn without an interruption."""
        jobs = await self._read_jobs(
            """
            SELECT * FROM jobs WHERE state = 'done' AND attempt = 1
            ORDER BY finished_at DESC LIMIT ?
            """,
            (_SAMPLE,),
        )
        return [
            Drawn(job, job.started_at, job.finished_at)
            for job in jobs
            if job.started_at is not None and job.finished_at is not None
        ]

    async def turns(self, limit: int) -> list[Turn]:
        """The next jobs of the queue, in its order."""
        rows = await self._read_all(
            """
            SELECT id AS job_id, lane, round, yields FROM jobs INDEXED BY jobs_queued
            WHERE state = 'queued' ORDER BY lane, round, yields, id LIMIT ?
            """,
            (limit,),
        )
        return [Turn(**row) for row in rows]

    async def latest(self, count: int) -> list[Asked]:
        """What was asked for last, whatever became of it, the newest first."""
        rows = await self._read_all(
            "SELECT id AS job_id, asked_at FROM jobs ORDER BY id DESC LIMIT ?", (count,)
        )
        return [Asked(**row) for row in rows]

    async def several(self, job_ids: Sequence[int]) -> list[Job]:
        """Jobs by their numbers, as far as there are such."""
        return await self._read_jobs(
            "SELECT * FROM jobs WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(job_ids)),),
        )

    async def own_caps(self, caps: Caps) -> dict[int, Caps]:
        """What servers have set for themselves, by their ids; `caps` where they have not."""
        rows = await self._read_all(
            """
            SELECT scope_id AS guild_id,
                MAX(CAST(value AS INTEGER)) FILTER (WHERE name = 'running_per_user') AS per_user,
                MAX(CAST(value AS INTEGER)) FILTER (WHERE name = 'running_per_guild') AS per_guild
            FROM preferences
            WHERE scope = 'guild' AND name IN ('running_per_user', 'running_per_guild')
            GROUP BY scope_id
            """
        )
        return {
            row["guild_id"]: Caps(
                per_user=caps.per_user if row["per_user"] is None else row["per_user"],
                per_guild=caps.per_guild if row["per_guild"] is None else row["per_guild"],
            )
            for row in rows
        }

    async def newest_end(self) -> float | None:
        """When a picture was finished last."""
        row = await self._read("SELECT MAX(finished_at) AS at FROM jobs WHERE state = 'done'")
        assert row is not None
        return None if row["at"] is None else float(row["at"])

    async def count_before(self, job: Job) -> int | None:
        """How many wait before a job, or None when it does not wait (any more)."""
        row = await self._read(
            """
            SELECT (SELECT COUNT(*) FROM jobs
                WHERE state = 'queued'
                    AND (lane, round, yields, id) < (this.lane, this.round, this.yields, this.id)
                ) AS before
            FROM jobs AS this WHERE id = ? AND state = 'queued'
            """,
            (job.id,),
        )
        return None if row is None else int(row["before"])
