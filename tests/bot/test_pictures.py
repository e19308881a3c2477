"""The art on disk: whole files only, and pictures that fit through an upload."""

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from bot.pictures import Pictures, fit
from tests.bot.helpers import png


async def test_a_finished_picture_is_found_by_the_path_in_the_row(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    paths = await pictures.save_final(1234, b"large", b"small")
    assert paths == ("pictures/1/1234/final.png", "pictures/1/1234/native.png")
    assert [await pictures.read(path) for path in paths] == [b"large", b"small"]


async def test_the_svg_of_a_picture_lies_beside_it_where_there_is_one(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    await pictures.save_final(1, b"large", b"small")
    await pictures.save_final(2, b"large", b"small", "<svg/>")
    assert await pictures.read("pictures/0/1/final.svg") is None
    assert await pictures.read("pictures/0/2/final.svg") == b"<svg/>"


async def test_frames_lie_in_the_order_of_their_steps(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    for iteration in (100, 20, 3):
        await pictures.save_frame(7, iteration, b"frame")
    names = sorted(path.name for path in (tmp_path / "pictures/0/7/frames").iterdir())
    assert names == ["000003.png", "000020.png", "000100.png"]


async def test_a_picture_to_start_from_is_kept_once_by_its_hash(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    digest = await pictures.save_init(b"picture")
    assert digest == hashlib.sha256(b"picture").hexdigest()
    assert await pictures.save_init(b"picture") == digest
    assert await pictures.read_init(digest) == b"picture"
    assert len(list((tmp_path / "pictures/init").iterdir())) == 1


async def test_a_missing_file_is_no_error(tmp_path: Path) -> None:
    assert await Pictures(tmp_path).read("pictures/0/1/final.png") is None
    assert await Pictures(tmp_path).read_init("0" * 64) is None


async def test_only_a_hash_is_the_name_of_a_picture_to_start_from(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path)
    await pictures.save_init(b"picture")
    await pictures.save_final(5, b"somebody's", b"own")
    assert await pictures.read("pictures/init/../0/5/final.png") == b"somebody's"
    assert await pictures.read_init("../0/5/final") is None


async def test_a_picture_that_fits_is_sent_as_it_is() -> None:
    picture = png()
    assert await fit(picture, len(picture)) == picture


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
async def test_a_picture_that_is_too_large_is_made_smaller_by_a_whole_factor(mode: str) -> None:
    picture = png((256, 128), mode, noise=True)
    smaller = await fit(picture, len(picture) // 20)
    assert smaller is not None
    assert len(smaller) <= len(picture) // 20
    width, height = Image.open(io.BytesIO(smaller)).size
    assert (width, height) in {(-(-256 // factor), -(-128 // factor)) for factor in range(2, 17)}


async def test_a_palette_is_tried_before_the_picture_is_made_smaller() -> None:
    picture = png((256, 128), noise=True)
    smaller = await fit(picture, len(picture) // 2)
    assert smaller is not None
    assert Image.open(io.BytesIO(smaller)).size == (256, 128)


async def test_what_cannot_be_made_small_enough_is_none() -> None:
    assert await fit(png((256, 128), noise=True), 50) is None
