"""Pictures of waves: what they begin with, how they are shown, and that they near their prompt."""

import io

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from engine.cutouts import choose_views, sample
from engine.drawers import grid_size
from engine.losses import init_loss, make_targets, prompt_score
from engine.png import encode_png
from engine.prompts import parse_prompts
from engine.protocol import Done, Draw, Snapshot, Started
from engine.settings import PIXELCLIP, make_settings, resolve
from engine.streams import stream
from tests.engine.drawers import begun, from_image
from tests.engine.test_studio import finish

CPU = torch.device("cpu")


def house(size=(240, 160)):
    """A picture with straight borders, black, white and every hue."""
    image = Image.new("RGB", size, (120, 180, 250))
    pen = ImageDraw.Draw(image)
    width, height = size
    pen.rectangle((0, height * 0.7, width, height), (60, 160, 40))
    pen.rectangle((width * 0.3, height * 0.4, width * 0.7, height * 0.9), "white")
    pen.polygon(
        [(width * 0.25, height * 0.4), (width * 0.5, height * 0.1), (width * 0.75, height * 0.4)],
        (200, 30, 30),
    )
    pen.rectangle((width * 0.45, height * 0.6, width * 0.55, height * 0.9), "black")
    return image


def settings(**given):
    small = {"seed": 1, "start": "noise", "size": (120, 80), "drawer": "fft"}
    return resolve(make_settings({"prompts": "a cat", **small, **given}))


def made(image=None, **given):
    return begun(settings(**from_image(given, image)), image)


def numbers(image):
    return np.asarray(image).astype(float)


@pytest.mark.parametrize("size", [(120, 80), (80, 80), (64, 81)])
def test_a_picture_is_found_again_in_its_spectrum(size):
    image = house()
    drawn = made(image, size=size)
    expected = numbers(image.resize(grid_size(settings(size=size)), Image.Resampling.BOX))
    assert np.abs(numbers(drawn.native()) - expected).max() <= 1


def test_what_is_clear_in_an_init_image_is_white():
    image = house().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 120, 160))
    left = numbers(made(image).native())[:, :100]
    assert left.min() >= 253


@pytest.mark.parametrize("size", [(480, 320), (433, 290)])
def test_the_large_picture_is_the_small_one_seen_closer(size):
    for drawn in (made(house()), made()):
        small = drawn.native()
        large = drawn.enlarged(size)
        assert large.size == size
        again = numbers(large.resize(small.size, Image.Resampling.BOX))
        assert np.abs(again - numbers(small)).mean() < 2


def test_the_large_picture_is_smooth_and_has_no_ripples_along_its_borders():
    drawn = made(house())
    large = numbers(drawn.enlarged((960, 640)))
    steps = np.abs(np.diff(large, axis=1)).max()
    assert steps < np.abs(np.diff(numbers(drawn.native()), axis=1)).max() * 0.7
    sky = large[:40, :200]
    assert np.ptp(sky, axis=(0, 1)).max() < 12, "the ground should not be seen above the sky"


def test_a_picture_smaller_than_the_canvas_is_drawn_without_the_waves_it_is_too_small_for():
    drawn = made(house())
    small = numbers(drawn.enlarged((60, 40)))
    expected = numbers(house().resize((60, 40), Image.Resampling.BOX))
    assert np.abs(small - expected).mean() < 6


def test_noise_is_soft_and_of_the_seed():
    one, same, other = (made(seed=seed).native() for seed in (1, 1, 2))
    assert one.tobytes() == same.tobytes()
    assert one.tobytes() != other.tobytes()
    pixels = numbers(one) / 255
    assert 0.02 < pixels.std() < 0.2
    assert abs(pixels.mean() - 0.5) < 0.1
    near, far = (np.abs(pixels[:, step:] - pixels[:, :-step]).mean() for step in (1, 40))
    assert near < far / 2, "long waves should weigh more"


def test_long_waves_move_farther_than_short_ones():
    """A step towards noise, which has as much of every wave, is mostly one of its long waves."""
    drawn = made()
    optimizer = drawn.optimizer(0.05, "adam")
    before = drawn.grid().detach()
    noise = torch.rand(before.shape, generator=torch.Generator().manual_seed(1))
    torch.autograd.backward((drawn.grid() - noise).square().mean())
    optimizer.step()
    step = (drawn.grid().detach() - before)[0, :3]
    areas = torch.nn.functional.avg_pool2d(step, 8)
    assert areas.square().mean() > 0.5 * step.square().mean()
    assert (noise[0, :3] * step).mean() > 0


def test_a_higher_learning_rate_moves_waves_farther():
    def moved(rate):
        drawn = made()
        before = drawn.parameters[0].detach().clone()
        optimizer = drawn.optimizer(rate, "adam")
        torch.autograd.backward(drawn.grid()[0, 0].mean())
        optimizer.step()
        return (drawn.parameters[0].detach() - before).norm().item()

    assert moved(0.4) == pytest.approx(4 * moved(0.1), rel=1e-3)


def test_there_is_no_svg_of_waves():
    assert made().svg((120, 80)) is None


def test_a_first_guess_comes_without_its_grain(studio):
    one = studio()
    asked = msgspec.structs.replace(settings(), start="guess", perceptors=(PIXELCLIP,))
    assert isinstance(one.add(Draw("a", asked)), Started)
    begun = one._easels["a"].drawer.reference()[0, :3]
    guess = one._beginnings.begin(asked, {})
    whole = guess.subject[:3] + (1 - guess.subject[3:]) * guess.background
    areas = [torch.nn.functional.avg_pool2d(picture, 16) for picture in (begun, whole)]
    assert (areas[0] - areas[1]).abs().mean() < 0.03
    grain = [picture.diff(n=2, dim=2).abs().mean() for picture in (begun, whole)]
    assert grain[0] < grain[1] * 0.8


def drawn_by(studio, asked, pictures=None):
    one = studio()
    assert isinstance(one.add(Draw("a", asked, pictures or {})), Started)
    return one, one._easels["a"]


def test_init_weight_keeps_waves_near_their_init_image(studio):
    content = {"x": encode_png(house())}

    def distance(weight):
        asked = msgspec.structs.replace(
            settings(start=None, init_image="x", init_weight=weight),
            iterations=10,
            num_cuts=4,
            perceptors=(PIXELCLIP,),
        )
        one, easel = drawn_by(studio, asked, content)
        for _ in range(10):
            list(one.tick())
        return init_loss(easel.drawer.grid(), easel.drawer.reference()).item()

    assert distance(10) < distance(0) / 2


@pytest.mark.parametrize(
    ("aspect", "start"),
    [
        ("widescreen", "noise"),
        ("square", "noise"),
        ("portrait", "noise"),
        ("widescreen", "guess"),
        ("square", "init"),
    ],
)
def test_a_drawing_comes_nearer_to_its_prompt(studio, aspect, start):
    begin = {"init_image": "x"} if start == "init" else {"start": start}
    asked = make_settings(
        {
            "prompts": "a red apple",
            "drawer": "fft",
            "aspect": aspect,
            "seed": 1,
            "scale": 1,
            "iterations": 16,
            "num_cuts": 8,
            "perceptors": [PIXELCLIP],
            **begin,
        }
    )
    one, easel = drawn_by(studio, asked, {"x": encode_png(house())} if start == "init" else None)
    judge = one.perceptor(PIXELCLIP)
    prompts = parse_prompts(asked.prompts)
    targets = make_targets(prompts, judge.encode_text([prompts[0].text]))
    views = choose_views(24, *grid_size(easel.settings), stream(9, "test"))

    def score():
        with torch.no_grad():
            seen = sample([easel.drawer.grid()], [views], judge.view_size)
            return prompt_score(judge.encode_views(seen), targets).item()

    before = score()
    done = finish(one)["a"][-1]
    assert isinstance(done, Done)
    assert done.svg is None
    assert Image.open(io.BytesIO(done.png)).size == easel.size
    assert score() > before + 0.01


@pytest.mark.parametrize("size", [(120, 80), (80, 80)])
def test_waves_and_their_gradient_round_alike_on_any_number_of_threads(size):
    def step(threads):
        torch.set_num_threads(threads)
        drawn = made(house(), size=size)
        optimizer = drawn.optimizer(0.05, "adam")
        torch.autograd.backward((drawn.grid() * torch.linspace(0, 1, drawn._size[0])).sum())
        optimizer.step()
        return drawn.parameters[0].detach().clone()

    before = torch.get_num_threads()
    try:
        assert torch.equal(step(1), step(2))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_killed_job_goes_on_to_the_same_bytes_alone_or_among_others(studio, tmp_path, threads):
    asked = msgspec.structs.replace(
        settings(), iterations=5, display_every=5, num_cuts=4, perceptors=(PIXELCLIP,)
    )
    other = msgspec.structs.replace(asked, size=(80, 80), seed=2)

    def finish(room):
        events = []
        while not room.idle:
            events += room.tick()
        return next(event for event in events if isinstance(event, Done) and event.job == "a")

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        alone = studio()
        alone.add(Draw("a", asked))
        expected = finish(alone)
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
    assert (done.png, done.native_png) == (expected.png, expected.native_png)
