"""A Discord that limits, fails, loses and drops: nothing is posted twice, and nothing is lost."""

import os
import signal
from pathlib import Path

import pytest

from tests.bot.helpers import png
from tests.discord_server.client import DiscordServer, text, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHORT = {"prompt": "a red apple", "quality": "draft", "iterations": 20, "seed": "7"}
LONG = {**SHORT, "iterations": 2000}


async def hits(discord: DiscordServer) -> list[int]:
    return [fault["hits"] for fault in await discord.state("faults")]


async def test_rate_limits_lost_answers_and_failures_of_discord(tmp_path: Path) -> None:
    async with DiscordServer.running() as discord, discord.bot(tmp_path) as bot:
        await discord.connected()
        message, messages = r"/channels/\d+/messages/\d+$", r"/channels/\d+/messages$"
        await discord.fault("rate_limit", method="PATCH", path=message, times=2)
        await discord.fault("rate_limit", path="/interactions/", everywhere=True)
        await discord.fault("reset", method="POST", path=messages, carried_out=True)
        await discord.fault("error", method="PATCH", path=message, status=502, carried_out=True)
        await discord.fault("reset", method="PATCH", path=message)
        answer = await discord.answer(await discord.slash("pixel", **SHORT))
        assert answer.startswith("Your picture is #1. It is next. About ")
        await discord.finished()

        async def all_happened() -> bool:
            return await hits(discord) == [2, 1, 1, 1, 1]

        await until(all_happened)
        assert len(await discord.messages()) == 1, "it was sent once more, and is there once"
        answers = [r for r in await discord.requests() if r["path"].endswith("/callback")]
        assert [answer["status"] for answer in answers] == [429, 200]
        assert any("[job 1]" in line and "429" in line for line in bot.log)


async def test_a_dropped_gateway_is_resumed_and_no_event_is_lost_or_seen_twice(
    tmp_path: Path,
) -> None:
    async with DiscordServer.running(users=3) as discord, discord.bot(tmp_path):
        await discord.connected()
        (channel,) = discord.channels
        drops = [("abort", {}), ("close", {"code": 4000}), ("reconnect", {})]
        for resumed, (user, (how, details)) in enumerate(zip(discord.users, drops, strict=True), 1):
            await discord.gateway(how, **details)
            # The bot is not there: it hears of this when it has resumed.
            asked = await discord.slash_as(user, channel, "pixel", **SHORT)
            assert f"#{resumed}." in await discord.answer(asked)
            gateway = await discord.state("gateway")
            assert gateway == {"connected": True, "identified": 1, "resumed": resumed}

        async def all_shown() -> bool:
            return len(await discord.messages()) >= 3

        await until(all_shown)
        messages = await discord.messages()
        assert sorted(text(m).split("<@")[1].split(">")[0] for m in messages) == discord.users


async def test_a_session_that_cannot_be_resumed_is_begun_anew(tmp_path: Path) -> None:
    async with DiscordServer.running() as discord, discord.bot(tmp_path):
        await discord.connected()
        await discord.gateway("invalidate", resumable=False)

        async def anew() -> bool:
            gateway = await discord.state("gateway")
            return gateway["connected"] and gateway["identified"] == 2

        await until(anew)
        assert "#1." in await discord.answer(await discord.slash("pixel", **SHORT))


async def test_pictures_go_both_ways_over_slow_and_failing_uploads(tmp_path: Path) -> None:
    async with DiscordServer.running() as discord, discord.bot(tmp_path):
        await discord.connected()
        message = r"/channels/\d+/messages/\d+$"
        await discord.fault("slow", method="PATCH", path=message, seconds=0.5, times=2)
        await discord.slash("pixel", **SHORT, image=png((64, 64)))
        (first,) = await discord.finished()
        whole = await discord.picture(first)
        await discord.limit_uploads(len(whole) - 1)
        await discord.click(first, "again")
        _, second = await discord.finished(2)
        smaller = await discord.picture(second)
        assert smaller.startswith(b"\x89PNG")
        assert len(smaller) < len(whole)
        assert any(request["status"] == 413 for request in await discord.requests())
        assert second["attachments"][0]["filename"] == "pixel-2.png"


async def test_a_message_that_somebody_removed_is_not_edited_any_more(tmp_path: Path) -> None:
    async with DiscordServer.running() as discord, discord.bot(tmp_path):
        await discord.connected()
        await discord.slash("pixel", **SHORT)
        await until(discord.messages)
        (message,) = await discord.messages()
        await discord.delete(message)
        await discord.slash("pixel", **SHORT)
        await discord.finished()
        refused = [r for r in await discord.requests() if r["status"] == 404]
        assert len(refused) == 1


async def test_a_stop_says_back_soon_and_the_next_start_goes_on(tmp_path: Path) -> None:
    async with DiscordServer.running() as discord:
        async with discord.bot(tmp_path, easels=1) as bot:
            await discord.connected()
            await discord.slash("pixel", **LONG)
            await discord.slash("pixel", **SHORT)

            async def drawn() -> bool:
                messages = await discord.messages()
                return len(messages) == 2 and bool(messages[0]["attachments"])

            await until(drawn)
            bot.signal(signal.SIGTERM)
            assert await bot.ended(15) == 0
            running, waiting = await discord.messages()
            assert "back soon; it goes on from here" in text(running)
            assert "back soon; it keeps its place" in text(waiting)
            assert running["attachments"]
            assert list((tmp_path / "snapshots").glob("*.safetensors")), "it is put aside"
        async with discord.bot(tmp_path, easels=1) as bot:

            async def goes_on() -> bool:
                running, waiting = await discord.messages()
                return "step" in text(running) and "It is next." in text(waiting)

            await until(goes_on)
            (cancel,) = (m for m in await discord.messages() if "step" in text(m))
            await discord.click(cancel, "cancel")
            await discord.finished()
            assert len(await discord.messages()) == 2
            # Told twice, it ends at once.
            bot.signal(signal.SIGINT)
            assert await bot.ended(15) == 0


async def test_a_web_address_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    async with DiscordServer.running() as discord:
        port = discord.api.split(":")[2].split("/")[0]
        async with discord.bot(tmp_path, http=f"127.0.0.1:{port}") as bot:
            assert await bot.ended() == os.EX_TEMPFAIL
        assert "set PIXEL_HTTP to another address" in bot.log[-1]
        assert not any("Traceback" in line for line in bot.log)
