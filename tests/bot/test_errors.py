"""Every exception becomes a sentence for the person, or silence where nobody listens any more."""

from types import SimpleNamespace

import discord
import pytest
from discord import app_commands

from bot.errors import Refusal, is_refusal, sentence
from bot.store import QueueFull
from engine.errors import EngineDied, PictureError, SettingsError


def http_error(status: int, code: int) -> discord.HTTPException:
    response = SimpleNamespace(status=status, reason="reason")
    return discord.HTTPException(response, {"code": code, "message": "no"})


@pytest.mark.parametrize("kind", [Refusal, QueueFull, SettingsError, PictureError])
def test_a_refusal_says_what_it_says(kind: type[Exception]) -> None:
    assert sentence(kind("Too many.")) == "Too many."
    assert is_refusal(kind("Too many."))


def test_a_cause_inside_a_command_is_found() -> None:
    command = SimpleNamespace(name="pixel", qualified_name="pixel")
    error = app_commands.CommandInvokeError(command, SettingsError("Too many."))
    assert sentence(error) == "Too many."
    assert is_refusal(error)


@pytest.mark.parametrize("code", [10062, 10015, 50027])
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
