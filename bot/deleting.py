"""Deleting pictures: the files, the messages, and whatever was made of them."""

import contextlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import discord

from bot.jobs import Job
from bot.starboard import take_down

if TYPE_CHECKING:
    from bot.app import PixelBot

log = logging.getLogger(__name__)


async def delete_pictures(bot: "PixelBot", jobs: Sequence[Job]) -> None:
    """Delete finished pictures for good; of their rows everything but the files is kept.

    A message that cannot be deleted is left: what it shows cannot be reached any more from here.
    """
    groups = {job.group_id for job in jobs if job.group_id is not None}
    for job in jobs:
        await bot.store.delete(job)
        await bot.pictures.remove(job.id)
        await take_down(bot, job)
        for channel_id, message_id in await bot.store.messages_to_forget(job.id):
            await _delete_message(bot, job.guild_id, channel_id, message_id)
        for answer in await bot.store.answers(job):
            await bot.store.forget_answer(job, answer)
    for group_id in groups:
        await _show_rest(bot, group_id, jobs)


async def _show_rest(bot: "PixelBot", group_id: int, deleted: Sequence[Job]) -> None:
    """Bring a group's message up to date, or delete it when none of its pictures is left."""
    group = await bot.store.group(group_id)
    if group is not None:
        await bot.store.reopen(group)
        bot.reporter.notify_group(group)
        return
    message_id = await bot.store.group_message(group_id)
    if message_id is not None:
        where = next(job for job in deleted if job.group_id == group_id)
        await _delete_message(bot, where.guild_id, where.channel_id, message_id)


async def _delete_message(bot: "PixelBot", guild_id: int, channel_id: int, message_id: int) -> None:
    channel = bot.get_partial_messageable(channel_id, guild_id=guild_id)
    with contextlib.suppress(discord.NotFound):
        try:
            await channel.get_partial_message(message_id).delete()
        except discord.Forbidden as error:
            log.warning("a message of a deleted picture is still there: %s", error)
