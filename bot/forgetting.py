"""Forgetting people who want it: their messages, their files, and at last their rows.

It is noted in the database first, so that it goes on after a restart wherever it was.
"""

import asyncio
import logging
import sqlite3
from typing import TYPE_CHECKING

import aiohttp
import discord

from bot.errors import Refusal
from bot.jobs import Job
from bot.store import Forgotten

if TYPE_CHECKING:
    from bot.app import PixelBot

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 60.0
_SERVER_ERROR = 500


class Forgetter:
    """Deletes what the bot keeps of people.

    Args:
        bot: its store, pictures and messages.
        pause: seconds until it goes on when Discord or the disk is out of order.

    """

    def __init__(self, bot: "PixelBot", *, pause: float = _PAUSE_SECONDS) -> None:
        self._bot = bot
        self._pause = pause
        self._tasks: dict[int, asyncio.Task[Forgotten]] = {}

    async def forget(self, user_id: int) -> Forgotten:
        """Delete everything of somebody; if whoever waits for it is cancelled, it goes on.

        Raises:
            Refusal: when that is being done already.

        """
        if user_id in self._tasks:
            raise Refusal("I am deleting everything of yours already.")
        await self._bot.store.begin_forgetting(user_id)
        return await asyncio.shield(self._task(user_id))

    async def resume(self) -> None:
        """Go on with what a former process did not finish."""
        for user_id in await self._bot.store.to_be_forgotten():
            self._task(user_id)

    async def close(self) -> None:
        """Stop; what is left is deleted after the next start."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _task(self, user_id: int) -> asyncio.Task[Forgotten]:
        if user_id not in self._tasks:
            task = asyncio.create_task(self._persist(user_id), name=f"forgetting {user_id}")
            task.add_done_callback(lambda done: self._ended(user_id, done))
            self._tasks[user_id] = task
        return self._tasks[user_id]

    def _ended(self, user_id: int, task: asyncio.Task[Forgotten]) -> None:
        del self._tasks[user_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("somebody is not forgotten before the next start", exc_info=error)

    async def _persist(self, user_id: int) -> Forgotten:
        while True:
            try:
                return await self._forget(user_id)
            except (
                *(discord.HTTPException, aiohttp.ClientError, OSError),
                sqlite3.OperationalError,
            ) as error:
                log.warning("forgetting goes on in %g s: %r", self._pause, error)
            await asyncio.sleep(self._pause)

    async def _forget(self, user_id: int) -> Forgotten:
        bot, store = self._bot, self._bot.store
        for job in await store.unfinished_to_forget(user_id):
            await bot.dispatcher.cancel(job.id)
        for name in await store.attached_to_forget(user_id):
            await bot.pictures.remove_init(name)
        closed: set[int] = set()
        while jobs := await store.next_to_forget(user_id):
            for job in jobs:
                await self._forget_job(job, closed)
        messages = await store.shared_messages_to_forget(user_id)
        unreachable = await self._delete(messages, closed)
        forgotten = await store.end_forgetting(user_id, unreachable=unreachable)
        log.info(
            "somebody is forgotten: %d pictures; %d messages are out of reach",
            forgotten.pictures,
            forgotten.unreachable,
        )
        return forgotten

    async def _forget_job(self, job: Job, closed: set[int]) -> None:
        bot = self._bot
        await bot.dispatcher.settled(job.id)
        unreachable = await self._delete(await bot.store.messages_to_forget(job.id), closed)
        await bot.pictures.remove(job.id)
        await bot.engine.forget(str(job.id))
        await bot.store.forget_job(job, unreachable=unreachable)

    async def _delete(self, messages: list[tuple[int, int]], closed: set[int]) -> int:
        """Delete messages; returns how many are out of reach.

        Args:
            messages: each as channel and id.
            closed: channels that the bot was sent away from, which are not asked again; it grows.

        """
        unreachable = 0
        for channel_id, message_id in messages:
            if channel_id in closed:
                unreachable += 1
                continue
            channel = self._bot.get_partial_messageable(channel_id)
            try:
                await channel.get_partial_message(message_id).delete()
            except discord.NotFound:
                # Gone already, alone or with its channel.
                continue
            except discord.Forbidden:
                closed.add(channel_id)
                unreachable += 1
            except discord.HTTPException as error:
                if error.status >= _SERVER_ERROR:
                    # That will pass.
                    raise
                log.warning("message %d could not be deleted: %s", message_id, error)
                unreachable += 1
        return unreachable
