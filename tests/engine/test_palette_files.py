"""The colours of a picture, as drawing programs read them."""

import io

import pytest
from PIL import Image
from PIL.GimpPaletteFile import GimpPaletteFile

from engine.errors import OutputError
from engine.palette_files import palette_file, used_colours
from engine.palettes import parse_palette
from engine.png import encode_png

COLOURS = ((255, 0, 77), (0, 0, 0), (41, 173, 255))


def picture(mode="RGB", clear=None):
    """A 4 × 3 picture: six pixels of the first colour, four of the second, two of the third."""
    image = Image.new(mode, (4, 3))
    pixels = [*[COLOURS[0]] * 6, *[COLOURS[1]] * 4, *[COLOURS[2]] * 2]
    if mode == "RGBA":
        pixels = [(*colour, 0 if colour == clear else 255) for colour in pixels]
    image.putdata(pixels)
    return encode_png(image)


def test_the_most_used_colour_comes_first():
    assert used_colours(picture()) == COLOURS


def test_what_is_clear_has_no_colour():
    assert used_colours(picture("RGBA", clear=COLOURS[0])) == COLOURS[1:]


def test_a_gimp_palette_is_read_by_a_reader_of_gimp_palettes():
    data = palette_file(COLOURS, ".gpl", "a\nred apple")
    assert data.startswith(b"GIMP Palette\nName: a red apple\nColumns: 8\n255   0  77\tff004d\n")
    read, mode = GimpPaletteFile(io.BytesIO(data)).getpalette()
    assert mode == "RGB"
    assert read[:9] == bytes(sum(COLOURS, ()))


def test_a_hex_list_is_a_palette_of_this_project_too():
    data = palette_file(COLOURS, ".hex", "any")
    assert data == b"ff004d\n000000\n29adff\n"
    assert parse_palette(data.decode()) == COLOURS


def test_more_than_a_palette_holds_is_one_sentence():
    many = Image.new("RGB", (257, 1))
    many.putdata([(value % 256, value // 256, 0) for value in range(257)])
    with pytest.raises(OutputError, match=r"257 colours.*--colors 32"):
        used_colours(encode_png(many))
    assert len(used_colours(encode_png(many.crop((0, 0, 256, 1))))) == 256
