"""Every exception becomes a sentence for the person, or silence where nobody listens any more."""

import errno
import sqlite3
from types import SimpleNamespace

import aiohttp
import discord
import pytest
from discord import app_commands

from bot.errors import (
    AUTO_MODERATION,
    DISCORD_SENTENCES,
    Refusal,
    answer_error,
    is_refusal,
    sentence,
)
from bot.store import QueueFull, TooSoon
from engine import errors as engine_errors
from engine.errors import EngineDied, OutputError, PictureError, SettingsError

OUT_OF_WORDS = "Something went wrong; the cause is in the bot's log."
ENGINE_ERRORS = [
    kind
    for kind in vars(engine_errors).values()
    if isinstance(kind, type) and issubclass(kind, Exception)
]


def http_error(status: int, code: int) -> discord.HTTPException:
    response = SimpleNamespace(status=status, reason="reason")
    return discord.HTTPException(response, {"code": code, "message": "no"})


@pytest.mark.parametrize(
    "kind", [Refusal, QueueFull, TooSoon, SettingsError, PictureError, OutputError]
)
def test_a_refusal_says_what_it_says(kind: type[Exception]) -> None:
    assert sentence(kind("Too many.")) == "Too many."
    assert is_refusal(kind("Too many."))


@pytest.mark.parametrize("lost", [aiohttp.ServerDisconnectedError(), http_error(500, 0)])
async def test_an_answer_that_is_lost_too_is_no_error_of_its_own(
    lost: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def send_message(*_: object, **__: object) -> None:
        raise lost

    response = SimpleNamespace(is_done=lambda: False, send_message=send_message)
    interaction = SimpleNamespace(user=SimpleNamespace(id=1), response=response)
    await answer_error(interaction, aiohttp.ServerDisconnectedError())
    assert "the answer did not arrive" in caplog.text


def test_a_cause_inside_a_command_is_found() -> None:
    command = SimpleNamespace(name="pixel", qualified_name="pixel")
    error = app_commands.CommandInvokeError(command, SettingsError("Too many."))
    assert sentence(error) == "Too many."
    assert is_refusal(error)


def is_kind(text: str | None) -> bool:
    """Whether it is a sentence that says more than that something is wrong."""
    return text is not None and text != OUT_OF_WORDS and text[0].isupper() and text[-1] in ".!"


@pytest.mark.parametrize("kind", ENGINE_ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_engine_has_a_sentence(kind: type[Exception]) -> None:
    assert len(ENGINE_ERRORS) >= 6
    assert is_kind(sentence(kind("It does not fit.")))


@pytest.mark.parametrize("code", sorted(DISCORD_SENTENCES))
@pytest.mark.parametrize("status", [400, 403, 404])
def test_what_discord_usually_refuses_has_a_sentence(status: int, code: int) -> None:
    assert is_kind(sentence(http_error(status, code)))


def test_the_usual_codes_are_among_them() -> None:
    usual = {10003, 10008, 30046, 40005, 50001, 50013, 50083} | AUTO_MODERATION
    assert usual <= set(DISCORD_SENTENCES)
    assert "AutoMod" in (sentence(http_error(400, 200000)) or "")
    assert "/setup" in (sentence(http_error(403, 50013)) or "")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (http_error(413, 0), "smaller picture"),
        (http_error(429, 0), "slower"),
        (http_error(403, 0), "/setup"),
        (http_error(503, 0), "Discord is out of order"),
        (aiohttp.ClientConnectionError("secret detail"), "Discord is out of order"),
        (TimeoutError("secret detail"), "took too long"),
        (OSError(errno.ENOSPC, "secret detail"), "no room left"),
        (sqlite3.OperationalError("secret detail"), "records"),
        (app_commands.MissingPermissions(["manage_guild"]), "the permission Manage Server can"),
        (app_commands.BotMissingPermissions(["attach_files"]), "I lack the permission Attach F"),
        (app_commands.CommandOnCooldown(app_commands.Cooldown(1, 9), 5.0), "again in 5 s"),
    ],
)
def test_what_else_usually_goes_wrong_has_a_sentence(error: Exception, words: str) -> None:
    told = sentence(error)
    assert is_kind(told)
    assert words in (told or "")
    assert "secret detail" not in (told or "")


@pytest.mark.parametrize("code", [10062, 10015, 40060, 50027])
def test_nobody_is_told_when_the_interaction_is_over(code: int) -> None:
    assert sentence(http_error(404, code)) is None


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("secret detail"),
        http_error(500, 0),
        EngineDied("secret detail"),
        app_commands.NoPrivateMessage("secret detail"),
        app_commands.CheckFailure("secret detail"),
        app_commands.CommandNotFound("secret detail", []),
    ],
)
def test_details_are_for_the_log_only(error: Exception) -> None:
    told = sentence(error)
    assert told is not None
    assert "secret detail" not in told
    assert told.endswith(".")
    assert not is_refusal(error)
