"""Pictures as nobody should send them: mutants of good ones, bombs, and shapes that trap decoders.

All of it is made from a seed, so that what was found once is found again.
"""

import io
import random
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, ImageDraw

_EXTREMES = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x01", b"\x80\0\0\0")
_PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def encoded(image, kind="PNG", **options):
    output = io.BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


def good_pictures() -> dict[str, bytes]:
    """Small pictures of every format and of their odder kinds, by what they are."""
    image = Image.new("RGB", (31, 23), "red")
    ImageDraw.Draw(image).ellipse((3, 3, 27, 19), fill=(20, 200, 90), outline="black")
    clear = image.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(image.size))
    listed = image.quantize(7)
    frames = [image.rotate(angle) for angle in (0, 30, 60)]
    moving = {"save_all": True, "append_images": frames[1:], "duration": 50}
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a photo"
    return {
        "RGB.png": encoded(image),
        "RGBA.png": encoded(clear),
        "LA.png": encoded(clear.convert("LA")),
        "P.png": encoded(listed, transparency=1),
        "1.png": encoded(image.convert("1")),
        "16-bit.png": encoded(Image.new("I;16", (31, 23), 40_000)),
        "exif.png": encoded(image, exif=exif),
        "moving.png": encoded(frames[0], **moving),
        "RGB.jpg": encoded(image, "JPEG"),
        "L.jpg": encoded(image.convert("L"), "JPEG"),
        "CMYK.jpg": encoded(image.convert("CMYK"), "JPEG"),
        "progressive.jpg": encoded(image, "JPEG", progressive=True, exif=exif),
        "P.gif": encoded(listed, "GIF"),
        "interlaced.gif": encoded(listed, "GIF", interlace=1, transparency=0),
        "moving.gif": encoded(frames[0], "GIF", **moving),
        "lossy.webp": encoded(image, "WEBP"),
        "lossless.webp": encoded(clear, "WEBP", lossless=True),
        "moving.webp": encoded(frames[0], "WEBP", **moving),
        "RGB.bmp": encoded(image, "BMP"),
        "P.bmp": encoded(listed, "BMP"),
        "1.bmp": encoded(image.convert("1"), "BMP"),
        "RGBA.bmp": encoded(clear, "BMP"),
        "raw.tif": encoded(image, "TIFF"),
        "lzw.tif": encoded(clear, "TIFF", compression="tiff_lzw"),
        "deflate.tif": encoded(listed, "TIFF", compression="tiff_adobe_deflate"),
        "jpeg.tif": encoded(image, "TIFF", compression="jpeg"),
        "group4.tif": encoded(image.convert("1"), "TIFF", compression="group4"),
        "float.tif": encoded(Image.new("F", (31, 23), 0.5), "TIFF"),
        "CMYK.tif": encoded(image.convert("CMYK"), "TIFF"),
        "pages.tif": encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:]),
    }


def mutants(seed: int, each: int) -> Iterator[tuple[str, bytes]]:
    """So many mutants of each good picture, by a name that says how they were made."""
    good = good_pictures()
    for name, data in good.items():
        for number in range(each):
            rng = random.Random(f"{seed} {name} {number}")
            how = rng.choice(_WAYS)
            mutant = how(rng, data)
            if name.endswith(".png") and rng.random() < 0.7:
                mutant = with_checksums(mutant)
            yield f"{name} {how.__name__} {number}", mutant


def flipped(rng: random.Random, data: bytes) -> bytes:
    """With one to eight bits turned around."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def replaced(rng: random.Random, data: bytes) -> bytes:
    """With a few bytes at random."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def with_extremes(rng: random.Random, data: bytes) -> bytes:
    """With the largest, the least and the most negative number where another one was."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 2)):
        # Most of what says how much there is stands near the beginning.
        at = rng.randrange(min(len(data), rng.choice([64, 200, len(data)])) - 4)
        value = rng.choice(_EXTREMES)
        changed[at : at + 4] = value if rng.random() < 0.5 else value[::-1]
    return bytes(changed)


def cut(rng: random.Random, data: bytes) -> bytes:
    """Ended early."""
    return data[: rng.randrange(1, len(data))]


def without_a_part(rng: random.Random, data: bytes) -> bytes:
    """Without something in its middle."""
    at = rng.randrange(len(data))
    return data[:at] + data[at + rng.randint(1, 40) :]


def with_a_part_twice(rng: random.Random, data: bytes) -> bytes:
    """With something in it once more, somewhere."""
    start, at = rng.randrange(len(data)), rng.randrange(len(data))
    part = data[start : start + rng.randint(1, 200)]
    return data[:at] + part * rng.choice([1, 1, 50]) + data[at:]


def spliced(rng: random.Random, data: bytes) -> bytes:
    """Its beginning, with the end of another picture."""
    other = rng.choice(list(good_pictures().values()))
    return data[: rng.randrange(4, len(data))] + other[rng.randrange(len(other)) :]


def followed_by_noise(rng: random.Random, data: bytes) -> bytes:
    """Its head, and then anything."""
    return data[: rng.randint(4, min(60, len(data)))] + rng.randbytes(rng.randint(1, 3000))


_WAYS = (
    *(flipped, replaced, with_extremes, cut),
    *(without_a_part, with_a_part_twice, spliced, followed_by_noise),
)


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_checksums(data: bytes) -> bytes:
    """A damaged PNG whose checksums are right, so that its decoder reads on."""
    whole, at = data[:8], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if len(body) < length:
            break
        whole += png_chunk(kind, body)
        at += 12 + length
    return whole + data[at:]


def png_of(width: int, height: int, pixels: bytes, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG with any header, and any pixels (packed already) behind it."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    return _PNG_HEAD + chunks


def zeros(mebibytes: int) -> bytes:
    """So many MiB of nothing, in a thousandth of that."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = struct.pack(">I", ((mebibytes * 2**20) % 65521 << 16) + 1)
    return b"\x78\xda" + block * mebibytes + packer.flush() + checksum


def traps() -> dict[str, bytes]:
    """What takes much memory or time to decode, or is no picture of its name, by what it is."""
    many_frames = [
        Image.new("RGB", (8, 8), (number % 251, number // 251, 0)) for number in range(3000)
    ]
    tiny, loop = (encoded(Image.new("RGB", (8, 8)), kind) for kind in ("PNG", "TIFF"))
    return {
        "a bomb of 20,000 × 20,000": png_of(20_000, 20_000, zeros(1144)),
        "a bomb that says that it is small": png_of(100, 100, zeros(1024)),
        "a bomb of 8192 × 4882 in 16 bits": png_of(8192, 4882, zeros(305), 16, 6),
        "1 × 100,000": encoded(Image.new("RGB", (1, 100_000))),
        "100,000 × 1": encoded(Image.new("RGB", (100_000, 1))),
        "1 × 8192": encoded(Image.new("RGB", (1, 8192), "red")),
        "8192 × 1": encoded(Image.new("RGB", (8192, 1), "red")),
        "0 × 0": png_of(0, 0, zeros(0)),
        "2³¹ × 2³¹": png_of(2**31 - 1, 2**31 - 1, zeros(1)),
        "text that unpacks to 200 MiB": _with_chunk(
            tiny, png_chunk(b"zTXt", b"Comment\0\0" + zeros(200))
        ),
        "a profile that unpacks to 200 MiB": _with_chunk(
            tiny, png_chunk(b"iCCP", b"icc\0\0" + zeros(200))
        ),
        "a hundred thousand chunks": _PNG_HEAD
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
        + png_chunk(b"tEXt", b"a\0b") * 100_000,
        "a GIF of 3000 frames": encoded(
            many_frames[0], "GIF", save_all=True, append_images=many_frames[1:]
        ),
        "an animated PNG of 3000 frames": encoded(
            many_frames[0], "PNG", save_all=True, append_images=many_frames[1:]
        ),
        "a WebP of 1000 frames": encoded(
            many_frames[0],
            "WEBP",
            save_all=True,
            append_images=many_frames[1:1000],
            method=0,
        ),
        "a GIF whose frame is larger than itself": _gif(1, 1, 60_000, 60_000),
        "a GIF of 65,535 × 65,535": _gif(65_535, 65_535, 1, 1),
        "a WebP that says 16,384 × 16,384": _webp(16_384, 16_384),
        "a BMP that says 2³¹ rows": _bmp(1, 2**31 - 1),
        "a BMP with rows from below": _bmp(8000, -5000),
        "a JPEG of 65,500 × 65,500": _jpeg(65_500, 65_500),
        "a TIFF whose pages go in a ring": loop[:-4] + loop[4:8],
        "a TIFF of 2³² bytes a strip": _tiff(8000, 5000, 2**32 - 1),
        "an SVG": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
        "a text that is called a picture": b"I am a text.",
        "a program": b"\x7fELF" + bytes(500),
        "a PDF": b"%PDF-1.4\n1 0 obj\n<</Type /Catalog>>\nendobj\n",
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "an icon": encoded(Image.new("RGBA", (16, 16)), "ICO"),
        "a JPEG 2000": encoded(Image.new("RGB", (16, 16)), "JPEG2000"),
    }


def oddities() -> dict[str, bytes]:
    """Pictures as they should be, however rare; all of them are read."""
    listed = Image.new("P", (8, 8))
    listed.putpalette([255, 0, 0])
    exif = Image.Exif()
    for tag in range(0x9000, 0x9100):
        exif[tag] = "x" * 100
    return {
        "CMYK": encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"),
        "CMYK in TIFF": encoded(Image.new("CMYK", (8, 8)), "TIFF"),
        "Lab": encoded(Image.new("LAB", (8, 8)), "TIFF"),
        "YCbCr": encoded(Image.new("YCbCr", (8, 8)), "TIFF", compression="jpeg"),
        "16 bits of grey": encoded(Image.new("I;16", (8, 8), 9999)),
        "16 bits of grey in TIFF": encoded(Image.new("I;16", (8, 8), 9999), "TIFF"),
        "16 bits of colour": png_of(8, 8, zlib.compress((b"\0" + bytes(48)) * 8), 16, 2),
        "32 bits of grey": encoded(Image.new("I", (8, 8), 9999), "TIFF"),
        "real numbers": encoded(Image.new("F", (8, 8), 0.5), "TIFF"),
        "numbers that are none": encoded(Image.new("F", (8, 8), float("nan")), "TIFF"),
        "a palette of one colour": encoded(listed),
        "a clear palette": encoded(listed, transparency=bytes(256)),
        "two colours": encoded(Image.new("1", (8, 8)), "BMP"),
        "1 × 1": encoded(Image.new("RGB", (1, 1))),
        "much said of it": encoded(Image.new("RGB", (8, 8)), "JPEG", exif=exif),
        "a PNG called .jpg": encoded(Image.new("RGB", (8, 8))),
        "the largest": _largest(8, 2),
        "the largest in 16 bits": _largest(16, 0),
        "the largest turned": _with_chunk(_largest(8, 6), png_chunk(b"eXIf", _turned())),
    }


def _largest(depth: int, colour: int) -> bytes:
    """As many pixels as are read; of the colour type 0 (grey), 2 (RGB) or 6 (RGBA)."""
    bands = {0: 1, 2: 3, 6: 4}[colour]
    packed = zeros(-(-4882 * (8192 * bands * depth // 8 + 1) // 2**20))
    return png_of(8192, 4882, packed, depth, colour)


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 7
    return exif.tobytes().removeprefix(b"Exif\0\0")


def _with_chunk(png: bytes, chunk: bytes) -> bytes:
    """With something behind its header."""
    return png[:33] + chunk + png[33:]


def _gif(width: int, height: int, frame_width: int, frame_height: int) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, frame_width, frame_height, 0)
    return head + frame + b"\x02\x02\x4c\x01\x00;"


def _webp(width: int, height: int) -> bytes:
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    extended = b"VP8X" + struct.pack("<I", 10) + b"\x02\0\0\0" + size
    moving = b"ANIM" + struct.pack("<I", 6) + bytes(6)
    picture = encoded(Image.new("RGB", (8, 8)), "WEBP")[12:]
    frame = bytes(6) + struct.pack("<I", 7)[:3] * 2 + b"\x64\0\0\0" + picture
    body = b"WEBP" + extended + moving + b"ANMF" + struct.pack("<I", len(frame)) + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _bmp(width: int, height: int) -> bytes:
    about = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 9, 0, 0, 54) + about + bytes(9)


def _jpeg(width: int, height: int) -> bytes:
    data = encoded(Image.new("RGB", (8, 8)), "JPEG")
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def jpeg_of_scans(count: int) -> bytes:
    """A progressive JPEG that refines the same coefficients over and over: each takes its time."""
    data = encoded(Image.new("L", (4096, 4096), 77), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def _tiff(width: int, height: int, strip: int) -> bytes:
    """An uncompressed picture whose only strip is said to have `strip` bytes."""
    entries = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, height),
        (279, 4, strip),
    ]
    fields = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(entries)) + fields + bytes(4)
