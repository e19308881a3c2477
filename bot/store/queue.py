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

# Who may not have another job handed out: people, servers, and people in one server. What a server
# has set for itself counts where it is less.
_PEOPLE_AT_CAP = """
    SELECT user_id FROM jobs WHERE state = 'running'
    GROUP BY user_id HAVING COUNT(*) >= :per_user
"""
_SERVERS_AT_CAP = """
    SELECT guild_id FROM jobs WHERE state = 'running'
    GROUP BY guild_id HAVING COUNT(*) >= MIN(:per_guild, COALESCE((
        SELECT CAST(value AS INTEGER) FROM preferences
        WHERE scope = 'guild' AND scope_id = guild_id AND name = 'running_per_guild'), :per_guild))
"""
_MEMBERS_AT_CAP = """
    SELECT user_id, guild_id FROM jobs WHERE state = 'running'
    GROUP BY user_id, guild_id HAVING COUNT(*) >= COALESCE((
        SELECT CAST(value AS INTEGER) FROM preferences
        WHERE scope = 'guild' AND scope_id = guild_id AND name = 'running_per_user'), :per_user)
"""


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
        yields: whether their jobs come after those of others in the same round.

    """

    waiting: int | None = None
    cooldown: int = 0
    yields: bool = False


_NO_LIMITS = Limits()


@dataclass(frozen=True)
class Caps:
    """How many jobs may run at the same time; a server may have set less for itself."""

    per_user: int
    per_guild: int


class Queue(Database):
    """The jobs that wait or are being drawn.

    SQLite does not know that few jobs of all are waiting or drawn; their indexes are named where it
    would go through the others instead.
    """

    async def add_job(
        self, new: NewJob, *, waiting_per_user: int, limits: Limits = _NO_LIMITS
    ) -> Job:
        """Put a job into the queue, in its fair round.

        That is the round that its server is in, and one more for each unfinished job of its owner.
        So a newcomer comes before somebody's second picture, but not before one whose turn it is;
        and whoever asks again and again gets at most one picture in before each of another's.
        (The start tags of start-time fair queueing: Goyal, Vin and Cheng 1996.)

        Raises:
            QueueFull: when its owner has `waiting_per_user` jobs waiting already, or as many in
                this server as its `limits` allow.
            TooSoon: when their last one in this server is not long enough ago.

        """
        async with self._transaction():
            await self._check_limits(new.user_id, new.guild_id, 1, limits)
            await self._check_room(new.user_id, 1, waiting_per_user)
            return await self._add(new, limits)

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
            return [await self._add(replace(new, group_id=group["id"]), limits) for new in news]

    async def _check_room(self, user_id: int, count: int, waiting_per_user: int) -> None:
        row = await self._write(
            """
            SELECT COUNT(*) AS waiting FROM jobs INDEXED BY jobs_queued_by_user
            WHERE state = 'queued' AND user_id = ?
            """,
            (user_id,),
        )
        assert row is not None
        if row["waiting"] + count > waiting_per_user:
            raise QueueFull(
                f"{row['waiting']} of your pictures are waiting already, and one person may have "
                f"{waiting_per_user} there; wait for some of them or cancel some."
            )

    async def _add(self, new: NewJob, limits: Limits) -> Job:
        fair_round = await self._fair_round(new.user_id, new.guild_id)
        added = await self._write(
            """
            INSERT INTO jobs (user_id, guild_id, channel_id, asked, resolved, seed,
                init_image, parent_id, relation, spoiler, group_id, report, round, yields, asked_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
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
                fair_round,
                limits.yields,
                self._clock(),
            ),
        )
        assert added is not None
        return job_of(added)

    async def _fair_round(self, user_id: int, guild_id: int) -> int:
        """The round of somebody's next job; see `add_job`.

        A server that is at its cap falls behind the others, so that each counts its own rounds; one
        where nobody waits is where the others are.
        """
        who: dict[str, object] = {"user": user_id, "guild": guild_id}
        row = await self._write(
            """
            SELECT
                (SELECT COUNT(*) FROM jobs INDEXED BY jobs_queued_by_user
                 WHERE state = 'queued' AND user_id = :user)
                + (SELECT COUNT(*) FROM jobs INDEXED BY jobs_running
                   WHERE state = 'running' AND user_id = :user) AS unfinished,
                (SELECT MAX(round) FROM jobs INDEXED BY jobs_queued_by_user
                 WHERE state = 'queued' AND user_id = :user AND guild_id = :guild) AS last,
                (SELECT MIN(round) FROM jobs
                 WHERE state = 'queued' AND guild_id = :guild AND lane = 1) AS next_here,
                (SELECT MAX(round) FROM jobs
                 WHERE state = 'running' AND guild_id = :guild) AS drawn_here,
                COALESCE(
                    (SELECT MAX(round) FROM jobs WHERE state = 'running'),
                    (SELECT MIN(round) FROM jobs WHERE state = 'queued' AND lane = 1),
                    (SELECT round + 1 FROM jobs WHERE state = 'done'
                     ORDER BY finished_at DESC LIMIT 1),
                    0) AS elsewhere
            """,
            who,
        )
        assert row is not None
        if row["next_here"] is None:
            present = row["elsewhere"]
        elif row["drawn_here"] is None:
            present = row["next_here"]
        else:
            # A long drawing was begun in a round that is over.
            present = max(row["drawn_here"], row["next_here"] - 1)
        newest = await self._write(
            """
            SELECT state, round FROM jobs WHERE user_id = :user AND guild_id = :guild
                AND attempt > 0 ORDER BY id DESC LIMIT 1
            """,
            who,
        )
        had_theirs = (
            newest is not None and State(newest["state"]).final and newest["round"] >= present
        )
        fair_round: int = present + row["unfinished"] + had_theirs
        # Their own pictures keep their order.
        return fair_round if row["last"] is None else max(fair_round, row["last"] + 1)

    async def _check_limits(self, user_id: int, guild_id: int, count: int, limits: Limits) -> None:
        """Make sure that a server lets somebody add so many jobs at once."""
        who = (user_id, guild_id)
        if limits.waiting is not None:
            row = await self._write(
                """
                SELECT COUNT(*) AS waiting FROM jobs INDEXED BY jobs_queued_by_user
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

        Jobs of people and servers at their cap are passed over. A suspect runs alone: it is handed
        out when nothing runs, and nothing is handed out beside it.
        """
        at_most: dict[str, object] = {"per_user": caps.per_user, "per_guild": caps.per_guild}
        async with self._transaction():
            running = await self._write(
                "SELECT COUNT(*) AS jobs, MAX(suspect) AS suspect FROM jobs WHERE state = 'running'"
            )
            assert running is not None
            if running["suspect"]:
                return None
            row = await self._write(
                f"""
                SELECT id, attempt, suspect, lane, round FROM jobs
                WHERE state = 'queued'
                    AND user_id NOT IN ({_PEOPLE_AT_CAP})
                    AND guild_id NOT IN ({_SERVERS_AT_CAP})
                    AND (user_id, guild_id) NOT IN ({_MEMBERS_AT_CAP})
                ORDER BY lane, round, yields, id LIMIT 1
                """,  # noqa: S608 - constants
                at_most,
            )
            if row is None or (row["suspect"] and running["jobs"]):
                return None
            if row["lane"] == 1:
                await self._keep_pace(row["round"], at_most)
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

    async def _keep_pace(self, fair_round: int, at_most: dict[str, object]) -> None:
        """Take the jobs of people at their cap, who are passed over, along to a round.

        Else they would save up turns meanwhile, which newcomers would have to wait for. Those in a
        server at its cap stay, since all of that server is passed over.
        """
        behind = await self._writer.execute_fetchall(
            f"""
            SELECT user_id, guild_id, MIN(round) AS round FROM jobs
            WHERE state = 'queued' AND lane = 1 AND round < :round
                AND (user_id IN ({_PEOPLE_AT_CAP})
                    OR (user_id, guild_id) IN ({_MEMBERS_AT_CAP}))
                AND guild_id NOT IN ({_SERVERS_AT_CAP})
            GROUP BY user_id, guild_id
            """,  # noqa: S608 - constants
            at_most | {"round": fair_round},
        )
        for row in behind:
            await self._write(
                """
                UPDATE jobs SET round = round + ?
                WHERE state = 'queued' AND lane = 1 AND user_id = ? AND guild_id = ?
                """,
                (fair_round - row["round"], row["user_id"], row["guild_id"]),
            )

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
        """Queued or running → cancelled, if the job still is what `job` says.

        When it was not begun, its owner's later jobs in this server move up by its round.
        """
        async with self._transaction():
            row = await self._write(
                """
                UPDATE jobs SET state = 'cancelled', finished_at = ?
                WHERE id = ? AND state IN ('queued', 'running') AND state = ? AND attempt = ?
                RETURNING attempt
                """,
                (self._clock(), job.id, job.state, job.attempt),
            )
            if row is not None and row["attempt"] == 0:
                await self._write(
                    """
                    UPDATE jobs SET round = round - 1
                    WHERE state = 'queued' AND user_id = ? AND guild_id = ? AND id > ?
                        AND attempt = 0
                    """,
                    (job.user_id, job.guild_id, job.id),
                )
        return row is not None

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
            "SELECT * FROM jobs WHERE state = 'queued' ORDER BY lane, round, yields, id LIMIT ?",
            (limit,),
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
        return await self._read_jobs(
            "SELECT * FROM jobs INDEXED BY jobs_running WHERE state = 'running' ORDER BY id"
        )
