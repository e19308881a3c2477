"""Deleting what is kept of one person, so that it can be gone on with after a restart."""

import re
from dataclasses import dataclass

from bot.jobs import Job
from bot.store.database import Database

_JOBS_AT_ONCE = 100
# How many rows are looked through in one piece, so that others may read in between.
_ROWS_AT_ONCE = 2000
# How much of the index of words is put in order in one piece, so that others may write in between.
_PAGES_AT_ONCE = 64
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Holdings:
    """How much is kept of somebody."""

    pictures: int
    favourites: int
    preferences: int


@dataclass(frozen=True)
class Forgotten:
    """What was deleted, and how many messages were out of reach."""

    pictures: int
    unreachable: int


class Forgetting(Database):
    """The rows of people who want to be forgotten; files and messages are deleted before them."""

    async def holdings(self, user_id: int) -> Holdings:
        """What there is to be forgotten."""
        row = await self._read(
            """
            SELECT
                (SELECT COUNT(*) FROM jobs WHERE user_id = :user) AS pictures,
                (SELECT COUNT(*) FROM favourites WHERE user_id = :user) AS favourites,
                (SELECT COUNT(*) FROM preferences
                 WHERE scope = 'user' AND scope_id = :user) AS preferences
            """,
            {"user": user_id},
        )
        assert row is not None
        return Holdings(row["pictures"], row["favourites"], row["preferences"])

    async def begin_forgetting(self, user_id: int) -> None:
        """Hide everything at once, and note that it is to be deleted.

        What is asked for afterwards is not part of it.
        """
        who: dict[str, object] = {"user": user_id, "now": self._clock()}
        async with self._transaction():
            await self._write(
                """
                INSERT INTO forgetting (user_id, last_job, last_group)
                VALUES (:user, (SELECT COALESCE(MAX(id), 0) FROM jobs),
                    (SELECT COALESCE(MAX(id), 0) FROM groups))
                ON CONFLICT (user_id) DO UPDATE
                SET last_job = excluded.last_job, last_group = excluded.last_group
                """,
                who,
            )
            await self._write(
                """
                UPDATE jobs SET deleted_at = COALESCE(deleted_at, :now),
                    report = CASE report WHEN 'open' THEN 'silenced' ELSE report END
                WHERE user_id = :user
                """,
                who,
            )
            await self._write("UPDATE groups SET report = 'silenced' WHERE user_id = :user", who)
            await self._write("DELETE FROM favourites WHERE user_id = :user", who)
            await self._write(
                "DELETE FROM preferences WHERE scope = 'user' AND scope_id = :user", who
            )

    async def to_be_forgotten(self) -> list[int]:
        """The people whose data is being deleted."""
        rows = await self._read_all("SELECT user_id FROM forgetting ORDER BY user_id")
        return [row["user_id"] for row in rows]

    async def unfinished_to_forget(self, user_id: int) -> list[Job]:
        """Their jobs that wait or are being drawn."""
        return await self._read_jobs(
            """
            SELECT jobs.* FROM jobs JOIN forgetting USING (user_id)
            WHERE user_id = ? AND id <= last_job AND state IN ('queued', 'running')
            """,
            (user_id,),
        )

    async def next_to_forget(self, user_id: int) -> list[Job]:
        """Some of their jobs; none when all are deleted."""
        return await self._read_jobs(
            """
            SELECT jobs.* FROM jobs JOIN forgetting USING (user_id)
            WHERE user_id = ? AND id <= last_job ORDER BY id LIMIT ?
            """,
            (user_id, _JOBS_AT_ONCE),
        )

    async def messages_to_forget(self, job_id: int) -> list[tuple[int, int]]:
        """Every message that shows a job by itself, as channel and id."""
        rows = await self._read_all(
            """
            SELECT channel_id, message_id FROM jobs WHERE id = :job AND message_id NOTNULL
            UNION SELECT channel_id, message_id FROM left_messages WHERE job_id = :job
            UNION SELECT channel_id, message_id FROM answers WHERE job_id = :job
            UNION SELECT channel_id, message_id FROM starred
                WHERE job_id = :job AND message_id NOTNULL
            """,
            {"job": job_id},
        )
        return [(row["channel_id"], row["message_id"]) for row in rows]

    async def shared_messages_to_forget(self, user_id: int) -> list[tuple[int, int]]:
        """Every message that shows a group of theirs, as channel and id."""
        rows = await self._read_all(
            """
            SELECT channel_id, message_id FROM groups JOIN forgetting USING (user_id)
            WHERE user_id = :user AND id <= last_group AND message_id NOTNULL
            UNION SELECT channel_id, message_id FROM left_messages
            WHERE user_id = :user AND job_id IS NULL
            """,
            {"user": user_id},
        )
        return [(row["channel_id"], row["message_id"]) for row in rows]

    async def attached_to_forget(self, user_id: int) -> set[str]:
        """The names of the pictures that nobody's jobs but those to be forgotten need."""
        own: set[str] = set()
        others: set[str] = set()
        last = 0
        while True:
            rows = await self._read_all(
                """
                SELECT jobs.id, asked, init_image,
                    forgetting.user_id IS NOT NULL AND jobs.id <= last_job AS forgotten
                FROM jobs LEFT JOIN forgetting
                    ON forgetting.user_id = jobs.user_id AND forgetting.user_id = ?
                WHERE jobs.id > ? ORDER BY jobs.id LIMIT ?
                """,
                (user_id, last, _ROWS_AT_ONCE),
            )
            if not rows:
                return own - others
            for row in rows:
                names = _DIGEST.findall(f"{row['asked']} {row['init_image']}")
                (own if row["forgotten"] else others).update(names)
            last = rows[-1]["id"]

    async def forget_job(self, job: Job, *, unreachable: int) -> None:
        """Delete a job's row; those made from it only keep how they were made."""
        async with self._transaction():
            await self._write(
                """
                UPDATE forgetting
                SET pictures = pictures + 1, unreachable = unreachable + ? WHERE user_id = ?
                """,
                (unreachable, job.user_id),
            )
            await self._write("DELETE FROM jobs WHERE id = ?", (job.id,))

    async def end_forgetting(self, user_id: int, *, unreachable: int) -> Forgotten:
        """Delete what is left of somebody; returns what it was in all.

        Args:
            user_id: whose jobs are deleted.
            unreachable: how many messages of their groups are out of reach.

        """
        await self._put_words_in_order()
        async with self._transaction():
            await self._write(
                """
                DELETE FROM groups WHERE user_id = :user
                    AND id <= (SELECT last_group FROM forgetting WHERE user_id = :user)
                    AND NOT EXISTS (SELECT 1 FROM jobs WHERE group_id = groups.id)
                """,
                {"user": user_id},
            )
            await self._write(
                "DELETE FROM left_messages WHERE user_id = ? AND job_id IS NULL", (user_id,)
            )
            row = await self._write(
                "DELETE FROM forgetting WHERE user_id = ? RETURNING *", (user_id,)
            )
        async with self._lock:
            await self._writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        assert row is not None
        return Forgotten(row["pictures"], row["unreachable"] + unreachable)

    async def _put_words_in_order(self) -> None:
        """Let the index drop words that it has only marked as deleted so far.

        A negative number begins to put all of it together, others go on with that, and less than
        two changes mean that nothing is left to do (FTS5, section 6.8).
        """
        pages, changes = -_PAGES_AT_ONCE, 2
        while changes >= 2:
            async with self._transaction():
                before = self._writer.total_changes
                await self._write("INSERT INTO words (words, rank) VALUES ('merge', ?)", (pages,))
                changes = self._writer.total_changes - before
            pages = _PAGES_AT_ONCE
