"""What the waiting time is estimated from."""

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

    async def latest(self, count: int) -> list[Job]:
        """What was asked for last, whatever became of it, the newest first."""
        return await self._read_jobs("SELECT * FROM jobs ORDER BY id DESC LIMIT ?", (count,))

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
                WHERE state = 'queued' AND (lane, round, id) < (this.lane, this.round, this.id)
                ) AS before
            FROM jobs AS this WHERE id = ? AND state = 'queued'
            """,
            (job.id,),
        )
        return None if row is None else int(row["before"])
