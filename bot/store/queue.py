"""Who is next, and what becomes of whom.

The database is the queue. A job's state changes by one guarded UPDATE that names the state and the
attempt it changes from, and tells whether it took; a result of an old attempt finds no row.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.errors import Refusal
from bot.jobs import Job, NewJob, State
from bot.store.database import Database, job_of, to_json
from bot.texts import duration
from engine.protocol import Provenance
from engine.settings import Settings

# A job that died alone so often, with no new snapshot in between, is given up.
LONE_DEATHS = 2


class QueueFull(Refusal):
    """Somebody has as many pictures waiting as one person may; the message is for them."""


class TooSoon(Refusal):
    """A server lets nobody ask so quickly; the message is for whoever did."""


@dataclass(frozen=True)
class Limits:
    """How much a server lets one person ask for; beside what the operator does.

    Attributes:
        waiting: how many of their jobs may wait there, if that is limited.
        cooldown: seconds between two requests, of one job or of a group.

    """

    waiting: int | None = None
    cooldown: int = 0


_NO_LIMITS = Limits()


@dataclass(frozen=True)
class Caps:
    """How many jobs may run at the same time; a server may have set less for itself."""

    per_user: int
    per_guild: int


class Queue(Database):
    """The jobs that wait or are being drawn."""

    async def add_job(
        self, new: NewJob, *, waiting_per_user: int, limits: Limits = _NO_LIMITS
    ) -> Job:
        """Put a job into the queue.

        Its fair round is that of the job that is next, plus one for each unfinished job of its
        owner: a newcomer comes before somebody's second picture, but not before one whose turn
        it is.

        Raises:
            QueueFull: when its owner has `waiting_per_user` jobs waiting already, or as many in
                this server as its `limits` allow.
            TooSoon: when their last one in this server is not long enough ago.

        """
        async with self._transaction():
            await self._check_limits(new.user_id, new.guild_id, 1, limits)
            await self._check_room(new.user_id, 1, waiting_per_user)
            return await self._add(new)

    async def add_group(
        self, news: Sequence[NewJob], *, waiting_per_user: int, limits: Limits = _NO_LIMITS
    ) -> list[Job]:
        """Put jobs of one person into the queue that share a message, all of them or none.

        Raises:
            QueueFull, TooSoon: as `add_job` does.

        """
        first = news[0]
        async with self._transaction():
            await self._check_limits(first.user_id, first.guild_id, len(news), limits)
            await self._check_room(first.user_id, len(news), waiting_per_user)
            group = await self._write(
                "INSERT INTO groups (user_id, guild_id, channel_id) VALUES (?, ?, ?) RETURNING id",
                (first.user_id, first.guild_id, first.channel_id),
            )
            assert group is not None
            return [await self._add(replace(new, group_id=group["id"])) for new in news]

    async def _check_room(self, user_id: int, count: int, waiting_per_user: int) -> None:
        row = await self._write(
            "SELECT COUNT(*) AS waiting FROM jobs WHERE state = 'queued' AND user_id = ?",
            (user_id,),
        )
        assert row is not None
        if row["waiting"] + count > waiting_per_user:
            raise QueueFull(
                f"{row['waiting']} of your pictures are waiting already, and one person may have "
                f"{waiting_per_user} there; wait for some of them or cancel some."
            )

    async def _add(self, new: NewJob) -> Job:
        row = await self._write(
            """
            SELECT COUNT(*) AS waiting, MAX(round) AS last_round,
                (SELECT COUNT(*) FROM jobs
                 WHERE state = 'running' AND user_id = :user) AS running,
                (SELECT MIN(round) FROM jobs WHERE state = 'queued' AND lane = 1) AS next_round
            FROM jobs WHERE state = 'queued' AND user_id = :user
            """,
            {"user": new.user_id},
        )
        assert row is not None
        fair_round = (row["next_round"] or 0) + row["waiting"] + row["running"]
        added = await self._write(
            """
            INSERT INTO jobs (user_id, guild_id, channel_id, asked, resolved, seed,
                init_image, parent_id, relation, spoiler, group_id, report, round, asked_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            RETURNING *
            """,
            (
                new.user_id,
                new.guild_id,
                new.channel_id,
                to_json(new.settings),
                to_json(new.resolved) if new.resolved is not None else None,
                new.seed,
                new.init_image,
                new.parent_id,
                new.relation,
                new.spoiler,
                new.group_id,
                "open" if new.group_id is None else "grouped",
                max(fair_round, row["last_round"] or 0),
                self._clock(),
            ),
        )
        assert added is not None
        return job_of(added)

    async def _check_limits(self, user_id: int, guild_id: int, count: int, limits: Limits) -> None:
        """Make sure that a server lets somebody add so many jobs at once."""
        who = (user_id, guild_id)
        if limits.waiting is not None:
            row = await self._write(
                """
                SELECT COUNT(*) AS waiting FROM jobs
                WHERE state = 'queued' AND user_id = ? AND guild_id = ?
                """,
                who,
            )
            assert row is not None
            if row["waiting"] + count > limits.waiting:
                raise QueueFull(
                    f"{row['waiting']} of your pictures are waiting in this server already, and it "
                    f"lets one person have {limits.waiting} there; wait for some of them or cancel "
                    "some."
                )
        if limits.cooldown:
            row = await self._write(
                """
                SELECT asked_at FROM jobs WHERE user_id = ? AND guild_id = ?
                ORDER BY id DESC LIMIT 1
                """,
                who,
            )
            left = 0.0 if row is None else row["asked_at"] + limits.cooldown - self._clock()
            if left > 0:
                raise TooSoon(
                    f"This server wants {duration(limits.cooldown)} between two pictures of one "
                    f"person; please ask again in {duration(math.ceil(left))}."
                )

    async def claim(self, caps: Caps) -> Job | None:
        """Hand out the next job that may run: queued → running, with a new attempt number.

        Jobs of people and servers at their cap are passed over; what a server has set for itself
        counts where it is less. A suspect runs alone: it is handed
        out when nothing runs, and nothing is handed out beside it.
        """
        async with self._transaction():
            running = await self._write(
                "SELECT COUNT(*) AS jobs, MAX(suspect) AS suspect FROM jobs WHERE state = 'running'"
            )
            assert running is not None
            if running["suspect"]:
                return None
            row = await self._write(
                """
                SELECT id, attempt, suspect FROM jobs
                WHERE state = 'queued'
                    AND user_id NOT IN (
                        SELECT user_id FROM jobs WHERE state = 'running'
                        GROUP BY user_id HAVING COUNT(*) >= :per_user)
                    AND guild_id NOT IN (
                        SELECT guild_id FROM jobs WHERE state = 'running'
                        GROUP BY guild_id HAVING COUNT(*) >= MIN(:per_guild, COALESCE((
                            SELECT CAST(value AS INTEGER) FROM preferences
                            WHERE scope = 'guild' AND scope_id = guild_id
                                AND name = 'running_per_guild'), :per_guild)))
                    AND (user_id, guild_id) NOT IN (
                        SELECT user_id, guild_id FROM jobs WHERE state = 'running'
                        GROUP BY user_id, guild_id HAVING COUNT(*) >= COALESCE((
                            SELECT CAST(value AS INTEGER) FROM preferences
                            WHERE scope = 'guild' AND scope_id = guild_id
                                AND name = 'running_per_user'), :per_user))
                ORDER BY lane, round, id LIMIT 1
                """,
                {"per_user": caps.per_user, "per_guild": caps.per_guild},
            )
            if row is None or (row["suspect"] and running["jobs"]):
                return None
            claimed = await self._write(
                """
                UPDATE jobs SET state = 'running', attempt = attempt + 1,
                    started_at = COALESCE(started_at, ?)
                WHERE id = ? AND state = 'queued' AND attempt = ?
                RETURNING *
                """,
                (self._clock(), row["id"], row["attempt"]),
            )
        return job_of(claimed) if claimed is not None else None

    async def number_from(self, last: int) -> None:
        """Give the next job a larger number than that, as if there had been one with it."""
        async with self._transaction():
            row = await self._write(
                "UPDATE sqlite_sequence SET seq = MAX(seq, ?) WHERE name = 'jobs' RETURNING seq",
                (last,),
            )
            if row is None:
                await self._write(
                    "INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', ?)", (last,)
                )

    async def record_start(
        self,
        job: Job,
        resolved: Settings,
        provenance: Provenance,
        iteration: int,
        note: str | None = None,
    ) -> bool:
        """Keep what the engine made of the settings, and where it goes on.

        `note` says what is different from what was asked; one that was kept before stays.
        """
        return await self._change(
            """
            UPDATE jobs SET resolved = ?, provenance = ?, snapshot = ?, note = COALESCE(?, note)
            WHERE id = ? AND state = 'running' AND attempt = ? AND cancel_at IS NULL
            """,
            (to_json(resolved), to_json(provenance), iteration, note, job.id, job.attempt),
        )

    async def record_snapshot(self, job: Job, iteration: int) -> bool:
        """Keep from where the job can go on."""
        return await self._change(
            """
            UPDATE jobs SET snapshot = ?
            WHERE id = ? AND state = 'running' AND attempt = ? AND cancel_at IS NULL
            """,
            (iteration, job.id, job.attempt),
        )

    async def finish(
        self,
        job: Job,
        *,
        picture: str,
        native: str,
        drawing_seconds: float,
        score: float | None = None,
    ) -> bool:
        """Running → done, unless it was cancelled; the pictures are on the disk."""
        return await self._change(
            """
            UPDATE jobs SET state = 'done', picture = ?, native = ?, drawing_seconds = ?,
                score = ?, finished_at = ?
            WHERE id = ? AND state = 'running' AND attempt = ? AND cancel_at IS NULL
            """,
            (picture, native, drawing_seconds, score, self._clock(), job.id, job.attempt),
        )

    async def fail(self, job: Job, sentence: str) -> bool:
        """Running → failed."""
        return await self._change(
            """
            UPDATE jobs SET state = 'failed', error = ?, finished_at = ?
            WHERE id = ? AND state = 'running' AND attempt = ?
            """,
            (sentence, self._clock(), job.id, job.attempt),
        )

    async def want_cancelled(self, job: Job) -> bool:
        """Keep that a running job is to be stopped, if it still is what `job` says."""
        return await self._change(
            """
            UPDATE jobs SET cancel_at = COALESCE(cancel_at, ?)
            WHERE id = ? AND state = 'running' AND attempt = ?
            """,
            (self._clock(), job.id, job.attempt),
        )

    async def cancel(self, job: Job) -> bool:
        """Queued or running → cancelled, if the job still is what `job` says."""
        return await self._change(
            """
            UPDATE jobs SET state = 'cancelled', finished_at = ?
            WHERE id = ? AND state IN ('queued', 'running') AND state = ? AND attempt = ?
            """,
            (self._clock(), job.id, job.state, job.attempt),
        )

    async def requeue_suspect(self, job: Job, *, alone: bool, sentence: str) -> bool:
        """Running → queued, to the front, because the engine died while it had the job.

        One that was cancelled is not drawn again: running → cancelled.

        Args:
            job: as it was handed out.
            alone: whether the job had the engine to itself.
            sentence: why it fails if it died alone `LONE_DEATHS` times and got no further in
                between; it then goes to `failed`.

        """
        async with self._transaction():
            row = await self._write(
                """
                SELECT snapshot, died_at, lone_deaths, cancel_at FROM jobs
                WHERE id = ? AND state = 'running' AND attempt = ?
                """,
                (job.id, job.attempt),
            )
            if row is None:
                return False
            if row["cancel_at"] is not None:
                await self._write(
                    "UPDATE jobs SET state = 'cancelled', finished_at = ? WHERE id = ?",
                    (self._clock(), job.id),
                )
                return True
            died_at, lone_deaths = row["died_at"], row["lone_deaths"]
            if alone:
                further = died_at is None or row["snapshot"] > died_at
                died_at, lone_deaths = row["snapshot"], 1 if further else lone_deaths + 1
            given_up = lone_deaths >= LONE_DEATHS
            await self._write(
                """
                UPDATE jobs SET state = ?, error = ?, finished_at = ?,
                    lane = 0, suspect = 1, died_at = ?, lone_deaths = ?
                WHERE id = ? AND state = 'running' AND attempt = ?
                """,
                (
                    State.FAILED if given_up else State.QUEUED,
                    sentence if given_up else None,
                    self._clock() if given_up else None,
                    died_at,
                    lone_deaths,
                    job.id,
                    job.attempt,
                ),
            )
            return True

    async def recover(self) -> int:
        """Put the jobs that a former process was drawing back to the front; returns how many.

        Those that were cancelled there are so now.
        """
        async with self._lock:
            await self._writer.execute(
                """
                UPDATE jobs SET state = 'cancelled', finished_at = ?
                WHERE state = 'running' AND cancel_at IS NOT NULL
                """,
                (self._clock(),),
            )
            cursor = await self._writer.execute(
                "UPDATE jobs SET state = 'queued', lane = 0 WHERE state = 'running'"
            )
            return cursor.rowcount

    async def waiting(self, limit: int) -> list[Job]:
        """The next jobs of the queue, in its order."""
        return await self._read_jobs(
            "SELECT * FROM jobs WHERE state = 'queued' ORDER BY lane, round, id LIMIT ?", (limit,)
        )

    async def count_waiting(self) -> int:
        """How many jobs wait."""
        row = await self._read("SELECT COUNT(*) AS jobs FROM jobs WHERE state = 'queued'")
        assert row is not None
        return int(row["jobs"])

    async def unfinished(self) -> list[int]:
        """The numbers of the jobs that wait or are being drawn, and are not to be cancelled."""
        rows = await self._read_all(
            """
            SELECT id FROM jobs WHERE state = 'queued'
            UNION ALL SELECT id FROM jobs WHERE state = 'running' AND cancel_at IS NULL
            """
        )
        return [row["id"] for row in rows]

    async def running(self) -> list[Job]:
        """The jobs that are being drawn."""
        return await self._read_jobs("SELECT * FROM jobs WHERE state = 'running' ORDER BY id")
