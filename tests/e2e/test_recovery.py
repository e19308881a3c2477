"""Nothing is lost when a process ends: the job goes on, in its message, to the same bytes."""

import contextlib
from pathlib import Path

import pytest

from bot.app import open_bot
from tests.bot.helpers import until
from tests.e2e.conftest import SharedEngine
from tests.simulated import Server, config, connected, simulated

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONGER = {"quality": "draft", "iterations": 60, "seed": "7"}


async def undisturbed(server: Server, job_id: int) -> bytes:
    """The same picture once more, with nothing in its way."""
    await server.alice.click(await server.finished(job_id), label="Again")
    message = await server.finished(job_id + 1)
    return await message.attachments[0].read()


async def snapshot_taken(server: Server, job_id: int) -> None:
    async def taken() -> bool:
        job = await server.job(job_id)
        assert not job.state.final, "the job was too short for this test"
        return job.snapshot > 0

    await until(taken)


async def test_a_picture_goes_on_after_the_bot_restarts_and_in_the_same_message(
    tmp_path: Path, engine: SharedEngine
) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(open_bot(config(tmp_path), engine=engine))
        async with connected(bot) as server:
            job_id = await server.ask(**LONGER)
            await server.shown(job_id, lambda message: message.attachments)
            before = server.message(job_id)
            await first.aclose()
            async with open_bot(config(tmp_path), engine=engine) as successor:
                await server.restart(successor)
                message = await server.finished(job_id)
                assert message.id == before.id
                assert len(server.messages(job_id)) == 1
                assert engine.starts[1] > 0
                assert (await server.job(job_id)).attempt == 2
                picture = await message.attachments[0].read()
                assert picture == await undisturbed(server, job_id)


async def test_buttons_work_after_a_restart(tmp_path: Path, engine: SharedEngine) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(open_bot(config(tmp_path), engine=engine))
        async with connected(bot) as server:
            job_id = await server.ask(quality="draft", iterations=4)
            old_message = await server.finished(job_id)
            waiting = await server.ask(quality="draft", iterations=2000)
            await server.shown(waiting, lambda _: True)
            await first.aclose()
            async with open_bot(config(tmp_path), engine=engine) as successor:
                await server.restart(successor)
                await server.bob.click(old_message, label="Reroll")
                await server.finished(waiting + 1)
                await server.alice.click(server.message(waiting), label="Cancel")
                await server.shown(waiting, lambda m: "Cancelled." in m.embeds[0].description)


async def test_a_job_goes_on_when_the_engine_is_killed_and_ends_with_the_same_bytes(
    tmp_path: Path, engine: SharedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask(**LONGER)
        await snapshot_taken(server, job_id)
        engine.kill()
        message = await server.finished(job_id)
        assert len(server.messages(job_id)) == 1
        assert engine.starts[1] > 0
        assert (await server.job(job_id)).attempt == 2
        picture = await message.attachments[0].read()
        assert picture == await undisturbed(server, job_id)


async def test_several_jobs_survive_the_engines_death(tmp_path: Path, engine: SharedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        jobs = [await server.ask(f"picture {number}", **LONGER) for number in range(2)]
        for job_id in jobs:
            await snapshot_taken(server, job_id)
        engine.kill()
        for job_id in jobs:
            await server.finished(job_id)
        assert [(await server.job(job_id)).attempt for job_id in jobs] == [2, 2]
