"""A text is read from a PNG, whoever made it, without trusting it."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from engine.errors import PictureError
from engine.png import MAX_TEXT, encode_png, read_png_text

KEY = "pixel:settings"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = (b"IEND", b"")


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(*chunks):
    return SIGNATURE + b"".join(chunk(*each) for each in (*chunks, END))


def small(texts=None):
    return encode_png(Image.new("RGB", (3, 2), "teal"), texts)


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_a_text_comes_back_as_it_was(text):
    assert read_png_text(small({KEY: text}), KEY) == text


def test_equal_pixels_and_texts_are_equal_bytes_and_pillow_reads_the_text():
    assert small({KEY: "“one”"}) == small({KEY: "“one”"})
    assert small() != small({KEY: "“one”"})
    with Image.open(io.BytesIO(small({KEY: "“one”"}))) as image:
        assert image.text[KEY] == "“one”"
        assert image.getpixel((2, 1)) == (0, 128, 128)


@pytest.mark.parametrize("how", ["tEXt", "zTXt", "iTXt", "iTXt packed"])
def test_a_text_is_found_in_whatever_kind_of_chunk_a_tool_has_put_it(how):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("other", "another text")
    if how.startswith("iTXt"):
        texts.add_itxt(KEY, "café", "fr", "réglages", zip="packed" in how)
    else:
        texts.add_text(KEY, "café", zip=how == "zTXt")
    output = io.BytesIO()
    Image.new("RGB", (2, 2)).save(output, "PNG", pnginfo=texts)
    assert read_png_text(output.getvalue(), KEY) == "café"
    assert read_png_text(output.getvalue(), "third") is None


def test_a_text_behind_the_pixels_is_found():
    assert read_png_text(png((b"IDAT", b"any"), (b"tEXt", b"a\0b")), "a") == "b"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a PNG"),
        (b"GIF89a", "not a PNG"),
        (SIGNATURE, "damaged or cut off"),
        (small({KEY: "text"})[:60], "damaged or cut off"),
        (small({KEY: "text"}).replace(b"text", b"texd"), "damaged or cut off"),
        (SIGNATURE + struct.pack(">I4s", 2**31, b"tEXt"), "damaged or cut off"),
        (png((b"iTXt", KEY.encode() + b"\0\0\0\0\0\xff\xff")), "damaged or cut off"),
        (png((b"iTXt", KEY.encode() + b"\0\7\0\0\0text")), "damaged or cut off"),
        (png((b"zTXt", KEY.encode() + b"\0\1" + zlib.compress(b"text"))), "damaged or cut off"),
        (png((b"zTXt", KEY.encode() + b"\0\0no zlib")), "damaged or cut off"),
        (png((b"zTXt", KEY.encode() + b"\0\0" + zlib.compress(b"t" * 99)[:-6])), "cut off"),
        (png((b"tEXt", KEY.encode() + b"\0" + b"x" * (MAX_TEXT + 1))), "longer than the 64 KiB"),
    ],
)
def test_what_is_damaged_or_hostile_is_one_sentence(data, sentence):
    with pytest.raises(PictureError, match=sentence):
        read_png_text(data, KEY)


def test_a_bomb_is_not_unpacked(monkeypatch):
    unpacked = []

    def watched():
        unpacker = decompressobj()

        class Watched:
            eof = False

            def decompress(self, data, limit):
                text = unpacker.decompress(data, limit)
                unpacked.append(len(text))
                return text

        return Watched()

    decompressobj = zlib.decompressobj
    monkeypatch.setattr("engine.png.zlib.decompressobj", watched)
    bomb = zlib.compress(bytes(20_000_000), 9)
    for body in (b"\0\0" + bomb, b"\0\1\0\0\0" + bomb):
        kind = b"zTXt" if body[1] == 0 else b"iTXt"
        with pytest.raises(PictureError, match="longer than the 64 KiB"):
            read_png_text(png((kind, KEY.encode() + body)), KEY)
    assert unpacked == [MAX_TEXT + 1] * 2


_chunks = st.lists(
    st.tuples(
        st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"IDAT"]),
        st.builds(
            bytes.__add__,
            st.sampled_from([b"", KEY.encode() + b"\0", KEY.encode() + b"\0\1\0\0\0"]),
            st.binary(max_size=60),
        ),
    ),
    max_size=4,
)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(SIGNATURE.__add__) | _chunks)
def test_random_bytes_and_chunks_give_a_text_or_our_own_error(data):
    try:
        text = read_png_text(data if isinstance(data, bytes) else png(*data), KEY)
    except PictureError:
        return
    assert text is None or isinstance(text, str)
