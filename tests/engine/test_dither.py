"""Init images in few colours, mixed by patterns and by errors."""

import numpy as np
import pytest
import torch
from PIL import Image

from engine.drawers import make_drawer, seen_size, start_from_image
from engine.drawers.dither import dithered
from engine.errors import SettingsError
from engine.palettes import parse_palette
from engine.settings import make_settings, resolve

CPU = torch.device("cpu")
BLACK_AND_WHITE = torch.tensor([[0.0, 0, 0], [1, 1, 1]])
METHODS = pytest.mark.parametrize("method", ["bayer", "floyd"])


def grey(value, rows=16, columns=16):
    return torch.full((3, rows, columns), value)


def drawn(image, **given):
    asked = resolve(
        make_settings(
            {"prompts": "x", "seed": 1, "pixel_size": (32, 32), "size": (64, 64), **given}
            | {"init_image": "a file"}
        )
    )
    start = start_from_image(image, *seen_size(asked), clear=False)
    return np.asarray(make_drawer(asked, start, CPU).native())


@METHODS
@pytest.mark.parametrize("value", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_a_grey_is_so_much_black_and_so_much_white(method, value):
    picture = dithered(grey(value), BLACK_AND_WHITE, method)
    assert set(picture.flatten().tolist()) <= {0.0, 1.0}
    assert picture.mean() == pytest.approx(value, abs=0.07)


@METHODS
def test_a_picture_of_the_palette_s_own_colours_stays_as_it_is(method):
    palette = torch.tensor(parse_palette("pico8")) / 255
    generator = torch.Generator().manual_seed(1)
    picture = palette[torch.randint(16, (9, 14), generator=generator)].permute(2, 0, 1)
    assert torch.equal(dithered(picture, palette, method), picture)


@METHODS
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (4, 5), (30, 17)])
def test_any_size_is_dithered_in_every_cell(method, size):
    picture = dithered(grey(0.4, *size), BLACK_AND_WHITE, method)
    assert picture.shape == (3, *size)


@pytest.mark.parametrize(
    ("greys", "chosen"),
    [
        # White from 0.389 on, where Oklab's lightness is a half. A row: 7/16 of 0.3 is 0.131.
        ([[0.3, 0.3, 0.3, 0.3, 0.3]], [[0, 1, 0, 0, 1]]),
        # A column: 5/16 of 0.35 is 0.109.
        ([[0.35], [0.35], [0.35]], [[0], [1], [0]]),
        # The last cell takes 1/16 of the first one's error, 5/16 of that above it and 7/16 of that
        # left of it, which has 3/16 of that above the last: 0.130 in all, and none too much.
        ([[0.35, 0], [0, 0.265]], [[0, 0], [0, 1]]),
        ([[0.35, 0], [0, 0.255]], [[0, 0], [0, 0]]),
    ],
)
def test_errors_go_where_floyd_and_steinberg_say(greys, chosen):
    picture = torch.tensor(greys).expand(3, -1, -1)
    assert dithered(picture, BLACK_AND_WHITE, "floyd")[0].tolist() == chosen


def test_a_pattern_repeats_every_four_cells():
    picture = dithered(grey(0.5), BLACK_AND_WHITE, "bayer")[0]
    assert torch.equal(picture, picture.roll(4, 0))
    assert torch.equal(picture, picture.roll(4, 1))
    assert not torch.equal(picture, picture.roll(1, 0))


@METHODS
@pytest.mark.parametrize("given", [{"palette": "gameboy"}, {"palette": "nes", "colors": 6}])
@pytest.mark.parametrize("pixel_type", ["rect", "hex"])
def test_a_drawing_starts_with_the_dithered_picture(method, given, pixel_type):
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(ramp[None, :, None], (64, 64, 3)).copy())
    plain = drawn(image, pixel_type=pixel_type, **given)
    mixed = drawn(image, pixel_type=pixel_type, dither=method, **given)
    assert not np.array_equal(plain, mixed)

    def missed(native):
        """How far the means of areas of 8 × 8 cells are from the ramp's."""
        areas = native.reshape(4, 8, 4, 8, 3).mean((1, 3))
        return np.abs(areas.mean(2) - np.array([31, 95, 159, 223])).mean()

    assert missed(mixed) < missed(plain)
    allowed = set(parse_palette(given["palette"]))
    assert {tuple(colour) for colour in mixed.reshape(-1, 3).tolist()} <= allowed


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"palette": "nes"}, "draws an init image in few colours, and there is none"),
        ({"init_image": "x"}, "mixes the colours of a palette, and there is none"),
        ({"init_image": "x", "colors": 0}, "mixes the colours of a palette, and there is none"),
        ({"init_image": "x", "palette": "nes", "dither": "atkinson"}, "none, bayer, floyd"),
    ],
)
def test_what_cannot_be_dithered_is_refused(given, sentence):
    with pytest.raises(SettingsError, match=sentence):
        make_settings({"prompts": "x", "dither": "bayer", **given})
