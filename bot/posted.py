"""Messages that were sent, but whose number is in no row.

The bot died in between, the database was locked, or Discord's answer was lost. They are known by
the numbers of their jobs, which their buttons hold.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import discord

from bot.jobs import Group, Job
from bot.store import Subject

# Messages are found by Discord's clock, which need not be this machine's.
_SLACK = timedelta(minutes=10)
# A message is sent soon after it was asked for.
_MESSAGES_READ = 300

_OF_A_JOB = re.compile(r"pixel:(?:cancel|again):(\d+)")
_OF_A_GROUP = re.compile(r"pixel:take:(\d+)")


async def posted_messages(client: discord.Client, subject: Subject) -> list[discord.Message]:
    """The bot's messages of a job or group that its row does not know of, the oldest first.

    None where the bot may not read what was written, or the channel is gone. Answers to commands
    are none of these: the same buttons are below what `/show` shows.

    Raises:
        discord.HTTPException: when Discord cannot say now.

    """
    channel = client.get_partial_messageable(subject.channel_id, guild_id=subject.guild_id)
    first = subject if isinstance(subject, Job) else subject.first
    after: datetime | discord.Object = datetime.fromtimestamp(first.asked_at, UTC) - _SLACK
    if subject.message_id is not None:
        # It is too old to be edited; a new one may be there.
        after = discord.Object(subject.message_id)
    try:
        return [
            message
            async for message in channel.history(
                limit=_MESSAGES_READ, after=after, oldest_first=True
            )
            if message.author == client.user
            and message.interaction_metadata is None
            and _shows(message, subject)
        ]
    except (discord.Forbidden, discord.NotFound):
        return []


def _shows(message: discord.Message, subject: Subject) -> bool:
    if isinstance(subject, Group):
        return any(job.id in _numbers(message, _OF_A_GROUP) for job in subject.jobs)
    return subject.id in _numbers(message, _OF_A_JOB)


def _numbers(message: discord.Message, pattern: re.Pattern[str]) -> Iterator[int]:
    """The jobs that the buttons below a message are for."""
    for row in message.components:
        for item in row.children if isinstance(row, discord.ActionRow) else ():
            match = pattern.fullmatch(item.custom_id or "")
            if match is not None:
                yield int(match[1])
