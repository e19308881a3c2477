"""`pixel demo` as a visitor meets it: a process, a page, commands, buttons, Ctrl-C."""

import asyncio
import contextlib
import io
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from PIL import Image

from bot.folder import locked
from tests.bot.helpers import png, until
from tests.bot.test_cli import pixel
from tests.e2e.visitor import Demo, Visitor, demo, labels, text
from tests.simulated import FINISHED

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHORT = {"quality": "draft", "iterations": "60"}
LONG = {"quality": "draft", "iterations": "2000"}
# More than simcord decodes at the same time.
MANY = 10


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running() -> AsyncIterator[Demo]:
    async with demo() as process:
        yield process


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(running: Demo) -> AsyncIterator[Visitor]:
    async with Visitor.of(running.url) as page:
        yield page


async def shown(visitor: Visitor, number: int, label: str) -> None:
    """Wait until the newest message shows a job and has a button."""

    async def arrived() -> bool:
        await visitor.look()
        pictures = visitor.pictures()
        return len(pictures) == number and label in labels(pictures[-1])

    await until(arrived)


async def test_a_visitor_types_pixel_sees_it_grow_and_presses_the_buttons(
    visitor: Visitor,
) -> None:
    (welcome,) = visitor.state["messages"].values()
    assert "/pixel" in welcome["content"]

    answer = await visitor.slash("history")
    assert answer["content"] == "You have no pictures yet; /pixel draws one."
    answer = await visitor.slash("pixel", prompt="a red apple", **SHORT)
    assert answer["content"].startswith("Your picture is #1. It is next. About ")
    growing: set[str] = set()

    async def finished() -> bool:
        await visitor.look()
        for message in visitor.pictures():
            if "step" in text(message):
                assert message["attachments"], "a step is shown with its frame"
                growing.add(text(message))
        return any("Reroll" in labels(message) for message in visitor.pictures())

    await until(finished)
    assert growing
    (message,) = visitor.pictures()
    assert labels(message) == list(FINISHED)
    assert "for @you" in text(message)
    picture = Image.open(io.BytesIO(await visitor.read(message)))
    assert picture.size == (200, 112)

    await visitor.click(message, "Reroll")
    await shown(visitor, 2, "Reroll")
    assert "Reroll of" in text(visitor.pictures()[1])

    await visitor.slash("pixel", prompt="a blue fish", **LONG)
    await shown(visitor, 3, "Cancel")
    assert "a blue fish" in text(await visitor.slash("queue"))
    answer = await visitor.click(visitor.pictures()[-1], "Cancel")
    assert answer["content"] == "#3 is cancelled."
    await shown(visitor, 3, "Again")
    assert "Cancelled." in text(visitor.pictures()[-1])

    sheet = await visitor.slash("history")
    assert text(sheet).index("#2") < text(sheet).index("#1")
    assert (await visitor.read(sheet)).startswith(b"\x89PNG")
    family = await visitor.slash("family", id="2")
    assert (await visitor.read(family)).startswith(b"\x89PNG")


async def test_a_click_that_was_overtaken_by_a_publication_is_not_lost(
    running: Demo, visitor: Visitor
) -> None:
    async with Visitor.of(running.url) as other:
        await visitor.look()
        await other.slash("queue")
        # What this page shows is older than what was published since, and it acts all the same.
        answer = await visitor.slash("queue")
        assert "Nothing is waiting" in text(answer)
        # So does a form with a file in it.
        await other.slash("queue")
        before = len(visitor.pictures())
        await visitor.slash(
            "pixel", prompt='"published_revision":1', quality="draft", iterations="1", image=png()
        )
        await shown(visitor, before + 1, "Reroll")


async def test_many_pictures_on_a_page_that_is_opened_anew_are_all_there(
    running: Demo, visitor: Visitor
) -> None:
    before = len(visitor.pictures())
    for seed in range(MANY):
        await visitor.slash(
            "pixel", prompt="a red apple", quality="draft", iterations="1", seed=str(seed)
        )

    async def finished() -> bool:
        await visitor.look()
        return ["Reroll" in labels(item) for item in visitor.pictures()[before:]] == [True] * MANY

    await until(finished)
    async with Visitor.of(running.url) as anew:
        messages = anew.pictures()[before:]
        pictures = await asyncio.gather(*(anew.read(message) for message in messages))
    assert len(set(pictures)) == MANY
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


async def test_the_page_is_ours_and_for_this_machine_only(running: Demo) -> None:
    address, _, _ = running.url.partition("#")
    assert address.startswith("http://127.0.0.1:")
    async with aiohttp.ClientSession(address) as client:
        async with client.get("/") as answer:
            page = await answer.text()
        assert "<title>#art · pixel demo</title>" in page
        for extra in ("/demo/page.css", "/demo/page.js"):
            assert extra in page
            async with client.get(extra) as answer:
                assert answer.status == 200
        async with client.get("/", headers={"Host": "elsewhere.example"}) as answer:
            assert answer.status == 403
        async with client.post("/api/pages", json={}) as answer:
            assert answer.status == 401


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
async def test_ctrl_c_in_the_middle_of_a_picture_leaves_nothing_behind() -> None:
    async with demo() as process:
        async with Visitor.of(process.url) as visitor:
            await visitor.slash("pixel", prompt="a red apple", **LONG)
            await shown(visitor, 1, "Cancel")
        assert process.data.exists()
        assert str(process.data) in processes()
        assert await process.interrupt() == 0
        assert process.output[-1] == "Ended as asked."
        assert not any("Traceback" in line or "ERROR" in line for line in process.output)
        assert not process.data.exists()
        assert str(process.data) not in processes()


async def test_a_data_directory_keeps_the_history(tmp_path: Path) -> None:
    async with demo("--data", str(tmp_path)) as process:
        async with Visitor.of(process.url) as visitor:
            await visitor.slash("pixel", prompt="a red apple", quality="draft", iterations="4")
            await shown(visitor, 1, "Reroll")
        assert await process.interrupt() == 0
    async with demo("--data", str(tmp_path)) as process:
        async with Visitor.of(process.url) as visitor:
            page = await visitor.slash("history")
            assert "a red apple" in text(page)
            assert (await visitor.read(page)).startswith(b"\x89PNG")
        assert await process.interrupt() == 0


async def test_a_folder_in_use_is_one_sentence(tmp_path: Path) -> None:
    with locked(tmp_path):
        done = await asyncio.to_thread(
            pixel, "demo", "--port", "0", "--data", str(tmp_path), "--no-open"
        )
    assert done.returncode == 75
    assert done.stderr.count("\n") == 1
    assert f"Another bot works in {tmp_path}" in done.stderr


async def test_a_port_in_use_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = await asyncio.to_thread(pixel, "demo", "--port", str(port), "--no-open")
    assert done.returncode == 75
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"Port {port} cannot be used" in done.stderr


def processes() -> str:
    """The command lines of all processes; the engine's holds the data directory."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        # It may end while this looks.
        with contextlib.suppress(OSError):
            lines.append(path.read_text(errors="replace"))
    return "\n".join(lines)
