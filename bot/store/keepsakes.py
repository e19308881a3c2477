"""What people do with finished pictures: favour them, delete them, have things made of them."""

from dataclasses import dataclass

import msgspec

from bot.jobs import Job
from bot.store.database import Database
from engine.protocol import Provenance


@dataclass(frozen=True)
class Answer:
    """A message that shows what was made of a picture."""

    channel_id: int
    message_id: int


class Keepsakes(Database):
    """Favourites, deletions, and what was posted besides."""

    async def toggle_favourite(self, user_id: int, job: Job) -> bool:
        """Make a picture somebody's favourite or take that back; returns whether it is one now."""
        async with self._transaction():
            removed = await self._write(
                "DELETE FROM favourites WHERE user_id = ? AND job_id = ? RETURNING job_id",
                (user_id, job.id),
            )
            if removed is None:
                await self._write(
                    "INSERT INTO favourites (user_id, job_id, added_at) VALUES (?, ?, ?)",
                    (user_id, job.id, self._clock()),
                )
        return removed is None

    async def count_favourites(self, job_id: int) -> int:
        """How many people a picture is a favourite of."""
        row = await self._read(
            "SELECT COUNT(*) AS people FROM favourites WHERE job_id = ?", (job_id,)
        )
        assert row is not None
        return int(row["people"])

    async def delete(self, job: Job) -> bool:
        """Keep that the files of a finished job are to be gone; what is known of it stays.

        Its message is not brought up to date any more.
        """
        return await self._change(
            """
            UPDATE jobs SET deleted_at = ?, picture = NULL, native = NULL,
                report = CASE report WHEN 'grouped' THEN 'grouped' ELSE 'silenced' END
            WHERE id = ? AND deleted_at IS NULL AND state NOT IN ('queued', 'running')
            """,
            (self._clock(), job.id),
        )

    async def add_answer(self, job: Job, what: str, answer: Answer) -> None:
        """Keep where something that was made of a picture is to be seen."""
        await self._change(
            "INSERT INTO answers (job_id, what, channel_id, message_id) VALUES (?, ?, ?, ?)",
            (job.id, what, answer.channel_id, answer.message_id),
        )

    async def answers(self, job: Job, what: str | None = None) -> list[Answer]:
        """Where things that were made of a picture are to be seen, all or those of one kind."""
        rows = await self._read_all(
            """
            SELECT channel_id, message_id FROM answers
            WHERE job_id = ? AND what = COALESCE(?, what)
            """,
            (job.id, what),
        )
        return [Answer(row["channel_id"], row["message_id"]) for row in rows]

    async def forget_answer(self, job: Job, answer: Answer) -> None:
        """Its message is gone."""
        await self._change(
            "DELETE FROM answers WHERE job_id = ? AND message_id = ?", (job.id, answer.message_id)
        )

    async def provenance(self, job: Job) -> Provenance | None:
        """What, besides its settings, a picture's bytes depend on; None before it was begun."""
        row = await self._read("SELECT provenance FROM jobs WHERE id = ?", (job.id,))
        text = row["provenance"] if row is not None else None
        return None if text is None else msgspec.json.decode(text, type=Provenance)
