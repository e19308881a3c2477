"""A pixel drawing as SVG, held against the picture by another renderer."""

import io
import re

import numpy as np
import pytest
import resvg_py
import torch
from PIL import Image

from engine.drawers.mosaic import make_layout
from engine.drawers.svg import squares_svg
from engine.settings import make_settings, resolve
from engine.tilings import TILINGS

CPU = torch.device("cpu")


def rendered(svg):
    return Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))).convert("RGBA")


def premultiplied(image):
    pixels = np.asarray(image.convert("RGBA")).astype(float)
    return np.concatenate([pixels[..., :3] * pixels[..., 3:] / 255, pixels[..., 3:]], 2)


def a_native_picture(columns, rows, *, colours=7, clear=0.0):
    """Cells of few colours, anywhere, some of them clear."""
    generator = np.random.default_rng(1)
    palette = generator.integers(0, 256, (colours, 4), dtype=np.uint8)
    palette[:, 3] = 255
    cells = palette[generator.integers(0, colours, (rows, columns))]
    cells[generator.random((rows, columns)) < clear] = 0
    return Image.fromarray(cells) if clear else Image.fromarray(cells).convert("RGB")


@pytest.mark.parametrize("name", TILINGS)
@pytest.mark.parametrize("clear", [0.0, 0.4])
@pytest.mark.parametrize(("grid", "size"), [((40, 24), (331, 187)), ((24, 36), (256, 384))])
def test_another_renderer_draws_the_same_picture(name, clear, grid, size):
    given = {"prompts": "x", "pixel_type": name, "pixel_size": grid, "size": size}
    asked = resolve(make_settings(given))
    native = a_native_picture(*asked.pixel_size, clear=clear)
    layout = make_layout(asked, CPU)
    drawn = premultiplied(layout.enlarged(torch.from_numpy(np.array(native)), size).image())
    assert np.abs(premultiplied(rendered(layout.svg(native, size))) - drawn).mean() < 2


@pytest.mark.parametrize("name", TILINGS)
def test_there_is_one_outline_for_each_cell_that_is_there(name):
    given = {"prompts": "x", "seed": 1, "pixel_type": name, "pixel_size": (10, 8)}
    layout = make_layout(resolve(make_settings(given)), CPU)
    native = a_native_picture(10, 8, clear=0.5)
    filled = re.findall(r'<path fill="[^"]+" d="([^"]+)"', layout.svg(native, (200, 160)))
    cells = sum(path.count("M") for path in filled)
    there = int((np.asarray(native)[..., 3] > 0).sum())
    assert there / 2 < cells <= there
    assert cells == there or name == "rect"


@pytest.mark.parametrize("name", TILINGS)
def test_a_picture_that_is_not_there_has_no_outlines(name):
    layout = make_layout(
        resolve(make_settings({"prompts": "x", "pixel_type": name, "pixel_size": (10, 8)})), CPU
    )
    image = rendered(layout.svg(Image.new("RGBA", (10, 8)), (200, 160)))
    assert image.getextrema()[3] == (0, 0)


def test_equal_squares_in_a_row_are_one_rectangle():
    native = Image.new("RGB", (6, 2), "red")
    native.paste("blue", (2, 0, 4, 1))
    svg = squares_svg(native, (60, 20))
    assert re.findall(r'fill="(#\w+)" d="([^"]+)"', svg) == [
        ("#ff0000", "M0 0H20V10H0zM40 0H60V10H40zM0 10H60V20H0z"),
        ("#0000ff", "M20 0H40V10H20z"),
    ]


def test_an_svg_says_its_size_and_has_no_more_colours_than_the_picture():
    given = {"prompts": "x", "seed": 1, "pixel_type": "hex", "pixel_size": (10, 8)}
    layout = make_layout(resolve(make_settings(given)), CPU)
    svg = layout.svg(a_native_picture(10, 8, colours=3), (200, 160))
    assert 'width="200" height="160" viewBox="0 0 200 160"' in svg
    assert len(set(re.findall(r"#[0-9a-f]{6}", svg))) == 3
