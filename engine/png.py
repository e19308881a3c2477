"""PNG files: written without anything but pixels and asked-for texts, and read for a text alone."""

import io
import struct
import zlib
from collections.abc import Iterator, Mapping

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.errors import PictureError

# Room for every setting at its longest, many times over.
MAX_TEXT = 64 * 1024

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s")
_CHECKSUM = struct.Struct(">I")


def encode_png(image: Image.Image, texts: Mapping[str, str] | None = None) -> bytes:
    """A picture as PNG with nothing besides, so that equal pixels and texts are equal bytes.

    Args:
        image: 8-bit RGB or RGBA.
        texts: international texts (``iTXt``) by keyword, of 1–79 Latin-1 characters.

    """
    chunks = PngInfo()
    for keyword, text in (texts or {}).items():
        chunks.add_itxt(keyword, text)
    output = io.BytesIO()
    image.save(output, "PNG", compress_level=6, pnginfo=chunks)
    return output.getvalue()


def read_png_text(data: bytes, keyword: str) -> str | None:
    """The first text of this keyword, or None if there is none.

    Only the frames of the chunks are walked (PNG specification, 3rd edition, sections 5.3 and
    11.3.3): no pixel is decoded, and at most `MAX_TEXT` bytes are unpacked. Texts may be of any
    kind, since optimisers rewrite one as another.

    Raises:
        PictureError: when it is no PNG, is damaged or cut off, or when the text is too long.

    """
    for kind, body in _chunks(data):
        if kind not in _TEXTS:
            continue
        found, _, rest = body.partition(b"\0")
        if found != keyword.encode("latin-1"):
            continue
        try:
            return _TEXTS[kind](rest)
        except (UnicodeDecodeError, zlib.error):
            raise _damaged() from None
    return None


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not data.startswith(_SIGNATURE):
        raise PictureError("The file is not a PNG.")
    position = len(_SIGNATURE)
    while position < len(data):
        if position + _CHUNK.size > len(data):
            raise _damaged()
        length, kind = _CHUNK.unpack_from(data, position)
        start = position + _CHUNK.size
        position = start + length + _CHECKSUM.size
        if position > len(data):
            raise _damaged()
        body = data[start : start + length]
        if zlib.crc32(body, zlib.crc32(kind)) != _CHECKSUM.unpack_from(data, start + length)[0]:
            raise _damaged()
        if kind == b"IEND":
            return
        yield kind, body
    raise _damaged()


def _plain(body: bytes) -> str:
    return _bounded(body).decode("latin-1")


def _packed(body: bytes) -> str:
    if not body.startswith(b"\0"):
        raise _damaged()
    return _unpacked(body[1:]).decode("latin-1")


def _international(body: bytes) -> str:
    packed, method, rest = body[:1], body[1:2], body[2:]
    _language, _, rest = rest.partition(b"\0")
    _translated_keyword, _, text = rest.partition(b"\0")
    if packed == b"\1" and method == b"\0":
        return _unpacked(text).decode()
    if packed != b"\0":
        raise _damaged()
    return _bounded(text).decode()


_TEXTS = {b"tEXt": _plain, b"zTXt": _packed, b"iTXt": _international}


def _unpacked(packed: bytes) -> bytes:
    # One byte more than is allowed tells that it is too long.
    unpacker = zlib.decompressobj()
    text = _bounded(unpacker.decompress(packed, MAX_TEXT + 1))
    if not unpacker.eof:
        raise _damaged()
    return text


def _bounded(text: bytes) -> bytes:
    if len(text) > MAX_TEXT:
        raise PictureError(
            f"The text in the picture is longer than the {MAX_TEXT // 1024} KiB that are allowed."
        )
    return text


def _damaged() -> PictureError:
    return PictureError("The picture is damaged or cut off; take the whole file.")
