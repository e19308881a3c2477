"""From an exception to a sentence for the person; the cause goes to the log."""

import logging

import discord
from discord import app_commands

from bot import metrics
from bot.texts import code_block
from engine.errors import EngineError, PictureError, SettingsError

log = logging.getLogger(__name__)

_UNKNOWN_INTERACTION = 10062
_UNKNOWN_WEBHOOK = 10015
_INVALID_WEBHOOK_TOKEN = 50027
_INTERACTION_IS_OVER = frozenset({_UNKNOWN_INTERACTION, _UNKNOWN_WEBHOOK, _INVALID_WEBHOOK_TOKEN})


# A message has room for 2000 characters; the sentence comes first.
_LONGEST_GIVEN_BACK = 1200


class Refusal(Exception):
    """Something that cannot be done as asked; the message is a sentence for whoever asked."""


def is_refusal(error: Exception) -> bool:
    """Whether the person, and not the bot, has to do something about it."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    return isinstance(error, Refusal | SettingsError | PictureError)


def sentence(error: Exception) -> str | None:
    """What the person is told, or None when nobody can be told any more."""
    match error:
        case app_commands.CommandInvokeError(original=original):
            return sentence(original)
        case Refusal() | SettingsError() | PictureError():
            return str(error)
        case app_commands.NoPrivateMessage():
            return "This works in a server only."
        case app_commands.CheckFailure():
            return "You may not do this here."
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return "This command has changed; type it again, or restart Discord to see the new one."
        case app_commands.TransformerError():
            return f"“{error.value}” does not fit there."
        case EngineError():
            return "The engine that draws is out of order; try again in a minute."
        case discord.HTTPException(code=code) if code in _INTERACTION_IS_OVER:
            return None
        case _:
            return "Something went wrong; the cause is in the bot's log."


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
    try:
        await say(interaction, text)
    except discord.HTTPException as unsaid:
        log.warning("the answer did not arrive: %s", unsaid)


async def say(interaction: discord.Interaction, text: str) -> None:
    """Answer an interaction so that only its user sees it, however far it was answered before."""
    response = interaction.response
    if not response.is_done():
        await response.send_message(text, ephemeral=True)
    elif response.type is discord.InteractionResponseType.deferred_channel_message:
        await interaction.edit_original_response(content=text)
    else:
        await interaction.followup.send(text, ephemeral=True)
