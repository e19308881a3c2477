"""The health check tells what is true: a bot that is not well does not say that it is."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bot import health
from tests.bot.helpers import until
from tests.bot.scripted import ScriptedEngine
from tests.simulated import simulated

ROOT = Path(__file__).parent.parent.parent


def exit_code(data: Path) -> int:
    environment = {**os.environ, "PIXEL_DATA": str(data)}
    command = [sys.executable, "-m", "bot.health"]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


@pytest.fixture(autouse=True)
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_BEAT_SECONDS", 0.01)


async def test_a_connected_bot_with_an_engine_is_well(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        assert server.bot.healthy
        beat = asyncio.create_task(health.keep_heartbeat(server.bot, tmp_path))
        await until(health.heartbeat_path(tmp_path).exists)
        beat.cancel()
    assert exit_code(tmp_path) == 0


async def test_a_bot_without_an_engine_or_a_gateway_is_not_well(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server:
        await server.bot.on_shard_disconnect(0)
        assert not server.bot.healthy
        await server.bot.on_shard_resumed(0)
        assert server.bot.healthy
        engine.ready = None
        assert not server.bot.healthy
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(health.keep_heartbeat(server.bot, tmp_path), 0.1)
    assert exit_code(tmp_path) == 1


def test_a_heart_that_stopped_is_noticed(tmp_path: Path) -> None:
    path = health.heartbeat_path(tmp_path)
    path.touch()
    assert health.check(tmp_path) is None
    long_ago = time.time() - 600
    os.utime(path, (long_ago, long_ago))
    problem = health.check(tmp_path)
    assert problem is not None
    assert "has not been well for" in problem
