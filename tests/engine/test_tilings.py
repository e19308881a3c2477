"""Cells of six shapes: what they cover, how they repeat and mirror, and their gradient."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.drawers import make_drawer, seen_size
from engine.drawers.cells import cell_polygons
from engine.drawers.coverage import Coverage, covered_areas
from engine.drawers.mosaic import Mosaic, make_layout
from engine.settings import make_settings, resolve
from engine.tilings import TILINGS, wrapping

CPU = torch.device("cpu")
SHAPES = [name for name in TILINGS if name != "rect"]
SIDES = st.integers(4, 64)
PIXELS = st.integers(32, 400)


def resolved(**given):
    return resolve(make_settings({"prompts": "x", "seed": 1, "size": (64, 48), **given}))


def coverage(name, grid, size, wraps=(False, False)):
    polygons, owners = cell_polygons(TILINGS[name], grid, wraps)
    return Coverage(polygons * torch.tensor(size), owners, grid, size, CPU)


def random_cells(columns, rows, channels=4):
    return torch.rand(channels, rows, columns, generator=torch.Generator().manual_seed(1))


@given(st.sampled_from(list(TILINGS)), SIDES, SIDES, PIXELS, PIXELS, st.booleans())
@settings(max_examples=40)
def test_any_grid_covers_any_picture_once(name, columns, rows, width, height, tile):
    wraps = (tile, tile)
    grid = TILINGS[name].grid(columns, rows, wraps, 64)
    polygons, owners = cell_polygons(TILINGS[name], grid, wraps)
    polygon, pixel, areas = covered_areas(polygons * torch.tensor((width, height)), (width, height))
    covered = torch.bincount(pixel, areas, width * height)
    assert (covered - 1).abs().max() < 1e-4
    assert covered.sum() == pytest.approx(width * height, rel=1e-6)
    if width > 2 * grid[0] and height > 2 * grid[1]:
        seen = torch.bincount(owners[polygon], areas, grid[0] * grid[1])
        assert seen.min() > 0
        if tile:
            assert seen.max() - seen.min() < 1e-3 * seen.max()


@given(st.sampled_from(SHAPES), SIDES, SIDES, PIXELS, PIXELS)
@settings(max_examples=15)
def test_a_plain_picture_stays_plain(name, columns, rows, width, height):
    picture = coverage(name, (columns, rows), (width, height))(torch.ones(1, rows, columns))
    assert picture.shape == (1, height, width)
    assert (picture - 1).abs().max() < 1e-5


def test_the_areas_of_a_polygon_are_exact():
    triangle = torch.tensor([[[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]]])
    _, pixel, areas = covered_areas(triangle, (4, 4))
    expected = torch.zeros(16, dtype=torch.float64)
    expected[pixel] = areas
    whole = torch.ones(4, 4, dtype=torch.float64)
    assert torch.allclose(expected.view(4, 4).fliplr(), whole.triu(1) + 0.5 * torch.eye(4))


@pytest.mark.parametrize("name", SHAPES)
def test_the_areas_are_those_that_many_samples_find(name):
    grid, size, samples = (7, 6), (31, 23), 16
    made = coverage(name, grid, size)
    fine = coverage(name, grid, (size[0] * samples, size[1] * samples))
    cells = random_cells(*grid)
    averaged = torch.nn.functional.avg_pool2d(fine(cells).round(decimals=3), samples)
    assert (made(cells) - averaged).abs().max() < 0.002


@pytest.mark.parametrize("name", SHAPES)
def test_every_other_cell_of_a_shape_is_as_large(name):
    wraps = (True, True)
    grid = TILINGS[name].grid(9, 7, wraps, 64)
    polygons, _ = cell_polygons(TILINGS[name], grid, wraps)
    x, y = polygons.unbind(2)
    areas = (x * y.roll(-1, 1) - x.roll(-1, 1) * y).sum(1).abs() / 2
    assert torch.allclose(areas, torch.full_like(areas, 1 / (grid[0] * grid[1])))


@pytest.mark.parametrize("name", SHAPES)
def test_the_gradient_is_the_area_and_the_same_on_any_number_of_threads(name):
    grid, size = (16, 12), (93, 61)
    made = coverage(name, grid, size)
    weights = torch.rand(4, size[1], size[0], generator=torch.Generator().manual_seed(2))

    def run(threads):
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            cells = random_cells(*grid).requires_grad_()
            picture = made(cells)
            (picture * weights).sum().backward()
        finally:
            torch.set_num_threads(before)
        return picture.detach(), cells.grad

    picture, gradient = run(1)
    for other in (run(1), run(2)):
        assert torch.equal(picture, other[0])
        assert torch.equal(gradient, other[1])
    # The map is linear: moving one cell moves the loss by its gradient.
    moved = random_cells(*grid)
    moved[2, 5, 7] += 1
    rise = ((made(moved) - picture).double() * weights).sum()
    assert rise == pytest.approx(gradient[2, 5, 7].item(), rel=1e-3)


@pytest.mark.parametrize("name", SHAPES)
def test_the_mean_of_what_a_cell_covers_is_its_colour_again(name):
    grid = (9, 8)
    made = coverage(name, grid, (900, 800))
    cells = random_cells(*grid)
    assert (made.averages(made(cells)) - cells).abs().max() < 0.05
    assert torch.allclose(made.averages(torch.ones(1, 800, 900)), torch.ones(1, 8, 9), atol=1e-3)


@pytest.mark.parametrize(
    ("name", "symmetry"),
    [
        (name, symmetry)
        for name, tiling in TILINGS.items()
        for symmetry in ("x", "y", "xy")
        if set(symmetry) <= set(tiling.mirrors)
    ],
)
@pytest.mark.parametrize("tile", [False, True])
def test_a_mirrored_picture_is_its_own_mirror_image_to_the_last_bit(name, symmetry, tile):
    asked = resolved(pixel_type=name, symmetry=symmetry, tile=tile, size=(131, 75), pixel_scale=3)
    columns, rows = asked.pixel_size
    layout = make_layout(asked, CPU)
    cells = random_cells(columns, rows, 3)
    seen = layout.seen(cells)
    pixels = (layout.symmetric(cells) * 255).to(torch.uint8).permute(1, 2, 0)
    large = np.asarray(layout.enlarged(pixels, asked.size).image())
    for axis, letter in ((1, "x"), (0, "y")):
        if letter in symmetry:
            assert torch.equal(seen, seen.flip(axis + 1))
            assert np.array_equal(large, np.flip(large, axis))
    if isinstance(layout, Mosaic):
        # The cells themselves are mirrored as well, not only the picture of them.
        whole = coverage(name, (columns, rows), asked.size, wrapping(symmetry, tile=tile))
        drawn = whole(pixels.permute(2, 0, 1) / 255).permute(1, 2, 0)
        assert (drawn * 255 - torch.from_numpy(large.copy())).abs().max() < 1


@pytest.mark.parametrize("name", TILINGS)
def test_a_tile_goes_on_at_the_opposite_border_as_it_does_anywhere_else(name):
    asked = resolved(pixel_type=name, tile=True, pixel_scale=2, size=(240, 160), layers=False)
    image = make_drawer(asked, None, CPU).enlarged(asked.size)
    pixels = np.asarray(image).astype(float)
    for axis in (0, 1):
        steps = np.abs(pixels - np.roll(pixels, 1, axis)).mean((1 - axis, 2))
        # Pixels within cells are alike: what counts is the largest step, from cell to cell.
        assert steps[0] <= steps[1:].max() * 1.25


@pytest.mark.parametrize("name", SHAPES)
def test_two_tiles_side_by_side_are_one_tiling_of_twice_as_many_cells(name):
    wraps = (True, True)
    columns, rows = TILINGS[name].grid(8, 6, wraps, 64)
    cells = random_cells(columns, rows)
    one = coverage(name, (columns, rows), (80, 60), wraps)(cells)
    both = coverage(name, (2 * columns, 2 * rows), (160, 120), wraps)(cells.repeat(1, 2, 2))
    assert torch.allclose(one.repeat(1, 2, 2), both, atol=1e-5)


@pytest.mark.parametrize("name", TILINGS)
def test_the_cells_of_a_default_grid_look_as_they_should(name):
    for asks in ({}, {"aspect": "square"}, {"aspect": "portrait"}, {"tile": True}):
        asked = resolved(pixel_type=name, size=None, **asks)
        columns, rows = asked.pixel_size
        width, height = asked.size
        place = (width / columns) / (height / rows)
        assert place == pytest.approx(TILINGS[name].aspect, rel=0.1)
        plain = resolved(size=None, **asks)
        assert columns * rows == pytest.approx(np.prod(plain.pixel_size), rel=0.1)


def test_views_sample_cells_of_another_shape_at_several_square_pixels_each():
    assert seen_size(resolved(pixel_size=(16, 12))) == (16, 12)
    for name in SHAPES:
        asked = resolved(pixel_type=name, pixel_size=(16, 12), size=(400, 200))
        width, height = seen_size(asked)
        assert width / height == pytest.approx(2, rel=0.05)
        assert width * height == pytest.approx(9 * 16 * 12, rel=0.05)
        assert make_drawer(asked, None, CPU).grid().shape[2:] == (height, width)
