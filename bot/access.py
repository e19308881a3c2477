"""Who may see which picture where.

A picture belongs to the channel that it was made in: whoever can read that channel may see it in
the same server, and its owner everywhere. Pictures of age-restricted channels of others are seen in
such channels only. What cannot be told is not allowed: members are not listed to this bot, so only
the rights of whoever clicks or types are known, from their interaction.
"""

import re
from typing import TYPE_CHECKING

import discord

from bot.errors import Refusal
from bot.jobs import Job, State

if TYPE_CHECKING:
    from bot.app import PixelBot

# What a label's footer begins with.
_NUMBERS = re.compile(r"pixel (#[0-9]+(?:, #[0-9]+)*)")

_Place = discord.abc.GuildChannel | discord.Thread


def channels_to_see(interaction: discord.Interaction["PixelBot"]) -> set[int]:
    """The channels and threads of this server whose pictures may be seen here."""
    if interaction.guild is None or not isinstance(interaction.user, discord.Member):
        return set()
    places = [*interaction.guild.channels, *interaction.guild.threads]
    seen = {place.id for place in places if _is_seen(interaction, place)}
    if interaction.channel_id is not None:
        seen.add(interaction.channel_id)
    return seen


def may_see(interaction: discord.Interaction["PixelBot"], job: Job) -> bool:
    """Whether whoever clicked or typed may see a picture here, by themselves."""
    if job.user_id == interaction.user.id:
        return True
    if job.guild_id != interaction.guild_id:
        return False
    if job.channel_id == interaction.channel_id:
        return True
    guild = interaction.guild
    place = guild.get_channel_or_thread(job.channel_id) if guild is not None else None
    return place is not None and _is_seen(interaction, place)


def may_post(interaction: discord.Interaction["PixelBot"], job: Job) -> bool:
    """Whether everybody who reads this channel may see a picture that whoever typed may see.

    Owners decide that for theirs. Those of others must come from a channel that is open to the
    whole server.
    """
    if job.channel_id == interaction.channel_id:
        return True
    place = interaction.client.get_channel(job.channel_id)
    if _is_restricted(place) and not _is_restricted(interaction.channel):
        return False
    if job.user_id == interaction.user.id:
        return True
    if not isinstance(place, discord.abc.GuildChannel):
        return False
    return _can_read(place.permissions_for(place.guild.default_role))


def may_use(interaction: discord.Interaction["PixelBot"], job: Job) -> bool:
    """Whether whoever pressed a control may use it for a picture.

    They may see the picture, or it was brought to where they are: the message that the control
    stands below is the bot's own and shows it.
    """
    return may_see(interaction, job) or _is_shown(interaction, job)


def may_moderate(interaction: discord.Interaction["PixelBot"], job: Job) -> bool:
    """Whether whoever pressed may manage messages where a picture was made.

    What they may do elsewhere, where somebody has brought it, does not count.
    """
    if job.guild_id != interaction.guild_id or interaction.guild is None:
        return False
    if job.channel_id == interaction.channel_id:
        return interaction.permissions.manage_messages
    member = interaction.user
    if not isinstance(member, discord.Member):
        return False
    place = interaction.guild.get_channel_or_thread(job.channel_id)
    try:
        granted = member.guild_permissions if place is None else place.permissions_for(member)
    except discord.ClientException:
        # A thread whose channel this bot cannot see.
        granted = member.guild_permissions
    return granted.manage_messages


async def find(interaction: discord.Interaction["PixelBot"], job_id: int) -> Job:
    """A finished picture by its number.

    Raises:
        Refusal: one and the same for a picture that there is not and for one that is not to be
            seen; or that it is not finished, to those who may see it.

    """
    job = await interaction.client.store.get(job_id)
    if job is None or job.deleted_at is not None or not may_see(interaction, job):
        raise Refusal(f"There is no picture #{job_id} that I could show you here.")
    if not job.state.final:
        raise Refusal(f"The picture #{job_id} is not finished yet.")
    if job.state is not State.DONE:
        raise Refusal(f"The picture #{job_id} was never finished.")
    return job


def _is_shown(interaction: discord.Interaction["PixelBot"], job: Job) -> bool:
    message, own = interaction.message, interaction.client.user
    if message is None or own is None or message.author.id != own.id:
        return False
    shown = [message.content.partition(" ")[0]]
    for embed in message.embeds:
        if (numbers := _NUMBERS.match(embed.footer.text or "")) is not None:
            shown += numbers[1].split(", ")
    return f"#{job.id}" in shown


def _is_seen(interaction: discord.Interaction["PixelBot"], place: _Place) -> bool:
    member = interaction.user
    if not isinstance(member, discord.Member):
        return False
    if _is_restricted(place) and not _is_restricted(interaction.channel):
        return False
    try:
        granted = place.permissions_for(member)
    except discord.ClientException:
        # A thread whose channel this bot cannot see.
        return False
    # Who is in a private thread is not known, but those who manage threads see all of them.
    private = isinstance(place, discord.Thread) and place.is_private()
    return _can_read(granted) and (not private or granted.manage_threads)


def _can_read(granted: discord.Permissions) -> bool:
    return granted.view_channel and granted.read_message_history


def _is_restricted(place: object) -> bool:
    """Whether Discord shows a channel to adults only."""
    check = getattr(place, "is_nsfw", None)
    return check is not None and bool(check())
