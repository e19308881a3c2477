"""Whatever people send is answered by a sentence or by a picture, never by a traceback."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import SharedEngine
from tests.simulated import simulated

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHORT = {"quality": "draft", "iterations": 2}


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    output = io.BytesIO()
    image.save(output, form, **options)
    return output.getvalue()


def huge_png() -> bytes:
    """The head of a picture of 20,000 × 20,000 pixels, in a few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000))
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return head + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


RED = Image.new("RGB", (64, 48), "red")
NOISE = Image.effect_noise((64, 48), 99)


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        (" ", "The prompt is missing"),
        ("x" * 6000, "6000 characters"),
        ("| |", "holds only"),
        ("a castle:2x", "is not a number"),
        ("a castle:1e400", "is not a number"),
        ("a castle:11", "out of range"),
        (":2", "no text before it"),
        ("|".join("abcdefghi"), "9 parts"),
    ],
)
async def test_a_prompt_that_cannot_be_drawn_is_refused_with_a_sentence(
    tmp_path: Path, engine: SharedEngine, prompt: str, sentence: str
) -> None:
    async with simulated(tmp_path, engine) as server:
        result = await server.alice.slash(server.channel, "pixel", prompt=prompt)
        assert result.response is not None
        assert result.response.ephemeral
        assert sentence in result.response.content
        assert "Traceback" not in result.response.content
        assert not server.channel.history()


@pytest.mark.parametrize(
    "prompt",
    ["🦊", "@everyone @here <@1> <@&2>", "**bold** `code` ||spoiler||", "Wars: a hope", "山 | ä:2"],
)
async def test_a_strange_prompt_is_drawn_and_pings_nobody(
    tmp_path: Path, engine: SharedEngine, prompt: str
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask(prompt, **SHORT)
        message = await server.finished(job_id)
        assert not message.mention_everyone
        assert not message.mentions
        assert not message.role_mentions
        assert "@everyone" not in server.text(job_id)
        for request in server.requests("POST"):
            assert request.json["allowed_mentions"] == {"parse": []}


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("text.png", b"I am a text file, and no picture.", "not a picture that can be read"),
        ("empty.png", b"", "empty"),
        ("huge.png", huge_png(), "20000 × 20000"),
        ("cut.jpg", encoded(NOISE, "JPEG")[:2000], "damaged or cut off"),
    ],
)
async def test_a_file_that_is_no_picture_is_refused_with_a_sentence(
    tmp_path: Path, engine: SharedEngine, name: str, data: bytes, sentence: str
) -> None:
    async with simulated(tmp_path, engine) as server:
        result = await server.alice.slash(
            server.channel, "pixel", prompt="a red apple", image=(name, data)
        )
        assert result.response is not None
        assert sentence in result.response.content
        assert await server.bot.store.get(1) is None


async def test_with_a_mask_that_is_no_picture_nothing_is_queued_or_kept(
    tmp_path: Path, engine: SharedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        result = await server.alice.slash(
            server.channel,
            "pixel",
            prompt="a red apple",
            image=("red.png", encoded(RED)),
            mask=("mask.png", b"I am a text file, and no picture."),
            spot_prompts="a fox",
        )
        assert result.response is not None
        assert "not a picture that can be read" in result.response.content
        assert await server.bot.store.get(1) is None
        assert not (tmp_path / "pictures").exists()


async def test_a_file_that_is_too_large_is_not_even_fetched(
    tmp_path: Path, engine: SharedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        result = await server.alice.slash(
            server.channel, "pixel", prompt="a red apple", image=("a.png", bytes(11 * 2**20))
        )
        assert result.response is not None
        assert "11.0 MiB; allowed are 10 MiB" in result.response.content


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("animated.gif", encoded(RED, "GIF", save_all=True, append_images=[RED.rotate(90)])),
        ("cmyk.jpg", encoded(RED.convert("CMYK"), "JPEG")),
        ("16-bit.png", encoded(Image.new("I;16", (64, 48), 30_000))),
        ("alpha.png", encoded(RED.convert("RGBA"))),
        ("palette.png", encoded(RED.convert("P"))),
        ("tiny.png", encoded(Image.new("RGB", (1, 1)))),
    ],
)
async def test_any_real_picture_can_be_started_from(
    tmp_path: Path, engine: SharedEngine, name: str, data: bytes
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask(image=(name, data), aspect="retain", **SHORT)
        await server.finished(job_id)
        job = await server.job(job_id)
        assert job.init_image is not None
        assert await server.bot.pictures.read_init(job.init_image)


async def test_a_reroll_starts_from_the_same_picture(tmp_path: Path, engine: SharedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask(image=("red.png", encoded(RED)), aspect="retain", **SHORT)
        await server.alice.click(await server.finished(job_id), label="Reroll")
        await server.finished(job_id + 1)
        first, second = await server.job(job_id), await server.job(job_id + 1)
        assert second.init_image == first.init_image


async def test_the_shape_of_a_picture_that_is_not_there_cannot_be_retained(
    tmp_path: Path, engine: SharedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        result = await server.alice.slash(
            server.channel, "pixel", prompt="a red apple", aspect="retain"
        )
        assert result.response is not None
        assert "there is none" in result.response.content
