"""/forget deletes everything of one person and nothing of anybody else."""

import contextlib
import json
import sqlite3
from pathlib import Path

import discord
import pytest
import simcord

from bot.app import open_bot
from bot.forgetting import Forgetter
from bot.jobs import Job, State
from bot.privacy import PRIVACY
from bot.reporter import OLDEST_MESSAGE_SECONDS
from bot.store import Forgotten
from bot.views.forget import ForgetButton
from tests.bot.helpers import Clock, png, until
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, config, connected, simulated

# In nothing but what Alice writes.
SECRET = "xylophone"
MESSAGE = "/channels/*/messages/*"


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


async def drawn(server: Server, engine: ScriptedEngine, prompt: str, **options: object) -> int:
    job_id = await server.ask(prompt, **options)
    await engine.has(job_id)
    engine.progress(job_id, 20)
    engine.finish(job_id)
    await server.finished(job_id)
    return job_id


async def forget(server: Server) -> str:
    """What is answered to /forget and its button."""
    shown = await server.alice.slash(server.channel, "forget")
    assert shown.response is not None
    assert shown.response.ephemeral
    result = await server.alice.click(shown.response.message, label="Delete everything")
    assert result.response is not None
    assert not result.response.components
    return result.response.content


def everywhere(data: Path, word: str) -> list[Path]:
    """The files that hold a word."""
    files = [path for path in data.rglob("*") if path.is_file()]
    return [path for path in files if word.encode() in path.read_bytes()]


async def test_everything_of_one_person_is_deleted_and_nothing_of_anybody_else(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        store = server.bot.store
        other = server.guild.create_text_channel("other")
        await server.alice.slash(server.channel, "settings", preset="sprite")
        mine = await drawn(server, engine, f"a {SECRET}", image=("a.png", png((16, 8))))
        await server.bob.slash(other, "pixel", prompt="a fox")
        theirs = mine + 1
        await engine.has(theirs)
        engine.finish(theirs)
        await until(lambda: other.history() and other.history()[-1].attachments)
        async with store._transaction():
            for person, job in ((server.alice.id, theirs), (server.bob.id, mine)):
                await store._write("INSERT INTO favourites VALUES (?, ?, 0)", (person, job))
            await store._write("INSERT INTO favourites VALUES (?, ?, 0)", (server.bob.id, theirs))
        assert everywhere(tmp_path, SECRET)
        assert (tmp_path / f"pictures/0/{mine}").exists()
        assert list((tmp_path / "pictures/init").iterdir())

        answer = await forget(server)
        assert answer == "Done: 1 picture is deleted, and everything else that I kept about you."
        assert await store.get(mine) is None
        assert await store.preferences("user", server.alice.id) == {}
        assert not await store.former_prompts(server.alice.id)
        assert not server.messages(mine)
        assert not (tmp_path / f"pictures/0/{mine}").exists()
        assert not list((tmp_path / "pictures/init").iterdir())
        assert not everywhere(tmp_path, SECRET)
        assert await store.to_be_forgotten() == []

        rest = await server.job(theirs)
        assert rest.state is State.DONE
        assert rest.picture is not None
        assert await server.bot.pictures.read(rest.picture) is not None
        assert other.history()
        rows = await store._read_all("SELECT user_id, job_id FROM favourites")
        assert [tuple(row) for row in rows] == [(server.bob.id, theirs)]

        nothing = await server.alice.slash(server.channel, "forget")
        assert nothing.response is not None
        assert nothing.response.content == "I keep nothing about you."


async def test_the_words_of_a_forgotten_picture_are_not_found(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        store = server.bot.store
        await store.set_preference("channel", server.channel.id, "gallery", True)
        await drawn(server, engine, f"a {SECRET}")
        assert await store.gallery_search(SECRET, before=None, limit=9)
        await forget(server)
        assert not await store.gallery_search(SECRET, before=None, limit=9)
        rows = await store._read_all("SELECT rowid FROM words WHERE words MATCH ?", (SECRET,))
        assert not rows


async def test_it_asks_first_and_says_how_much(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await drawn(server, engine, "a fox")
        await server.alice.slash(server.channel, "settings", preset="sprite", private=True)
        shown = await server.alice.slash(server.channel, "forget")
        assert shown.response is not None
        assert "wherever they were drawn: 1," in shown.response.content
        assert "your settings: 2" in shown.response.content
        assert await server.bot.store.get(job_id) is not None


async def test_nobody_forgets_somebody_else(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await drawn(server, engine, "a fox")
        # The real one is shown to its owner only; this is one that got out.
        view = discord.ui.View(timeout=None).add_item(ForgetButton(server.alice.id))
        channel = server.bot.get_partial_messageable(server.channel.id)
        message = await channel.send("Sure?", view=view)
        result = await server.bob.click(message, label="Delete everything")
        assert result.response is not None
        assert "somebody else's button" in result.response.content
        assert await server.bot.store.get(job_id) is not None


async def test_what_waits_or_is_drawn_is_cancelled_first(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, easels=1) as server:
        running, waiting = await server.ask("a fox"), await server.ask("a cat")
        await engine.has(running)
        engine.progress(running, 20)
        await server.shown(running, lambda message: message.attachments)
        await server.shown(waiting, lambda _: True)
        assert "2 pictures are deleted" in await forget(server)
        await engine.has()
        assert engine.drawn == [running]
        assert not server.messages(running)
        assert not server.messages(waiting)
        assert not list((tmp_path / "pictures").rglob("*.png"))
        other = await server.bob.slash(server.channel, "pixel", prompt="a dog")
        assert other.response is not None
        await engine.has(waiting + 1)


async def test_pictures_of_others_that_started_from_theirs_stay_without_a_parent(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        mine = await drawn(server, engine, "a fox", image=("a.png", png()))
        await server.bob.click(server.message(mine), label="Reroll")
        await engine.has(mine + 1)
        engine.finish(mine + 1)
        await server.finished(mine + 1)
        await forget(server)
        theirs = await server.job(mine + 1)
        assert (theirs.parent_id, theirs.relation) == (None, "reroll")
        assert theirs.init_image is not None
        assert await server.bot.pictures.read_init(theirs.init_image) is not None
        shown = await server.bob.slash(server.channel, "show", id=theirs.id)
        assert shown.response is not None
        text = shown.response.embeds[0].description or ""
        assert "Reroll of a picture that is gone" in text


async def test_messages_that_were_left_behind_go_too(
    tmp_path: Path, engine: ScriptedEngine, clock: Clock
) -> None:
    async with simulated(tmp_path, engine, clock=clock) as server:
        job_id = await server.ask("a fox")
        await engine.has(job_id)
        engine.progress(job_id, 20)
        await server.shown(job_id, lambda message: message.attachments)
        clock.now += OLDEST_MESSAGE_SECONDS + 1
        engine.progress(job_id, 40)
        await until(lambda: len(server.messages(job_id)) == 2)
        await forget(server)
        assert not server.messages(job_id)


async def test_messages_in_which_it_was_shown_again_go_too(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await drawn(server, engine, "a fox")
        result = await server.bob.slash(server.channel, "show", id=job_id)
        assert result.response is not None
        assert not result.response.ephemeral
        assert len(server.messages(job_id)) == 2
        await forget(server)
        assert not server.messages(job_id)


async def test_messages_of_groups_and_starboards_go_too(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        store, channel = server.bot.store, server.bot.get_partial_messageable(server.channel.id)
        job_id = await drawn(server, engine, "a fox")
        star, shared = await channel.send("a star"), await channel.send("four of them")
        async with store._transaction():
            await store._write(
                "INSERT INTO starred VALUES (?, ?, ?)", (job_id, server.channel.id, star.id)
            )
            await store._write(
                "INSERT INTO groups (user_id, guild_id, channel_id, message_id) "
                "VALUES (?, ?, ?, ?)",
                (server.alice.id, server.guild.id, server.channel.id, shared.id),
            )
        await forget(server)
        assert not server.channel.history()
        assert await store._read("SELECT * FROM groups") is None
        assert await store._read("SELECT * FROM starred") is None


async def test_it_tells_how_many_messages_are_out_of_reach(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        for prompt in ("a fox", "a cat", "a dog"):
            await drawn(server, engine, prompt)
        server.env.inject_error("DELETE", MESSAGE, status=403, code=50001, times=None)
        answer = await forget(server)
        assert "3 pictures are deleted" in answer
        assert "3 messages are where I may not delete them (any more)" in answer
        deletions = [entry for entry in server.env.http_requests if entry.method == "DELETE"]
        assert len(deletions) == 1, "a channel that sends the bot away is not asked again"


async def test_a_message_that_is_gone_already_is_no_trouble(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await drawn(server, engine, "a fox")
        await server.message(job_id).delete()
        assert "may not" not in await forget(server)


async def test_while_the_database_is_locked_it_waits(
    tmp_path: Path, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated(tmp_path, engine) as server:
        server.bot.forgetter = Forgetter(server.bot, pause=0.01)
        await drawn(server, engine, "a fox")
        end_forgetting = server.bot.store.end_forgetting
        locked = [sqlite3.OperationalError("database is locked")]

        async def end(*arguments: int, **options: int) -> Forgotten:
            if locked:
                raise locked.pop()
            return await end_forgetting(*arguments, **options)

        monkeypatch.setattr(server.bot.store, "end_forgetting", end)
        assert "deleted" in await forget(server)
        assert not locked


async def test_when_discord_is_out_of_order_it_goes_on_later(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        server.bot.forgetter = Forgetter(server.bot, pause=0.01)
        job_id = await drawn(server, engine, "a fox")
        server.env.inject_error("DELETE", MESSAGE, status=503)
        assert "1 picture is deleted" in await forget(server)
        assert not server.messages(job_id)


async def test_it_goes_on_after_a_restart_with_what_was_asked_before(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(open_bot(config(tmp_path), engine=engine))
        async with connected(bot) as server:
            one = await drawn(server, engine, f"a {SECRET}")
            two = await drawn(server, engine, f"another {SECRET}")
            # It ends in between: the first picture's message is gone, nothing else.
            await bot.store.begin_forgetting(server.alice.id)
            await server.message(one).delete()
            history = await server.alice.slash(server.channel, "history")
            assert history.response is not None
            assert SECRET not in str(history.response.embeds), "they are hidden at once"
            later = await server.ask("a fox")
            await server.shown(later, lambda _: True)
            await first.aclose()
            async with open_bot(config(tmp_path), engine=engine) as successor:
                await server.restart(successor)

                async def done() -> bool:
                    return not await successor.store.to_be_forgotten()

                await until(done)
                assert await successor.store.get(one) is None
                assert await successor.store.get(two) is None
                assert not server.messages(two)
                assert not everywhere(tmp_path, SECRET)
                assert await successor.store.get(later) is not None


async def test_a_message_that_was_under_way_is_taken_back(
    tmp_path: Path, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated(tmp_path, engine) as server:
        store = server.bot.store
        set_message = store.set_message

        async def forgotten_meanwhile(job: Job, message_id: int, sent_at: float) -> bool:
            await store._change("DELETE FROM jobs WHERE id = ?", (job.id,))
            return await set_message(job, message_id, sent_at)

        monkeypatch.setattr(store, "set_message", forgotten_meanwhile)
        await server.ask(f"a {SECRET}")
        await until(lambda: any(entry.method == "DELETE" for entry in server.env.http_requests))
        assert not server.channel.history()


async def test_who_is_shut_out_may_still_read_and_delete_what_is_kept(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await drawn(server, engine, "a fox")
        await server.bot.admission.ban(server.alice.id, "no reason")
        history = await server.alice.slash(server.channel, "history")
        assert history.response is not None
        assert "You may not use this bot any more" in history.response.content
        privacy = await server.alice.slash(server.channel, "privacy")
        assert privacy.response is not None
        assert privacy.response.embeds
        assert "1 picture is deleted" in await forget(server)
        assert await server.bot.store.get(job_id) is None
        assert server.alice.id in await server.bot.store.bans()


async def test_privacy_says_what_is_kept_to_whoever_asks(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        result = await server.alice.slash(server.channel, "privacy")
        assert isinstance(result, simcord.InteractionResult)
        assert result.response is not None
        assert result.response.ephemeral
        text = result.response.embeds[0].description or ""
        assert len(text) <= 4096
        for part in ("What I keep", "For how long", "Who can see it", "`/forget`"):
            assert part in text


def test_the_docs_say_the_same() -> None:
    assert PRIVACY in Path("docs/privacy.md").read_text()


def test_what_privacy_says_is_kept_is_all_that_the_tables_of_people_hold() -> None:
    """A new column about people has to be thought of in bot/privacy.py and bot/forgetting.py."""
    schema = "".join(path.read_text() for path in sorted(Path("migrations").glob("*.sql")))
    tables = {
        part.split()[0]
        for part in schema.split("CREATE TABLE ")[1:]
        if "user_id" in part.split(") STRICT")[0] or "scope_id" in part.split(") STRICT")[0]
    }
    assert json.dumps(sorted(tables - {"jobs_new"})) == json.dumps(
        ["bans", "favourites", "forgetting", "groups", "jobs", "left_messages", "preferences"]
    )
