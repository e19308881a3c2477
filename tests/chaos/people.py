"""Twenty people who ask for pictures, ask again when nothing came of it, and change their minds."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial

import aiohttp

from bot.jobs import Job, State
from tests.bot.helpers import png
from tests.chaos.plan import Plan, Wish
from tests.chaos.records import Records
from tests.chaos.stage import Stage
from tests.discord_server.client import custom_ids

_LOOK_SECONDS = 0.1
# Whoever gets no answer tries again; a command may wait five seconds for the database.
_PATIENCE_SECONDS = 9.0
_PICTURE = (24, 24)
_STEPS, _STEPS_TO_CANCEL = 4, 40


class People:
    """Those who ask; each wish is a task of its own.

    Attributes:
        asked: the job that came of each wish.
        tries: how often commands and buttons had to be used.
        cancelled_by_owner: the jobs whose owners pressed cancel.
        meddled: how often somebody else pressed it.

    """

    def __init__(self, plan: Plan, stage: Stage, records: Records) -> None:
        self._plan = plan
        self._stage = stage
        self._records = records
        self._discord = stage.discord
        self._made = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._picture = png(_PICTURE)
        self.asked: dict[Wish, int] = {}
        self.tries: Counter[str] = Counter()
        self.cancelled_by_owner: set[int] = set()
        self.meddled = 0
        self._varied: set[int] = set()

    def wish(self, count: int) -> None:
        """Let so many wishes have been made in all."""
        for wish in self._plan.wishes[self._made : count]:
            self._spawn(self._have(wish), str(wish))
        self._made = max(self._made, count)

    def ask_for_variations(self, seed: int) -> None:
        """Let finished pictures be varied, as often as planned."""
        chance = random.Random(seed)
        for number in range(self._plan.groups):
            self._spawn(self._vary(chance.randrange(1000)), f"variations {number}")

    async def content(self, seconds: float) -> None:
        """Wait until everybody has what they wished for, and no more to press."""
        async with asyncio.timeout(seconds):
            await asyncio.gather(*self._tasks)

    async def leave(self) -> None:
        """Stop whatever is still being tried."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        self._tasks.append(asyncio.create_task(work, name=name))

    async def _have(self, wish: Wish) -> None:
        recipe, person = wish.recipe, self._discord.users[wish.person]
        prompt, options = recipe.words, {"drawer": recipe.drawer, "seed": str(recipe.seed)}
        more = {"image": self._picture} if recipe.starts_from_picture else {}
        iterations = _STEPS if wish.cancel_after is None else _STEPS_TO_CANCEL
        while (job := self._records.find(person, _bare(prompt), recipe.seed)) is None:
            self.tries["asked"] += 1
            with contextlib.suppress(aiohttp.ClientError):
                await self._discord.slash_as(
                    *(person, self._discord.channels[wish.channel], "pixel"),
                    **(options | more),
                    prompt=prompt,
                    iterations=iterations,
                    quality="draft",
                )
            await self._appears(partial(self._records.find, person, _bare(prompt), recipe.seed))
        self.asked[wish] = job.id
        if wish.meddler is not None:
            await self._meddle(job.id, self._discord.users[wish.meddler])
        if wish.cancel_after is not None:
            await asyncio.sleep(wish.cancel_after)
            await self._cancel(job.id, person)

    async def _appears(self, row: Callable[[], object]) -> None:
        """Wait for a row, as long as somebody waits for an answer."""
        bots = self._stage.starts
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not row():
                    await asyncio.sleep(_LOOK_SECONDS)
                    if self._stage.starts != bots:
                        # That bot has heard of it or not; this one has not.
                        await self._stage.well()
                        return

    async def _cancel(self, job_id: int, person: str) -> None:
        """Press cancel until it is cancelled, or finished."""
        while not (job := self._records.job(job_id)).state.final:
            if job.cancel_at is None and await self._press(job, "cancel", person):
                self.cancelled_by_owner.add(job_id)
            await asyncio.sleep(10 * _LOOK_SECONDS)

    async def _meddle(self, job_id: int, stranger: str) -> None:
        """Press somebody else's cancel, once it is there."""
        while not (job := self._records.job(job_id)).state.final:
            if await self._press(job, "cancel", stranger):
                self.meddled += 1
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _vary(self, which: int) -> None:
        """Press the button below one of the finished pictures until there are variations of it."""
        while (job := self._finished(which)) is None:  # noqa: ASYNC110 - as in `until`
            await asyncio.sleep(20 * _LOOK_SECONDS)
        self._varied.add(job.id)
        while not self._has_children(job.id):
            await self._press(job, "variations", str(job.user_id))
            await self._appears(partial(self._has_children, job.id))

    def _has_children(self, job_id: int) -> bool:
        return any(other.parent_id == job_id for other in self._records.jobs())

    def _finished(self, which: int) -> Job | None:
        """One of the pictures that are finished by now, and nobody has had varied, if any."""
        finished = [
            job
            for job in self._records.jobs()
            if job.state is State.DONE
            and job.relation is None
            and job.report == "posted"
            and job.id not in self._varied
        ]
        return finished[which % len(finished)] if finished else None

    async def _press(self, job: Job, action: str, person: str) -> bool:
        """Press a button of a job's message, if it is there; returns whether it was."""
        if job.message_id is None:
            return False
        with contextlib.suppress(aiohttp.ClientError):
            message = await self._discord.message(str(job.message_id))
            if f"pixel:{action}:{job.id}" in custom_ids(message):
                self.tries[action] += 1
                await self._discord.click(message, action, person)
                return True
        return False


def _bare(prompt: str) -> str:
    """A prompt as its row has it: without the settings."""
    return prompt.partition(" --")[0]
