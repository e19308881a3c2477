"""The pixel drawer: cells in, pictures out."""

import numpy as np
import pytest
import torch
from PIL import Image

from engine.drawers import make_drawer
from engine.settings import resolve

CPU = torch.device("cpu")


def drawer(ask, init_image=None, **given):
    return make_drawer(resolve(ask(**given)), init_image, CPU)


def test_the_native_picture_has_one_pixel_a_cell(ask):
    assert drawer(ask, pixel_size=(23, 9)).native().size == (23, 9)


def test_the_large_picture_shows_each_cell_as_one_crisp_block(ask):
    made = drawer(ask, pixel_size=(8, 6))
    large = made.enlarged((64, 48))
    blocks = np.asarray(large).reshape(6, 8, 8, 8, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()
    assert np.array_equal(blocks[:, 0, :, 0], np.asarray(made.native()))


def test_a_size_that_is_no_multiple_of_the_grid_adds_no_colours(ask):
    made = drawer(ask, pixel_size=(8, 6))
    colours = {colour for _, colour in made.native().getcolors(9999)}
    assert {colour for _, colour in made.enlarged((61, 47)).getcolors(9999)} <= colours


def test_the_seed_decides_the_noise_that_a_picture_starts_from(ask):
    one, same, other = (np.asarray(drawer(ask, seed=seed).native()) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_an_init_image_is_where_the_picture_starts(ask):
    image = Image.new("RGB", (160, 120), (200, 60, 20))
    start = np.asarray(drawer(ask, image).native()).astype(int)
    assert np.abs(start - (200, 60, 20)).max() <= 1


def test_the_clear_parts_of_an_init_image_are_white_unless_the_picture_is_transparent(ask):
    clear = Image.new("RGBA", (16, 12), (255, 0, 0, 0))
    assert np.asarray(drawer(ask, clear).native()).min() > 245
    assert np.asarray(drawer(ask, clear, transparent=True).native())[..., 3].max() == 0


def test_a_transparent_picture_is_there_or_not_in_each_cell(ask):
    native = drawer(ask, transparent=True).native()
    assert native.mode == "RGBA"
    assert set(np.asarray(native)[..., 3].flatten()) == {0, 255}


@pytest.mark.parametrize("size", [(4, 4), (4, 256), (5, 7), (80, 45)])
def test_any_grid_can_be_optimised(ask, size):
    made = drawer(ask, pixel_size=size)
    target = torch.rand(4, size[1], size[0])
    target[3] = 1
    optimizer = torch.optim.Adam(made.parameters, lr=0.1)
    first = None
    for _ in range(20):
        loss = (made.grid()[0] - target).square().mean()
        first = first or loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < first


def test_a_picture_from_noise_is_a_subject_before_a_background(ask):
    whole, subject = drawer(ask).grid()
    assert (whole[3] == 1).all()
    assert subject[3, 6, 8] > 0.5 > subject[3, 0, 0]
    background = (whole[:3] - subject[:3]) / (1 - subject[3])
    assert torch.allclose(background, torch.full_like(background, 0.5), atol=1e-5)


def test_a_picture_from_a_picture_has_one_layer(ask):
    assert len(drawer(ask, Image.new("RGB", (16, 12))).grid()) == 1
    assert len(drawer(ask, transparent=True).grid()) == 1


def test_a_transparent_picture_is_never_blank(ask):
    made = drawer(ask, transparent=True)
    with torch.no_grad():
        made.parameters[0][3] -= 2
    assert np.asarray(made.native())[..., 3].max() == 255
