"""Frames as a moving picture: every file is opened again, and its colours are the frames' own."""

import io
import sys

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from engine import animation
from engine.animation import animate
from engine.errors import OutputError
from engine.outputs import ANIMATION_SUFFIXES


def film(count, size=(40, 30), colours=16, mode="RGB", seed=0):
    """Frames of random cells of 10 × 10 pixels from few random colours."""
    random = np.random.default_rng(seed)
    width, height = size
    palette = random.integers(0, 256, (colours, len(mode)), np.uint8)
    if mode == "RGBA":
        palette[:, 3] = np.where(np.arange(colours) % 3 == 0, 0, 255)
    cells = random.integers(0, colours, (count, -(-height // 10), -(-width // 10)))
    pixels = palette[cells].repeat(10, 1).repeat(10, 2)[:, :height, :width]
    return [Image.fromarray(frame) for frame in pixels]


def png(image):
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()


def opened(data, mode):
    """The frames of a file as a viewer shows them, and the milliseconds of each."""
    shown, times = [], []
    with Image.open(io.BytesIO(data)) as image:
        for frame in ImageSequence.Iterator(image):
            shown.append(frame.convert(mode))
            times.append(frame.info.get("duration"))
    return shown, times


def enlarged(frame):
    factor = 512 // max(frame.size)
    return frame.resize((frame.width * factor, frame.height * factor), Image.Resampling.NEAREST)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
@pytest.mark.parametrize("colours", [2, 17, 256])
def test_each_frame_keeps_its_colours_and_its_edges(suffix, colours):
    frames = film(5, size=(160, 160), colours=colours)
    shown, times = opened(animate([png(frame) for frame in frames], suffix), "RGB")
    assert [frame.tobytes() for frame in shown] == [enlarged(f).tobytes() for f in frames]
    assert times == [100, 100, 100, 100, 2000]


def test_frames_that_share_no_colours_have_a_palette_each():
    frames = [film(1, size=(160, 160), colours=200, seed=seed)[0] for seed in range(3)]
    shown, _ = opened(animate(frames, ".gif"), "RGB")
    assert [frame.tobytes() for frame in shown] == [enlarged(f).tobytes() for f in frames]


def test_a_frame_of_too_many_colours_for_a_gif_is_still_close():
    ramp = np.stack(np.meshgrid(np.arange(64), np.arange(64)), -1).astype(np.uint8) * 4
    frame = Image.fromarray(np.concatenate([ramp, np.full((64, 64, 1), 90, np.uint8)], -1))
    (shown,), _ = opened(animate([frame], ".gif"), "RGB")
    assert np.abs(np.asarray(shown).astype(int) - np.asarray(enlarged(frame))).mean() < 8


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
@pytest.mark.parametrize("colours", [6, 255])
def test_what_is_clear_stays_clear_and_nothing_shines_through(suffix, colours):
    frames = film(4, size=(160, 160), colours=colours, mode="RGBA")
    shown, _ = opened(animate(frames, suffix), "RGBA")
    for frame, original in zip(shown, frames, strict=True):
        is_now, was = np.asarray(frame), np.asarray(enlarged(original))
        assert np.array_equal(is_now[..., 3], was[..., 3])
        assert np.array_equal(is_now[was[..., 3] == 255], was[was[..., 3] == 255])


def rgb(frame):
    """A decoded frame's RGB by ITU-R BT.709, limited range."""
    height, width = frame.height, frame.width
    flat = frame.to_ndarray().ravel().astype(float)
    luma, blue, red = np.split(flat, [height * width, height * width * 5 // 4])
    blue, red = (
        (half.reshape(height // 2, width // 2).repeat(2, 0).repeat(2, 1) - 128) / 224
        for half in (blue, red)
    )
    luma = (luma.reshape(height, width) - 16) / 219
    channels = (luma + 1.5748 * red, luma - 0.1873 * blue - 0.4681 * red, luma + 1.8556 * blue)
    return 255 * np.stack(channels, -1)


@pytest.mark.parametrize("size", [(40, 30), (515, 301)])
def test_an_mp4_is_what_ordinary_players_take_and_its_colours_are_near(size):
    frames = film(6, size=size)
    with av.open(io.BytesIO(animate(frames, ".mp4"))) as container:
        (stream,) = container.streams.video
        codec = stream.codec_context
        assert (codec.name, codec.pix_fmt, codec.colorspace) == ("h264", "yuv420p", 1)
        assert stream.average_rate == 10
        decoded = [rgb(frame) for frame in container.decode(stream)]
    assert len(decoded) == 5 + 20
    for frame, original in zip(decoded, frames, strict=False):
        pixels = np.asarray(enlarged(original) if max(size) < 512 else original).astype(float)
        height, width = pixels.shape[:2]
        assert frame.shape[:2] == (height + height % 2, width + width % 2)
        # Colour is halved each way, so that edges may be off; the insides of cells may not.
        assert np.median(np.abs(frame[:height, :width] - pixels)) < 3
    assert np.median(np.abs(decoded[-1] - decoded[5])) < 1


def test_an_mp4_of_a_clear_picture_is_on_white():
    frame = Image.new("RGBA", (64, 64), (200, 0, 0, 0))
    with av.open(io.BytesIO(animate([frame], ".mp4"))) as container:
        first = next(container.decode(video=0))
    assert rgb(first).min() > 250


def test_a_long_run_is_thinned_evenly_and_keeps_both_ends(monkeypatch):
    monkeypatch.setattr(animation, "MAX_FRAMES", 4)
    frames = [Image.new("RGB", (512, 8), (value, 0, 0)) for value in range(31)]
    shown, _ = opened(animate(frames, ".webp"), "RGB")
    assert [frame.getpixel((0, 0))[0] for frame in shown] == [0, 10, 20, 30]
    monkeypatch.setattr(animation, "MAX_PIXELS", 3 * 512 * 8)
    shown, _ = opened(animate(frames, ".webp"), "RGB")
    assert [frame.getpixel((0, 0))[0] for frame in shown] == [0, 15, 30]


@pytest.mark.parametrize(
    ("frames", "sentence"),
    [
        ([], "no frame"),
        ([Image.new("RGB", (2049, 8))], "2049 × 8 pixels; at most 2048"),
        ([Image.new("RGB", (8, 8)), Image.new("RGB", (8, 9))], "different sizes"),
    ],
)
@pytest.mark.parametrize("suffix", ANIMATION_SUFFIXES)
def test_what_cannot_be_animated_is_one_sentence(frames, sentence, suffix):
    with pytest.raises(OutputError, match=sentence):
        animate(frames, suffix)


def test_without_pyav_an_mp4_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(OutputError, match="extra “video”"):
        animate(film(1), ".mp4")


def test_small_frames_stay_small_where_that_is_wanted():
    frames = film(3)
    shown, _ = opened(animate(frames, ".webp", enlarge=False), "RGB")
    assert [np.array(frame).tolist() for frame in shown] == [
        np.array(frame).tolist() for frame in frames
    ]


def test_a_webp_that_may_lose_a_little_is_smaller_and_looks_the_same():
    ramp = np.linspace(0, 255, 200 * 200 * 3).reshape(200, 200, 3)
    noise = np.random.default_rng(0).normal(0, 4, (3, 200, 200, 3))
    frames = [Image.fromarray(np.uint8(np.clip(ramp + one, 0, 255))) for one in noise]
    exact, lossy = (animate(frames, ".webp", lossless=lossless) for lossless in (True, False))
    assert len(lossy) < len(exact) / 4
    shown, _ = opened(lossy, "RGB")
    error = np.abs(np.array(shown[0], float) - np.array(enlarged(frames[0]), float)).mean()
    assert error < 6
