"""What was drawn."""

from dataclasses import dataclass

from bot.jobs import Job
from bot.store.database import Database


@dataclass(frozen=True)
class Neighbours:
    """What lies beside a picture in its owner's history, and its place from the newest on."""

    newer: int | None
    older: int | None
    number: int
    total: int


class History(Database):
    """The finished pictures."""

    async def get(self, job_id: int) -> Job | None:
        """One job, or None if there is none with this number."""
        return await self._read_job("SELECT * FROM jobs WHERE id = ?", (job_id,))

    async def newest_done(self, user_id: int) -> Job | None:
        """Somebody's newest finished picture."""
        return await self._read_job(
            "SELECT * FROM art WHERE user_id = ? ORDER BY id DESC LIMIT 1",
            (user_id,),
        )

    async def neighbours(self, job: Job) -> Neighbours:
        """What lies beside a finished picture in its owner's history."""
        row = await self._read(
            """
            SELECT
                (SELECT MIN(id) FROM art WHERE user_id = :user AND id > :id) AS newer,
                (SELECT MAX(id) FROM art WHERE user_id = :user AND id < :id) AS older,
                (SELECT COUNT(*) FROM art WHERE user_id = :user AND id >= :id) AS number,
                (SELECT COUNT(*) FROM art WHERE user_id = :user) AS total
            """,
            {"user": job.user_id, "id": job.id},
        )
        assert row is not None
        return Neighbours(row["newer"], row["older"], row["number"], row["total"])
