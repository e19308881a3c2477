"""Which files may go when room is needed: those of finished pictures that nobody holds dear.

What is decided is written down first, and the files follow: whoever is killed in between finds out
of which jobs there may still be more than is kept (`untidied`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from bot.jobs import Kept
from bot.store.database import Database

# Frames go before pictures.
_FROM: dict[Kept, Kept] = {"picture": "all", "nothing": "picture"}

# Not those that somebody likes, nor those whose message does not show them yet.
_SPARE = """
    state = 'done' AND deleted_at IS NULL AND report != 'open'
    AND NOT EXISTS (SELECT 1 FROM groups WHERE groups.id = group_id AND groups.report = 'open')
    AND NOT EXISTS (SELECT 1 FROM favourites WHERE job_id = jobs.id)
    AND NOT EXISTS (SELECT 1 FROM starred WHERE job_id = jobs.id)
"""
_NEXT = f"""
    SELECT id, finished_at FROM jobs
    WHERE {_SPARE} AND kept = :from AND finished_at < :before AND (finished_at, id) > (:at, :job)
    ORDER BY finished_at, id LIMIT :limit
"""  # noqa: S608 - a constant
# The plus keeps that from being the way to the rows, which are few.
_LET_GO = f"""
    UPDATE jobs SET kept = :kept, tidied = 0
    WHERE id IN (SELECT value FROM json_each(:jobs)) AND +kept = :from AND {_SPARE} RETURNING id
"""  # noqa: S608


@dataclass(frozen=True)
class Spare:
    """A job some of whose files may go, and since when it is finished."""

    job_id: int
    finished_at: float


_BEGINNING = Spare(0, 0.0)


class Keeping(Database):
    """What is kept of the jobs' files, and of the pictures that drawings need."""

    async def spare(
        self, kept: Kept, *, before: float, after: Spare | None, limit: int
    ) -> list[Spare]:
        """The oldest finished jobs of which no more than that need be kept.

        Args:
            kept: only the picture, of those with frames; or nothing, of those with a picture only.
            before: they were finished before this.
            after: the one to go on from.
            limit: how many at most.

        """
        after = after or _BEGINNING
        rows = await self._read_all(
            _NEXT,
            {
                "from": _FROM[kept],
                "before": before,
                "at": after.finished_at,
                "job": after.job_id,
                "limit": limit,
            },
        )
        return [Spare(row["id"], row["finished_at"]) for row in rows]

    async def let_go(self, job_ids: Collection[int], kept: Kept) -> list[int]:
        """Keep no more of these jobs, except of those that somebody has come to like meanwhile.

        Returns which ones; their files are to be removed, and then `set_tidied`.
        """
        values = {"jobs": _json(job_ids), "from": _FROM[kept], "kept": kept}
        async with self._transaction():
            return [row["id"] for row in await self._writer.execute_fetchall(_LET_GO, values)]

    async def let_go_left_over(self, limit: int) -> list[int]:
        """Keep nothing of some jobs that were deleted, or have no picture and will have none."""
        async with self._transaction():
            rows = await self._writer.execute_fetchall(
                """
                UPDATE jobs SET kept = 'nothing', tidied = 0 WHERE id IN (
                    SELECT id FROM jobs WHERE kept != 'nothing'
                        AND (deleted_at IS NOT NULL OR state IN ('failed', 'cancelled'))
                        AND state NOT IN ('queued', 'running')
                    ORDER BY id LIMIT ?)
                RETURNING id
                """,
                (limit,),
            )
        return [row["id"] for row in rows]

    async def untidied(self, *, after: int, limit: int) -> dict[int, Kept]:
        """Jobs of which more may be there than is kept, from the one after a number on."""
        rows = await self._read_all(
            "SELECT id, kept FROM jobs WHERE tidied = 0 AND id > ? ORDER BY id LIMIT ?",
            (after, limit),
        )
        return {row["id"]: row["kept"] for row in rows}

    async def set_tidied(self, job_ids: Collection[int]) -> None:
        """No more of them is there than is kept."""
        await self._change(
            "UPDATE jobs SET tidied = 1 WHERE id IN (SELECT value FROM json_each(?))",
            (_json(job_ids),),
        )

    async def spare_attachments(self, names: Sequence[str], *, before: float) -> set[str]:
        """Those of these pictures that no job needs any more.

        Needed is what a job that waits or is being drawn needs, or one whose picture is there, or
        one that has come to its end since `before`.
        """
        rows = await self._read_all(
            """
            SELECT value AS name FROM json_each(?) WHERE NOT EXISTS (
                SELECT 1 FROM attached CROSS JOIN jobs ON jobs.id = attached.job_id
                WHERE attached.name = value AND (state IN ('queued', 'running')
                    OR deleted_at IS NULL AND (
                        finished_at >= ? OR (state = 'done' AND kept != 'nothing'))))
            """,
            (_json(names), before),
        )
        return {row["name"] for row in rows}


def _json(values: Collection[object]) -> str:
    return msgspec.json.encode(list(values)).decode()
