"""What is drawn is what was asked for: the model draws, and no look-up does."""

import io

import numpy as np
import pytest
from PIL import Image

from engine.perceptors import load_perceptor
from engine.protocol import Done, Draw
from engine.settings import make_settings
from tests.engine.conftest import CPU

SETTINGS = {"aspect": "square", "quality": "draft", "seed": 1}


class Swapped:
    """The shipped perceptor with the text vectors of two prompts exchanged."""

    def __init__(self, perceptor, one, other):
        self._perceptor, self._exchange = perceptor, {one: other, other: one}

    def __getattr__(self, name):
        return getattr(self._perceptor, name)

    def encode_text(self, texts):
        return self._perceptor.encode_text([self._exchange.get(text, text) for text in texts])


@pytest.fixture(scope="module")
def pixelclip():
    return load_perceptor("pixelclip", CPU)


def drawn(studio, perceptor, prompt, **given):
    """The cells of a drawing as an array ``[rows, columns, 3]`` in 0…1."""
    one = studio(perceptor=lambda name, device: perceptor)
    one.add(Draw("a", make_settings({"prompts": prompt, **SETTINGS, **given})))
    while not one.idle:
        for event in one.tick():
            if isinstance(event, Done):
                image = Image.open(io.BytesIO(event.native_png)).convert("RGB")
                return np.asarray(image) / 255
    raise AssertionError("the drawing was not finished")


def redness(cells):
    return np.clip(cells[..., 0] - np.maximum(cells[..., 1], cells[..., 2]), 0, None)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_red_apple_is_red_round_and_in_the_middle(studio, pixelclip, seed):
    red = redness(drawn(studio, pixelclip, "a red apple", seed=seed)) > 0.4
    rows, columns = red.shape
    down, across = np.nonzero(red)
    assert abs(down.mean() - rows / 2) < rows / 6
    assert abs(across.mean() - columns / 2) < columns / 8
    middle = red[rows // 3 : -(rows // 3), columns // 3 : -(columns // 3)]
    sixth = rows // 6
    corners = [
        red[down, across]
        for down in (slice(sixth), slice(-sixth, None))
        for across in (slice(sixth), slice(-sixth, None))
    ]
    assert middle.mean() > 0.7
    assert np.mean(corners) < 0.1
    # Round: most of it lies within the disc of the same area.
    from_middle = np.hypot(down - down.mean(), across - across.mean())
    assert (from_middle < np.sqrt(len(down) / np.pi)).mean() > 0.75


def test_swapping_the_text_vectors_of_two_prompts_swaps_their_pictures(studio, pixelclip):
    apple, sea = "a red apple", "the blue sea"
    swapped = Swapped(pixelclip, apple, sea)
    for prompt, other in ((apple, sea), (sea, apple)):
        straight = drawn(studio, pixelclip, prompt, iterations=30)
        exchanged = drawn(studio, swapped, other, iterations=30)
        assert np.array_equal(straight, exchanged)
    assert redness(drawn(studio, pixelclip, apple, iterations=30)).mean() > 0.05


def test_a_negative_weight_takes_something_away(studio, pixelclip):
    with_red = drawn(studio, pixelclip, "a flower | red:1")
    without = drawn(studio, pixelclip, "a flower | red:-1")
    assert redness(with_red).mean() > 1.5 * redness(without).mean()
