"""Pictures of strangers come as attachments, and are decoded in another process.

Nothing that somebody writes opens a file or a connection.
"""

import asyncio
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from weakref import WeakValueDictionary

import discord
import pytest
import simcord
from PIL import Image

from bot.commands.pixel import pixel
from bot.commands.settings import settings
from bot.intake import fetch_picture
from bot.prompt_options import LISTED
from engine.images import Picture, read_picture
from engine.settings import OPTION, picture_names
from tests.bot.helpers import ALICE, BOB, png, until
from tests.bot.places import answer
from tests.bot.scripted import ScriptedEngine
from tests.engine.malformed import encoded, png_of, zeros
from tests.simulated import Server, simulated

MARK = "marked-4711"
REFUSED = "not a picture that can be read"

BAD = {
    "text.png": (b"I am a text.", REFUSED),
    "bomb.png": (png_of(20_000, 20_000, zeros(100)), "20000 × 20000"),
    "cut.jpg": (encoded(Image.effect_noise((64, 48), 99), "JPEG")[:2000], "damaged or cut off"),
}

_heard: list[str] | None = None


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _heard is not None and event.startswith(("open", "socket.", "os.", "subprocess.", "urllib")):
        _heard.append(f"{event} {arguments}")


# A hook stays for as long as the process does.
sys.addaudithook(_hear)


@pytest.fixture
def names(tmp_path: Path) -> list[str]:
    """How somebody might name a file that lies here, or somewhere else."""
    file = tmp_path / f"{MARK}.png"
    file.write_bytes(png())
    return [
        str(file),
        f"file://{file}",
        f"../../..{file}",
        f"{MARK}.png",
        f"picture:{file}",
        f"http://{MARK}.invalid/a.png",
        f"https://127.0.0.1:1/{MARK}.png",
        f"~/{MARK}.png",
        f"\\\\{MARK}\\share\\a.png",
        f"@{file}",
        f"{MARK}\0.png",
    ]


@pytest.fixture
def heard(names: list[str]) -> Iterator[list[str]]:
    """Every file that is opened and every connection that is made, as Python itself sees them."""
    global _heard
    _heard = []
    yield _heard
    _heard = None


class DecodingEngine(ScriptedEngine):
    """Draws nothing, and decodes as the real one does."""

    async def read_picture(self, data: bytes) -> Picture:
        return await asyncio.to_thread(read_picture, data)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What this process itself has Pillow read."""
    read: list[bytes] = []
    start = Image.open

    def recorded(file: Any, *arguments: Any, **options: Any) -> Image.Image:
        read.append(file.getvalue() if isinstance(file, io.BytesIO) else Path(file).read_bytes())
        return start(file, *arguments, **options)

    monkeypatch.setattr(Image, "open", recorded)
    return read


def texts(command: discord.app_commands.Command[Any, ..., Any]) -> list[str]:
    """The options of a command in which anything can be written."""
    return [
        option.name
        for option in command.parameters
        if option.type is discord.AppCommandOptionType.string and not option.choices
    ]


def completed(command: discord.app_commands.Command[Any, ..., Any]) -> list[str]:
    """The options of a command for which something is offered while they are written."""
    return [option.name for option in command.parameters if option.autocomplete]


def said(result: simcord.InteractionResult) -> str:
    assert result.response is not None
    assert result.response.ephemeral
    # Without what keeps names such as vqgan_model from becoming italic.
    return result.response.content.replace("\\", "")


async def check_nothing_named(server: Server, heard: list[str]) -> None:
    """No file and no connection, and no job that has a picture."""
    assert not [event for event in heard if MARK in event]
    for number in range(1, await count(server) + 1):
        job = await server.job(number)
        assert not picture_names(job.asked)
        assert job.init_image is None
    assert not (await server.bot.pictures.find("pictures/init"))


async def count(server: Server) -> int:
    row = await server.bot.store._read("SELECT count(*) AS jobs FROM jobs")
    assert row is not None
    return int(row["jobs"])


async def test_no_option_of_a_command_opens_what_it_names(
    tmp_path: Path, names: list[str], heard: list[str]
) -> None:
    assert {"prompt", "palette", "seed", "spot_prompts", *LISTED} <= set(texts(pixel))
    async with simulated(tmp_path / "data", ScriptedEngine(), waiting_per_user=10_000) as server:
        for name in names:
            for option in texts(pixel):
                given = {"prompt": "a red apple", option: name}
                text = said(await server.alice.slash(server.channel, "pixel", **given))
                if option in LISTED:
                    assert f"{option} cannot be" in text
            for option in completed(pixel):
                await server.alice.autocomplete(server.channel, "pixel", option, name)
            for option in texts(settings):
                await server.alice.slash(server.channel, "settings", **{option: name})
            await server.alice.slash(server.channel, "history", search=name)
        await check_nothing_named(server, heard)


async def test_no_setting_in_a_prompt_or_a_form_opens_what_it_names(
    tmp_path: Path, names: list[str], heard: list[str]
) -> None:
    pictures = [name for name, option in OPTION.items() if option.kind in {"picture", "pictures"}]
    assert {"init_image", "target_image", "mask", "image_prompts"} <= set(pictures)
    async with simulated(tmp_path / "data", ScriptedEngine(), waiting_per_user=10_000) as server:
        for name in names[:6]:
            for option in OPTION:
                written = f'a fox --{option} "{name}"'
                text = said(await server.alice.slash(server.channel, "pixel", prompt=written))
                if option in pictures:
                    assert "attach it to the command instead" in text
                elif option in LISTED:
                    assert f"{option} cannot be" in text
        for name in names:
            lines = "\n".join(f"{option} {name}" for option in ("blend_with", "seed"))
            for values in (
                {"prompt": name, "settings": ""},
                {"prompt": "a fox", "settings": lines},
                {"prompt": "a fox", "settings": f"init_image {name}"},
                {"prompt": "a fox", "settings": f"palette {name}"},
                {"prompt": "a fox", "settings": f"vqgan_model {name}\ndrawer vqgan"},
            ):
                form = await server.alice.slash(server.channel, "pixel-more")
                said(await server.alice.submit_modal(form, values))
        await check_nothing_named(server, heard)


async def test_a_form_for_colours_opens_nothing(
    tmp_path: Path, names: list[str], heard: list[str]
) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path / "data", engine) as server:
        job = await server.ask()
        engine.finish(job, png((32, 32)))
        offer = await server.alice.click(await server.finished(job), label="Palette")
        assert offer.response is not None
        for name in names:
            form = await server.alice.select(offer.response.message, ["own colours"])
            result = await server.alice.submit_modal(form, {"palette": name})
            assert (
                "The palette" in result.followups[-1].content if result.followups else said(result)
            )
        assert not [event for event in heard if MARK in event]


async def test_the_name_of_an_attachment_is_no_path(tmp_path: Path, heard: list[str]) -> None:
    async with simulated(tmp_path / "data", DecodingEngine()) as server:
        for name in (f"../../{MARK}.png", f"/etc/{MARK}", f"{MARK}\0.png", f"CON.{MARK}"):
            await server.ask(image=(name, png()))
        message = await server.bob.send(
            server.channel, attachments=[(f"../../{MARK}/a.png", png())]
        )
        page = await answer(
            await server.alice.context_menu(server.channel, "Take its palette", message)
        )
        assert [file.filename for file in page.attachments] == [
            *("palette.png", "palette.gpl", "palette.hex")
        ]
        assert not [event for event in heard if MARK in event]
        kept = [path.name for path in (tmp_path / "data" / "pictures" / "init").iterdir()]
        assert len(kept) == 1, "named by what is in it"


async def routes(server: Server, name: str, data: bytes) -> list[str]:
    """What is answered when a picture is given in each way that there is."""
    file, alice, channel = (name, data), server.alice, server.channel
    answers = [
        said(await alice.slash(channel, "pixel", prompt="a fox", **options))
        for options in (
            {"image": file},
            {"outline": file},
            {"target": file},
            {"mask": file, "spot_prompts": "a fox"},
        )
    ]
    form = await alice.slash(channel, "pixel-more")
    answers.append(said(await alice.submit_modal(form, {"prompt": "a fox", "image": [file]})))
    message = await server.bob.send(channel, attachments=[file])
    form = await alice.context_menu(channel, "Start from this picture", message)
    if form.modal is not None:
        answers.append(said(await alice.submit_modal(form, {"prompt": "a fox"})))
    answers.append(said(await alice.context_menu(channel, "Take its palette", message)))
    return answers


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_picture_is_one_sentence_in_every_way_that_it_comes(
    tmp_path: Path, name: str, opened: list[bytes]
) -> None:
    data, sentence = BAD[name]
    async with simulated(tmp_path, DecodingEngine()) as server:
        for text in await routes(server, name, data):
            # A form gives back what was written in it.
            refusal, _, rest = text.partition("\n")
            assert sentence in refusal
            assert "a fox" in rest or not rest
        assert await count(server) == 0
        assert not (tmp_path / "pictures").exists()
    assert data not in opened


async def test_a_stranger_s_picture_is_decoded_in_another_process(
    tmp_path: Path, opened: list[bytes]
) -> None:
    data = encoded(Image.new("RGB", (9, 7), "red"), "WEBP", lossless=True)
    async with simulated(tmp_path, DecodingEngine()) as server:
        answers = await routes(server, "a.webp", data)
        assert len(answers) == 7
        assert sum(text.startswith("Your picture is #") for text in answers) == 6
    assert data not in opened


async def test_one_person_s_slow_pictures_do_not_keep_others_waiting() -> None:
    let_go, begun = asyncio.Event(), []

    class SlowEngine(ScriptedEngine):
        async def read_picture(self, data: bytes) -> Picture:
            begun.append(data)
            await let_go.wait()
            return Picture(data, (8, 8))

    bot = SimpleNamespace(
        engine=SlowEngine(), answering=WeakValueDictionary(), decoding=asyncio.Semaphore(2)
    )

    async def fetch(user: int, data: bytes) -> bytes:
        async def read() -> bytes:
            return data

        interaction: Any = SimpleNamespace(client=bot, user=SimpleNamespace(id=user))
        attachment: Any = SimpleNamespace(size=len(data), read=read)
        return await fetch_picture(interaction, attachment)

    slow = [asyncio.create_task(fetch(ALICE, b"slow")) for _ in range(4)]
    quick = asyncio.create_task(fetch(BOB, b"quick"))
    await until(lambda: len(begun) == 2)
    assert set(begun) == {b"slow", b"quick"}
    let_go.set()
    assert await asyncio.gather(*slow, quick) == [b"slow"] * 4 + [b"quick"]
