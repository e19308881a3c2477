"""The gallery on an address of its own: alone, beside the bot, and why it cannot be opened."""

import asyncio
import os
import re
import signal
import socket
import sqlite3
import sys
from pathlib import Path

import aiohttp
import pytest

from bot import runner
from bot.app import PixelBot
from bot.config import Address, Config
from bot.folder import database_path
from bot.gallery.server import GalleryClosed, open_gallery, serve_gallery
from bot.store import Store
from tests.bot.gallery import Painter
from tests.bot.scripted import ScriptedEngine
from tests.bot.test_cli import ROOT, pixel

_GALLERY = "import sys; sys.argv[0] = 'pixel'; from bot.cli import main; main()"


async def page(url: str) -> str:
    async with aiohttp.ClientSession(raise_for_status=True) as client, client.get(url) as answer:
        return await answer.text()


async def test_what_the_bot_finishes_hangs_at_once(store: Store, tmp_path: Path) -> None:
    painter = Painter(store, tmp_path)
    async with serve_gallery(tmp_path, "127.0.0.1", 0) as url:
        assert "Nothing hangs here yet." in await page(url)
        await painter.paint("a red apple")
        assert "Nothing hangs here yet." in await page(url)
        await painter.open_channel()
        assert "a red apple" in await page(url)


async def test_without_a_database_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(GalleryClosed, match=r"There is no gallery in .*start the bot there once"):
        async with open_gallery(tmp_path):
            pass


async def test_a_database_that_is_too_old_is_one_sentence(tmp_path: Path) -> None:
    with sqlite3.connect(database_path(tmp_path)) as database:
        database.executescript((ROOT / "migrations/0001_jobs.sql").read_text())
    database.close()
    with pytest.raises(GalleryClosed, match="pixel db upgrade"):
        async with open_gallery(tmp_path):
            pass


async def test_an_address_in_use_is_one_sentence(store: Store, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(GalleryClosed, match=f"cannot be served at 127.0.0.1:{port}"):
            async with serve_gallery(tmp_path, "127.0.0.1", port):
                pass


async def test_pixel_gallery_runs_until_ctrl_c(store: Store, tmp_path: Path) -> None:
    painter = Painter(store, tmp_path)
    await painter.open_channel()
    await painter.paint("a red apple")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIXEL_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _GALLERY, "gallery", "--at", "127.0.0.1:0"),
        cwd=ROOT,
        env={**kept, "PIXEL_DATA": str(tmp_path)},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        line = (await process.stderr.readline()).decode()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert address is not None, line
        assert "a red apple" in await page(address[0])
        process.send_signal(signal.SIGINT)
        _, rest = await process.communicate()
        assert (process.returncode, rest) == (0, b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def test_pixel_gallery_says_in_one_sentence_why_it_cannot(tmp_path: Path) -> None:
    done = pixel("gallery", "--data", str(tmp_path / "nowhere"), "--at", "127.0.0.1:0")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "There is no gallery in" in done.stderr
    done = pixel("gallery", "--at", "here")
    assert done.returncode == 2
    assert "an address is host:port" in done.stderr
    done = pixel("gallery", PIXEL_GALLERY="here")
    assert done.returncode == 78
    assert "PIXEL_GALLERY cannot be “here”" in done.stderr


async def test_it_is_served_beside_the_bot_where_the_configuration_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    async def start(bot: PixelBot, token: str) -> None:
        await Painter(bot.store, tmp_path).open_channel()
        seen.extend([await page(address) for address in re.findall(r"http://\S+", caplog.text)])

    monkeypatch.setattr(PixelBot, "start", start)
    monkeypatch.setattr("bot.app.LocalEngine", lambda *_, **__: ScriptedEngine())
    caplog.set_level("INFO", "bot.gallery")
    await runner._run(Config(data=tmp_path), "token")
    assert seen == []
    await runner._run(Config(data=tmp_path, gallery=Address("127.0.0.1:0")), "token")
    assert len(seen) == 1
    assert "Nothing hangs here yet." in seen[0]


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8781", ("127.0.0.1", 8781)), ("[::1]:0", ("::1", 0)), ("a.b:80", ("a.b", 80))],
)
def test_an_address_is_a_host_and_a_port(text: str, address: tuple[str, int]) -> None:
    read = Address(text)
    assert (read, read.host, read.port) == (text, *address)


@pytest.mark.parametrize("text", ["8781", ":8781", "host", "host:", "host:x", "host:70000", "h:-1"])
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="an address is host:port"):
        Address(text)
