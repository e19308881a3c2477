"""Who may come in, and whether jobs are taken and handed out: the owner's switch, bans, the end.

What is asked at every command and for every job is kept in memory, so that an answer never waits
for the disk; what must outlive the process is in the database too.
"""

import enum

from bot.errors import Refusal
from bot.jobs import Job, State
from bot.store import Store
from bot.texts import harmless

_SWITCH = "mode"
_REASON_LIMIT = 300


class Mode(enum.StrEnum):
    """What the owner wants."""

    OPEN = "open"  # jobs are taken and handed out
    PAUSED = "paused"  # jobs are taken; those that are being drawn are finished, no other is begun
    DRAINING = "draining"  # the same, and no jobs are taken either


class Admission:
    """The rules of the day; `load` them first.

    Attributes:
        mode: the owner's switch.
        stopping: whether this process is about to end.

    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._bans: dict[int, str] = {}
        self.mode = Mode.OPEN
        self.stopping = False

    async def load(self) -> None:
        """Take up what a former process left."""
        self._bans = await self._store.bans()
        self.mode = Mode(await self._store.switch(_SWITCH) or Mode.OPEN)

    async def set_mode(self, mode: Mode) -> None:
        """Turn the owner's switch."""
        await self._store.set_switch(_SWITCH, mode)
        self.mode = mode

    async def ban(self, user_id: int, reason: str) -> None:
        """Answer no command and no button of somebody any more."""
        await self._store.ban(user_id, reason)
        self._bans[user_id] = reason

    async def unban(self, user_id: int) -> bool:
        """Let somebody in again; returns whether they had been shut out."""
        self._bans.pop(user_id, None)
        return await self._store.unban(user_id)

    def check_entry(self, user_id: int) -> None:
        """Make sure that somebody's command or button may be answered.

        Raises:
            Refusal: when they are banned, or the bot is about to end.

        """
        if self.stopping:
            raise Refusal("I am being restarted and will be back in a moment; please try then.")
        if (reason := self._bans.get(user_id)) is not None:
            reason = harmless(reason, _REASON_LIMIT)
            raise Refusal(f"You may not use this bot any more: {reason}")

    def check_intake(self) -> None:
        """Make sure that a job may be put into the queue.

        Raises:
            Refusal: when none is taken now.

        """
        if self.stopping or self.mode is Mode.DRAINING:
            raise Refusal(
                "I take no new pictures at the moment, because I am about to be updated; "
                "please try again later."
            )

    def hands_out(self) -> bool:
        """Whether a waiting job may be given to the engine."""
        return self.mode is Mode.OPEN and not self.stopping

    def notice(self, job: Job) -> str | None:
        """What an unfinished job's message says instead of its place or its progress, if anything.

        Drawings that were begun go on while the bot is paused.
        """
        if self.stopping:
            return {
                State.QUEUED: "I am being restarted and will be back soon; it keeps its place.",
                State.RUNNING: "I am being restarted and will be back soon; it goes on from here.",
            }.get(job.state)
        if job.state is State.QUEUED and self.mode is not Mode.OPEN:
            return "Drawing is paused; it keeps its place."
        return None
