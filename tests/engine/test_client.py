"""The engine process and its client: the real one, and processes that misbehave."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from engine.client import LocalEngine
from engine.errors import EngineDied, EngineError
from engine.one_engine import working_in
from engine.protocol import (
    PROTOCOL_VERSION,
    Cancelled,
    Done,
    Failed,
    Hello,
    Progress,
    Snapshot,
    Started,
    encode_frame,
)

SCRIPT = str(Path(__file__).with_name("scripted_engine.py"))


@contextlib.asynccontextmanager
async def running(engine):
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


def real(folder):
    return LocalEngine(
        folder, command=(sys.executable, "-m", "engine", "--snapshot-seconds", "0.05")
    )


def scripted(folder, kind, **options):
    return LocalEngine(folder, command=(sys.executable, SCRIPT, kind), **options)


async def collect(engine, job, settings):
    return [event async for event in engine.draw(job, settings)]


def is_alive(process_id):
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


async def until(condition):
    """Wait for a state of another process, of which no event tells."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def draw_and_kill(engine, job, settings):
    """Draw until the first snapshot, then kill the engine."""
    async for event in engine.draw(job, settings):
        if isinstance(event, Snapshot):
            os.kill(engine.process_id, signal.SIGKILL)


async def test_the_engine_draws_says_what_it_is_and_ends_when_closed(tmp_path, ask):
    async with running(real(tmp_path)) as engine:
        first, second = await asyncio.gather(
            collect(engine, "1", ask(display_every=4)), collect(engine, "2", ask(seed=9))
        )
        assert engine.ready.perceptors == ("pixelclip",)
        process_id = engine.process_id
    assert isinstance(first[0], Started)
    assert Progress in [type(event) for event in first]
    assert isinstance(first[-1], Done)
    assert isinstance(second[-1], Done)
    assert first[-1].png != second[-1].png
    assert not is_alive(process_id)
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


async def test_a_job_can_be_cancelled_and_one_that_fails_says_why(tmp_path, ask):
    async with running(real(tmp_path)) as engine:
        async for event in engine.draw("1", ask(iterations=2000, display_every=1)):
            if isinstance(event, Progress):
                await engine.cancel("1")
        assert isinstance(event, Cancelled)
        assert event.iteration >= 1
        (failed,) = await collect(engine, "2", ask(perceptors=["ViT-B-32/unheard-of"]))
        assert isinstance(failed, Failed)
        assert "pixel models pull" in failed.sentence


async def test_a_killed_engine_starts_again_and_the_job_ends_with_the_same_bytes(tmp_path, ask):
    settings = ask(iterations=60, num_cuts=4)
    async with running(real(tmp_path)) as engine:
        undisturbed = (await collect(engine, "0", settings))[-1]
        with pytest.raises(EngineDied):
            await draw_and_kill(engine, "1", settings)
        events = await collect(engine, "1", settings)
    assert events[0].iteration > 0
    assert events[-1].png == undisturbed.png


async def test_a_job_put_aside_is_resumed_by_the_next_draw(tmp_path, ask):
    settings = ask(iterations=2000, display_every=1, num_cuts=4)
    async with running(real(tmp_path)) as engine:
        drawing = engine.draw("1", settings)
        async for event in drawing:
            if isinstance(event, Progress) and event.iteration >= 3:
                break
        await drawing.aclose()
        again = engine.draw("1", settings)
        started = await anext(again)
        assert started.iteration >= 3
        await engine.cancel("1")
        rest = [event async for event in again]
    assert isinstance(rest[-1], Cancelled)


async def test_the_engine_ends_by_itself_when_its_client_is_killed(tmp_path):
    program = (
        "import asyncio, sys, pathlib\n"
        "from engine.client import LocalEngine\n"
        "async def main():\n"
        "    engine = LocalEngine(pathlib.Path(sys.argv[1]))\n"
        "    await engine.start()\n"
        "    while engine.ready is None: await asyncio.sleep(0.05)\n"
        "    print(engine.process_id, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    process_id = int(await client.stdout.readline())
    assert is_alive(process_id)
    client.kill()
    await client.wait()
    async with asyncio.timeout(10):
        await until(lambda: not is_alive(process_id))


async def test_a_late_answer_to_an_older_attempt_is_dropped(tmp_path, ask):
    async with running(scripted(tmp_path, "late")) as engine:
        first = await collect(engine, "1", ask())
        second = await collect(engine, "1", ask())
    assert [event.png for event in (*first, *second)] == [b"new", b"new"]


async def test_what_is_on_its_way_when_a_job_is_put_aside_does_not_reach_its_next_attempt(
    tmp_path, ask
):
    long, short = ask(iterations=2000, display_every=1, num_cuts=4), ask(iterations=2, num_cuts=4)
    async with running(real(tmp_path)) as engine:
        drawing = engine.draw("1", long)
        async with contextlib.aclosing(drawing):
            async for event in drawing:
                if isinstance(event, Progress):
                    break
        events = await collect(engine, "1", short)
    told = [event for event in events if not isinstance(event, Snapshot)]
    assert [type(event) for event in told] == [Started, Progress, Done]
    assert told[1].iteration == 0


async def test_a_frozen_engine_of_a_killed_client_is_ended_by_the_next_one(tmp_path, caplog):
    frozen = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "engine", "--snapshots", str(tmp_path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    frozen.stdin.write(encode_frame(Hello(PROTOCOL_VERSION)))
    await until(lambda: (tmp_path / "lock").exists() and (tmp_path / "lock").read_text())
    frozen.send_signal(signal.SIGSTOP)
    async with running(real(tmp_path)) as engine:
        assert await frozen.wait() == -signal.SIGKILL
        await until(lambda: engine.ready)
    assert f"process {frozen.pid}, did not end by itself" in caplog.text


async def test_a_second_engine_does_not_work_with_the_snapshots_of_another(tmp_path):
    with working_in(tmp_path):
        second = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "engine", "--snapshots", str(tmp_path)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await second.communicate(encode_frame(Hello(PROTOCOL_VERSION)))
    assert second.returncode == 1
    assert b"another engine works with the snapshots" in said


async def test_what_nobody_goes_on_with_is_not_kept(tmp_path):
    kept = {"1.safetensors", "1+partner.safetensors", "12.safetensors"}
    for name in (*kept, "2.safetensors", "2+partner.safetensors", "1.writing", "3.writing"):
        (tmp_path / name).write_bytes(b"")
    engine = scripted(tmp_path, "silent")
    await engine.start({"1", "12"})
    try:
        await until(lambda: engine.ready)
        assert {path.name for path in tmp_path.iterdir()} == kept | {"lock"}
        await engine.forget("1")
        assert {path.name for path in tmp_path.iterdir()} == {"12.safetensors", "lock"}
    finally:
        await engine.close()


async def test_the_same_job_cannot_be_drawn_twice_at_once(tmp_path, ask):
    async with running(scripted(tmp_path, "silent")) as engine:
        first = asyncio.create_task(collect(engine, "1", ask()))
        await until(lambda: engine.ready)
        await asyncio.sleep(0.1)
        with pytest.raises(EngineError, match="already"):
            await collect(engine, "1", ask())
        first.cancel()


async def test_an_engine_is_not_silent_because_nobody_listened(tmp_path, ask, caplog):
    async with running(scripted(tmp_path, "well", silence_timeout=0.5)) as engine:
        drawing = asyncio.create_task(collect(engine, "1", ask()))
        await until(lambda: engine.ready)
        await asyncio.sleep(0.2)
        # As a stopped process, or a machine that was asleep.
        time.sleep(1)  # noqa: ASYNC251
        done, _ = await asyncio.wait({drawing}, timeout=3)
        assert not done, caplog.text
        drawing.cancel()


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("silent", {"silence_timeout": 0.5}, "silent for too long"),
        ("stalled", {"stall_timeout": 5}, "more than 5 s"),
        ("garbage", {}, "not a reply"),
        ("no text", {}, "not a reply"),
        ("endless", {}, "not a reply"),
        ("too long", {}, "at most"),
    ],
)
async def test_an_engine_that_misbehaves_is_ended_and_its_jobs_are_told(
    tmp_path, ask, kind, options, reason, caplog
):
    async with running(scripted(tmp_path, kind, **options)) as engine:
        with pytest.raises(EngineDied, match=reason):
            await collect(engine, "1", ask())
        first = caplog.text
        await until(lambda: engine.ready)
    assert "starting it again" in first


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        ("other version", {}, "does not speak version"),
        ("never ready", {"start_timeout": 0.5}, "silent for too long"),
    ],
)
async def test_an_engine_that_does_not_get_ready_is_started_again_and_again(
    tmp_path, kind, options, reason, caplog, monkeypatch
):
    monkeypatch.setattr("engine.client.FIRST_BACKOFF_SECONDS", 0.01)
    restarts = []
    options = {**options, "on_restart": lambda: restarts.append(kind)}
    async with running(scripted(tmp_path, kind, **options)):
        await until(lambda: len(restarts) >= 2)
        assert caplog.text.count(reason) >= 2


async def test_an_engine_that_cannot_be_started_is_tried_with_growing_pauses(
    tmp_path, caplog, monkeypatch
):
    monkeypatch.setattr("engine.client.FIRST_BACKOFF_SECONDS", 0.01)
    async with running(LocalEngine(tmp_path, command=("/nowhere/engine",))):
        await until(lambda: caplog.text.count("starting it again") >= 5)


async def test_a_draw_that_waits_for_the_engine_ends_when_the_client_is_closed(tmp_path, ask):
    engine = scripted(tmp_path, "never ready")
    await engine.start()
    waiting = asyncio.create_task(collect(engine, "1", ask()))
    await asyncio.sleep(0.05)
    await engine.close()
    with pytest.raises(EngineDied, match="closed"):
        await waiting


async def test_the_engine_is_never_told_the_token_and_its_stderr_goes_to_the_log(
    tmp_path, ask, monkeypatch, caplog
):
    monkeypatch.setenv("PIXEL_TOKEN", "secret")
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    monkeypatch.setenv("PIXEL_MODELS", str(tmp_path))
    monkeypatch.setenv("PIXEL_CUDA_GRAPHS", "off")
    with caplog.at_level(logging.WARNING):
        async with running(scripted(tmp_path, "token")) as engine:
            (done,) = await collect(engine, "1", ask())
    assert done.png == b"['PIXEL_CUDA_GRAPHS', 'PIXEL_MODELS']"
    assert "x" * 1000 in caplog.text
