"""What was drawn."""

from bot.jobs import Job
from bot.store.database import Database


class History(Database):
    """All jobs, whatever became of them."""

    async def get(self, job_id: int) -> Job | None:
        """One job, or None if there is none with this number."""
        return await self._read_job("SELECT * FROM jobs WHERE id = ?", (job_id,))
