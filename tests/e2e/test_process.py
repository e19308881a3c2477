"""`python -m bot` as it is run for real: a process, HTTP, a gateway, signals."""

import os
import signal
from pathlib import Path

import pytest

from tests.discord_server.client import DiscordServer, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHORT = {"prompt": "a red apple", "quality": "draft", "iterations": 40, "seed": "7"}
LONG = {**SHORT, "iterations": 60}


async def a_picture(discord: DiscordServer) -> None:
    """Wait until the first frame is there."""

    async def there() -> bool:
        return any(message["attachments"] for message in await discord.messages())

    await until(there)


async def test_the_whole_way_over_a_real_connection(tmp_path: Path) -> None:
    async with DiscordServer.running() as discord, discord.bot(tmp_path) as bot:
        await discord.connected()
        palettes = await discord.complete("pixel", "palette", "pico")
        assert palettes == [{"name": "pico8", "value": "pico8"}]
        asked = await discord.slash("pixel", **SHORT)
        answer = await discord.answer(asked)
        assert answer.startswith("Your picture is #1. It is next. About ")
        (message,) = await discord.finished()
        picture = await discord.picture(message)
        assert picture.startswith(b"\x89PNG")
        assert message["attachments"][0]["description"] == "a red apple"
        assert message["edits"] >= 2
        await discord.click(message, "again")
        _, second = await discord.finished(2)
        assert await discord.picture(second) == picture
        bot.signal(signal.SIGTERM)
        assert await bot.ended() == 0


async def test_a_bot_that_is_killed_goes_on_in_the_same_message(tmp_path: Path) -> None:
    async with DiscordServer.running() as discord:
        async with discord.bot(tmp_path) as bot:
            await discord.connected()
            await discord.slash("pixel", **LONG)
            await a_picture(discord)
            assert not await discord.shown()
            bot.signal(signal.SIGKILL)
            await bot.ended()
        async with discord.bot(tmp_path):
            await discord.finished()
        assert len(await discord.messages()) == 1
        commands = await discord.state("commands")
        assert commands["syncs"] == 1, "unchanged commands are not registered again"


async def test_a_token_that_discord_refuses_is_one_sentence(tmp_path: Path) -> None:
    async with DiscordServer.running() as discord:
        async with discord.bot(tmp_path, token="bad") as bot:
            assert await bot.ended() == os.EX_CONFIG
        assert "does not accept the token in PIXEL_TOKEN" in bot.log[-1]
        assert not any("Traceback" in line for line in bot.log)


async def test_a_discord_that_cannot_be_reached_is_one_sentence(tmp_path: Path) -> None:
    async with DiscordServer.running() as discord:
        pass
    async with discord.bot(tmp_path) as bot:
        assert await bot.ended() == os.EX_TEMPFAIL
    assert "cannot be reached" in bot.log[-1]
    assert not any("Traceback" in line for line in bot.log)
