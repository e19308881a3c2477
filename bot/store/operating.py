"""What the bot's owner decides and wants to know: switches, bans, figures of the last day."""

from dataclasses import dataclass

from bot.store.database import Database

_DAY_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class DayStatistics:
    """The last 24 hours: how many pictures were finished, and half of them waited no longer."""

    done: int
    median_wait: float | None


class Operating(Database):
    """The owner's side of the database."""

    async def switch(self, name: str) -> str | None:
        """How a switch was left, or None if nobody has touched it."""
        row = await self._read("SELECT value FROM switches WHERE name = ?", (name,))
        return None if row is None else str(row["value"])

    async def set_switch(self, name: str, value: str) -> None:
        """Set a switch, for after a restart too."""
        await self._change(
            """
            INSERT INTO switches (name, value) VALUES (?, ?)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """,
            (name, value),
        )

    async def ban(self, user_id: int, reason: str) -> None:
        """Shut somebody out; a new reason replaces the old one."""
        await self._change(
            """
            INSERT INTO bans (user_id, reason, banned_at) VALUES (?, ?, ?)
            ON CONFLICT (user_id) DO UPDATE SET reason = excluded.reason
            """,
            (user_id, reason, self._clock()),
        )

    async def unban(self, user_id: int) -> bool:
        """Let somebody in again; returns whether they had been shut out."""
        return await self._change("DELETE FROM bans WHERE user_id = ?", (user_id,))

    async def bans(self) -> dict[int, str]:
        """Whoever is shut out, with the reason."""
        rows = await self._read_all("SELECT user_id, reason FROM bans")
        return {row["user_id"]: row["reason"] for row in rows}

    async def last_day(self) -> DayStatistics:
        """What was finished in the last 24 hours."""
        rows = await self._read_all(
            """
            SELECT started_at - asked_at AS wait FROM jobs
            WHERE state = 'done' AND finished_at > ? ORDER BY wait
            """,
            (self._clock() - _DAY_SECONDS,),
        )
        waits = [row["wait"] for row in rows]
        return DayStatistics(len(waits), waits[(len(waits) - 1) // 2] if waits else None)
