"""A graceful stop: drawings are put aside, messages say “back soon”; then all goes on."""

import contextlib
from pathlib import Path

import pytest

from bot import app
from bot.app import PixelBot, open_bot
from bot.jobs import State
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, config, connected


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


async def one_drawn_one_waiting(server: Server, engine: ScriptedEngine) -> tuple[int, int]:
    drawn, waiting = await server.ask("one"), await server.ask("two")
    await engine.has(drawn)
    engine.progress(drawn, 20)
    await server.shown(drawn, lambda message: message.attachments)
    await server.shown(waiting, lambda _: True)
    return drawn, waiting


def only_one_easel(
    data: Path, engine: ScriptedEngine
) -> contextlib.AbstractAsyncContextManager[PixelBot]:
    return open_bot(config(data, easels=1), engine=engine)


async def test_messages_say_back_soon_and_drawings_are_put_aside(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with only_one_easel(tmp_path, engine) as bot, connected(bot) as server:
        drawn, waiting = await one_drawn_one_waiting(server, engine)
        await bot.stop()
        assert "back soon; it goes on from here" in server.text(drawn)
        assert "back soon; it keeps its place" in server.text(waiting)
        assert server.message(drawn).attachments, "the frame stays"
        assert not engine.at_work
        assert (await server.job(drawn)).state is State.RUNNING


async def test_commands_and_buttons_are_answered_kindly(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with only_one_easel(tmp_path, engine) as bot, connected(bot) as server:
        drawn, _ = await one_drawn_one_waiting(server, engine)
        await bot.stop()
        results = [
            await server.alice.slash(server.channel, "pixel", prompt="three"),
            await server.alice.slash(server.channel, "queue"),
            await server.alice.click(server.message(drawn), label="Cancel"),
        ]
        for result in results:
            assert result.response is not None
            assert result.response.ephemeral
            assert result.response.content == (
                "I am being restarted and will be back in a moment; please try then."
            )
        assert await bot.store.get(3) is None


async def test_after_the_restart_all_goes_on_in_the_same_messages(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(only_one_easel(tmp_path, engine))
        async with connected(bot) as server:
            drawn, waiting = await one_drawn_one_waiting(server, engine)
            await bot.stop()
            await first.aclose()
            async with only_one_easel(tmp_path, engine) as successor:
                await server.restart(successor)
                await engine.has(drawn)
                await server.shown(waiting, lambda m: "It is next." in m.embeds[0].description)
                engine.finish(drawn)
                await server.finished(drawn)
                await engine.has(waiting)
                assert len(server.messages(drawn)) == len(server.messages(waiting)) == 1


async def test_a_discord_that_does_not_answer_does_not_hold_up_the_end(
    tmp_path: Path, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_FAREWELL_SECONDS", 0.05)
    async with only_one_easel(tmp_path, engine) as bot, connected(bot) as server:
        drawn, _ = await one_drawn_one_waiting(server, engine)
        server.env.inject_error("PATCH", "/channels/*/messages/*", status=500, times=100)
        await bot.stop()
        assert "back soon" not in server.text(drawn)


async def test_a_bot_that_never_reached_discord_ends_all_the_same(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with only_one_easel(tmp_path, engine) as bot:
        await bot.stop()
        assert not bot.admission.hands_out()
