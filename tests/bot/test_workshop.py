"""The workshop: what its processes make, and what becomes of orders that cannot be filled."""

import io
import itertools
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from bot.workshop.client import Workshop
from bot.workshop.orders import Colours, Palette, Sheet, Tile
from tests.bot.helpers import png


def picture(path: Path, size: tuple[int, int], colour: str, mode: str = "RGB") -> Tile:
    Image.new(mode, size, colour).save(path)
    return Tile(str(path), f"#{path.stem}")


async def sheet(*tiles: Tile) -> Image.Image:
    made = await Workshop().make(Sheet(tiles), "a test")
    assert made is not None
    with Image.open(io.BytesIO(made)) as image:
        return image.convert("RGB")


def widths(image: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int]:
    """How wide and how high the area of a colour is."""
    mask = Image.new("1", image.size)
    pixels, marks = image.load(), mask.load()
    for y in range(image.height):
        for x in range(image.width):
            marks[x, y] = pixels[x, y] == colour
    box = mask.getbbox()
    assert box is not None
    return box[2] - box[0], box[3] - box[1]


async def test_small_pictures_grow_by_whole_factors_and_large_ones_shrink(tmp_path: Path) -> None:
    image = await sheet(
        picture(tmp_path / "1.png", (80, 45), "red"),
        picture(tmp_path / "2.png", (40, 50), "blue"),
        picture(tmp_path / "3.png", (900, 450), "lime"),
    )
    assert widths(image, (255, 0, 0)) == (320, 180)
    assert widths(image, (0, 0, 255)) == (160, 200)
    assert widths(image, (0, 255, 0)) == (320, 160)


async def test_a_clear_picture_lies_on_its_card(tmp_path: Path) -> None:
    image = await sheet(picture(tmp_path / "1.png", (40, 40), "#00000000", "RGBA"))
    hidden = await sheet(Tile(None, "#1", instead="spoiler"))
    assert image.size == hidden.size
    middle = (image.width // 2, image.height // 3)
    assert image.getpixel(middle) != (0, 0, 0)
    assert image.getpixel(middle) != hidden.getpixel((middle[0], 40))


async def test_a_sheet_is_as_wide_as_it_must_be(tmp_path: Path) -> None:
    tiles = [picture(tmp_path / f"{number}.png", (8, 8), "red") for number in range(4)]
    one, two, three, four = [await sheet(*tiles[: number + 1]) for number in range(4)]
    assert one.width < two.width < three.width == four.width
    assert one.height == two.height == three.height < four.height


async def test_an_order_that_cannot_be_filled_is_none_and_the_log_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG nonsense")
    assert await Workshop().make(Sheet((Tile(str(broken), "#1"),)), "job 7") is None
    assert "job 7: no sheet was made" in caplog.text
    assert "cannot identify image file" in caplog.text


async def palette(png: bytes, most: int) -> Colours:
    made = await Workshop().make(Palette(png, most, "a test"), "a test")
    assert made is not None
    return msgspec.msgpack.decode(made, type=Colours)


async def test_colours_are_taken_as_they_are_or_reduced() -> None:
    image = Image.linear_gradient("L").convert("RGB")
    output = io.BytesIO()
    image.save(output, "PNG")
    exact = await palette(output.getvalue(), 256)
    assert sorted(exact.colours) == [f"{grey:02x}" * 3 for grey in range(256)]
    few = await palette(output.getvalue(), 16)
    assert len(few.colours) == 16
    greys = sorted(int(colour[:2], 16) for colour in few.colours)
    # Spread over the whole range.
    assert greys[0] < 20
    assert greys[-1] > 235
    assert max(b - a for a, b in itertools.pairwise(greys)) < 32


async def test_clear_pixels_have_no_colour() -> None:
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 8, 8))
    output = io.BytesIO()
    image.save(output, "PNG")
    assert (await palette(output.getvalue(), 16)).colours == ("0000ff",)


async def test_many_swatches_are_smaller_than_few() -> None:
    async def size(count: int) -> tuple[int, int]:
        image = Image.new("RGB", (count, 1))
        for number in range(count):
            image.putpixel((number, 0), (number, 255 - number, 99))
        output = io.BytesIO()
        image.save(output, "PNG")
        found = await palette(output.getvalue(), 256)
        with Image.open(io.BytesIO(found.swatches)) as swatches:
            return swatches.size

    one, sixteen, all_of_them = await size(1), await size(16), await size(256)
    assert one < sixteen
    assert all_of_them[0] < 1000
    assert all_of_them[1] < 1000


async def test_the_palette_files_name_the_picture() -> None:
    found = await palette(png(), 16)
    assert found.hex == b"ff0000\n"
    assert b"Name: a test\n" in found.gpl
