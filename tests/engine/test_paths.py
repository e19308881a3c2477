"""Ways between drawers: arcs, pairs, regions whose borders move."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies
from PIL import Image

from engine.drawers import grid_size, make_drawer, path_between, start_from_image
from engine.drawers.matching import matched
from engine.drawers.paths import path_of_tensors, slerp
from engine.drawers.regions import moving_regions
from engine.palettes import parse_palette
from engine.settings import make_settings, resolve
from tests.engine.conftest import CPU

vectors = numpy_strategies.arrays(
    np.float64, 12, elements=st.floats(-100, 100, allow_subnormal=False)
).map(torch.from_numpy)
shares = st.floats(0, 1)


@given(vectors, vectors)
def test_an_arc_begins_and_ends_exactly(first, last):
    assert torch.equal(slerp(first, last, 0.0), first)
    assert torch.equal(slerp(first, last, 1.0), last)


@given(vectors, vectors, shares)
def test_an_arc_is_the_same_backwards(first, last, share):
    there, back = slerp(first, last, share), slerp(last, first, 1 - share)
    assert torch.allclose(there, back, atol=1e-8, rtol=1e-6)


@given(vectors, vectors, shares)
def test_vectors_of_one_length_keep_it(first, last, share):
    lengths = first.norm(), last.norm()
    if min(lengths) < 1e-3:
        return
    first, last = first / lengths[0], last / lengths[1]
    # Opposite ones have no arc of their own, and nearly opposite ones take the straight line.
    if (first * last).sum() > -0.9:
        assert slerp(first, last, share).norm().item() == pytest.approx(1, abs=1e-5)


@given(vectors, st.floats(0, 10), shares)
def test_parallel_vectors_take_the_straight_line(first, factor, share):
    expected = torch.lerp(first, factor * first, share)
    assert torch.allclose(slerp(first, factor * first, share), expected, atol=1e-9)


def test_half_way_between_two_axes_both_have_the_same_share():
    first, last = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    assert torch.allclose(slerp(first, last, 0.5), torch.full((2,), math.sqrt(0.5)))


def test_vectors_along_an_axis_go_by_themselves():
    first, last = torch.randn(3, 4), torch.randn(3, 4)
    rows = [slerp(one, other, 0.3) for one, other in zip(first, last, strict=True)]
    assert torch.allclose(slerp(first, last, 0.3, (1,)), torch.stack(rows))


costs = st.integers(1, 12).flatmap(
    lambda n: numpy_strategies.arrays(np.float64, (n, n), elements=st.floats(0, 1))
)


@given(costs)
def test_everyone_has_one_partner_and_no_two_would_exchange_theirs(costs):
    chosen = matched(costs)
    count = len(costs)
    assert sorted(chosen) == list(range(count))
    for one in range(count):
        for other in range(one):
            now = costs[one, chosen[one]] + costs[other, chosen[other]]
            assert now <= costs[one, chosen[other]] + costs[other, chosen[one]] + 1e-8


def test_parts_that_are_only_in_another_order_find_themselves():
    places = np.random.default_rng(0).random((50, 2))
    order = np.random.default_rng(1).permutation(50)
    costs = ((places[:, None] - places[order][None]) ** 2).sum(2)
    assert (order[matched(costs)] == np.arange(50)).all()


def picture_of(depths):
    return depths.argmax(0)


@given(
    numpy_strategies.arrays(np.int64, (5, 7), elements=st.integers(0, 3)),
    numpy_strategies.arrays(np.int64, (5, 7), elements=st.integers(0, 3)),
    st.booleans(),
)
def test_regions_begin_and_end_as_they_are_and_none_comes_from_nowhere(first, last, wraps):
    first, last = torch.from_numpy(first), torch.from_numpy(last)
    way = moving_regions(first, last, 4, wraps=wraps)
    assert torch.equal(picture_of(way(0.0)), first)
    assert torch.equal(picture_of(way(1.0)), last)
    assert set(picture_of(way(0.5)).unique().tolist()) <= set(
        torch.cat([first, last]).unique().tolist()
    )


def test_a_bar_grows_by_its_edge():
    first, last = torch.zeros(5, 12, dtype=torch.long), torch.zeros(5, 12, dtype=torch.long)
    first[:, :2] = 1
    last[:, :10] = 1
    way = moving_regions(first, last, 2)
    widths = [picture_of(way(share))[2].sum().item() for share in (0, 0.25, 0.5, 0.75, 1)]
    assert widths == sorted(widths)
    assert widths[2] == pytest.approx(6, abs=1)


def test_cells_of_no_region_take_what_is_nearest():
    first = torch.full((1, 9), -1)
    first[0, 0], first[0, 8] = 2, 1
    way = moving_regions(first, first, 3)
    assert picture_of(way(0.5))[0].tolist() == [2, 2, 2, 2, 1, 1, 1, 1, 1]


def test_across_a_seam_regions_are_near():
    first, last = torch.zeros(1, 12, dtype=torch.long), torch.zeros(1, 12, dtype=torch.long)
    first[0, 0] = last[0, 11] = 1
    seams = [picture_of(moving_regions(first, last, 2, wraps=wraps)(0.5)) for wraps in (0, 1)]
    assert seams[0].sum() == 0 or seams[0][0, 3:9].any()
    assert not seams[1][0, 2:10].any()


KINDS = {
    "free": {"colors": 0},
    "few colours": {"colors": 4},
    "palette": {"palette": "nes"},
    "colours of a palette": {"palette": "endesga32", "colors": 5},
    "clear": {"palette": "pico8", "transparent": True},
    "bricks": {"pixel_type": "hex", "colors": 3},
    "strokes": {"drawer": "clipdraw", "strokes": 12, "allow_paper_color": True},
    "lines": {"drawer": "line_sketch", "strokes": 6},
    "waves": {"drawer": "fft"},
    "codes": {"drawer": "vqgan"},
}


def drawers(given, *colours):
    """A drawer of these settings for each colour: a disc of it, improved a little at random."""
    shape = {"size": (48, 36)} | ({} if "drawer" in given else {"pixel_size": (12, 9)})
    settings = resolve(
        make_settings({"prompts": "x", "seed": 1, "init_noise": "pixels", **shape, **given})
    )
    made = []
    for number, colour in enumerate(colours):
        clear = (255, 255, 255, 0) if settings.transparent else "white"
        disc = Image.new("RGBA", (48, 36), clear)
        disc.paste(colour, (4 + 16 * number, 6, 24 + 16 * number, 30))
        start = start_from_image(disc, *grid_size(settings), clear=settings.transparent)
        drawer = make_drawer(settings, start, CPU)
        generator = torch.Generator().manual_seed(number)
        with torch.no_grad():
            for parameter in drawer.parameters:
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
        made.append(drawer)
    return made


def shown(drawer):
    return np.asarray(drawer.enlarged((48, 36)).convert("RGBA")).astype(int)


@pytest.mark.parametrize("given", KINDS.values(), ids=KINDS)
def test_a_way_ends_exactly_at_both_pictures_and_comes_near_them_before(given):
    first, last = drawers(given, "red", "blue")
    ends = shown(first), shown(last)
    path = path_between(first, last)

    def at(share):
        path(share)
        return shown(first)

    assert (at(1.0) == ends[1]).all()
    assert (at(0.0) == ends[0]).all()
    apart = np.abs(ends[0] - ends[1]).mean()
    assert np.abs(at(0.001) - ends[0]).mean() < apart / 10
    assert np.abs(at(0.999) - ends[1]).mean() < apart / 10
    middle = at(0.5)
    assert min(np.abs(middle - end).mean() for end in ends) > apart / 20
    # What comes between did not change where the way leads.
    assert (at(1.0) == ends[1]).all()


@pytest.mark.parametrize("given", [{"palette": "nes"}, {"palette": "endesga32", "colors": 5}])
def test_every_frame_is_of_exact_colours_of_the_palette(given):
    first, last = drawers(given, "red", "blue")
    path = path_between(first, last)
    allowed = set(parse_palette(given["palette"]))
    for share in (0.2, 0.4, 0.6, 0.8):
        path(share)
        colours = {colour for _, colour in first.native().getcolors()}
        assert colours <= allowed


def test_few_colours_change_together_and_are_never_more():
    first, last = drawers({"colors": 4}, "red", "blue")
    path = path_between(first, last)
    path(0.5)
    assert len(first.native().getcolors()) <= 4


def test_a_symmetric_picture_stays_so():
    first, last = drawers({"colors": 4, "symmetry": "x"}, "red", "blue")
    path_between(first, last)(0.5)
    native = np.asarray(first.native())
    assert (native == native[:, ::-1]).all()


def test_strokes_that_are_only_piled_up_otherwise_do_not_move():
    first, last = drawers({"drawer": "clipdraw", "strokes": 12}, "red", "red")
    with torch.no_grad():
        for mine, its in zip(first.parameters, last.parameters, strict=True):
            its.copy_(mine.roll(3, 0) if len(mine) == 12 else mine)
        # The same ones, drawn from their other ends.
        last.parameters[0].copy_(last.parameters[0].flip(1))
    path_between(first, last)(0.5)
    middle = first.strokes().points
    found = torch.cdist(middle.flatten(1), last.strokes().points.flatten(1)).amin(1)
    turned = torch.cdist(middle.flip(1).flatten(1), last.strokes().points.flatten(1)).amin(1)
    assert torch.minimum(found, turned).max() < 1e-3


def test_a_drawer_of_another_kind_goes_along_the_arcs_of_its_tensors():
    class Latents:
        def __init__(self, *tensors):
            self.parameters, self.constants = [tensors[0].requires_grad_()], [tensors[1]]

    torch.manual_seed(0)
    first, last = (Latents(torch.randn(1, 4, 3, 3), torch.randn(5)) for _ in range(2))
    begin, end = first.parameters[0].detach().clone(), last.parameters[0].detach().clone()
    constants = first.constants[0].clone()
    path_of_tensors(first, last)(0.5)
    place = slerp(begin[0, :, 1, 2], end[0, :, 1, 2], 0.5)
    assert torch.allclose(first.parameters[0][0, :, 1, 2], place)
    assert torch.allclose(first.constants[0], slerp(constants, last.constants[0], 0.5))
