"""What the waiting time is estimated from."""

from dataclasses import dataclass

from bot.jobs import Job
from bot.store.database import Database

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
