"""How many like a picture, and where it was posted once more for that."""

from dataclasses import dataclass

from bot.store.database import Database


@dataclass(frozen=True)
class Stars:
    """What is known of a picture that people like.

    Attributes:
        people: how many have it among their favourites, its owner left out.
        message: its own message's channel and id, or those of its group's; None without one.

    """

    people: int
    message: tuple[int, int] | None


class Starboard(Database):
    """The pictures that were posted once more; each is, at most once."""

    async def stars(self, job_id: int) -> Stars | None:
        """Who likes a picture that others may come upon; None for any other one."""
        row = await self._read(
            """
            SELECT COUNT(favourites.user_id) AS people, open_art.channel_id,
                COALESCE(open_art.message_id, groups.message_id) AS message_id
            FROM open_art
            LEFT JOIN groups ON groups.id = open_art.group_id
            LEFT JOIN favourites
                ON favourites.job_id = open_art.id AND favourites.user_id != open_art.user_id
            WHERE open_art.id = ? GROUP BY open_art.id
            """,
            (job_id,),
        )
        if row is None:
            return None
        message_id = row["message_id"]
        return Stars(row["people"], message_id and (row["channel_id"], message_id))

    async def claim_star(self, job_id: int, channel_id: int) -> bool:
        """Note that a picture is about to be posted there; returns False if it was already."""
        async with self._transaction():
            row = await self._write(
                """
                INSERT INTO starred (job_id, channel_id) VALUES (?, ?)
                ON CONFLICT (job_id) DO UPDATE SET channel_id = excluded.channel_id
                    WHERE message_id IS NULL
                RETURNING job_id
                """,
                (job_id, channel_id),
            )
        return row is not None

    async def set_star(self, job_id: int, message_id: int) -> bool:
        """Keep which message shows it; returns False if the picture is gone meanwhile."""
        return await self._change(
            "UPDATE starred SET message_id = ? WHERE job_id = ?", (message_id, job_id)
        )

    async def star(self, job_id: int) -> tuple[int, int] | None:
        """The channel and the id of the message that shows a picture once more, if one does."""
        row = await self._read(
            "SELECT channel_id, message_id FROM starred WHERE job_id = ? AND message_id NOTNULL",
            (job_id,),
        )
        return None if row is None else (row["channel_id"], row["message_id"])

    async def drop_star(self, job_id: int) -> None:
        """Forget that a picture was posted once more."""
        await self._change("DELETE FROM starred WHERE job_id = ?", (job_id,))
