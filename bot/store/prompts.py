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
            "SELECT id, prompt, deleted_at FROM jobs WHERE user_id = ? ORDER BY id DESC LIMIT ?",
            (user_id, _LOOKED_AT),
        )
        newest: dict[str, int] = {}
        for row in rows:
            if row["prompt"] and row["deleted_at"] is None:
                newest.setdefault(row["prompt"], row["id"])
        return [FormerPrompt(job_id, prompt) for prompt, job_id in newest.items()]
