"""The web server: health that is true, and metrics that count what happens."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest
import simcord
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from bot import health
from bot.app import open_bot
from bot.web import AddressInUse, make_app, serving
from engine.client import LocalEngine
from tests.bot.helpers import until
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, config, simulated

ROOT = Path(__file__).parent.parent.parent


@contextlib.asynccontextmanager
async def served(server: Server, data: Path) -> AsyncIterator[str]:
    async with serving(make_app(server.bot), "127.0.0.1", 0, data) as url:
        yield url


async def get(url: str) -> tuple[int, dict]:
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        return answer.status, await answer.json()


async def samples(url: str) -> dict[str, float]:
    """Every sample, by its name and its labels' values."""
    async with aiohttp.ClientSession() as client, client.get(f"{url}/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        text = await answer.text()
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def exit_code(data: Path) -> int:
    """That of Docker's health check."""
    return await asyncio.to_thread(
        lambda: (
            subprocess.run(
                [sys.executable, "-m", "bot.health"],
                cwd=ROOT,
                env={**os.environ, "PIXEL_DATA": str(data)},
                check=False,
            ).returncode
        )
    )


async def test_a_connected_bot_with_an_engine_is_well(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server, served(server, tmp_path) as url:
        assert await get(f"{url}/healthz") == (200, {"status": "well"})
        assert await exit_code(tmp_path) == 0
    assert health.check(tmp_path) == f"No bot runs in {tmp_path}."


async def test_a_bot_that_is_not_well_says_why(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server, served(server, tmp_path) as url:

        async def reason() -> str:
            status, said = await get(f"{url}/healthz")
            assert (status, said["status"]) == (503, "unwell")
            return said["reason"]

        await server.bot.on_shard_disconnect(0)
        assert await reason() == "the connection to Discord is interrupted"
        await server.bot.on_shard_resumed(0)
        assert (await get(f"{url}/healthz"))[0] == 200
        engine.ready = None
        assert await reason() == "the engine is not ready"
        problem = await asyncio.to_thread(health.check, tmp_path)
        assert problem == "The bot is not well: the engine is not ready"
        assert await exit_code(tmp_path) == 1
        server.bot.admission.stopping = True
        assert await reason() == "it is being stopped"


def test_a_bot_that_was_killed_is_not_well(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    health.address_path(tmp_path).write_text(f"http://127.0.0.1:{port}")
    problem = health.check(tmp_path)
    assert problem is not None
    assert "does not answer" in problem


def test_a_bot_that_hangs_is_not_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_PATIENCE_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        health.address_path(tmp_path).write_text(f"http://127.0.0.1:{silent.getsockname()[1]}")
        problem = health.check(tmp_path)
    assert problem is not None
    assert "does not answer" in problem


async def test_an_address_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            with pytest.raises(AddressInUse, match=rf"127\.0\.0\.1:{port}.*PIXEL_HTTP"):
                async with serving(make_app(server.bot), "127.0.0.1", port, tmp_path):
                    pass


async def test_metrics_count_what_happens(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with (
        simulated(tmp_path, engine, easels=2) as server,
        served(server, tmp_path) as url,
    ):
        before = await samples(url)
        good, bad, waiting, other = [await server.ask(str(number)) for number in range(4)]
        await engine.has(good, bad)
        busy = await samples(url)
        assert busy["pixel_queue_length"] == 2
        assert busy["pixel_jobs queued"] == 2
        assert busy["pixel_jobs running"] == 2
        assert busy["pixel_healthy"] == busy["pixel_engine_up"] == 1
        engine.progress(good, 20)
        await server.shown(good, lambda message: message.attachments)
        engine.finish(good)
        engine.fail(bad, "It does not work.")
        await engine.has(waiting, other)
        engine.die()
        await until(lambda: engine.drawn.count(waiting) == 2)
        await server.bot.dispatcher.cancel(other)
        await server.finished(good)
        engine.ready = None
        after = await samples(url)

    def gained(name: str) -> float:
        return after[name] - before[name]

    assert gained("pixel_wait_seconds_count") == 4
    assert gained("pixel_draw_seconds_count") == 1
    assert gained("pixel_draw_seconds_sum") == 8
    assert gained("pixel_jobs_finished_total done") == 1
    assert gained("pixel_jobs_finished_total failed") == 1
    assert gained("pixel_jobs_finished_total cancelled") == 1
    assert gained("pixel_errors_total settings") == 1
    assert gained("pixel_errors_total engine") == 2
    assert gained("pixel_messages_sent_total") == 4
    assert gained("pixel_message_edits_total") >= 2
    assert gained("pixel_pictures_bytes") > 0
    assert after["pixel_pictures_quota_bytes"] == 0
    assert after["pixel_engine_up"] == after["pixel_healthy"] == 0
    assert after["process_resident_memory_bytes"] > 0


async def test_metrics_count_the_engine_s_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restarts() -> float:
        return REGISTRY.get_sample_value("pixel_engine_restarts_total") or 0.0

    before = restarts()
    missing = partial(LocalEngine, command=("/nowhere/engine",))
    monkeypatch.setattr("bot.app.LocalEngine", missing)
    monkeypatch.setattr("engine.client.FIRST_BACKOFF_SECONDS", 0.01)
    async with open_bot(config(tmp_path)):
        await until(lambda: restarts() >= before + 2)


async def test_metrics_count_mistakes_and_messages_that_cannot_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with (
        open_bot(config(tmp_path), engine=ScriptedEngine()) as bot,
        simcord.run(bot, shard_count=1, check_errors=False) as env,
        serving(make_app(bot), "127.0.0.1", 0, tmp_path) as url,
    ):
        guild = env.create_guild()
        channel = guild.create_text_channel("art")
        alice = guild.add_member(env.create_user("alice"))
        before = await samples(url)
        env.inject_error("POST", "/channels/*/messages", status=403, code=50013)
        await alice.slash(channel, "pixel", prompt="a red apple")

        async def given_up() -> bool:
            job = await bot.store.get(1)
            return job is not None and job.report == "silenced"

        await until(given_up)
        monkeypatch.setattr(bot.store, "excerpt", broken)
        await alice.slash(channel, "history")
        after = await samples(url)
    assert after["pixel_errors_total message"] - before["pixel_errors_total message"] == 1
    assert after["pixel_errors_total command"] - before["pixel_errors_total command"] == 1
