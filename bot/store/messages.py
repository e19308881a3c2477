"""Which message shows which job, and whether it shows the end."""

from bot.jobs import Job
from bot.store.database import Database


class Messages(Database):
    """The messages in the channels."""

    async def set_message(self, job_id: int, message_id: int) -> bool:
        """Keep which message shows the job, and that it was sent just now.

        Returns whether there is such a job; it may have been forgotten meanwhile.
        """
        return await self._change(
            "UPDATE jobs SET message_id = ?, message_at = ? WHERE id = ?",
            (message_id, self._clock(), job_id),
        )

    async def add_copy(self, job: Job, channel_id: int, message_id: int) -> None:
        """Keep which message shows a job besides its own, so that it goes when the job goes."""
        await self._change(
            "INSERT OR IGNORE INTO left_messages VALUES (?, ?, ?, ?)",
            (message_id, channel_id, job.user_id, job.id),
        )

    async def set_posted(self, job_id: int) -> None:
        """The message shows the end."""
        await self._change("UPDATE jobs SET report = 'posted' WHERE id = ?", (job_id,))

    async def silence(self, job_id: int) -> None:
        """Send nothing more about a job: its message or its channel is out of reach."""
        await self._change("UPDATE jobs SET report = 'silenced' WHERE id = ?", (job_id,))

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
