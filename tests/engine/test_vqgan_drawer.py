"""Pictures made of codes: latents, their range and gradient, sizes, and that they fit a prompt."""

import io
import math
from functools import partial

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from engine.cutouts import choose_views, sample
from engine.drawers import grid_size
from engine.losses import init_loss, make_targets, prompt_score
from engine.prompts import parse_prompts
from engine.protocol import Done, Draw, Snapshot, Started
from engine.settings import PIXELCLIP, make_settings, resolve
from engine.streams import stream
from engine.vqgan import load_vqgan
from tests.engine import drawers
from tests.engine.drawers import begun, from_image

CPU = torch.device("cpu")


def settings(**given):
    small = {"drawer": "vqgan", "seed": 1, "start": "noise", "size": (96, 64)}
    return resolve(make_settings({"prompts": "a cat", **small, **given}))


def made(image=None, **given):
    return begun(settings(**from_image(given, image)), image)


pulled = partial(drawers.pulled, steps=10, rate=0.3)


def half_red(size=(96, 64)):
    image = Image.new("RGB", size, "white")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    return image


def png(image):
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def finish(room):
    events = []
    while not room.idle:
        events += room.tick()
    return {event.job: event for event in events if isinstance(event, Done)}


def test_noise_is_made_of_codes_of_the_codebook_by_the_seed():
    codebook = load_vqgan("mini", CPU).codebook
    one, same, other = (made(seed=seed).parameters[0] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    places = one.detach()[0].flatten(1).T
    distances = torch.cdist(places, codebook, compute_mode="donot_use_mm_for_euclid_dist")
    assert distances.amin(1).max() == 0
    assert len(distances.argmin(1).unique()) > len(places) / 2


def test_the_picture_is_decoded_from_the_codes_nearest_to_the_latents():
    drawn, vqgan = made(), load_vqgan("mini", CPU)
    with torch.no_grad():
        drawn.parameters[0].add_(0.1)
        expected = vqgan.decode(vqgan.quantise(drawn.latents()))
    assert torch.equal(drawn.grid()[0, :3], expected[0])
    assert (drawn.grid()[0, 3] == 1).all()


def test_the_gradient_of_a_code_passes_straight_through_to_its_latent():
    drawn, vqgan = made(), load_vqgan("mini", CPU)
    codes = vqgan.quantise(drawn.latents()).detach().requires_grad_()
    wanted = torch.autograd.grad(vqgan.decode(codes).square().sum(), codes)[0]
    got = torch.autograd.grad(drawn.grid()[:, :3].square().sum(), drawn.parameters[0])[0]
    assert wanted.abs().sum() > 0
    # At the codes of the start no latent lies beyond the range.
    torch.testing.assert_close(got, wanted)


def test_latents_stay_within_the_range_of_the_codes_and_come_back_from_beyond():
    codebook = load_vqgan("mini", CPU).codebook
    low, high = codebook.amin(0)[:, None, None], codebook.amax(0)[:, None, None]
    drawn = pulled(made(), (0.1, 0.2, 0.9), steps=12, rate=1.0)
    inside = drawn.latents()[0]
    assert (inside >= low).all()
    assert (inside <= high).all()
    with torch.no_grad():
        drawn.parameters[0].copy_(high[None] + 1)
    outward, inward = (
        torch.autograd.grad((sign * drawn.latents()).sum(), drawn.parameters[0])[0]
        for sign in (-1, 1)
    )
    assert (outward == 0).all()
    assert (inward == 1).all()


def test_codes_take_on_a_wanted_colour():
    before = np.asarray(made().native()).mean((0, 1))
    after = np.asarray(pulled(made(), (0.1, 0.2, 0.9)).native()).mean((0, 1))
    assert after[2] - after[0] > before[2] - before[0] + 40


def test_a_higher_learning_rate_moves_latents_farther():
    def moved(rate):
        drawn = made()
        before = drawn.parameters[0].detach().clone()
        return (pulled(drawn, (0, 0, 0), steps=2, rate=rate).parameters[0] - before).norm().item()

    assert moved(0.3) > 2 * moved(0.03)


def test_it_begins_with_the_init_image():
    pixels = np.asarray(made(half_red()).native()).astype(float)
    middle = pixels.shape[1] // 2
    left, right = pixels[:, : middle - 8], pixels[:, middle + 8 :]
    assert left[..., 0].mean() - left[..., 1].mean() > 120
    assert right.mean() > 215


@pytest.mark.parametrize(
    ("given", "size"),
    [
        ({"size": (100, 60)}, (96, 64)),
        ({"size": (32, 33)}, (32, 32)),
        ({"size": (2047, 2048)}, (2048, 2048)),
        ({"size": None, "aspect": "widescreen", "scale": 2}, (400, 224)),
        ({"size": None, "aspect": "square", "scale": 1}, (152, 152)),
        ({"size": None, "aspect": "portrait", "scale": 1}, (128, 160)),
        ({"size": (100, 60), "vqgan_model": "imagenet_f16_1024"}, (96, 64)),
        ({"size": (104, 56), "vqgan_model": "imagenet_f16_1024"}, (96, 64)),
        ({"size": (104, 56), "vqgan_model": "openimages_f8_8192"}, (104, 56)),
    ],
)
def test_sizes_are_rounded_to_the_model_s_grid(given, size):
    resolved = settings(**given)
    assert resolved.size == size
    assert resolve(resolved) == resolved


def test_the_result_says_to_what_its_size_was_rounded(studio):
    asked = make_settings(
        {
            "prompts": "a cat",
            "drawer": "vqgan",
            "size": (100, 60),
            "iterations": 1,
            "num_cuts": 3,
            "perceptors": [PIXELCLIP],
        }
    )
    one = studio()
    started = one.add(Draw("a", asked))
    assert started.size == started.settings.size == (96, 64)
    done = finish(one)["a"]
    assert Image.open(io.BytesIO(done.png)).size == (96, 64)
    assert done.svg is None


@pytest.mark.parametrize("model", ["mini", "imagenet_f16_16384"])
@pytest.mark.parametrize("size", [(400, 224), (300, 300), (256, 320), (64, 2048)])
def test_the_canvas_is_of_whole_codes_and_nearly_of_the_picture_s_shape(model, size):
    resolved = settings(size=size, vqgan_model=model)
    width, height = grid_size(resolved)
    factor = 8 if model == "mini" else 16
    assert width % factor == height % factor == 0
    asked = resolved.size[0] / resolved.size[1]
    # Half a code at most on each side.
    slack = (1 + factor / 2 / width) * (1 + factor / 2 / height)
    assert abs(math.log(width / height / asked)) <= math.log(slack) + 0.06
    large = grid_size(msgspec.structs.replace(resolved, perceptors=("ViT-B-32/openai",)))
    assert large[0] * large[1] > 2 * width * height


def test_the_large_picture_is_the_small_one_enlarged():
    drawn = made(half_red())
    large = drawn.enlarged((384, 256))
    assert large.size == (384, 256)
    small = np.asarray(large.resize(drawn.native().size, Image.Resampling.BOX)).astype(float)
    assert np.abs(small - np.asarray(drawn.native())).mean() < 4


@pytest.mark.parametrize("start", ["noise", "guess", "image"])
@pytest.mark.parametrize("aspect", ["widescreen", "square", "portrait"])
def test_a_drawing_comes_nearer_to_its_prompt(studio, aspect, start):
    given = {"start": start} if start != "image" else {"init_image": "x"}
    asked = make_settings(
        {
            "prompts": "a red apple",
            "drawer": "vqgan",
            "aspect": aspect,
            "seed": 1,
            "scale": 0.5,
            "iterations": 8,
            "num_cuts": 6,
            "perceptors": [PIXELCLIP],
            **given,
        }
    )
    one = studio()
    pictures = {"x": png(half_red())} if start == "image" else {}
    assert isinstance(one.add(Draw("a", asked, pictures)), Started)
    easel = one._easels["a"]
    judge = one.perceptor(PIXELCLIP)
    prompts = parse_prompts(asked.prompts)
    targets = make_targets(prompts, judge.encode_text([prompts[0].text]))
    views = choose_views(24, *grid_size(easel.settings), stream(9, "test"))

    def score():
        with torch.no_grad():
            seen = sample([easel.drawer.grid()], [views], judge.view_size)
            return prompt_score(judge.encode_views(seen), targets).item()

    before = score()
    assert finish(one)["a"].statistics.iterations == 8
    assert score() > before + 0.01


def test_init_weight_keeps_it_near_the_init_image(studio):
    def distance(weight):
        asked = settings(start=None, init_image="x", init_weight=weight, iterations=6, num_cuts=4)
        one = studio()
        assert isinstance(one.add(Draw("a", asked, {"x": png(half_red())})), Started)
        drawn = one._easels["a"].drawer
        begun = drawn.reference()
        finish(one)
        return init_loss(drawn.grid(), begun).item()

    assert distance(10) < distance(0)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_killed_job_goes_on_to_the_same_bytes_alone_or_among_others(studio, tmp_path, threads):
    asked = settings(iterations=4, display_every=4, num_cuts=4)
    other = msgspec.structs.replace(asked, seed=2, size=(64, 64))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        alone = studio()
        alone.add(Draw("a", asked))
        expected = finish(alone)["a"]
        first = studio(snapshots=tmp_path, snapshot_seconds=0)
        first.add(Draw("a", asked))
        for _ in range(2):
            assert Snapshot in [type(event) for event in first.tick()]
        second = studio(snapshots=tmp_path)
        second.add(Draw("b", other))
        assert second.add(Draw("a", asked)).iteration == 2
        done = finish(second)["a"]
    finally:
        torch.set_num_threads(before)
    assert (done.png, done.native_png) == (expected.png, expected.native_png)
