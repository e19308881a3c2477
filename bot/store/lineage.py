"""What a picture was made from, and what was made from it."""

from dataclasses import dataclass

from bot.jobs import Job
from bot.store.database import Database, job_of

# Generations in each direction, and relatives in all: more than a sheet has room for, since not
# all of them can be shown.
_DEEPEST = 12
_MOST = 160


@dataclass(frozen=True)
class Relative:
    """A job of a family; `generation` is 0 for the one that was asked for, and less above it."""

    job: Job
    generation: int


class Lineage(Database):
    """Families: every job but those without a parent was made from another one."""

    async def ancestors(self, job_id: int) -> list[Relative]:
        """What a job was made from, the oldest first, without itself."""
        rows = await self._read_all(
            """
            WITH RECURSIVE line (id, generation) AS (
                SELECT parent_id, -1 FROM jobs WHERE id = :job AND parent_id IS NOT NULL
                UNION ALL
                SELECT jobs.parent_id, generation - 1 FROM line JOIN jobs ON jobs.id = line.id
                WHERE jobs.parent_id IS NOT NULL AND generation > -:deepest)
            SELECT jobs.*, generation FROM line CROSS JOIN jobs ON jobs.id = line.id
            """,
            {"job": job_id, "deepest": _DEEPEST},
        )
        return [Relative(job_of(row), row["generation"]) for row in reversed(rows)]

    async def descendants(self, job_id: int) -> list[Relative]:
        """What was made from a job, generation by generation, without itself.

        Of a large family those nearest to the job.
        """
        rows = await self._read_all(
            """
            WITH RECURSIVE brood (id, generation) AS (
                SELECT id, 1 FROM jobs WHERE parent_id = :job
                UNION ALL
                SELECT jobs.id, generation + 1 FROM brood JOIN jobs ON jobs.parent_id = brood.id
                WHERE generation < :deepest
                ORDER BY 2 LIMIT :most)
            SELECT jobs.*, generation FROM brood CROSS JOIN jobs ON jobs.id = brood.id
            """,
            {"job": job_id, "deepest": _DEEPEST, "most": _MOST},
        )
        found = [Relative(job_of(row), row["generation"]) for row in rows]
        return sorted(found, key=lambda relative: (relative.generation, relative.job.id))

    async def children(self, job_id: int, *, limit: int) -> list[Job]:
        """The finished pictures that were made from a job itself, oldest first."""
        return await self._read_jobs(
            "SELECT * FROM art WHERE parent_id = ? ORDER BY id LIMIT ?", (job_id, limit)
        )
