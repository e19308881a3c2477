"""Finding pictures again: by whose they are, where they were made, words, and messages."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

import msgspec

from bot.jobs import Job
from bot.store.database import Database
from bot.store.words import pattern_of

# Of so many of somebody's newest pictures a number can be chosen.
_OFFERED = 200
# Words that no more pictures have are looked up all at once, others picture by picture.
_RARE = 50_000

Direction = Literal["older", "newer"]


@dataclass(frozen=True)
class Wanted:
    """Which pictures: those for which everything that is given holds.

    Attributes:
        viewer: who looks for them: their own pictures are theirs to see wherever they were made.
        channels: where they may see those of others.
        by: whose they are.
        favourites: whether only the viewer's favourites are meant.
        words: what their prompts hold, or words that begin like these; empty for any.

    """

    viewer: int
    channels: Collection[int] = ()
    by: int | None = None
    favourites: bool = False
    words: str = ""


@dataclass(frozen=True)
class Excerpt:
    """Some of the pictures that are wanted, newest first, and whether there are more."""

    jobs: list[Job]
    newer: bool
    older: bool


@dataclass(frozen=True)
class Offer:
    """A picture to choose by its number."""

    job_id: int
    prompt: str


class Finding(Database):
    """The finished pictures that somebody may see; what is deleted is not found."""

    async def excerpt(
        self, wanted: Wanted, *, edge: int | None, direction: Direction, limit: int
    ) -> Excerpt:
        """The pictures beside one.

        Args:
            wanted: which of them.
            edge: a job's number, which need not be in use any more; from there on the pictures
                are taken. None to begin with the newest.
            direction: whether with smaller numbers, or with larger ones.
            limit: how many at most.

        """
        start = 2**63 - 1 if edge is None else edge
        found = await self._beside(wanted, start, direction, limit + 1)
        more, jobs = len(found) > limit, found[:limit]
        if direction == "newer":
            jobs.reverse()
        if not jobs:
            return Excerpt([], newer=False, older=False)
        if direction == "older":
            newer = edge is not None and bool(await self._beside(wanted, jobs[0].id, "newer", 1))
            return Excerpt(jobs, newer=newer, older=more)
        older = bool(await self._beside(wanted, jobs[-1].id, "older", 1))
        return Excerpt(jobs, newer=more, older=older)

    async def shown_by(self, message_id: int) -> list[Job]:
        """The jobs whose message it is, or whose group's; none for any other message."""
        return await self._read_jobs(
            """
            SELECT * FROM jobs WHERE id IN (
                SELECT id FROM jobs WHERE message_id = :message
                UNION ALL
                SELECT jobs.id FROM groups JOIN jobs ON jobs.group_id = groups.id
                WHERE groups.message_id = :message)
            ORDER BY id
            """,
            {"message": message_id},
        )

    async def own_pictures(self, user_id: int) -> list[Offer]:
        """Somebody's newest pictures, newest first."""
        rows = await self._read_all(
            f"SELECT id, prompt FROM {_OF_ONE} AND user_id = ? ORDER BY id DESC LIMIT ?",  # noqa: S608
            (user_id, _OFFERED),
        )
        return [Offer(row["id"], row["prompt"] or "") for row in rows]

    async def _beside(
        self, wanted: Wanted, edge: int, direction: Direction, limit: int
    ) -> list[Job]:
        """At most `limit` pictures beyond the edge, the nearest first."""
        values: dict[str, object] = {
            "viewer": wanted.viewer,
            "channels": msgspec.json.encode(sorted(wanted.channels)).decode(),
            "by": wanted.by,
            "edge": edge,
            "limit": limit,
        }
        if not wanted.words:
            return await self._read_jobs(_statement(_without_words(wanted), direction), values)
        pattern = _pattern(wanted)
        if not pattern:
            return []
        values["pattern"] = pattern
        statement = _WORDS
        if wanted.favourites:
            row = await self._read(_HOW_MANY, {"pattern": pattern, "limit": _RARE + 1})
            assert row is not None
            words = _RARE_WORDS if row["found"] <= _RARE else _COMMON_WORDS
            statement = _FAVOURITES.replace("{words}", words)
        return await self._read_jobs(_statement(statement, direction), values)


# Each begins with what leaves the fewest rows, and reads these in their order; CROSS JOIN keeps it.
_VISIBLE = "(art.user_id = :viewer OR channel_id IN (SELECT value FROM json_each(:channels)))"
# The view `art` by an index that says where each picture was made, which spares a look at the rows
# of those that are not to be seen.
_OF_ONE = """
    jobs AS art INDEXED BY jobs_done_by_user WHERE state = 'done' AND deleted_at IS NULL
"""
_BY = f"""
    SELECT * FROM {_OF_ONE} AND user_id = :by AND id {{sign}} :edge AND {_VISIBLE}
    ORDER BY id {{order}} LIMIT :limit
"""  # noqa: S608 - a constant
_FAVOURITES = f"""
    SELECT art.* FROM favourites CROSS JOIN art ON art.id = favourites.job_id
    WHERE favourites.user_id = :viewer AND favourites.job_id {{sign}} :edge AND {_VISIBLE} {{words}}
    ORDER BY favourites.job_id {{order}} LIMIT :limit
"""  # noqa: S608
# The nearest of each channel by its index, and of these the nearest: as quick for a channel with
# few pictures as for one with nearly all.
_CHANNELS = """
    SELECT art.* FROM json_each(:channels) AS channel CROSS JOIN art
    WHERE art.id IN (
        SELECT id FROM art AS own
        WHERE own.channel_id = channel.value AND own.id {sign} :edge
        ORDER BY own.id {order} LIMIT :limit)
    ORDER BY art.id {order} LIMIT :limit
"""
# The pattern says where and by whom, too.
_WORDS = f"""
    SELECT art.* FROM words CROSS JOIN art ON art.id = words.rowid
    WHERE words MATCH :pattern AND words.rowid {{sign}} :edge AND {_VISIBLE}
    ORDER BY words.rowid {{order}} LIMIT :limit
"""  # noqa: S608
_HOW_MANY = """
    SELECT COUNT(*) AS found FROM (SELECT 1 FROM words WHERE words MATCH :pattern LIMIT :limit)
"""
# The plus keeps words from being the way to the rows.
_RARE_WORDS = "AND +favourites.job_id IN (SELECT rowid FROM words WHERE words MATCH :pattern)"
# By the number in `art`, so that it is looked up only for what is to be seen.
_COMMON_WORDS = "AND EXISTS (SELECT 1 FROM words WHERE words MATCH :pattern AND rowid = art.id)"


def _without_words(wanted: Wanted) -> str:
    if wanted.favourites:
        return _FAVOURITES.replace("{words}", "")
    return _CHANNELS if wanted.by is None else _BY


def _pattern(wanted: Wanted) -> str:
    """What is looked for in the full-text index; empty if there can be nothing."""
    if wanted.favourites:
        return pattern_of(wanted.words)
    channels = None if wanted.by == wanted.viewer else wanted.channels
    return pattern_of(wanted.words, channels=channels, by=wanted.by)


def _statement(template: str, direction: Direction) -> str:
    sign, order = ("<", "DESC") if direction == "older" else (">", "ASC")
    return template.format(sign=sign, order=order)
