"""The pixel drawer: cells in, pictures out."""

import math
import re

import numpy as np
import pytest
import torch
from PIL import Image

from engine.drawers import Start, colours, make_drawer, seen_size, start_from_image
from engine.palettes import PALETTES, parse_palette
from engine.settings import resolve
from engine.tilings import TILINGS

CPU = torch.device("cpu")
SHAPES = [name for name in TILINGS if name != "rect"]
KINDS = [
    {},
    {"transparent": True},
    {"layers": False},
    {"palette": "sweetie16"},
    {"palette": "sweetie16", "transparent": True},
    {"colors": 5},
    {"palette": "nes", "colors": 5, "layers": False},
]


def drawer(ask, init_image=None, **given):
    # Any colours, where the test does not say.
    given = {"colors": 0, **given}
    if not isinstance(init_image, Image.Image):
        return make_drawer(resolve(ask(**given)), init_image, CPU)
    settings = resolve(ask(init_image="a file", **given))
    clear = settings.transparent or settings.layers
    start = start_from_image(init_image, *seen_size(settings), clear=clear)
    return make_drawer(settings, start, CPU)


def a_start(rows=12, columns=16, coarse=4):
    """A soft-edged disc of many colours before a background of others."""
    generator = torch.Generator().manual_seed(3)
    colours = torch.rand(7, rows // coarse, columns // coarse, generator=generator)
    smooth = torch.nn.functional.interpolate(colours[None], (rows, columns), mode="bilinear")[0]
    alpha = (smooth[3:4] * 3 - 1).clamp(0, 1)
    return Start(torch.cat([smooth[:3] * alpha, alpha]), smooth[4:])


def optimised(made, target, steps=20):
    """A drawer after some steps towards a target for the whole picture."""
    optimizer = torch.optim.Adam(made.parameters, lr=0.1)
    for step in range(steps):
        loss = (made.grid(made.moment(step / steps))[0] - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return made


def colours_of(image):
    """The colours of all cells that are there."""
    return {pixel[:3] for _, pixel in image.convert("RGBA").getcolors(99999) if pixel[3]}


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
@pytest.mark.parametrize("given", [{}, {"palette": "pico8"}])
def test_any_grid_can_be_optimised(ask, size, given):
    made = drawer(ask, pixel_size=size, **given)
    target = torch.zeros(4, size[1], size[0])
    target[0], target[3] = 1, 1
    before = (made.grid()[0] - target).square().mean()
    after = (optimised(made, target).grid()[0] - target).square().mean()
    assert after < before


def test_a_picture_from_noise_is_a_subject_before_a_background(ask):
    whole, subject = drawer(ask).grid()
    assert (whole[3] == 1).all()
    assert subject[3, 6, 8] > 0.5 > subject[3, 0, 0]
    background = (whole[:3] - subject[:3]) / (1 - subject[3])
    assert torch.allclose(background, torch.full_like(background, 0.5), atol=1e-5)


def test_a_picture_from_a_picture_has_one_layer(ask):
    assert len(drawer(ask, Image.new("RGB", (16, 12))).grid()) == 1
    assert len(drawer(ask, transparent=True).grid()) == 1


def test_layers_may_be_left_out_and_put_behind_an_init_image(ask):
    assert len(drawer(ask, layers=False).grid()) == 1
    clear = Image.new("RGBA", (16, 12), (255, 0, 0, 0))
    whole, subject = drawer(ask, clear, layers=True).grid()
    assert (whole[3] == 1).all()
    assert subject[3].max() < 0.05


def test_a_transparent_picture_is_never_blank(ask):
    made = drawer(ask, transparent=True)
    optimised(made, torch.zeros(4, 12, 16))
    assert made.grid()[0, 3].max() < 0.5
    assert np.asarray(made.native())[..., 3].max() == 255


def test_a_start_is_reproduced_before_the_first_step(ask):
    start = a_start()
    whole, subject = drawer(ask, start).grid()
    assert (subject - start.subject).abs().max() < 0.03
    picture = start.subject[:3] + (1 - start.subject[3]) * start.background
    assert (whole[:3] - picture).abs().max() < 0.03
    (alone,) = drawer(ask, start, transparent=True).grid()
    assert torch.equal(alone, subject)
    (flat,) = drawer(ask, start, layers=False).grid()
    assert (flat[:3] - picture).abs().max() < 0.03


def test_a_start_in_a_palette_s_colours_is_reproduced_in_them(ask):
    palette = torch.tensor(parse_palette("pico8")) / 255
    generator = torch.Generator().manual_seed(1)
    chosen = palette[torch.randint(16, (12, 16), generator=generator)].permute(2, 0, 1)
    start = Start(torch.cat([chosen, torch.ones(1, 12, 16)]))
    made = drawer(ask, start, palette="pico8", layers=False)
    native = torch.from_numpy(np.asarray(made.native()).copy()).permute(2, 0, 1) / 255
    assert torch.equal(native, chosen)
    assert (made.grid()[0, :3] - chosen).abs().mean() < 0.1


def test_where_a_subject_is_not_it_has_the_colour_of_what_is_near(ask):
    subject = torch.zeros(4, 12, 16)
    subject[0, 4:8, 6:10] = subject[3, 4:8, 6:10] = 1
    made = drawer(ask, Start(subject), transparent=True)
    colour = made.grid()[0, :3] / made.grid()[0, 3]
    assert (colour[0] > 0.9).all()
    assert (colour[1:] < 0.1).all()


@pytest.mark.parametrize("given", KINDS)
@pytest.mark.parametrize("start", [None, a_start()])
def test_the_colours_are_exact_however_the_picture_came_about(ask, given, start):
    made = optimised(drawer(ask, start, **given), torch.rand(4, 12, 16).round())
    colours = colours_of(made.native())
    if "palette" in given:
        assert colours <= set(parse_palette(given["palette"]))
    if "colors" in given:
        assert 2 <= len(colours) <= given["colors"]
    assert colours_of(made.enlarged((61, 47))) <= colours


@pytest.mark.parametrize("given", KINDS)
def test_at_the_end_the_views_see_what_is_shown(ask, given):
    made = optimised(drawer(ask, a_start(), **given), torch.rand(4, 12, 16))
    seen = made.grid(made.moment(0.9, torch.Generator()))[0, :3].detach()
    shown = torch.from_numpy(np.asarray(made.native().convert("RGB")).copy()).permute(2, 0, 1)
    if "palette" in given or "colors" in given:
        assert (seen - shown / 255).abs().max() < 1e-5
    elif not given.get("transparent"):
        assert (seen - shown / 255).abs().max() < 1 / 255


@pytest.mark.parametrize("given", KINDS)
@pytest.mark.parametrize("size", [(16, 12), (7, 9)])
def test_a_symmetry_is_exact_for_every_kind_of_picture(ask, given, size):
    target = torch.rand(4, size[1], size[0])
    for symmetry, axes in {"x": [1], "y": [0], "xy": [0, 1]}.items():
        made = drawer(ask, pixel_size=size, symmetry=symmetry, **given)
        native = np.asarray(optimised(made, target, 3).native())
        for axis in axes:
            assert np.array_equal(native, np.flip(native, axis))
            seen = made.grid(made.moment(0.3, torch.Generator()))
            assert torch.equal(seen, seen.flip(axis - 2))


def test_a_picture_without_symmetry_has_none(ask):
    native = np.asarray(drawer(ask).native())
    assert not np.array_equal(native, native[:, ::-1])


def test_the_choice_of_a_colour_is_soft_first_and_hard_at_the_end(ask):
    made = drawer(ask, a_start(), palette="nes", layers=False)
    palette = torch.tensor(PALETTES["nes"]) / 255
    distance = [
        torch.cdist(made.grid(made.moment(progress))[0, :3].flatten(1).T, palette)
        .amin(1)
        .mean()
        .item()
        for progress in (0, 0.3, 0.6, 0.9)
    ]
    assert distance == sorted(distance, reverse=True)
    assert distance[-1] < 1e-4


def test_the_noise_of_the_choice_is_that_of_its_stream_and_fades(ask):
    made = drawer(ask, palette="nes")

    def seen(progress, seed):
        return made.grid(made.moment(progress, torch.Generator().manual_seed(seed))).detach()

    assert torch.equal(seen(0.1, 1), seen(0.1, 1))
    assert not torch.equal(seen(0.1, 1), seen(0.1, 2))
    assert torch.equal(seen(0.9, 1), seen(0.9, 2))


def test_a_limited_number_of_colours_begins_with_those_of_the_start(ask):
    start = a_start()
    picture = start.subject[:3] + (1 - start.subject[3]) * start.background

    def missed(**given):
        native = np.asarray(drawer(ask, start, layers=False, **given).native()) / 255
        return (torch.tensor(native).permute(2, 0, 1) - picture).abs().mean().item()

    errors = [missed(colors=16), missed(palette="nes", colors=16), missed(palette="gameboy")]
    assert errors == sorted(errors)
    assert errors[0] < errors[-1] / 3


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("given", KINDS)
def test_cells_of_any_shape_have_exact_colours_and_are_seen_as_they_are_shown(ask, given, shape):
    given = {"pixel_type": shape, "pixel_size": (16, 12), **given}
    made = drawer(ask, a_start(36, 48), **given)
    optimised(made, torch.rand(4, *made.grid().shape[2:]))
    native = made.native()
    assert native.size == (16, 12)
    colours = colours_of(native)
    if "palette" in given:
        assert colours <= set(parse_palette(given["palette"]))
    if "colors" in given:
        assert len(colours) <= given["colors"]
    seen = made.grid(made.moment(0.9, torch.Generator())).detach()
    if not given.get("transparent"):
        height, width = seen.shape[2:]
        shown = torch.from_numpy(np.asarray(made.enlarged((width, height))).copy()) / 255
        assert (seen[0, :3] - shown.permute(2, 0, 1)).abs().max() < 1.01 / 255


@pytest.mark.parametrize("shape", SHAPES)
def test_inside_a_cell_of_any_shape_its_colour_is_exact(ask, shape):
    made = drawer(ask, a_start(36, 48), pixel_type=shape, palette="pico8", layers=False)
    large = np.asarray(made.enlarged((640, 480)))
    exact = {tuple(colour) for colour in large.reshape(-1, 3).tolist()} & set(PALETTES["pico8"])
    assert exact == colours_of(made.native())
    # Most of the picture is inside of cells.
    inside = [(large == colour).all(2) for colour in exact]
    assert np.any(inside, 0).mean() > 0.8


@pytest.mark.parametrize("shape", SHAPES)
def test_the_edge_of_a_transparent_picture_is_antialiased(ask, shape):
    start = Start(a_start(36, 48).subject)
    made = drawer(ask, start, pixel_type=shape, transparent=True)
    large = made.enlarged((133, 97))
    assert large.mode == "RGBA"
    alpha = np.asarray(large)[..., 3]
    assert {0, 255} < set(alpha.flatten())
    assert set(np.asarray(made.native())[..., 3].flatten()) == {0, 255}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_start_is_reproduced_in_cells_of_any_shape(ask, shape):
    start = a_start(36, 48, coarse=12)
    whole, subject = drawer(ask, start, pixel_type=shape).grid()
    picture = start.subject[:3] + (1 - start.subject[3]) * start.background
    assert (subject - start.subject).abs().mean() < 0.04
    assert (whole[:3] - picture).abs().mean() < 0.04


@pytest.mark.parametrize("shape", TILINGS)
def test_a_tile_starts_without_a_seam_whatever_it_starts_from(ask, shape):
    ramp = np.linspace(0, 255, 96).astype(np.uint8)
    image = Image.fromarray(np.broadcast_to(ramp[None, :, None], (72, 96, 3)).copy())
    plain = drawer(ask, image, pixel_type=shape).grid()[0, :3].detach()
    tile = drawer(ask, image, pixel_type=shape, tile=True).grid()[0, :3].detach()
    assert (plain[..., 0] - plain[..., -1]).abs().mean() > 0.8
    steps = (tile - tile.roll(1, 2)).abs().mean((0, 1))
    assert steps[0] <= steps[1:].max() + 1e-3


def test_an_svg_has_the_picture_s_colours(ask):
    made = drawer(ask, a_start(), palette="pico8", layers=False)
    svg = made.svg((160, 120))
    named = {tuple(bytes.fromhex(colour)) for colour in re.findall(r'fill="#(\w+)"', svg)}
    assert named == colours_of(made.native())


def test_a_device_s_stored_noise_is_gumbel_s_and_another_in_each_place():
    cells = torch.zeros(16, 45, 80)
    one, other, again = (
        colours._stored_gumbel(cells, torch.tensor(place)) for place in (0.2, 0.99, 0.2)
    )
    for noise in (one, other):
        assert noise.mean().item() == pytest.approx(0.5772, abs=0.02)
        assert noise.var().item() == pytest.approx(math.pi**2 / 6, abs=0.05)
    assert torch.equal(one, again)
    assert torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1].abs() < 0.02


def test_stored_noise_moves_the_choice_as_drawn_noise_does(ask):
    made = drawer(ask, palette="nes", pixel_size=(40, 40))
    plain = made.grid(made.moment(0.2))
    changes = [
        (made.grid(made.moment(0.2, torch.Generator(), stored=stored)) - plain).abs().mean().item()
        for stored in (False, True)
    ]
    assert changes[1] == pytest.approx(changes[0], rel=0.1)
    assert changes[0] > 0.01
