"""What people, channels and servers have set for themselves."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from bot.store.database import Database

Scope = Literal["user", "channel", "guild"]


class Preferences(Database):
    """Values by scope and name; a value is whatever JSON holds."""

    async def preference(self, scope: Scope, scope_id: int, name: str) -> object:
        """One value as it was set, or None."""
        row = await self._read(
            "SELECT value FROM preferences WHERE scope = ? AND scope_id = ? AND name = ?",
            (scope, scope_id, name),
        )
        return None if row is None else msgspec.json.decode(row["value"])

    async def preferences(self, scope: Scope, scope_id: int) -> dict[str, object]:
        """Everything that one person, channel or server has set."""
        rows = await self._read_all(
            "SELECT name, value FROM preferences WHERE scope = ? AND scope_id = ? ORDER BY name",
            (scope, scope_id),
        )
        return {row["name"]: msgspec.json.decode(row["value"]) for row in rows}

    async def preferences_of(
        self, scope: Scope, scope_ids: Sequence[int]
    ) -> dict[int, dict[str, object]]:
        """Everything that those of some people, channels or servers that have set any have set."""
        rows = await self._read_all(
            """
            SELECT scope_id, name, value FROM preferences
            WHERE scope = ? AND scope_id IN (SELECT value FROM json_each(?))
            ORDER BY scope_id, name
            """,
            (scope, msgspec.json.encode(scope_ids).decode()),
        )
        found: dict[int, dict[str, object]] = {}
        for row in rows:
            found.setdefault(row["scope_id"], {})[row["name"]] = msgspec.json.decode(row["value"])
        return found

    async def set_preference(self, scope: Scope, scope_id: int, name: str, value: object) -> None:
        """Set a value; None takes it back."""
        if value is None:
            await self._change(
                "DELETE FROM preferences WHERE scope = ? AND scope_id = ? AND name = ?",
                (scope, scope_id, name),
            )
            return
        await self._change(
            """
            INSERT INTO preferences (scope, scope_id, name, value) VALUES (?, ?, ?, ?)
            ON CONFLICT (scope, scope_id, name) DO UPDATE SET value = excluded.value
            """,
            (scope, scope_id, name, msgspec.json.encode(value).decode()),
        )
