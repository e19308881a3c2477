"""`python -m bot` as it is run for real: a process, HTTP, a gateway, signals."""

import asyncio
import signal
from pathlib import Path

import pytest

from bot.runner import EX_CONFIG, EX_TEMPFAIL
from tests.bot.helpers import until
from tests.e2e.loopback import Loopback, Message

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONG = {"prompt": "a red apple", "quality": "draft", "iterations": 60, "seed": "7"}


def finished(discord: Loopback) -> list[Message]:
    return [
        message
        for message in discord.messages.values()
        if any(":reroll:" in number for number in message.custom_ids)
    ]


async def test_the_whole_way_over_a_real_connection(tmp_path: Path) -> None:
    async with Loopback().serving() as discord, discord.bot(tmp_path) as bot:
        await discord.connected()
        discord.rate_limits = 1
        await discord.slash(prompt="a red apple", quality="draft", iterations=40)
        await until(lambda: finished(discord))
        (message,) = finished(discord)
        assert discord.answers == ["Your picture is #1. It is next."]
        assert message.picture is not None
        assert message.picture.startswith(b"\x89PNG")
        assert message.edits >= 2
        assert discord.rate_limited == 1
        await discord.click(message, "again")
        await until(lambda: len(finished(discord)) == 2)
        first, second = finished(discord)
        assert second.picture == first.picture
        bot.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await bot.wait() == 0


async def test_a_bot_that_is_killed_goes_on_in_the_same_message(tmp_path: Path) -> None:
    async with Loopback().serving() as discord:
        async with discord.bot(tmp_path) as bot:
            await discord.connected()
            await discord.slash(**LONG)
            await until(lambda: any(message.picture for message in discord.messages.values()))
            assert not finished(discord)
            bot.send_signal(signal.SIGKILL)
            await bot.wait()
        async with discord.bot(tmp_path):
            await until(lambda: finished(discord))
        assert len(discord.messages) == 1
        assert discord.syncs == 1, "unchanged commands are not registered again"


async def test_a_token_that_discord_refuses_is_one_sentence(tmp_path: Path) -> None:
    async with Loopback().serving() as discord:
        async with discord.bot(tmp_path, token="bad") as bot:
            assert await bot.wait() == EX_CONFIG
        assert "does not accept the token in PIXEL_TOKEN" in discord.log[-1]
        assert not any("Traceback" in line for line in discord.log)


async def test_a_discord_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    discord = Loopback()
    async with discord.serving():
        pass
    async with discord.bot(tmp_path) as bot:
        assert await bot.wait() == EX_TEMPFAIL
    assert "cannot be reached" in discord.log[-1]
    assert not any("Traceback" in line for line in discord.log)
