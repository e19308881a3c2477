"""A drawing's frames as one moving picture: GIF, WebP or MP4, with every cell's edge kept sharp."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import OutputError

FRAME_SECONDS = 0.1
LAST_SECONDS = 2.0
# A longer run is thinned evenly, to half a minute of frames and to what memory holds.
MAX_FRAMES = 300
MAX_PIXELS = 2**28
MAX_SIDE = 2048

# Small pictures are enlarged by the largest whole number that keeps them below this.
_GOOD_SIDE = 512
_GIF_COLOURS = 256
# What lies behind a clear picture in MP4, which knows no transparency.
_PAPER = (255, 255, 255)
# H.264's quantisers, 0…51: so low that a flat cell stays flat.
_QUANTISERS = (10, 18)
# ITU-R BT.709, by its number in H.264's annex E, for primaries, transfer and matrix alike.
_BT_709 = 1
_LIMITED_RANGE = 1

Frame = bytes | Image.Image


def animate(
    frames: Sequence[Frame],
    suffix: str,
    *,
    frame_seconds: float = FRAME_SECONDS,
    last_seconds: float = LAST_SECONDS,
    enlarge: bool = True,
    lossless: bool = True,
) -> bytes:
    """The frames one after the other, as the bytes of a file.

    Frames are enlarged by a whole factor, by nearest neighbour, if they are small. GIF and WebP
    play for ever, MP4 once. WebP keeps every colour; so does GIF while a frame has at most 256
    (255 beside clear pixels), but each pixel is opaque or clear. MP4 is H.264 in 4:2:0, which
    rounds colours a little, with white behind what is clear.

    Args:
        frames: PNGs from our own engine, or pictures, all of one size. Of more than `MAX_FRAMES`,
            or than make `MAX_PIXELS` in all, as many are taken, evenly, with the first and last.
        suffix: ``.gif``, ``.webp`` or ``.mp4``.
        frame_seconds: how long each frame but the last is shown, 0.02…10.
        last_seconds: how long the last one is held, 0.02…10.
        enlarge: whether small frames are enlarged at all.
        lossless: False for a WebP of smooth pictures that may lose what is hardly seen, and is
            several times smaller.

    Raises:
        OutputError: when there are no frames, their sizes differ or are over `MAX_SIDE` pixels a
            side, or when what writes MP4 is not installed.

    """
    return _WRITERS[suffix](_Film(frames, frame_seconds, last_seconds, enlarge, lossless))


class _Film:
    """Frames of one size, decoded one at a time whenever they are gone through.

    Attributes:
        size: width and height in pixels, after enlarging.
        clear: whether pixels may be clear.
        lossless: whether every colour is kept.
        seconds: how long each frame is shown.
        rate: frames in a second, while none is held.

    """

    def __init__(
        self,
        frames: Sequence[Frame],
        frame_seconds: float,
        last_seconds: float,
        enlarge: bool,
        lossless: bool,
    ) -> None:
        if not frames:
            raise OutputError("There is no frame to animate.")
        first = _open(frames[0])
        if max(first.size) > MAX_SIDE:
            raise OutputError(
                f"The frames are {first.width} × {first.height} pixels; at most {MAX_SIDE} a side "
                "can be animated."
            )
        factor = max(1, _GOOD_SIDE // max(first.size)) if enlarge else 1
        self.size = first.width * factor, first.height * factor
        self.lossless = lossless
        self.clear = first.has_transparency_data
        self._frame_size = first.size
        at_most = max(2, min(MAX_FRAMES, MAX_PIXELS // (self.size[0] * self.size[1])))
        self._frames = _evenly(frames, at_most)
        self.seconds = [frame_seconds] * (len(self._frames) - 1) + [last_seconds]
        self.rate = Fraction(1 / frame_seconds).limit_denominator(1000)

    @property
    def milliseconds(self) -> list[int]:
        return [round(1000 * seconds) for seconds in self.seconds]

    def __iter__(self) -> Iterator[Image.Image]:
        """The frames as RGBA of this film's size."""
        for frame in self._frames:
            image = _open(frame)
            if image.size != self._frame_size:
                raise OutputError("The frames have different sizes.")
            yield image.convert("RGBA").resize(self.size, Image.Resampling.NEAREST)


def _open(frame: Frame) -> Image.Image:
    return Image.open(io.BytesIO(frame), formats=["PNG"]) if isinstance(frame, bytes) else frame


def _evenly(frames: Sequence[Frame], at_most: int) -> Sequence[Frame]:
    if len(frames) <= at_most:
        return frames
    return [frames[round(i * (len(frames) - 1) / (at_most - 1))] for i in range(at_most)]


def _webp(film: _Film) -> bytes:
    images = iter(film)
    output = io.BytesIO()
    next(images).save(
        output,
        "WEBP",
        save_all=True,
        append_images=images,
        duration=film.milliseconds,
        loop=0,
        lossless=film.lossless,
    )
    return output.getvalue()


def _gif(film: _Film) -> bytes:
    shared = _shared_palette(film)
    images = [_indexed(frame, film.clear, shared) for frame in film]
    output = io.BytesIO()
    images[0].save(
        output,
        "GIF",
        save_all=True,
        append_images=images[1:],
        duration=film.milliseconds,
        loop=0,
        # Pixels that stay as they were are left out.
        optimize=not film.clear,
        # Where the next frame is clear, this one must be gone.
        disposal=2 if film.clear else 1,
    )
    return output.getvalue()


def _shared_palette(film: _Film) -> NDArray[np.uint32] | None:
    """The colours of all frames, or None when a GIF's palette cannot hold them."""
    palette = _reserved(film.clear)
    for frame in film:
        palette = np.union1d(palette, _packed(frame))
        if len(palette) > _GIF_COLOURS:
            return None
    return palette


def _indexed(frame: Image.Image, clear: bool, shared: NDArray[np.uint32] | None) -> Image.Image:
    """A frame with a palette: the shared one, or its own, reduced only where it is too large."""
    packed = _packed(frame)
    palette = np.union1d(_reserved(clear), packed) if shared is None else shared
    if len(palette) > _GIF_COLOURS:
        reduced = frame.convert("RGB").quantize(
            _GIF_COLOURS - 1, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
        fewer = reduced.convert("RGB")
        fewer.putalpha(frame.getchannel("A"))
        packed = _packed(fewer)
        palette = np.union1d(_reserved(clear), packed)
    image = Image.fromarray(np.searchsorted(palette, packed).astype(np.uint8))
    image.putpalette(palette.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes())
    if clear:
        image.info["transparency"] = 0
    return image


def _packed(frame: Image.Image) -> NDArray[np.uint32]:
    """RGBA as one number a pixel ``[height, width]``; whatever is clear is 0, the smallest."""
    pixels = np.array(frame)
    pixels[..., 3] = np.where(pixels[..., 3] > 127, 255, 0)
    pixels[pixels[..., 3] == 0] = 0
    return pixels.view("<u4")[..., 0].astype(np.uint32)


def _reserved(clear: bool) -> NDArray[np.uint32]:
    return np.zeros(1 if clear else 0, np.uint32)


def _mp4(film: _Film) -> bytes:
    try:
        import av
    except ImportError:
        raise OutputError(
            "MP4 needs the package “av”: install pixel-bot with its extra “video”, or take .gif "
            "or .webp."
        ) from None
    # Two pixels each way share their colour: sides must be even.
    width, height = (side + side % 2 for side in film.size)
    output = io.BytesIO()
    with av.open(output, "w", format="mp4") as container:
        # Under a free licence, unlike x264, and about as good on flat cells.
        stream = container.add_stream("libopenh264", film.rate, options={"rc_mode": "quality"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        codec = stream.codec_context
        codec.qmin, codec.qmax = _QUANTISERS
        codec.color_primaries = codec.color_trc = codec.colorspace = _BT_709
        codec.color_range = _LIMITED_RANGE
        moment = 0
        for image, seconds in zip(film, film.seconds, strict=True):
            frame = av.VideoFrame.from_ndarray(_on_paper(image, width, height), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=_BT_709)
            # A steady rate, at which a held frame is repeated, is what every player understands.
            for _ in range(max(1, round(seconds * film.rate))):
                frame.pts, frame.time_base = moment, 1 / film.rate
                container.mux(stream.encode(frame))
                moment += 1
        container.mux(stream.encode())
    return output.getvalue()


def _on_paper(image: Image.Image, width: int, height: int) -> NDArray[np.uint8]:
    """RGB ``[height, width, 3]``, the last row and column repeated where a side was odd."""
    paper = Image.new("RGB", image.size, _PAPER)
    paper.paste(image, mask=image.getchannel("A"))
    extra = ((0, height - image.height), (0, width - image.width), (0, 0))
    return np.pad(np.asarray(paper), extra, mode="edge")


_WRITERS: Mapping[str, Callable[[_Film], bytes]] = {".gif": _gif, ".webp": _webp, ".mp4": _mp4}
