"""Pictures that many like are posted once more, in a channel that their server chose."""

from pathlib import Path

import discord
import pytest
import simcord

from bot.jobs import Job
from bot.starboard import favourited, take_down
from tests.bot.helpers import png
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, simulated

PICTURE = png((32, 16))


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


async def picture(server: Server, engine: ScriptedEngine, prompt: str = "a red apple") -> Job:
    job_id = await server.ask(prompt)
    await engine.has(job_id)
    engine.finish(job_id, PICTURE)
    await server.finished(job_id)
    return await server.job(job_id)


async def board(server: Server, stars: int = 2) -> simcord.ChannelHandle:
    channel = server.guild.create_text_channel("best")
    await server.bot.store.set_preference("guild", server.guild.id, "starboard", channel.id)
    await server.bot.store.set_preference("guild", server.guild.id, "stars", stars)
    return channel


async def like(server: Server, job: Job, *people: int) -> None:
    for person in people:
        async with server.bot.store._transaction():
            await server.bot.store._write(
                "INSERT INTO favourites VALUES (?, ?, 0)", (person, job.id)
            )
        await favourited(server.bot, job)


async def test_a_picture_that_enough_people_like_is_posted_once_with_a_link(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        best, job = await board(server), await picture(server, engine)
        await like(server, job, 101)
        assert not best.history()
        await like(server, job, 102, 103, 104)
        (message,) = best.history()
        assert await message.attachments[0].read() == PICTURE
        assert message.attachments[0].description == "a red apple"
        text = message.embeds[0].description or ""
        assert "**a red apple**" in text
        assert "⭐ 2" in text
        link = f"https://discord.com/channels/{job.guild_id}/{job.channel_id}/{job.message_id}"
        assert link in text
        assert not message.mentions


async def test_ones_own_favourite_does_not_count(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        best, job = await board(server), await picture(server, engine)
        await like(server, job, server.alice.id, 101)
        assert not best.history()


async def test_without_a_starboard_nothing_is_posted(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job = await picture(server, engine)
        before = len(server.requests("POST"))
        await like(server, job, 101, 102, 103, 104)
        assert len(server.requests("POST")) == before


async def test_a_picture_never_crosses_servers(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        job = await picture(server, engine)
        elsewhere = server.env.create_guild("Elsewhere")
        far = elsewhere.create_text_channel("far")
        await server.bot.store.set_preference("guild", elsewhere.id, "starboard", far.id)
        await server.bot.store.set_preference("guild", server.guild.id, "starboard", far.id)
        await server.bot.store.set_preference("guild", server.guild.id, "stars", 1)
        await like(server, job, 101, 102)
        assert not far.history()


async def test_private_and_deleted_pictures_are_never_posted(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        best, job = await board(server, stars=1), await picture(server, engine)
        store = server.bot.store
        await store.set_preference("user", server.alice.id, "private", True)
        await like(server, job, 101)
        assert not best.history()
        await store.set_preference("user", server.alice.id, "private", None)
        await store._change("UPDATE jobs SET deleted_at = 1 WHERE id = ?", (job.id,))
        await like(server, job, 102)
        assert not best.history()


async def test_pictures_of_age_restricted_channels_stay_among_adults(
    tmp_path: Path, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated(tmp_path, engine) as server:
        best, job = await board(server, stars=1), await picture(server, engine)
        adults = {server.channel.id}
        monkeypatch.setattr(discord.TextChannel, "is_nsfw", lambda self: self.id in adults)
        await like(server, job, 101)
        assert not best.history()
        adults.add(best.id)
        await like(server, job, 102)
        assert best.history()


async def test_a_hidden_picture_is_hidden_there_too(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        await server.bot.store.set_preference("guild", server.guild.id, "spoiler", "always")
        best, job = await board(server, stars=1), await picture(server, engine)
        await like(server, job, 101)
        (message,) = best.history()
        assert message.attachments[0].is_spoiler()
        assert (message.embeds[0].description or "").startswith("**||a red apple||**")


async def test_what_automod_refuses_is_posted_without_its_words(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        best, job = await board(server, stars=1), await picture(server, engine, "something rude")
        server.env.inject_error("POST", "/channels/*/messages", status=400, code=200000)
        await like(server, job, 101)
        (message,) = best.history()
        assert "rude" not in (message.embeds[0].description or "")
        assert message.attachments


async def test_what_could_not_be_posted_is_tried_again_at_the_next_favourite(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        best, job = await board(server, stars=1), await picture(server, engine)
        server.env.inject_error("POST", "/channels/*/messages", status=403, code=50013)
        await like(server, job, 101)
        assert not best.history()
        await like(server, job, 102)
        assert len(best.history()) == 1


async def test_it_is_deleted_with_its_picture(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        best, job = await board(server, stars=1), await picture(server, engine)
        await like(server, job, 101)
        assert best.history()
        await take_down(server.bot, job)
        assert not best.history()
        assert await server.bot.store.star(job.id) is None
        await take_down(server.bot, job)
