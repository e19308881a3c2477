"""Adam and its variants, against torch's own."""

import pytest
import torch

from engine.adam import RULES, WEIGHT_DECAY, Adam, GridAdam, Group
from engine.streams import stream

BETAS = (0.9, 0.99)
TORCHS = {
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {"weight_decay": WEIGHT_DECAY}),
    "radam": (torch.optim.RAdam, {}),
}


def walked(make, begin, steps=40, seed=1):
    """Where an optimiser has taken the parameters, whose aim is about 1 and never the same."""
    parameters = [part.clone().requires_grad_() for part in begin]
    optimizer = make(parameters)
    for step in range(steps):
        noise = stream(seed, f"step/{step}")
        for part in parameters:
            aim = 1 + torch.randn(part.shape, generator=noise)
            part.grad = part.detach() - aim
        optimizer.step()
    return [part.detach() for part in parameters]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("steps", [1, 6, 40])
def test_each_rule_walks_as_torchs_own_does(rule, steps):
    kind, options = TORCHS[rule]
    begin = [torch.zeros(3, 4), torch.zeros(5)]
    ours = walked(lambda parts: Adam([Group(parts, 0.1)], rule, BETAS), begin, steps)
    torchs = walked(
        lambda parts: kind(parts, lr=0.1, betas=BETAS, eps=1e-12, **options), begin, steps
    )
    for mine, theirs in zip(ours, torchs, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-5)


def test_the_rules_differ():
    ends = [
        walked(lambda parts, rule=rule: Adam([Group(parts, 0.1)], rule), [torch.zeros(4)])[0]
        for rule in RULES
    ]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert (ends[one] - ends[other]).abs().max() > 0.01


def test_weights_decay_towards_where_they_began():
    begin = torch.tensor([5.0, -3.0])
    part = begin.clone().requires_grad_()
    optimizer = Adam([Group([part], 0.1)], "adamw")
    with torch.no_grad():
        part += 1
    for _ in range(10):
        part.grad = torch.zeros(2)
        optimizer.step()
    left = (1 - 0.1 * WEIGHT_DECAY) ** 10
    assert torch.allclose(part.detach(), begin + left, atol=1e-5)


@pytest.mark.parametrize("rule", RULES)
def test_a_grid_of_one_cell_has_the_moment_of_its_cell(rule):
    begin = [torch.zeros(1)]
    plain, grid = (
        walked(lambda parts, kind=kind: kind([Group(parts, 0.1)], rule), begin)
        for kind in (Adam, GridAdam)
    )
    assert torch.equal(plain[0], grid[0])


@pytest.mark.parametrize("rule", RULES)
def test_the_cells_of_a_grid_keep_the_proportions_of_their_gradients(rule):
    part = torch.zeros(2, requires_grad=True)
    optimizer = GridAdam([Group([part], 0.1)], rule)
    for _ in range(20):
        part.grad = torch.tensor([3.0, 1.0])
        optimizer.step()
    assert (part[0] / part[1]).item() == pytest.approx(3, rel=1e-4)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", [Adam, GridAdam])
@pytest.mark.parametrize("stop", [2, 9])
def test_a_restored_optimiser_goes_on_as_if_nothing_had_happened(rule, kind, stop):
    def walk(part, optimizer, steps):
        for step in steps:
            part.grad = torch.randn(3, generator=stream(1, str(step)))
            optimizer.step(0.5 if step > 10 else 1.0)

    whole = torch.ones(3, requires_grad=True)
    first = kind([Group([whole], 0.1)], rule)
    walk(whole, first, range(stop))
    state = {name: tensor.clone() for name, tensor in first.state().items()}
    # The second one is made for other numbers, as after a crash, and told of these.
    resumed = torch.zeros(3, requires_grad=True)
    second = kind([Group([resumed], 0.1)], rule)
    with torch.no_grad():
        resumed.copy_(whole)
    second.restore(state)
    walk(whole, first, range(stop, 20))
    walk(resumed, second, range(stop, 20))
    assert torch.equal(whole, resumed)


def test_a_rule_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="lion"):
        Adam([Group([torch.zeros(1)], 0.1)], "lion")
