"""One message per job: what it shows, how often it is edited, and what Discord may answer."""

import asyncio
import contextlib
import io
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest
from discord.http import MultipartParameters
from PIL import Image

from bot.app import open_bot
from bot.jobs import Job, State
from bot.reporter import OLDEST_MESSAGE_SECONDS
from tests.bot.helpers import Clock, png, until
from tests.bot.scripted import ScriptedEngine
from tests.simulated import FINISHED, Server, config, connected, labels, simulated

MESSAGE = "/channels/*/messages/*"
MESSAGES = "/channels/*/messages"


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


async def test_a_picture_goes_from_its_place_to_frames_to_the_end_in_one_message(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask("a red apple")
        await server.shown(job_id, lambda message: "It is next." in message.embeds[0].description)
        assert server.buttons(job_id) == ["Cancel"]
        engine.progress(job_id, 20)
        await server.shown(job_id, lambda message: message.attachments)
        assert "step 20 of 100" in server.text(job_id)
        assert server.message(job_id).attachments[0].description == "a red apple"
        final = png((32, 16))
        engine.finish(job_id, final)
        message = await server.finished(job_id)
        assert len(server.messages(job_id)) == 1
        assert len(message.attachments) == 1
        assert message.attachments[0].filename == f"pixel-{job_id}.png"
        assert await message.attachments[0].read() == final
        job = await server.job(job_id)
        assert f"`{job.seed}`" in [field.value for field in message.embeds[0].fields]
        assert labels(message) == list(FINISHED)

        async def posted() -> bool:
            return (await server.job(job_id)).report == "posted"

        await until(posted)


async def test_progress_is_a_bar_with_step_score_and_the_time_that_is_left(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        engine.progress(job_id, 25, score=0.314)
        await server.shown(job_id, lambda message: message.attachments)
        line = server.text(job_id).splitlines()[-1]
        assert line.startswith("▰▰▰▱▱▱▱▱▱▱▱▱ 25% · step 25 of 100 · score 0.31 · about ")
        assert line.endswith(" left")
        engine.progress(job_id, 50, score=float("nan"))
        await server.shown(job_id, lambda message: "step 50" in message.embeds[0].description)
        assert "score" not in server.text(job_id)
        engine.finish(job_id)
        message = await server.finished(job_id)
        assert ("Score", "0.30") in [
            (field.name, field.value) for field in message.embeds[0].fields
        ]


async def test_cancel_shows_at_once_that_it_is_cancelling(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        await server.shown(job_id, lambda _: True)
        engine.listens = False
        await server.alice.click(server.message(job_id), label="Cancel")
        await server.shown(job_id, lambda m: "Cancelling" in m.embeds[0].description)
        assert server.buttons(job_id) == ["Cancelling"]
        assert (await server.job(job_id)).state is State.RUNNING
        engine.listens = True
        await engine.cancel(str(job_id))
        await server.shown(job_id, lambda m: "Cancelled." in m.embeds[0].description)
        assert (await server.job(job_id)).state is State.CANCELLED


async def test_a_picture_that_is_finished_while_it_is_cancelled_is_not_kept(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        await server.shown(job_id, lambda _: True)
        engine.listens = False
        await server.alice.click(server.message(job_id), label="Cancel")
        engine.finish(job_id)
        await server.shown(job_id, lambda m: "Cancelled." in m.embeds[0].description)
        assert not (tmp_path / f"pictures/0/{job_id}").exists()


async def test_what_was_being_cancelled_is_not_drawn_after_a_restart(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(open_bot(config(tmp_path), engine=engine))
        async with connected(bot) as server:
            job_id = await server.ask()
            await engine.has(job_id)
            engine.listens = False
            await server.shown(job_id, lambda _: True)
            await server.alice.click(server.message(job_id), label="Cancel")
            await first.aclose()
            async with open_bot(config(tmp_path), engine=engine) as successor:
                await server.restart(successor)
                await server.shown(job_id, lambda m: "Cancelled." in m.embeds[0].description)
                assert engine.drawn == [job_id]


async def test_only_the_newest_frame_is_sent_and_not_before_its_time(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, edit_interval=3600) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        for iteration in (20, 40, 60):
            engine.progress(job_id, iteration)
        await server.shown(job_id, lambda message: message.attachments)
        for iteration in (70, 80):
            engine.progress(job_id, iteration)
        await until(lambda: server.bot.frames[job_id].iteration == 80)
        engine.finish(job_id)
        await server.finished(job_id)
        assert len(server.requests("PATCH")) == 2, "one frame, and the end"


async def test_nothing_is_edited_when_nothing_changed(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        engine.progress(job_id, 20)
        await server.shown(job_id, lambda message: message.attachments)
        before = len(server.requests("PATCH"))
        job = await server.job(job_id)
        for _ in range(5):
            server.bot.reporter.notify(job, urgent=True)
        engine.progress(job_id, 40)
        await server.shown(job_id, lambda message: "step 40" in message.embeds[0].description)
        assert len(server.requests("PATCH")) == before + 1


async def test_waiting_messages_tell_when_the_queue_moves(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, easels=1) as server:
        jobs = [await server.ask() for _ in range(3)]
        await server.shown(jobs[2], lambda m: "1 picture is before it" in m.embeds[0].description)
        engine.finish(jobs[0])
        await server.shown(jobs[2], lambda m: "It is next." in m.embeds[0].description)


@pytest.mark.parametrize(("status", "code"), [(404, 10008), (403, 50001), (403, 50013)])
async def test_a_message_that_is_out_of_reach_is_left_alone_and_the_job_goes_on(
    tmp_path: Path, engine: ScriptedEngine, status: int, code: int
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        await server.shown(job_id, lambda _: True)
        server.env.inject_error("PATCH", MESSAGE, status=status, code=code, times=None)
        engine.progress(job_id, 20)
        await until(lambda: server.requests("PATCH"))
        engine.progress(job_id, 40)
        engine.finish(job_id)

        async def done() -> bool:
            return (await server.job(job_id)).state is State.DONE

        await until(done)
        other = await server.ask()
        await server.shown(other, lambda _: True)
        assert len(server.requests("PATCH")) == 1
        assert (await server.job(job_id)).report == "silenced"


@pytest.mark.parametrize(("status", "code"), [(413, 0), (400, 40005)])
async def test_an_upload_that_is_too_large_is_made_smaller(
    tmp_path: Path, engine: ScriptedEngine, status: int, code: int
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await server.shown(job_id, lambda _: True)
        server.env.inject_error("PATCH", MESSAGE, status=status, code=code)
        large = png((128, 64), noise=True)
        engine.finish(job_id, large)
        message = await server.finished(job_id)
        sent = await message.attachments[0].read()
        assert len(sent) <= len(large) // 4
        assert Image.open(io.BytesIO(sent)).format == "PNG"


async def test_a_picture_that_is_always_too_large_is_told_in_words(
    tmp_path: Path, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await server.shown(job_id, lambda _: True)
        edit_message = server.bot.http.edit_message
        refused = []

        async def no_files(*arguments: object, params: MultipartParameters) -> object:
            if params.files:
                refused.append(True)
                response = SimpleNamespace(status=413, reason="Payload Too Large")
                raise discord.HTTPException(response, "Request entity too large")
            return await edit_message(*arguments, params=params)

        monkeypatch.setattr(server.bot.http, "edit_message", no_files)
        engine.finish(job_id, png((256, 128), noise=True))
        message = await server.finished(job_id)
        assert not message.attachments
        assert "too large" in message.embeds[0].fields[-1].value
        assert len(refused) < 5


async def test_a_final_picture_that_could_not_be_posted_is_tried_again(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await server.shown(job_id, lambda _: True)
        server.env.inject_error("PATCH", MESSAGE, status=503)
        engine.finish(job_id)
        await server.finished(job_id)


async def test_a_broken_connection_is_no_end(
    tmp_path: Path, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await server.shown(job_id, lambda _: True)
        edit_message = server.bot.http.edit_message
        lost = []

        async def reset_once(*arguments: object, **options: object) -> object:
            if not lost:
                lost.append(True)
                raise aiohttp.ClientOSError(104, "Connection reset by peer")
            return await edit_message(*arguments, **options)

        monkeypatch.setattr(server.bot.http, "edit_message", reset_once)
        engine.finish(job_id)
        await server.finished(job_id)
        assert lost


async def test_a_message_whose_answer_was_lost_is_sent_again_with_the_same_nonce(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        server.env.inject_error("POST", MESSAGES, status=503)
        job_id = await server.ask()
        await server.shown(job_id, lambda _: True)
        first, second = (request.json for request in server.requests("POST"))
        assert first["nonce"] == second["nonce"]
        assert second["enforce_nonce"]


async def test_a_message_that_discord_calls_too_old_is_continued_in_a_new_one(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await server.shown(job_id, lambda _: True)
        server.env.inject_error("PATCH", MESSAGE, status=400, code=30046)
        engine.progress(job_id, 20)
        await until(lambda: len(server.messages(job_id)) == 2)
        engine.finish(job_id)
        message = await server.finished(job_id)
        assert message.id == (await server.job(job_id)).message_id
        assert len(server.messages(job_id)) == 2


async def test_a_message_is_continued_before_it_is_too_old_to_edit(
    tmp_path: Path, engine: ScriptedEngine, clock: Clock
) -> None:
    async with simulated(tmp_path, engine, clock=clock) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        engine.progress(job_id, 20)
        await server.shown(job_id, lambda message: message.attachments)
        clock.now += OLDEST_MESSAGE_SECONDS + 1
        engine.progress(job_id, 40)
        await until(lambda: len(server.messages(job_id)) == 2)
        engine.finish(job_id)
        message = await server.finished(job_id)
        assert message.attachments
        assert len(server.messages(job_id)) == 2


@pytest.mark.parametrize("code", [200000, 240000])
async def test_a_prompt_that_automod_refuses_is_left_out(
    tmp_path: Path, engine: ScriptedEngine, code: int
) -> None:
    async with simulated(tmp_path, engine) as server:
        server.env.inject_error("POST", MESSAGES, status=400, code=code)
        job_id = await server.ask("something rude")
        await server.shown(job_id, lambda _: True)
        assert "rude" not in server.text(job_id)
        engine.finish(job_id)
        await server.finished(job_id)
        assert "rude" not in server.text(job_id)


async def test_a_picture_that_was_finished_but_not_posted_is_posted_after_a_restart(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(open_bot(config(tmp_path), engine=engine))
        async with connected(bot) as server:
            job_id = await server.ask()
            await server.shown(job_id, lambda _: True)
            server.env.inject_error("PATCH", MESSAGE, status=503, times=None)
            engine.finish(job_id)
            await until(lambda: server.requests("PATCH"))
            await first.aclose()
            server.env.backend.faults.clear()
            async with open_bot(config(tmp_path), engine=engine) as successor:
                await server.restart(successor)
                await server.finished(job_id)
                assert len(server.messages(job_id)) == 1


async def test_a_job_without_a_message_gets_one_after_a_restart(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(open_bot(config(tmp_path), engine=engine))
        async with connected(bot) as server:
            server.env.inject_error("POST", MESSAGES, status=503, times=None)
            job_id = await server.ask()
            await until(lambda: server.requests("POST"))
            await first.aclose()
            server.env.backend.faults.clear()
            async with open_bot(config(tmp_path), engine=engine) as successor:
                await server.restart(successor)
                await server.shown(job_id, lambda _: True)


def discords_time(server: Server) -> float:
    """What its ids say; seconds since 1970."""
    return discord.utils.snowflake_time(server.channel.id).timestamp()


async def test_a_message_that_was_sent_but_not_written_down_is_found_after_a_restart(
    tmp_path: Path, engine: ScriptedEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(
            open_bot(config(tmp_path), engine=engine, clock=clock)
        )

        async def killed(*_: object) -> bool:
            return await asyncio.Future()

        monkeypatch.setattr(bot.store, "set_message", killed)
        async with connected(bot) as server:
            clock.now = discords_time(server)
            jobs = [await server.ask() for _ in range(2)]
            await until(lambda: server.messages(jobs[0]))
            (sent,) = server.messages(jobs[0])
            await first.aclose()
            clock.now += 60
            async with open_bot(config(tmp_path), engine=engine, clock=clock) as successor:
                await server.restart(successor)
                for number in jobs:
                    engine.finish(number)
                    await server.finished(number)
                assert [message.id for message in server.messages(jobs[0])] == [sent.id]
                assert len(server.messages(jobs[1])) == 1


async def test_of_two_messages_of_one_job_the_later_is_removed_after_a_restart(
    tmp_path: Path, engine: ScriptedEngine, clock: Clock
) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(
            open_bot(config(tmp_path), engine=engine, clock=clock)
        )
        async with connected(bot) as server:
            clock.now = discords_time(server)
            job_id = await server.ask()
            await server.shown(job_id, lambda _: True)
            (original,) = server.messages(job_id)
            # As a second request does whose first one arrived after all.
            twin = discord.ui.View.from_message(original, timeout=None)
            channel = bot.get_partial_messageable(server.channel.id)
            await channel.send(embed=original.embeds[0], view=twin)
            assert len(server.messages(job_id)) == 2
            await bot.store._change("UPDATE jobs SET message_id = NULL", ())
            await first.aclose()
            clock.now += 60
            async with open_bot(config(tmp_path), engine=engine, clock=clock) as successor:
                await server.restart(successor)
                engine.finish(job_id)
                await server.finished(job_id)
                assert [message.id for message in server.messages(job_id)] == [original.id]
                assert (await server.job(job_id)).message_id == original.id


async def test_a_message_that_a_locked_database_did_not_keep_is_not_sent_twice(
    tmp_path: Path, engine: ScriptedEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated(tmp_path, engine, clock=clock) as server:
        clock.now = discords_time(server)
        set_message, locked = server.bot.store.set_message, [True]

        async def keep(*arguments: Any) -> bool:
            if locked:
                locked.clear()
                raise sqlite3.OperationalError("database is locked")
            return await set_message(*arguments)

        monkeypatch.setattr(server.bot.store, "set_message", keep)
        job_id = await server.ask()
        engine.finish(job_id)
        await server.finished(job_id)
        assert len(server.messages(job_id)) == 1
        assert not locked


async def test_messages_are_looked_through_as_soon_as_the_database_can_be_read(
    tmp_path: Path, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.reporter._PAUSE_SECONDS", 0.01)
    async with open_bot(config(tmp_path), engine=engine) as bot:
        unreported, locked = bot.store.unreported, [sqlite3.OperationalError("is locked")]

        async def read() -> list[Job]:
            if locked:
                raise locked.pop()
            return await unreported()

        monkeypatch.setattr(bot.store, "unreported", read)
        async with connected(bot) as server:
            job_id = await server.ask()
            await server.shown(job_id, lambda _: True)
            assert not locked


@pytest.mark.parametrize(("status", "code"), [(403, 50001), (404, 10003)])
async def test_where_the_bot_may_not_read_what_was_sent_it_sends_its_message(
    tmp_path: Path, engine: ScriptedEngine, status: int, code: int
) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(open_bot(config(tmp_path), engine=engine))
        async with connected(bot) as server:
            server.env.inject_error("POST", MESSAGES, status=503, times=None)
            job_id = await server.ask()
            await until(lambda: server.requests("POST"))
            await first.aclose()
            server.env.backend.faults.clear()
            server.env.inject_error("GET", MESSAGES, status=status, code=code, times=None)
            async with open_bot(config(tmp_path), engine=engine) as successor:
                await server.restart(successor)
                await server.shown(job_id, lambda _: True)


async def test_a_final_picture_that_is_gone_from_the_disk_is_told(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await server.shown(job_id, lambda _: True)
        server.env.inject_error("PATCH", MESSAGE, status=503)
        engine.finish(job_id)
        await until(lambda: server.requests("PATCH"))
        (tmp_path / f"pictures/0/{job_id}/final.png").unlink()
        message = await server.finished(job_id)
        assert "not there any more" in message.embeds[0].fields[-1].value
