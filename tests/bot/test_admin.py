"""`/admin` obeys the owner and nobody else, and what it sets outlives the process."""

import time
from pathlib import Path

import discord
import pytest
import simcord

from bot.app import open_bot
from bot.commands import admin
from bot.jobs import State
from tests.bot.helpers import until
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, config, connected, simulated


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture(autouse=True)
def _moderator_owns_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated application has nobody as its owner."""

    async def owners(bot: discord.Client) -> set[int]:
        (guild,) = bot.guilds
        return {member.id for member in guild.members if member.name == "moderator"}

    monkeypatch.setattr(admin, "_owners", owners)


async def say(server: Server, command: str, **options: object) -> str:
    """Type an /admin command as the owner; returns the answer."""
    result = await server.moderator.slash(server.channel, f"admin {command}", **options)
    return answer(result)


def answer(result: simcord.InteractionResult) -> str:
    assert result.response is not None
    assert result.response.ephemeral
    return result.response.content


def test_it_is_hidden_from_everybody_but_administrators() -> None:
    assert admin.admin.default_permissions == discord.Permissions.none()
    assert admin.admin.guild_only
    assert {command.name for command in admin.admin.commands} == {
        *("pause", "resume", "drain", "cancel", "ban", "unban", "stats", "sync")
    }


@pytest.mark.parametrize("command", ["pause", "drain", "resume", "stats", "sync"])
async def test_others_are_refused(tmp_path: Path, engine: ScriptedEngine, command: str) -> None:
    async with simulated(tmp_path, engine) as server:
        result = await server.alice.slash(server.channel, f"admin {command}")
        assert answer(result) == "Only my owner can do this."
        assert server.bot.admission.hands_out()


async def test_a_pause_begins_nothing_and_messages_say_so(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, easels=1) as server:
        running, waiting = await server.ask("one"), await server.ask("two")
        await engine.has(running)
        assert await say(server, "pause") == "Paused. 1 being drawn, 1 waiting."
        await server.shown(waiting, lambda m: "is paused" in m.embeds[0].description)
        result = await server.alice.slash(server.channel, "pixel", prompt="three")
        assert answer(result) == "Your picture is #3. Drawing is paused; it keeps its place."
        engine.finish(running)
        await server.finished(running)
        await engine.has()
        assert await say(server, "resume") == "Resumed. 0 being drawn, 2 waiting."
        await engine.has(waiting)
        await server.shown(3, lambda m: "It is next." in m.embeds[0].description)


async def test_a_pause_outlives_a_restart(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        await say(server, "pause")
        await server.ask()
    async with simulated(tmp_path, engine) as server:
        assert not server.bot.admission.hands_out()
        assert "Paused" in await stats(server, "Mode")
        await say(server, "resume")
        await engine.has(1)
    async with simulated(tmp_path, engine) as server:
        await engine.has(1)


async def test_a_drain_takes_nothing_either_and_finishes_what_is_drawn(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, easels=1) as server:
        running, waiting = await server.ask("one"), await server.ask("two")
        await engine.has(running)
        assert await say(server, "drain") == "Draining. 1 being drawn, 1 waiting."
        result = await server.alice.slash(server.channel, "pixel", prompt="three")
        assert "I take no new pictures at the moment" in answer(result)
        engine.finish(running)
        await server.finished(running)
        await engine.has()
        assert (await server.job(waiting)).state is State.QUEUED
        assert await server.bot.store.get(3) is None


async def test_the_owner_cancels_anybody_s_picture(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        assert await say(server, "cancel", job=job_id) == f"#{job_id} is cancelled."
        assert (await server.job(job_id)).state is State.CANCELLED
        assert "not waiting or being drawn" in await say(server, "cancel", job=job_id)


async def test_a_banned_user_gets_one_sentence_for_everything(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        engine.finish(job_id)
        message = await server.finished(job_id)
        user = server.alice.user
        said = await say(server, "ban", user=user, reason="rude *prompts*")
        assert said == rf"<@{server.alice.id}> is banned: rude \*prompts\*"
        sentence = r"You may not use this bot any more: rude \*prompts\*"
        result = await server.alice.slash(server.channel, "pixel", prompt="three")
        assert answer(result) == sentence
        assert answer(await server.alice.click(message, label="Again")) == sentence
        assert not await server.alice.autocomplete(
            server.channel, "pixel", focused="palette", palette="p"
        )
        result = await server.bob.slash(server.channel, "pixel", prompt="three")
        assert "Your picture is #2." in answer(result)
    async with simulated(tmp_path, engine) as server:
        assert (await server.bot.store.bans()).keys() == {user.id}
        server.bot.admission.check_entry(server.bob.id)


async def test_an_unbanned_user_is_answered_again(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        user = server.alice.user
        assert "is not banned" in await say(server, "unban", user=user)
        await say(server, "ban", user=user, reason="spam")
        await say(server, "unban", user=user)
        await server.ask()
        assert not await server.bot.store.bans()


async def test_the_owner_is_not_banned(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        said = await say(server, "ban", user=server.moderator.user, reason="spam")
        assert said == "The bot's owner cannot be banned."


async def stats(server: Server, name: str) -> str:
    result = await server.moderator.slash(server.channel, "admin stats")
    assert result.response is not None
    (embed,) = result.response.embeds
    return next(field.value for field in embed.fields if field.name == name)


async def test_stats_tell_how_the_bot_is_doing(tmp_path: Path, engine: ScriptedEngine) -> None:
    now = time.time()
    async with simulated(tmp_path, engine, easels=1, clock=lambda: now) as server:
        done, running, waiting = [await server.ask(str(number)) for number in range(3)]
        await engine.has(done)
        now += 30
        engine.finish(done)
        await server.finished(done)
        await engine.has(running)
        assert await stats(server, "Waiting") == "1"
        assert await stats(server, "Being drawn") == "1 of 1"
        assert await stats(server, "Drawn in 24 h") == "1"
        assert await stats(server, "Median wait") == "1 s"
        assert await stats(server, "Engine") == "cpu (scripted)"
        assert await stats(server, "Health") == "well"
        assert await stats(server, "Up for") == "30 s"
        assert int((await stats(server, "Memory")).removesuffix(" MiB").replace(",", "")) > 20
        now += 25 * 60 * 60
        assert await stats(server, "Drawn in 24 h") == "0"
        assert await stats(server, "Median wait") == "–"
        assert (await server.job(waiting)).state is State.QUEUED


async def test_sync_registers_the_commands_though_they_have_not_changed(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        before = sum(request.method == "PUT" for request in server.env.http_requests)
        assert await say(server, "sync") == "The commands are registered."
        after = sum(request.method == "PUT" for request in server.env.http_requests)
        assert after == before + 1


async def test_before_the_end_commands_and_buttons_are_answered_kindly_and_messages_say_so(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with open_bot(config(tmp_path, easels=1), engine=engine) as bot, connected(bot) as server:
        running, waiting = await server.ask("one"), await server.ask("two")
        await engine.has(running)
        engine.progress(running, 20)
        await server.shown(running, lambda message: message.attachments)
        await server.shown(waiting, lambda _: True)
        await bot.stop()
        assert "back soon; it goes on from here" in server.text(running)
        assert "back soon; it keeps its place" in server.text(waiting)
        assert server.message(running).attachments, "the frame stays"
        assert not engine.at_work
        result = await server.alice.slash(server.channel, "pixel", prompt="three")
        assert "I am being restarted" in answer(result)
        result = await server.alice.click(server.message(running), label="Cancel")
        assert "I am being restarted" in answer(result)
        assert (await server.job(running)).state is State.RUNNING
    async with open_bot(config(tmp_path, easels=1), engine=engine) as bot:
        async with connected(bot) as server:
            await engine.has(running)
        await until(lambda: engine.drawn == [running, running])
