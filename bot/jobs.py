"""A job: one picture that somebody asked for, as the rest of the bot sees its row."""

import enum
from dataclasses import dataclass
from typing import Literal

import msgspec

from engine.settings import Settings

# SQLite counts further, but Discord's numbers are exact up to here only.
MAX_JOB_ID = 2**53 - 1

Relation = Literal["reroll", "again", "variation", "remix", "start"]

# What is kept of a job's files: frames and all, the picture without them, or nothing.
Kept = Literal["all", "picture", "nothing"]


class State(enum.StrEnum):
    """Where a job stands; the last three are final."""

    QUEUED = "queued"  # waits for an easel
    RUNNING = "running"  # was handed to the engine
    DONE = "done"  # its picture is on the disk
    FAILED = "failed"  # cannot be drawn; `error` says why
    CANCELLED = "cancelled"  # stopped by its owner or a moderator

    @property
    def final(self) -> bool:
        """Whether nothing follows any more."""
        return self not in (State.QUEUED, State.RUNNING)


@dataclass(frozen=True)
class NewJob:
    """What is known of a job when it is asked for.

    Attributes:
        settings: as asked; its seed is None where it was left open.
        seed: the one to draw with.
        resolved: as the engine resolved them the last time, to draw exactly that again.
        init_image: SHA-256 of a stored picture.
        spoiler: whether the picture is posted behind a spoiler.
        group_id: the group whose message shows it.

    """

    user_id: int
    guild_id: int
    channel_id: int
    settings: Settings
    seed: int
    resolved: Settings | None = None
    init_image: str | None = None
    parent_id: int | None = None
    relation: Relation | None = None
    spoiler: bool = False
    group_id: int | None = None


@dataclass(frozen=True)
class Frame:
    """The newest look of a job that is being drawn.

    Attributes:
        score: how well it fits its prompts, −1…1, or None without prompts.
        step_seconds: how long a step took lately, or None when that is not known yet.

    """

    iteration: int
    iterations: int
    png: bytes
    score: float | None = None
    step_seconds: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """About how long the picture will still be drawn."""
        if self.step_seconds is None:
            return None
        return (self.iterations - self.iteration) * self.step_seconds


@dataclass(frozen=True)
class Job:
    """A row of the table `jobs`; the migration says what each column holds."""

    id: int
    user_id: int
    guild_id: int
    channel_id: int
    message_id: int | None
    message_at: float | None
    report: Literal["open", "posted", "silenced", "grouped"]
    group_id: int | None
    asked: Settings
    resolved: Settings | None
    seed: int
    init_image: str | None
    parent_id: int | None
    relation: Relation | None
    spoiler: bool
    state: State
    attempt: int
    lane: int
    round: int
    cancel_at: float | None
    suspect: bool
    snapshot: int
    asked_at: float
    started_at: float | None
    finished_at: float | None
    drawing_seconds: float | None
    error: str | None
    picture: str | None
    native: str | None
    score: float | None
    note: str | None
    deleted_at: float | None
    kept: Kept

    @property
    def prompt(self) -> str:
        """What is drawn, as its owner wrote it."""
        return self.asked.prompts

    @property
    def settings(self) -> Settings:
        """What the engine is given: everything that is fixed by now, above all the seed."""
        return self.resolved or msgspec.structs.replace(self.asked, seed=self.seed)

    @property
    def cancelling(self) -> bool:
        """Whether it was cancelled, and the engine has not let go of it yet."""
        return self.state is State.RUNNING and self.cancel_at is not None


@dataclass(frozen=True)
class Group:
    """A row of the table `groups`, and its pictures: they share one prompt and one message."""

    id: int
    user_id: int
    guild_id: int
    channel_id: int
    message_id: int | None
    message_at: float | None
    report: Literal["open", "posted", "silenced"]
    jobs: tuple[Job, ...]

    @property
    def first(self) -> Job:
        """The first picture, which stands for all in what they have in common."""
        return self.jobs[0]

    @property
    def final(self) -> bool:
        """Whether nothing will be drawn any more."""
        return all(job.state.final for job in self.jobs)
