"""Views as a GPU makes them, made on a processor."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from engine import gathered
from engine.cutouts import choose_views, draw_views, sample
from engine.streams import stream
from tests.engine.test_covered import large

SIZES = pytest.mark.parametrize("size", [64, 96])


def both(views, size, seed=1, layers=2):
    """What a processor sees and what a GPU would, and the gradient of each by the same pull."""
    views.noise[:] = 0
    pull = torch.randn(len(views), 3, size, size, generator=stream(seed, "pull"))
    found = []
    for chosen in (views, views.for_device()):
        grid = large(20, 32)[:layers].requires_grad_()
        seen = sample([grid], [chosen], size)
        seen.backward(pull)
        found.append((seen.detach(), grid.grad))
    return found


@SIZES
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("wraps", [False, True])
@pytest.mark.parametrize("solid", [False, True])
def test_it_is_what_a_processor_sees_and_pulls_within_rounding(size, layers, wraps, solid):
    drawn = draw_views(7, 32, 20, stream(3, "cutouts"), wraps=wraps, solid=solid)
    (seen, gradient), (expected, expected_gradient) = both(drawn.views(), size, layers=layers)
    if solid and layers == 2:
        # A GPU gives the alpha one that nobody asked for.
        expected_gradient[0, 3] = gradient[0, 3] = 0
    assert torch.allclose(seen, expected, atol=2e-5)
    scale = expected_gradient.abs().max()
    assert torch.allclose(gradient, expected_gradient, rtol=1e-4, atol=1e-5 * scale)


@SIZES
def test_the_gradient_has_no_order(size, monkeypatch):
    """The same sums, added by pixels that come in any order."""
    views = choose_views(7, 32, 20, stream(3, "cutouts"))
    _, (_, expected) = both(views, size)
    add = gathered.OrderlessSum.add

    def shuffled(self, columns, values):
        order = torch.randperm(len(columns), generator=stream(len(columns), "order"))
        add(self, columns[order], values[:, order])

    monkeypatch.setattr(gathered.OrderlessSum, "add", shuffled)
    _, (_, gradient) = both(views, size)
    assert torch.equal(gradient, expected)


@SIZES
def test_its_noise_is_white_of_the_asked_strength_and_another_in_each_view(size):
    views = choose_views(3, 32, 20, stream(3, "cutouts"))
    views.noise[:] = torch.tensor([0.0, 0.1, 0.2])
    grid = large(20, 32)
    plain = dataclasses.replace(views, noise=torch.zeros(3))
    noise = sample([grid], [views.for_device()], size) - sample([grid], [plain.for_device()], size)
    assert noise.std((1, 2, 3)).tolist() == pytest.approx([0, 0.1, 0.2], abs=0.01)
    assert torch.corrcoef(noise[1:].flatten(1))[0, 1].abs() < 0.03
    again = sample([grid], [views.for_device()], size)
    other = dataclasses.replace(views, noise_seed=views.noise_seed + 1)
    assert torch.equal(sample([grid], [views.for_device()], size), again)
    assert not torch.equal(sample([grid], [other.for_device()], size), again)


@SIZES
def test_views_and_gradients_do_not_depend_on_neighbours(size):
    views = choose_views(6, 16, 9, stream(1, "cutouts")).for_device()
    others = choose_views(7, 40, 30, stream(2, "cutouts")).for_device()
    alone, beside = large(9, 16).requires_grad_(), large(9, 16).requires_grad_()
    by_itself = sample([alone], [views], size)
    by_itself.square().sum().backward()
    together = sample([large(30, 40), beside], [others, views], size)
    together.square().sum().backward()
    assert torch.equal(together[7:], by_itself)
    assert torch.equal(alone.grad, beside.grad)


def test_two_ways_to_look_up_agree_on_what_is_outside():
    views = choose_views(6, 16, 9, stream(1, "cutouts"))
    views.homographies[:, :2] *= 5
    for size in (64, 96):
        (seen, _), (expected, _) = both(views, size)
        assert F.l1_loss(seen, expected) < 1e-5
