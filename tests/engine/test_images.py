"""Strangers' pictures, decoded by the real worker process."""

import io
import struct
import zlib

import pytest
from PIL import Image

from engine import images
from engine.errors import PictureError
from engine.images import NORMAL_SIDE, read_picture


def encoded(image, kind="PNG", **options):
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


def opened(data):
    return Image.open(io.BytesIO(read_picture(data).png))


def huge_png(width, height):
    """A PNG whose header claims a size that its data does not have."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))


RED = Image.new("RGB", (40, 30), "red")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_each_format_is_read(kind):
    picture = opened(encoded(RED, kind))
    assert picture.size == (40, 30)
    red, green, blue = picture.convert("RGB").getpixel((20, 15))
    assert red > 240
    assert max(green, blue) < 20


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_each_mode_becomes_eight_bit_rgb_or_rgba(mode):
    picture = opened(encoded(Image.new(mode, (8, 8))))
    assert picture.mode == ("RGBA" if mode in {"LA", "RGBA"} else "RGB")


def test_cmyk_becomes_rgb():
    assert opened(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG")).mode == "RGB"


def test_sixteen_bit_grey_is_scaled_not_clipped():
    grey = opened(encoded(Image.new("I;16", (8, 8), 0x8000))).getpixel((4, 4))
    assert all(abs(value - 128) <= 1 for value in grey)


def test_of_an_animation_the_first_frame_is_taken():
    data = encoded(RED, "GIF", save_all=True, append_images=[Image.new("RGB", (40, 30), "blue")])
    assert opened(data).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_a_photo_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read_picture(encoded(RED, "JPEG", exif=exif))
    assert picture.size == (30, 40)


def test_a_large_picture_is_made_smaller_and_its_shape_is_kept():
    picture = read_picture(encoded(Image.new("RGB", (3000, 1500), "red")))
    assert picture.size == (3000, 1500)
    assert Image.open(io.BytesIO(picture.png)).size == (NORMAL_SIDE, NORMAL_SIDE // 2)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"just text", "not a picture"),
        (b"\x89PNG\r\n\x1a\n", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (encoded(Image.new("RGB", (300, 300), "red"), "JPEG")[:800], "damaged or cut off"),
        (encoded(Image.radial_gradient("L"), "PNG")[:900], "damaged or cut off"),
        (huge_png(20_000, 20_000), "20000 × 20000"),
        (huge_png(100_000, 1), "at most 8192 a side"),
        (huge_png(8000, 8000), "40 million"),
        (huge_png(500, 500), "damaged or cut off"),
        (b"\0" * (images.MAX_BYTES + 1), "10 MiB"),
    ],
)
def test_what_cannot_be_read_is_refused_with_one_sentence(data, sentence):
    with pytest.raises(PictureError) as refusal:
        read_picture(data)
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_decoder_that_hangs_is_killed(monkeypatch):
    monkeypatch.setattr(images, "_WALL_SECONDS", 0.001)
    with pytest.raises(PictureError, match="too long"):
        read_picture(encoded(RED))


def test_a_decoder_that_dies_is_a_refusal(monkeypatch):
    monkeypatch.setattr(images.sys, "executable", "/bin/false")
    with pytest.raises(PictureError, match="could not be decoded"):
        read_picture(encoded(RED))
