"""Each line says which job it is about, in text or JSON, and no secret is ever in one."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bot.logs import about_job, set_up
from tests.bot.scripted import ScriptedEngine
from tests.simulated import simulated

TOKEN = "MTAw.the-bots-token.c2VjcmV0"

log = logging.getLogger("bot.test")


@pytest.fixture(autouse=True)
def _root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


def parsed(lines: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_line_for_people_names_the_job(lines: io.StringIO) -> None:
    set_up("INFO", "text", TOKEN, lines)
    log.debug("unseen")
    log.info("before")
    with about_job(7):
        log.info("it is drawn")
    log.info("after")
    before, drawn, after = lines.getvalue().splitlines()
    assert drawn.endswith("INFO    bot.test: [job 7] it is drawn")
    assert "job" not in before + after


def test_a_line_of_json_has_fields(lines: io.StringIO) -> None:
    set_up("INFO", "json", TOKEN, lines)
    log.info("“%s” is queued", "a\nb")
    with about_job(7):
        log.error("it could not be drawn", exc_info=ZeroDivisionError("the cause"))
    queued, failed = parsed(lines)
    assert queued.keys() == {"time", "level", "logger", "message"}
    assert datetime.fromisoformat(queued["time"]).tzinfo is not None
    assert queued["message"] == "“a\nb” is queued"
    assert failed["job"] == 7
    assert (failed["level"], failed["logger"]) == ("ERROR", "bot.test")
    assert failed["error"].endswith("ZeroDivisionError: the cause")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_is_written(log_format: str, lines: io.StringIO) -> None:
    set_up("DEBUG", log_format, TOKEN, lines)
    log.info("the token is %s", TOKEN)
    log.warning("PATCH https://discord.com/api/v10/webhooks/100/aW50ZXJh.b-c_d~e/messages/5")
    log.warning("POST /interactions/99/aW50ZXJh.b-c_d~e/callback")
    log.error("the bot could not log in", exc_info=ValueError(f"Bot {TOKEN} is refused"))
    written = lines.getvalue()
    assert TOKEN not in written
    assert "aW50ZXJh" not in written
    assert "/webhooks/100/[hidden]/messages/5" in written
    assert "Bot [hidden] is refused" in written


async def test_tasks_carry_the_job_that_they_were_begun_for(lines: io.StringIO) -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        log.info("at work")

    set_up("INFO", "json", TOKEN, lines)
    with about_job(1):
        first = asyncio.create_task(work())
    with about_job(2):
        second = asyncio.create_task(work())
    await asyncio.gather(first, second, asyncio.create_task(work()))
    assert [line.get("job") for line in parsed(lines)] == [1, 2, None]


async def test_a_job_s_way_can_be_followed_by_its_id(tmp_path: Path, lines: io.StringIO) -> None:
    set_up("INFO", "json", TOKEN, lines)
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server:
        good, bad = await server.ask(), await server.ask("a chair")
        await engine.has(good, bad)
        engine.finish(good)
        engine.fail(bad, "It does not work.")
        await server.finished(good)
        await server.shown(bad, lambda message: "does not work" in message.embeds[0].description)
        result = await server.bob.click(server.message(bad), label="Again")
        assert result.response is not None
        server.bot.admission.stopping = True
        await server.bob.click(server.message(good), label="Again")
    told = [(line.get("job"), line["message"]) for line in parsed(lines)]
    assert any(job == good and text.startswith("asked for by user") for job, text in told)
    assert (good, "attempt 1 is handed to the engine") in told
    assert (good, "it is drawn, in 8.0 s") in told
    assert (bad, "it failed (settings): It does not work.") in told
    assert any(job == good and text.startswith("refused to user") for job, text in told)
