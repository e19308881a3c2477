"""What is made of a picture and posted in reply to it: once in a channel, then only pointed at."""

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import discord

from bot.access import may_post
from bot.errors import Refusal, say
from bot.intake import check_permissions
from bot.jobs import Job
from bot.label import message_link
from bot.store import Answer
from bot.texts import alt_text
from bot.workshop.orders import Order

if TYPE_CHECKING:
    from bot.app import PixelBot


async def post_answer(
    interaction: discord.Interaction["PixelBot"],
    job: Job,
    what: str,
    make: Callable[[], Awaitable[bytes]],
    *,
    ending: str,
) -> None:
    """Post something that was made of a picture, or tell where it is already.

    Args:
        interaction: one that was not answered yet.
        job: the picture, finished.
        what: what it is; where it was posted is looked up by this.
        make: makes the file when it is needed.
        ending: the file's name after the picture's own.

    Raises:
        Refusal: where nothing may be posted, when the picture was deleted in between, and from
            `make`.

    """
    await interaction.response.defer(ephemeral=True, thinking=True)
    check_permissions(interaction)
    if not may_post(interaction, job):
        raise Refusal("This picture is from a channel that not everybody here may see.")
    bot = interaction.client
    assert interaction.channel_id is not None
    channel = bot.get_partial_messageable(interaction.channel_id, guild_id=interaction.guild_id)
    # Who presses twice gets it once.
    key = (channel.id, job.id, what)
    async with bot.answering.setdefault(key, asyncio.Lock()):
        there = await _posted(bot, channel, job, what)
        if there is not None:
            await say(interaction, f"It is here already: {there.jump_url}")
            return
        data = await make()
        now = await bot.store.get(job.id)
        if now is None or now.deleted_at is not None:
            raise Refusal("This picture was deleted.")
        text = f"{what[:1].upper()}{what[1:]} of {message_link(job)}"
        text = f"{text}, for {interaction.user.mention}"
        file, shown = picture_file(job, data, ending), _shown(interaction, job)
        if shown is None:
            message = await channel.send(text, file=file)
        else:
            message = await channel.send(text, file=file, reference=shown)
        await bot.store.add_answer(job, what, Answer(channel.id, message.id))
    await interaction.delete_original_response()


async def made(interaction: discord.Interaction["PixelBot"], order: Order) -> bytes:
    """What the workshop makes of a picture.

    Raises:
        Refusal: when it cannot be made.

    """
    data = await interaction.client.workshop.make(order)
    if data is None:
        raise Refusal("That could not be made of this picture; the cause is in the bot's log.")
    return data


def picture_file(job: Job, data: bytes, ending: str) -> discord.File:
    """A file that shows a picture, or what was made of it."""
    name = f"pixel-{job.id}{ending}"
    return discord.File(
        io.BytesIO(data), name, spoiler=job.spoiler, description=alt_text(job.prompt)
    )


async def _posted(
    bot: "PixelBot", channel: discord.PartialMessageable, job: Job, what: str
) -> discord.PartialMessage | None:
    """The message that shows it in this channel, if it is still there."""
    for answer in await bot.store.answers(job, what):
        if answer.channel_id != channel.id:
            continue
        message = channel.get_partial_message(answer.message_id)
        try:
            # Where the bot may not read what was said, it is taken to be there.
            with contextlib.suppress(discord.Forbidden):
                await message.fetch()
        except discord.NotFound:
            await bot.store.forget_answer(job, answer)
        else:
            return message
    return None


def _shown(
    interaction: discord.Interaction["PixelBot"], job: Job
) -> discord.MessageReference | None:
    """The message that shows the picture here; none can be a reply to one that only one sees."""
    message_id = job.message_id if job.channel_id == interaction.channel_id else None
    if interaction.message is not None and not interaction.message.flags.ephemeral:
        message_id = interaction.message.id
    if message_id is None or interaction.channel_id is None:
        return None
    return discord.MessageReference(
        message_id=message_id,
        channel_id=interaction.channel_id,
        guild_id=interaction.guild_id,
        # It may be deleted at any time.
        fail_if_not_exists=False,
    )
