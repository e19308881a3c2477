"""Views, in which each pixel is the mean of what it covers."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from engine.cutouts import choose_views, sample
from engine.streams import stream
from tests.engine.test_cutouts import opaque, plain_views

SIZE = 96


def large(rows, columns, seed=1):
    """Random cells, some of them clear, in two layers."""
    cells = torch.rand(2, 4, rows, columns, generator=stream(seed, "test"))
    cells[:, 3] = (cells[:, 3] > 0.3).float()
    cells[:, :3] *= cells[:, 3:]
    return cells


def sampled_and_pulled(grid, views, size=SIZE):
    """Views, and the gradient of their sum weighted by place."""
    grid = grid.clone().requires_grad_()
    seen = sample([grid], [views], size)
    (seen * torch.linspace(-1, 2, seen.numel()).view_as(seen)).sum().backward()
    return seen.detach(), grid.grad


def test_a_straight_view_of_square_cells_is_the_picture():
    rgb = torch.rand(3, 8, 8, generator=stream(1, "test"))
    seen = sample([opaque(rgb)], [plain_views()], SIZE)[0]
    whole = rgb.repeat_interleave(12, 1).repeat_interleave(12, 2)
    assert torch.allclose(seen, whole, atol=1e-5)


def test_a_pixel_on_an_edge_is_as_much_of_each_cell_as_it_covers():
    rgb = torch.zeros(3, 5, 5)
    rgb[:, :, 3:] = 1
    # Five cells on 96 pixels: the edge is at 57.6, so six tenths of that pixel are still dark.
    seen = sample([opaque(rgb)], [plain_views()], SIZE)[0, 0, 48]
    assert seen[56:60].tolist() == pytest.approx([0, 0.4, 1, 1], abs=1e-4)


@pytest.mark.parametrize(("rows", "columns", "size"), [(20, 32, 96), (20, 32, 64), (45, 80, 64)])
@pytest.mark.parametrize("wraps", [False, True])
def test_a_pixel_is_the_mean_of_many_small_ones(wraps, rows, columns, size):
    grid = large(rows, columns)
    views = choose_views(7, columns, rows, stream(3, "cutouts"), wraps=wraps)
    views.noise[:] = 0
    weights = torch.randn(7, 3, size, size, generator=stream(2, "test"))
    found = []
    for smaller in (1, 8):
        moving = grid.clone().requires_grad_()
        seen = F.avg_pool2d(sample([moving], [views], smaller * size), smaller)
        seen.backward(weights)
        found.append((seen.detach(), moving.grad))
    (seen, pull), (expected, expected_pull) = found
    # Four sub-samples a pixel would be 0.035 off, with a cosine of 0.95.
    assert (seen - expected).abs().mean() < 0.012
    assert F.cosine_similarity(pull.flatten(), expected_pull.flatten(), dim=0) > 0.99


def test_its_gradient_is_that_of_what_it_shows():
    grid, views = large(6, 9), choose_views(2, 9, 6, stream(3, "cutouts"))
    step = torch.randn(grid.shape, generator=stream(1, "test"))
    weights = torch.rand(2, 3, 80, 80, generator=stream(2, "test"))

    def total(cells):
        return (sample([cells], [views], 80).double() * weights).sum()

    moving = grid.clone().requires_grad_()
    total(moving).backward()
    # What is shown is linear in the cells: any step will do.
    slope = total(grid + step) - total(grid)
    assert (moving.grad * step).sum().item() == pytest.approx(slope.item(), rel=1e-3)


def test_the_alpha_of_a_solid_first_layer_gets_no_gradient_and_all_else_the_same():
    grid = large(20, 32)
    grid[0, 3] = 1
    views = choose_views(7, 32, 20, stream(3, "cutouts"))
    seen, pull = sampled_and_pulled(grid, views)
    seen_solid, pull_solid = sampled_and_pulled(grid, dataclasses.replace(views, solid=True))
    assert torch.equal(seen_solid, seen)
    assert pull[0, 3].abs().max() > 1
    assert pull_solid[0, 3].abs().max() == 0
    assert torch.equal(pull_solid[0, :3], pull[0, :3])
    assert torch.equal(pull_solid[1], pull[1])


def test_the_noise_is_white_of_the_asked_strength_and_another_in_each_view():
    views = plain_views(3)
    views.noise[:] = torch.tensor([0.0, 0.1, 0.2])
    grey = opaque(torch.full((3, 8, 8), 0.5))
    noise = sample([grey], [views], SIZE) - 0.5
    assert noise.std((1, 2, 3)).tolist() == pytest.approx([0, 0.1, 0.2], abs=0.01)
    pairs = torch.corrcoef(noise[1:].flatten(1))
    neighbours = torch.corrcoef(torch.stack([noise[1, 0, :, 1:], noise[1, 0, :, :-1]]).flatten(1))
    assert pairs[0, 1].abs() < 0.03
    assert neighbours[0, 1].abs() < 0.05
    other = sample([grey], [dataclasses.replace(views, noise_seed=1)], SIZE) - 0.5
    assert not torch.equal(noise[1], other[1])


@pytest.mark.parametrize("threads", [1, 2])
def test_views_and_gradients_do_not_depend_on_neighbours(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        views = choose_views(6, 16, 9, stream(1, "cutouts"))
        seen, pull = sampled_and_pulled(large(9, 16), views)
        mine = large(9, 16).requires_grad_()
        more = choose_views(7, 40, 30, stream(2, "cutouts"))
        together = sample([large(30, 40), mine], [more, views], SIZE)
        (together[7:] * torch.linspace(-1, 2, seen.numel()).view_as(seen)).sum().backward()
    finally:
        torch.set_num_threads(before)
    assert torch.equal(together[7:], seen)
    assert torch.equal(mine.grad, pull)
