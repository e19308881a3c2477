"""Which message shows which job or group, and whether it shows the end."""

from bot.jobs import Group, Job
from bot.store.database import Database, job_of

Subject = Job | Group

_GROUPED = "SELECT * FROM jobs WHERE group_id = ? AND deleted_at IS NULL ORDER BY id"


class Messages(Database):
    """The messages in the channels."""

    async def set_message(self, subject: Subject, message_id: int, sent_at: float) -> bool:
        """Keep which message shows it, and when it was sent.

        Returns whether there is such a job or group; it may have been forgotten meanwhile.
        """
        return await self._set(subject, "message_id = ?, message_at = ?", message_id, sent_at)

    async def add_copy(self, job: Job, channel_id: int, message_id: int) -> None:
        """Keep which message shows a job besides its own, so that it goes when the job goes."""
        await self._change(
            "INSERT OR IGNORE INTO left_messages VALUES (?, ?, ?, ?)",
            (message_id, channel_id, job.user_id, job.id),
        )

    async def set_posted(self, subject: Subject) -> None:
        """The message shows the end."""
        await self._set(subject, "report = 'posted'")

    async def silence(self, subject: Subject) -> None:
        """Send nothing more about it: its message or its channel is out of reach."""
        await self._set(subject, "report = 'silenced'")

    async def unreported(self) -> list[Job]:
        """The jobs whose message is missing, or shows less than it should after a restart.

        Those that only wait are left out: their place is corrected when they get near the front.
        Of a group there is one.
        """
        return await self._read_jobs(
            """
            SELECT * FROM jobs
            WHERE report = 'open'
                AND (message_id IS NULL OR attempt > 0 OR state NOT IN ('queued', 'running'))
            UNION ALL
            SELECT * FROM jobs WHERE id IN (
                SELECT MIN(jobs.id) FROM groups JOIN jobs ON jobs.group_id = groups.id
                WHERE groups.report = 'open' GROUP BY groups.id)
            ORDER BY id
            """
        )

    async def group(self, group_id: int) -> Group | None:
        """A group with those of its pictures that were not deleted; None if none are left."""
        row = await self._read("SELECT * FROM groups WHERE id = ?", (group_id,))
        jobs = [job_of(job) for job in await self._read_all(_GROUPED, (group_id,))]
        return Group(**dict(row), jobs=tuple(jobs)) if row is not None and jobs else None

    async def group_message(self, group_id: int) -> int | None:
        """The message of a group, if it has one."""
        row = await self._read("SELECT message_id FROM groups WHERE id = ?", (group_id,))
        return None if row is None else row["message_id"]

    async def take_out(self, job: Job) -> bool:
        """Let a finished picture of a group have a message of its own, if it has none."""
        return await self._change(
            "UPDATE jobs SET report = 'open' WHERE id = ? AND report = 'grouped'"
            " AND state = 'done' AND deleted_at IS NULL",
            (job.id,),
        )

    async def reopen(self, group: Group) -> None:
        """Bring a message that shows the end up to date once more."""
        await self._change(
            "UPDATE groups SET report = 'open' WHERE id = ? AND report = 'posted'", (group.id,)
        )

    async def _set(self, subject: Subject, change: str, *values: object) -> bool:
        table = "jobs" if isinstance(subject, Job) else "groups"
        return await self._change(
            f"UPDATE {table} SET {change} WHERE id = ?",  # noqa: S608 - all of it is written here
            (*values, subject.id),
        )
