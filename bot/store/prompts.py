"""What people asked for before."""

from dataclasses import dataclass

from bot.store.database import Database

# Of so many of somebody's newest jobs; most of them repeat a prompt.
_LOOKED_AT = 500


@dataclass(frozen=True)
class FormerPrompt:
    """A prompt, and the newest job that has it."""

    job_id: int
    prompt: str


class Prompts(Database):
    """The prompts, each once."""

    async def former_prompts(self, user_id: int) -> list[FormerPrompt]:
        """Somebody's own prompts, newest first, without those of pictures that they deleted."""
        rows = await self._read_all(
            """
            SELECT MAX(id) AS job_id, prompt
            FROM (SELECT id, prompt, deleted_at FROM jobs
                WHERE user_id = ? ORDER BY id DESC LIMIT ?)
            WHERE deleted_at IS NULL AND prompt != ''
            GROUP BY prompt ORDER BY job_id DESC
            """,
            (user_id, _LOOKED_AT),
        )
        return [FormerPrompt(row["job_id"], row["prompt"]) for row in rows]
