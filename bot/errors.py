"""From an exception to a sentence for the person; the cause goes to the log."""

import errno
import logging
import sqlite3
from collections.abc import Mapping

import aiohttp
import discord
from discord import app_commands

from bot import metrics
from bot.texts import code_block, duration, harmless
from engine.errors import (
    EngineError,
    OutputError,
    PerceptorError,
    PictureError,
    SettingsError,
)

log = logging.getLogger(__name__)

_UNKNOWN_INTERACTION = 10062
_UNKNOWN_WEBHOOK = 10015
_ALREADY_ANSWERED = 40060
_INVALID_WEBHOOK_TOKEN = 50027
_INTERACTION_IS_OVER = frozenset(
    {_UNKNOWN_INTERACTION, _UNKNOWN_WEBHOOK, _ALREADY_ANSWERED, _INVALID_WEBHOOK_TOKEN}
)
_SERVER_ERROR = 500
# A message or an edit that a server's AutoMod refuses, and one of a form or a title.
AUTO_MODERATION = frozenset({200000, 200001, 240000})

_NO_ACCESS = (
    "I may not do this here; somebody who manages this server can let me, and /setup says what I "
    "lack."
)
_TOO_LARGE = "Discord does not take anything so large; a smaller picture may fit."
_SLOWER = "Discord asks me to be slower; please try again in a minute."
_DISCORD_IS_DOWN = "Discord is out of order at the moment; please try again in a minute."
_DISK = "There is no room left where I keep pictures; whoever runs this bot has to make some."
# What Discord may refuse, by its codes.
DISCORD_SENTENCES: Mapping[int, str] = {
    **dict.fromkeys(
        AUTO_MODERATION,
        "This server's AutoMod does not let me repeat these words here; other words may pass.",
    ),
    10003: "This channel is not there any more.",
    10004: "I am not in this server any more.",
    10008: "This message is not there any more.",
    30046: "Discord lets nobody edit a message that is so old; ask for a new one.",
    40005: _TOO_LARGE,
    50001: _NO_ACCESS,
    50013: _NO_ACCESS,
    50083: "This thread is archived; write something in it to open it again.",
}

# A message has room for 2000 characters; the sentence comes first.
_LONGEST_SENTENCE, _LONGEST_GIVEN_BACK = 750, 1200


class Refusal(Exception):
    """Something that cannot be done as asked; the message is a sentence for whoever asked."""


def is_refusal(error: Exception) -> bool:
    """Whether the person, and not the bot, has to do something about it."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    return isinstance(
        error,
        Refusal | SettingsError | PictureError | OutputError | app_commands.MissingPermissions,
    )


def sentence(error: Exception) -> str | None:
    """What the person is told, or None when nobody can be told any more."""
    match error:
        case app_commands.CommandInvokeError(original=original):
            return sentence(original)
        case Refusal():
            return str(error)
        case SettingsError() | PictureError() | OutputError():
            # They repeat what was written.
            return harmless(str(error), _LONGEST_SENTENCE)
        case PerceptorError():
            return "A model that this picture needs cannot be used now; leave perceptors open."
        case app_commands.NoPrivateMessage():
            return "This works in a server only."
        case app_commands.MissingPermissions(missing_permissions=missing):
            return f"Only those who have the permission {_in_words(missing)} can do this."
        case app_commands.BotMissingPermissions(missing_permissions=missing):
            return (
                f"I lack the permission {_in_words(missing)} here; "
                "somebody who manages this server can grant it to me."
            )
        case app_commands.CommandOnCooldown(retry_after=seconds):
            return f"Not so quickly, please; try again in {duration(seconds)}."
        case app_commands.CheckFailure():
            return "You may not do this here."
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return "This command has changed; type it again, or restart Discord to see the new one."
        case app_commands.TransformerError():
            return f"“{harmless(str(error.value), _LONGEST_GIVEN_BACK)}” does not fit there."
        case EngineError():
            return "The engine that draws is out of order; try again in a minute."
        case discord.HTTPException(code=code) if code in _INTERACTION_IS_OVER:
            return None
        case discord.HTTPException(code=code) if code in DISCORD_SENTENCES:
            return DISCORD_SENTENCES[code]
        case discord.HTTPException(status=413):
            return _TOO_LARGE
        case discord.HTTPException(status=429) | discord.RateLimited():
            return _SLOWER
        case discord.HTTPException(status=403):
            return _NO_ACCESS
        case discord.HTTPException(status=status) if status >= _SERVER_ERROR:
            return _DISCORD_IS_DOWN
        case aiohttp.ClientError():
            return _DISCORD_IS_DOWN
        case TimeoutError():
            return "That took too long; please try again."
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return _DISK
        case sqlite3.OperationalError():
            return "My records cannot be read or written at the moment; please try again."
        case _:
            return "Something went wrong; the cause is in the bot's log."


def _in_words(permissions: list[str]) -> str:
    """Names of permissions as Discord's settings call them."""
    names = (name.replace("guild", "server").replace("_", " ").title() for name in permissions)
    return " and ".join(names)


async def answer_error(
    interaction: discord.Interaction, error: Exception, *, written: str | None = None
) -> None:
    """Tell whoever clicked or typed what is wrong, and the log what caused it.

    What they had `written` is given back to them where it would be lost.
    """
    if is_refusal(error):
        log.info("refused to user %d: %s", interaction.user.id, sentence(error))
    else:
        log.error("it failed for user %d", interaction.user.id, exc_info=error)
        metrics.ERRORS.labels("command").inc()
    text = sentence(error)
    if text is None:
        return
    if written is not None and written.strip():
        text = f"{text}\nThis is what you wrote:\n{code_block(written, _LONGEST_GIVEN_BACK)}"
    await try_to_say(interaction, text)


async def try_to_say(interaction: discord.Interaction, text: str) -> None:
    """Say it if Discord takes it; whoever it was for has been left alone by Discord if not."""
    try:
        await say(interaction, text)
    except (discord.HTTPException, aiohttp.ClientError) as error:
        log.warning("the answer did not arrive: %r", error)


async def say(interaction: discord.Interaction, text: str) -> None:
    """Answer an interaction so that only its user sees it, however far it was answered before."""
    response = interaction.response
    if not response.is_done():
        await response.send_message(text, ephemeral=True)
    elif response.type is discord.InteractionResponseType.deferred_channel_message:
        await interaction.edit_original_response(content=text)
    else:
        await interaction.followup.send(text, ephemeral=True)
