"""What is asked of a picture besides its prompts: each loss by itself, and on real drawings."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.palettes import parse_palette
from engine.picture_losses import (
    border_loss,
    palette_loss,
    saturation_loss,
    smoothness_loss,
    symmetry_loss,
    weighted_losses,
)
from engine.protocol import Draw, Started
from engine.settings import resolve
from engine.streams import stream
from tests.engine.conftest import CPU

PICO8 = torch.tensor(parse_palette("pico8"), dtype=torch.float32) / 255

LOSSES = {
    "smoothness": smoothness_loss,
    "saturation": saturation_loss,
    "symmetry": symmetry_loss,
    "palette": lambda picture: palette_loss(picture, PICO8),
    "border": lambda picture: border_loss(picture[None], standing=False),
    "clear border": lambda picture: border_loss(picture[None], standing=True),
}


def opaque(rgb):
    return torch.cat([rgb, torch.ones_like(rgb[:1])])


def noise(rows=12, columns=16, seed=1):
    return opaque(torch.rand(3, rows, columns, generator=stream(seed, "test")))


def framed(picture, width):
    """The picture with nothing at its border."""
    inner = torch.zeros_like(picture)
    rows, columns = picture.shape[1:]
    inside = slice(width, rows - width), slice(width, columns - width)
    inner[:, *inside] = picture[:, *inside]
    return inner


IDEAL = {
    "smoothness": torch.full((4, 12, 16), 0.5),
    "symmetry": torch.cat([noise(12, 8), noise(12, 8).flip(2)], 2),
    "palette": opaque(PICO8[torch.arange(12 * 16) % len(PICO8)].T.reshape(3, 12, 16)),
    "border": framed(noise(), 1),
    "clear border": framed(noise(), 1),
}


@pytest.mark.parametrize("name", IDEAL)
def test_a_picture_with_nothing_left_to_ask_loses_nothing_and_noise_does(name):
    assert LOSSES[name](IDEAL[name]).item() == pytest.approx(0, abs=1e-6)
    assert LOSSES[name](noise()).item() > 0.02


@pytest.mark.parametrize("name", LOSSES)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_a_flat_picture_has_finite_gradients(name, colour):
    red, green, blue, alpha = colour
    flat = torch.tensor([red * alpha, green * alpha, blue * alpha, alpha])[:, None, None]
    picture = flat.repeat(1, 4, 5).requires_grad_()
    loss = LOSSES[name](picture)
    torch.autograd.backward(loss)
    assert loss.isfinite()
    assert picture.grad.isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
def test_a_step_down_the_gradient_loses_less(name):
    picture = noise().requires_grad_()
    before = LOSSES[name](picture)
    torch.autograd.backward(before)
    with torch.no_grad():
        after = LOSSES[name](picture - 1e-2 * picture.grad / picture.grad.norm())
    assert after < before


@pytest.mark.parametrize("name", ["smoothness", "saturation", "symmetry", "palette"])
def test_a_loss_does_not_depend_on_how_many_cells_a_picture_has(name):
    stripes = opaque(torch.rand(3, 1, 16, generator=stream(1, "test")).expand(3, 12, 16))
    finer = stripes.repeat_interleave(3, 1).repeat_interleave(3, 2)
    assert LOSSES[name](finer).item() == pytest.approx(LOSSES[name](stripes).item(), rel=1e-4)


def test_an_edge_counts_by_its_length_and_its_contrast():
    def square(side, contrast):
        picture = opaque(torch.zeros(3, 12, 16))
        picture[0, 3 : 3 + side, 3 : 3 + side] = contrast
        return smoothness_loss(picture).item()

    assert square(6, 0.5) == pytest.approx(square(6, 1) / 2, rel=0.05)
    assert square(3, 1) == pytest.approx(square(6, 1) / 2, rel=0.1)


def test_a_tile_is_smooth_where_it_meets_itself():
    picture = opaque(torch.linspace(0, 1, 16).expand(3, 12, 16))
    assert smoothness_loss(picture, wraps=True) > smoothness_loss(picture) * 1.9


def test_saturation_is_the_colourfulness_of_hasler_and_suesstrunk():
    picture = noise()
    red, green, blue = picture[:3].double().numpy()
    first, second = red - green, (red + green) / 2 - blue
    spread = np.hypot(first.std(), second.std())
    colourfulness = spread + 0.3 * np.hypot(first.mean(), second.mean())
    assert saturation_loss(picture).item() == pytest.approx(-colourfulness / 2, abs=0.01)


def test_a_grey_picture_is_not_colourful():
    assert saturation_loss(opaque(torch.rand(1, 9, 9).expand(3, 9, 9))).item() == pytest.approx(0)


@pytest.mark.parametrize("name", ["saturation", "palette"])
def test_what_is_clear_has_no_colour(name):
    clear = torch.cat([noise(), torch.zeros(4, 12, 16)], 2)
    assert LOSSES[name](clear).item() == pytest.approx(LOSSES[name](noise()).item(), rel=0.01)


def test_the_border_of_a_standing_subject_is_its_own_and_not_its_grounds():
    ground = opaque(torch.full((3, 12, 16), 0.7))
    both = torch.stack([ground, framed(noise(), 1)])
    assert border_loss(both, standing=True).item() == pytest.approx(0, abs=1e-6)
    assert border_loss(torch.stack([ground, noise()]), standing=True) > 0.1


def test_nothing_is_asked_unless_it_has_a_weight(ask):
    assert weighted_losses(resolve(ask()), CPU) == []
    asked = resolve(ask(palette="pico8", palette_weight=2, edge_weight=0.5))
    assert sorted(weight for weight, _ in weighted_losses(asked, CPU)) == [0.5, 2]


# Settings of a loss, and what is measured of a picture's layers: it falls as the weight grows.
EFFECTS = {
    "smoothness_weight": lambda layers: smoothness_loss(layers[0]),
    "saturation_weight": lambda layers: saturation_loss(layers[0]),
    "symmetry_weight": lambda layers: symmetry_loss(layers[0]),
    "palette_weight": lambda layers: palette_loss(layers[0], PICO8),
    "edge_weight": lambda layers: border_loss(layers, standing=len(layers) > 1),
}


def drawn(studio, settings, steps=10):
    """The layers of a drawing after some steps."""
    room = studio()
    assert isinstance(room.add(Draw("a", settings, {})), Started)
    for _ in range(steps):
        list(room.tick())
    drawer = room._easels["a"].drawer
    return drawer.grid(drawer.moment(1.0)).detach()


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("drawer", ["pixel", "clipdraw"])
def test_more_weight_gives_more_of_it(studio, ask, drawer, name):
    plain = {"start": "noise", "iterations": 20, "drawer": drawer, "learning_rate": 0.3}
    if drawer != "pixel":
        plain |= {"pixel_size": None, "strokes": 24, "learning_rate": 1}
    palette = {"palette": "pico8"} if name == "palette_weight" else {}
    none, some, much = (
        EFFECTS[name](drawn(studio, ask(**plain, **extra))).item()
        for extra in ({}, {name: 1, **palette}, {name: 10, **palette})
    )
    assert none > some > much
    assert much < none - 0.2 * abs(none)


def test_a_palette_that_only_pulls_leaves_other_colours(studio, ask):
    def colours(**given):
        plain = {"start": "noise", "iterations": 20, "palette": "pico8", "layers": False}
        layers = drawn(studio, ask(**plain, **given))
        return {tuple(colour) for colour in (255 * layers[0, :3]).round().flatten(1).T.tolist()}

    exact = {tuple(colour) for colour in parse_palette("pico8")}
    assert colours() <= exact
    assert not colours(palette_weight=1) <= exact
