"""Views sampled straight from the cells."""

import dataclasses

import pytest
import torch

from engine.cutouts import WIDE_EVERY, Views, choose_views, sample
from engine.streams import stream


def plain_views(count=1, zoom=1.0):
    """Views that look straight at the picture, with nothing added."""
    homographies = torch.diag(torch.tensor([zoom, zoom, 1.0])).repeat(count, 1, 1)
    colours = torch.cat([torch.eye(3), torch.zeros(3, 1)], 1).repeat(count, 1, 1)
    backdrops = torch.zeros(count, 3, 4, 4)
    return Views(homographies, colours, backdrops, torch.zeros(count), 0)


def opaque(rgb):
    """One layer of opaque cells."""
    return torch.cat([rgb, torch.ones_like(rgb[:1])])[None]


def test_a_straight_view_of_square_cells_is_the_picture():
    rgb = torch.rand(3, 8, 8, generator=stream(1, "test"))
    view = sample([opaque(rgb)], [plain_views()], 32)[0]
    assert torch.allclose(view, rgb.repeat_interleave(4, 1).repeat_interleave(4, 2), atol=1e-6)


def test_edges_between_cells_are_averaged():
    rgb = torch.zeros(3, 2, 3)
    rgb[:, :, 1] = 1
    # Three cells on two view pixels a cell's height: an edge falls in the middle of a pixel.
    view = sample([opaque(rgb)], [plain_views()], 4)[0]
    assert {round(value, 3) for value in view[0, 0].tolist()} <= {0.0, 0.5, 1.0}
    assert 0.5 in view[0, 0].tolist() or 1.0 in view[0, 0].tolist()


def test_what_lies_outside_or_is_transparent_shows_the_backdrop():
    views = plain_views(zoom=2.0)
    views.backdrops[:, 1] = 1.0
    black = sample([opaque(torch.zeros(3, 8, 8))], [views], 16)[0]
    assert black[:, 0, 0].tolist() == [0, 1, 0]
    assert black[:, 8, 8].tolist() == [0, 0, 0]
    clear = sample([torch.zeros(1, 4, 8, 8)], [views], 16)[0]
    assert clear[:, 8, 8].tolist() == [0, 1, 0]


def test_the_gradient_of_a_cell_is_the_area_it_is_seen_on():
    grid = opaque(torch.rand(3, 4, 4)).requires_grad_()
    sample([grid], [plain_views()], 16)[0].sum().backward()
    assert torch.allclose(grid.grad[0, :3], torch.full((3, 4, 4), 16.0))


def test_the_same_stream_gives_the_same_views():
    for one, other in zip(
        vars(choose_views(5, 80, 45, stream(3, "cutouts")).for_device()).values(),
        vars(choose_views(5, 80, 45, stream(3, "cutouts")).for_device()).values(),
        strict=True,
    ):
        assert torch.equal(torch.as_tensor(one), torch.as_tensor(other))


def test_one_view_in_three_shows_a_wide_picture_whole_and_the_others_fill_themselves():
    views = choose_views(64, 80, 40, stream(1, "cutouts"))
    grid = opaque(torch.zeros(3, 40, 80))
    views.backdrops[:] = 1.0
    views.noise[:] = 0.0
    views.colours[:] = torch.cat([torch.eye(3), torch.zeros(3, 1)], 1)
    covered = (sample([grid], [views], 32)[:, 0] < 0.5).float().mean((1, 2))
    wide = torch.arange(64) % WIDE_EVERY == 0
    assert covered[wide].mean() == pytest.approx(0.45, abs=0.1)
    assert covered[~wide].mean() > 0.75


def test_wide_views_see_the_whole_picture_and_crops_its_subject():
    layers = torch.cat([opaque(torch.zeros(3, 8, 8)), opaque(torch.ones(3, 8, 8))])
    views = plain_views(6)
    middles = sample([layers], [views], 16)[:, 0, 8, 8]
    assert middles.tolist() == [float(view % WIDE_EVERY != 0) for view in range(6)]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_picture_s_views_and_gradients_do_not_depend_on_its_neighbours(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        grid = opaque(torch.rand(3, 9, 16, generator=stream(1, "test")))
        others = [opaque(torch.rand(3, n, 40, generator=stream(n, "test"))) for n in (8, 30)]
        views = choose_views(6, 16, 9, stream(1, "cutouts"))
        more = [choose_views(7, 40, 20, stream(n, "cutouts")) for n in (2, 3)]
        alone, first = grid.clone().requires_grad_(), grid.clone().requires_grad_()
        by_itself = sample([alone], [views], 64)
        by_itself.square().sum().backward()
        together = sample([others[0], first, others[1]], [more[0], views, more[1]], 64)
        together.square().sum().backward()
    finally:
        torch.set_num_threads(before)
    assert torch.equal(by_itself, together[7:13])
    assert torch.equal(alone.grad, first.grad)


def test_the_views_of_a_tile_see_its_other_side_beyond_each_border():
    rgb = torch.rand(3, 8, 8, generator=stream(1, "test"))
    views = dataclasses.replace(plain_views(zoom=3.0), wraps=True)
    view = sample([opaque(rgb)], [views], 48)[0]
    tiles = rgb.repeat(1, 3, 3).repeat_interleave(2, 1).repeat_interleave(2, 2)
    assert torch.allclose(view, tiles, atol=1e-5)


def test_the_wide_views_of_a_tile_look_at_all_places_of_the_pattern():
    views = choose_views(300, 80, 40, stream(1, "cutouts"), wraps=True)
    middles = views.homographies[:, :2, 2] / views.homographies[:, 2:, 2]
    wide = torch.arange(300) % WIDE_EVERY == 0
    for axis, half in enumerate((2.0, 1.0)):
        places = torch.histc(middles[wide, axis] / half, 4, -1, 1)
        assert places.min() > 10
    assert middles[~wide].abs().max() <= 0.2


def test_the_first_choices_for_a_tile_are_those_for_any_picture():
    tile = choose_views(6, 80, 45, stream(3, "cutouts"), wraps=True)
    plain = choose_views(6, 80, 45, stream(3, "cutouts"))
    assert torch.equal(tile.colours, plain.colours)
    assert torch.equal(tile.homographies[1], plain.homographies[1])


def test_a_tile_moved_round_by_some_cells_is_seen_the_same_by_views_moved_along():
    rgb = torch.rand(3, 8, 12, generator=stream(1, "test"))
    views = dataclasses.replace(plain_views(), wraps=True)
    moved = dataclasses.replace(views, homographies=views.homographies.clone())
    # Three cells of a picture whose shorter half side is four.
    moved.homographies[:, 0, 2] += 3 / 4
    seen = sample([opaque(rgb)], [views], 32)
    assert torch.allclose(sample([opaque(rgb.roll(3, 2))], [moved], 32), seen, atol=1e-5)


def sizes(views):
    """About how much of the picture each view shows: the root of its area."""
    homographies = views.homographies
    affine = homographies[:, :2, :2] - homographies[:, :2, 2:] * homographies[:, 2:, :2]
    return torch.linalg.det(affine).sqrt()


def test_a_power_of_1_leaves_the_views_as_they_are():
    one = choose_views(64, 80, 45, stream(3, "cutouts"), power=1)
    plain = choose_views(64, 80, 45, stream(3, "cutouts"))
    assert torch.equal(one.homographies, plain.homographies)


def test_a_power_makes_more_views_close_or_more_of_them_wide_between_the_same_limits():
    wide = torch.arange(300) % WIDE_EVERY == 0
    chosen = {
        power: choose_views(300, 80, 40, stream(3, "cutouts"), power=power) for power in (0.2, 1, 5)
    }
    for kind, low, high in ((wide, 1.7, 2.6), (~wide, 0.9, 1.8)):
        many_wide, plain, many_close = (sizes(views)[kind] for views in chosen.values())
        assert many_wide.mean() > plain.mean() + 0.1 * (high - low)
        assert many_close.mean() < plain.mean() - 0.1 * (high - low)
        assert low < many_close.min() < many_wide.max() < high
    for views in chosen.values():
        assert torch.equal(views.colours, chosen[1].colours)
        assert torch.equal(views.backdrops, chosen[1].backdrops)
