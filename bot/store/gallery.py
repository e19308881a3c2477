"""What anybody may see: the finished pictures of the channels that opted in, and no others."""

from bot.jobs import Job
from bot.store.database import Database
from bot.store.words import pattern_of


class Gallery(Database):
    """The pictures of the gallery page.

    Whatever is not to be seen is not there: unknown, unfinished, deleted and private pictures
    give the same answer. Those of which no file is kept are only found by their numbers.
    """

    async def gallery_page(self, *, before: int | None, limit: int) -> list[Job]:
        """The newest pictures, or the newest of those with smaller numbers than `before`."""
        # The newest of each channel by its index, and of these the newest: as quick for a channel
        # with few pictures as for one with nearly all.
        return await self._read_jobs(
            """
            SELECT art.* FROM gallery_channels, art
            WHERE art.id IN (
                SELECT id FROM open_art AS own
                WHERE own.channel_id = gallery_channels.id AND own.id < :before
                    AND own.kept != 'nothing'
                ORDER BY own.id DESC LIMIT :limit)
            ORDER BY art.id DESC LIMIT :limit
            """,
            {"before": _number(before), "limit": limit},
        )

    async def gallery_search(self, words: str, *, before: int | None, limit: int) -> list[Job]:
        """The pictures whose prompts hold all these words, or words that begin like them."""
        rows = await self._read_all("SELECT id FROM gallery_channels")
        pattern = pattern_of(words, channels=[row["id"] for row in rows])
        if not pattern:
            return []
        return await self._read_jobs(
            """
            SELECT art.* FROM words CROSS JOIN gallery_art AS art ON art.id = words.rowid
            WHERE words MATCH :pattern AND words.rowid < :before AND kept != 'nothing'
            ORDER BY words.rowid DESC LIMIT :limit
            """,
            {"pattern": pattern, "before": _number(before), "limit": limit},
        )

    async def gallery_picture(self, job_id: int) -> Job | None:
        """One picture, of which perhaps no file is kept; None if it is not to be seen."""
        return await self._read_job("SELECT * FROM gallery_art WHERE id = ?", (job_id,))

    async def gallery_children(self, job_id: int, *, limit: int) -> list[Job]:
        """The pictures that were made from one, oldest first."""
        return await self._read_jobs(
            """
            SELECT * FROM gallery_art WHERE parent_id = ? AND kept != 'nothing'
            ORDER BY id LIMIT ?
            """,
            (job_id, limit),
        )


def _number(before: int | None) -> int:
    return 2**63 - 1 if before is None else before
