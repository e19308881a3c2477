"""`/admin` obeys the owner and nobody else, and what it sets outlives the process."""

import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import discord
import pytest
import simcord

from bot.admission import Mode
from bot.app import open_bot
from bot.commands.admin import admin
from bot.errors import Refusal
from bot.jobs import State
from tests.bot.helpers import until
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, config, connected, simulated


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


def belongs_to(
    server: Server, owner: simcord.MemberActor, team: Sequence[tuple[simcord.MemberActor, str]] = ()
) -> None:
    """Make the application somebody's, or a team's with roles; in simcord it is the bot's own."""
    fetch = server.bot.http.application_info
    accepted = 2
    members = [
        {"user": user(actor), "team_id": "5", "membership_state": accepted, "role": role}
        for actor, role in team
    ]
    owners = {"id": "5", "name": "team", "icon": None, "owner_user_id": str(owner.id)}

    async def application_info() -> dict:
        application = await fetch() | {"owner": user(owner)}
        return application | ({"team": owners | {"members": members}} if team else {})

    server.bot.http.application_info = application_info


def user(actor: simcord.MemberActor) -> dict[str, object]:
    return {"id": str(actor.id), "username": actor.name, "discriminator": "0", "avatar": None}


@contextlib.asynccontextmanager
async def owned(data: Path, engine: ScriptedEngine, **changes: object) -> AsyncIterator[Server]:
    """A simulated bot that belongs to the moderator; all people are administrators.

    Discord shows the commands to nobody else.
    """
    async with simulated(data, engine, **changes) as server:
        role = server.guild.create_role(
            "administrators", permissions=discord.Permissions(administrator=True)
        )
        for name in ("alice", "bob", "moderator"):
            person = server.guild.add_member(server.env.create_user(f"{name}-2"), roles=[role])
            setattr(server, name, person)
        belongs_to(server, server.moderator)
        yield server


async def say(server: Server, command: str, **options: object) -> str:
    """Type an /admin command as the owner; returns the answer."""
    result = await server.moderator.slash(server.channel, f"admin {command}", **options)
    return answer(result)


def answer(result: simcord.InteractionResult) -> str:
    assert result.response is not None
    assert result.response.ephemeral
    return result.response.content


def test_it_is_hidden_from_everybody_but_administrators() -> None:
    assert admin.default_permissions == discord.Permissions.none()
    assert admin.guild_only
    assert {command.name for command in admin.commands} == {
        *("pause", "resume", "drain", "cancel", "ban", "unban", "stats", "sync")
    }


@pytest.mark.parametrize("command", ["pause", "drain", "resume", "stats", "sync"])
async def test_others_are_refused(tmp_path: Path, engine: ScriptedEngine, command: str) -> None:
    async with owned(tmp_path, engine) as server:
        result = await server.alice.slash(server.channel, f"admin {command}")
        assert answer(result) == "Only my owner can do this."
        assert server.bot.admission.hands_out()


async def test_whose_the_application_is_is_asked_each_time(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with owned(tmp_path, engine) as server:
        result = await server.alice.slash(server.channel, "admin pause")
        assert answer(result) == "Only my owner can do this."
        belongs_to(server, server.alice)
        result = await server.alice.slash(server.channel, "admin pause")
        assert answer(result).startswith("Paused.")
        assert await say(server, "resume") == "Only my owner can do this."


async def test_members_of_the_team_who_may_change_the_bot_are_its_owners(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with owned(tmp_path, engine) as server:
        belongs_to(
            server,
            server.moderator,
            [(server.alice, "developer"), (server.bob, "read_only")],
        )
        result = await server.alice.slash(server.channel, "admin pause")
        assert answer(result).startswith("Paused.")
        result = await server.bob.slash(server.channel, "admin resume")
        assert answer(result) == "Only my owner can do this."
        assert (await say(server, "resume")).startswith("Resumed.")


async def test_nobody_is_the_owner_while_discord_does_not_say_who_is(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with owned(tmp_path, engine) as server:
        server.env.inject_error("GET", "/oauth2/applications/@me", status=500)
        assert "Discord does not say" in await say(server, "pause")
        assert server.bot.admission.hands_out()


async def test_a_pause_begins_nothing_and_messages_say_so(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with owned(tmp_path, engine, easels=1) as server:
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
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(open_bot(config(tmp_path), engine=engine))
        async with connected(bot) as server:
            await bot.set_mode(Mode.PAUSED)
            job_id = await server.ask()
            await first.aclose()
            async with open_bot(config(tmp_path), engine=engine) as successor:
                await server.restart(successor)
                await server.shown(job_id, lambda m: "is paused" in m.embeds[0].description)
                assert not engine.drawn
                await successor.set_mode(Mode.OPEN)
                await engine.has(job_id)


async def test_a_drain_takes_nothing_either_and_finishes_what_is_drawn(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with owned(tmp_path, engine, easels=1) as server:
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
    async with owned(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        assert await say(server, "cancel", job=job_id) == f"#{job_id} is cancelled."

        async def cancelled() -> bool:
            return (await server.job(job_id)).state is State.CANCELLED

        await until(cancelled)
        assert "not waiting or being drawn" in await say(server, "cancel", job=job_id)


async def test_a_banned_user_gets_one_sentence_for_everything(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with owned(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        engine.finish(job_id)
        message = await server.finished(job_id)
        said = await say(server, "ban", user=server.alice, reason="rude *prompts*")
        assert said == rf"<@{server.alice.id}> is banned: rude \*prompts\*"
        sentence = r"You may not use this bot any more: rude \*prompts\*"
        result = await server.alice.slash(server.channel, "pixel", prompt="three")
        assert answer(result) == sentence
        assert answer(await server.alice.click(message, label="Again")) == sentence
        assert not await server.alice.autocomplete(server.channel, "pixel", "palette", "p")
        result = await server.bob.slash(server.channel, "pixel", prompt="three")
        assert "Your picture is #2." in answer(result)
        banned = server.alice.id
    async with open_bot(config(tmp_path), engine=engine) as bot:
        with pytest.raises(Refusal, match="rude"):
            bot.admission.check_entry(banned)


async def test_an_unbanned_user_is_answered_again(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with owned(tmp_path, engine) as server:
        assert "is not banned" in await say(server, "unban", user=server.alice)
        await say(server, "ban", user=server.alice, reason="spam")
        await say(server, "unban", user=server.alice)
        await server.ask()
        assert not await server.bot.store.bans()


async def test_the_owner_is_not_banned(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with owned(tmp_path, engine) as server:
        said = await say(server, "ban", user=server.moderator, reason="spam")
        assert said == "The bot's owner cannot be banned."


async def stats(server: Server, name: str) -> str:
    result = await server.moderator.slash(server.channel, "admin stats")
    assert result.response is not None
    (embed,) = result.response.embeds
    return next(field.value for field in embed.fields if field.name == name)


async def test_stats_tell_how_the_bot_is_doing(tmp_path: Path, engine: ScriptedEngine) -> None:
    now = time.time()
    async with owned(tmp_path, engine, easels=1, clock=lambda: now, quota=20 * 2**30) as server:
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
        assert await stats(server, "Pictures") == "0 KiB of 20.0 GiB"
        memory, unit = (await stats(server, "Memory")).split()
        assert float(memory) > {"MiB": 20, "GiB": 0.02}[unit]
        now += 25 * 60 * 60
        assert await stats(server, "Drawn in 24 h") == "0"
        assert await stats(server, "Median wait") == "–"
        assert (await server.job(waiting)).state is State.QUEUED


async def test_sync_registers_the_commands_though_they_have_not_changed(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with owned(tmp_path, engine) as server:
        before = sum(request.method == "PUT" for request in server.env.http_requests)
        assert await say(server, "sync") == "The commands are registered."
        after = sum(request.method == "PUT" for request in server.env.http_requests)
        assert after == before + 1
