"""Pictures of strokes: what each setting does, and that they come nearer to their prompt."""

import io
import re
from functools import partial

import msgspec
import numpy as np
import pytest
import resvg_py
import torch
from PIL import Image

from engine.drawers import grid_size
from engine.drawers.strokes import on_white
from engine.losses import init_loss
from engine.protocol import Done, Draw, Snapshot, Started
from engine.settings import PIXELCLIP, make_settings, resolve
from engine.strokes.placing import edges
from tests.engine import drawers
from tests.engine.drawers import begun, from_image

CPU = torch.device("cpu")
DRAWERS = pytest.mark.parametrize("drawer", ["clipdraw", "line_sketch"])


def settings(drawer, **given):
    small = {"seed": 1, "start": "noise", "size": (120, 80), "strokes": 12, "stroke_length": 2}
    return resolve(make_settings({"prompts": "a cat", "drawer": drawer, **small, **given}))


def made(drawer, image=None, **given):
    return begun(settings(drawer, **from_image(given, image)), image)


pulled = partial(drawers.pulled, steps=20, rate=0.5)


def paths(drawer):
    return re.findall(r"<path [^>]*>", drawer.svg((120, 80)))


def widths(drawer):
    """Of all strokes, in percent of the height."""
    height = drawer.native().height
    return [
        100 * float(re.search(r'stroke-width="([\d.]+)"', path)[1]) / height
        for path in paths(drawer)
    ]


def half_red(size=(120, 80)):
    image = Image.new("RGB", size, "white")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    return image


@DRAWERS
def test_there_are_as_many_strokes_and_curves_as_asked(drawer):
    drawn = made(drawer, strokes=7, stroke_length=5)
    assert len(paths(drawn)) == 7
    numbers = re.search(r"C([^\"]+)\"", paths(drawn)[0])[1].split()
    assert len(numbers) == 5 * 3 * 2


@DRAWERS
def test_widths_stay_within_their_limits(drawer):
    limits = {"min_stroke_width": 2, "max_stroke_width": 4}
    for colour in ((0, 0, 0), (1, 1, 1)):
        drawn = pulled(made(drawer, **limits), colour, rate=4)
        assert 2 - 0.01 <= min(widths(drawn)) <= max(widths(drawn)) <= 4 + 0.01
    assert max(widths(drawn)) < 3, "to be white, black lines should become thin"


def test_of_one_width_all_strokes_have_it_and_keep_it():
    drawn = pulled(made("line_sketch", min_stroke_width=3, max_stroke_width=3), (0, 0, 0))
    assert widths(drawn) == pytest.approx([3] * 12, abs=0.01)


@DRAWERS
def test_only_a_paper_that_may_change_takes_on_a_colour(drawer):
    def corner(**given):
        drawn = pulled(made(drawer, strokes=1, **given), (0.1, 0.2, 0.9), rate=5)
        return np.median(np.asarray(drawn.native()).reshape(-1, 3), axis=0)

    assert corner().tolist() == [255, 255, 255]
    red, _, blue = corner(allow_paper_color=True)
    assert blue - red > 60


def test_lines_stay_black_and_strokes_take_on_colours():
    drawn = pulled(made("line_sketch"), (0.1, 0.2, 0.9))
    pixels = np.asarray(drawn.native()).astype(int)
    assert np.ptp(pixels, axis=2).max() == 0
    assert pixels.min() == 0
    assert all('stroke="#000000" stroke-opacity="1.000"' in path for path in paths(drawn))
    before = np.asarray(made("clipdraw").native()).mean((0, 1))
    blue = pulled(made("clipdraw"), (0.1, 0.2, 0.9), rate=3)
    after = np.asarray(blue.native()).mean((0, 1))
    assert after[2] - after[0] > before[2] - before[0] + 20


@DRAWERS
def test_a_higher_learning_rate_moves_points_farther(drawer):
    def moved(rate):
        drawn = made(drawer)
        before = drawn.parameters[0].detach().clone()
        return (pulled(drawn, (0, 0, 0), steps=3, rate=rate).parameters[0] - before).norm().item()

    assert moved(1.0) > 3 * moved(0.1)


@DRAWERS
def test_the_same_seed_gives_the_same_strokes_and_another_seed_others(drawer):
    one, same, other = (made(drawer, seed=seed).svg((120, 80)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


@DRAWERS
@pytest.mark.parametrize("image", [None, half_red()], ids=["noise", "image"])
def test_more_and_longer_strokes_than_the_default_can_be_drawn(drawer, image):
    drawn = made(drawer, image, strokes=200, stroke_length=12)
    assert torch.autograd.grad(drawn.grid().sum(), drawn.parameters[0])[0].isfinite().all()


def test_strokes_begin_with_the_colours_of_an_init_image():
    pixels = np.asarray(made("clipdraw", half_red(), strokes=300).native()).astype(float)
    left, right = pixels[:, : pixels.shape[1] // 2], pixels[:, pixels.shape[1] // 2 :]
    assert left[..., 1].mean() < 150
    assert right.mean() > 230


def test_lines_begin_on_the_edges_of_an_init_image():
    drawn = made("line_sketch", half_red(), strokes=4)
    dark = 255 - np.asarray(drawn.native().convert("L")).astype(float)
    columns = dark.sum(0) / dark.sum()
    middle = len(columns) // 2
    assert columns[middle - 12 : middle + 12].sum() > 0.8


@DRAWERS
def test_a_first_guess_gives_strokes_their_colours_or_places(studio, drawer):
    one = studio()
    number = 500 if drawer == "clipdraw" else 12

    def begun(start):
        asked = msgspec.structs.replace(
            settings(drawer, strokes=number), start=start, perceptors=(PIXELCLIP,)
        )
        assert isinstance(one.add(Draw(start, asked)), Started)
        return one._easels[start]

    guessed, wild = begun("guess"), begun("noise")
    guess = one._beginnings.begin(guessed.settings, {})
    picture = on_white(guess)

    def fit(easel):
        """How near the colours are to the guess's, or how much of the ink lies on its edges."""
        drawn = easel.drawer.grid()[0, :3].detach()
        if drawer == "clipdraw":
            return -(drawn - picture).square().mean().item()
        ink = 1 - drawn.mean(0)
        return ((ink * edges(picture)).sum() / ink.sum()).item()

    assert fit(guessed) > fit(wild) * (0.7 if drawer == "clipdraw" else 1.3)


@DRAWERS
def test_init_weight_keeps_strokes_near_their_init_image(studio, drawer):
    content = io.BytesIO()
    half_red().save(content, "PNG")

    def distance(weight):
        asked = msgspec.structs.replace(
            settings(drawer, start=None, init_image="x", init_weight=weight, strokes=60),
            iterations=12,
            num_cuts=4,
            learning_rate=1.0,
            perceptors=(PIXELCLIP,),
        )
        one = studio()
        assert isinstance(one.add(Draw("a", asked, {"x": content.getvalue()})), Started)
        drawn = one._easels["a"].drawer
        begun = drawn.reference()
        for _ in range(12):
            list(one.tick())
        return init_loss(drawn.grid(), begun).item()

    assert distance(10) < distance(0)


@DRAWERS
def test_the_large_picture_and_its_svg_show_the_strokes_of_the_small_one(drawer):
    drawn = made(drawer, strokes=40)
    large = drawn.enlarged((480, 320))
    shown = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=drawn.svg((480, 320))))))
    assert large.size == shown.size == (480, 320)
    large, shown = (np.asarray(image.convert("RGB")).astype(float) for image in (large, shown))
    assert np.abs(large - shown).mean() < 2
    small = np.asarray(drawn.enlarged(drawn.native().size)).astype(float)
    assert np.abs(small - np.asarray(drawn.native())).mean() < 0.01


def test_the_working_size_follows_the_aspect_and_the_perceptor():
    for size, expected in (((400, 224), (224, 126)), ((300, 300), (168, 168))):
        width, height = grid_size(settings("clipdraw", size=size))
        assert (width, height) == pytest.approx(expected, abs=1)
    clip = settings("clipdraw", size=(400, 224), perceptors=["ViT-B-32/openai"])
    assert grid_size(clip) == pytest.approx((448, 252), abs=1)


@DRAWERS
@pytest.mark.parametrize("threads", [1, 2])
def test_a_killed_job_goes_on_to_the_same_bytes_alone_or_among_others(
    studio, tmp_path, drawer, threads
):
    asked = msgspec.structs.replace(
        settings(drawer), iterations=5, display_every=5, num_cuts=4, perceptors=(PIXELCLIP,)
    )
    other = msgspec.structs.replace(asked, drawer="clipdraw", seed=2, strokes=30)

    def finish(room):
        events = []
        while not room.idle:
            events += room.tick()
        return next(event for event in events if isinstance(event, Done) and event.job == "a")

    alone = studio()
    alone.add(Draw("a", asked))
    expected = finish(alone)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        first = studio(snapshots=tmp_path, snapshot_seconds=0)
        first.add(Draw("a", asked))
        for _ in range(2):
            assert Snapshot in [type(event) for event in first.tick()]
        second = studio(snapshots=tmp_path)
        second.add(Draw("b", other))
        assert second.add(Draw("a", asked)).iteration == 2
        done = finish(second)
    finally:
        torch.set_num_threads(before)
    assert (done.png, done.native_png, done.svg) == (
        expected.png,
        expected.native_png,
        expected.svg,
    )
