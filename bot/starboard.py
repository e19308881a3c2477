"""Pictures that many like are posted once more, in a channel that their server chose for that."""

import hashlib
import io
import logging
from typing import TYPE_CHECKING

import discord

from bot.errors import AUTO_MODERATION
from bot.jobs import Job
from bot.label import UNTOLD, prompt_of
from bot.logs import about_job
from bot.pictures import fit
from bot.preferences import PREFERENCE, read_preference
from bot.rules import is_age_restricted
from bot.store import Stars
from bot.texts import alt_text
from engine.errors import SettingsError

if TYPE_CHECKING:
    from bot.app import PixelBot

log = logging.getLogger(__name__)

_COLOUR = discord.Colour(0xFFAC33)


async def favourited(bot: "PixelBot", job: Job) -> None:
    """Post a picture on its server's starboard if so many like it now; call it for each of them.

    Never a second time, never in another server, and never a picture that is private or deleted,
    nor one of an age-restricted channel where all may see it.
    """
    async with bot.starring:
        board = await _board(bot, job)
        if board is None:
            return
        channel, needed = board
        stars = await bot.store.stars(job.id)
        if stars is None or stars.people < needed:
            return
        if not await bot.store.claim_star(job.id, channel.id):
            return
        try:
            message = await _post(bot, job, channel, stars)
        except discord.HTTPException as error:
            # The next one who likes it tries again.
            with about_job(job.id):
                log.warning("it is not on the starboard: %s", error)
            await bot.store.drop_star(job.id)
            return
        if message is None:
            await bot.store.drop_star(job.id)
        elif not await bot.store.set_star(job.id, message.id):
            await message.delete()


async def take_down(bot: "PixelBot", job: Job) -> None:
    """Delete what `favourited` posted, when the picture is deleted."""
    async with bot.starring:
        star = await bot.store.star(job.id)
        if star is not None:
            channel_id, message_id = star
            channel = bot.get_partial_messageable(channel_id, guild_id=job.guild_id)
            try:
                await channel.get_partial_message(message_id).delete()
            except discord.HTTPException as error:
                # Gone already, or out of reach for good.
                with about_job(job.id):
                    log.warning("it stays on the starboard: %s", error)
        await bot.store.drop_star(job.id)


async def _board(bot: "PixelBot", job: Job) -> tuple[discord.TextChannel, int] | None:
    """The channel for the best pictures of a job's server, and how many must like one."""
    guild = bot.get_guild(job.guild_id)
    values = await bot.store.preferences("guild", job.guild_id)
    if guild is None or "starboard" not in values:
        return None
    try:
        channel_id = read_preference("guild", "starboard", values["starboard"])
        needed = read_preference("guild", "stars", values.get("stars", PREFERENCE["stars"].default))
    except SettingsError:
        return None
    assert isinstance(channel_id, int)
    assert isinstance(needed, int)
    channel = guild.get_channel(channel_id)
    if not isinstance(channel, discord.TextChannel):
        return None
    original = guild.get_channel_or_thread(job.channel_id)
    if is_age_restricted(original) and not is_age_restricted(channel):
        return None
    return channel, needed


async def _post(
    bot: "PixelBot", job: Job, channel: discord.TextChannel, stars: Stars
) -> discord.Message | None:
    """Send it; None where its file is missing or too large."""
    png = await bot.pictures.read(job.picture) if job.picture is not None else None
    png = await fit(png, channel.guild.filesize_limit) if png is not None else None
    if png is None:
        return None
    for words in (f"**{prompt_of(job)}**", UNTOLD):
        file = discord.File(
            io.BytesIO(png),
            f"pixel-{job.id}.png",
            spoiler=job.spoiler,
            description=alt_text(job.prompt),
        )
        try:
            return await channel.send(
                embed=_embed(job, words, stars),
                file=file,
                # If the bot ends before the message's id is kept, it is not posted twice.
                nonce=hashlib.sha256(f"star {job.id} {job.asked_at}".encode()).hexdigest()[:24],
            )
        except discord.HTTPException as error:
            if error.code not in AUTO_MODERATION or words == UNTOLD:
                raise
    return None


def _embed(job: Job, words: str, stars: Stars) -> discord.Embed:
    lines = [words, f"by <@{job.user_id}> · ⭐ {stars.people}"]
    if stars.message is not None:
        where = "/".join(map(str, (job.guild_id, *stars.message)))
        lines.append(f"[Where it was drawn](https://discord.com/channels/{where})")
    embed = discord.Embed(description="\n".join(lines), colour=_COLOUR)
    embed.set_footer(text=f"pixel #{job.id}")
    return embed
