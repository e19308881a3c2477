"""What is asked of a picture."""

import math

import pytest
import torch
import torch.nn.functional as F

from engine.losses import make_targets, prompt_loss, prompt_score, spherical_distance
from engine.prompts import Prompt

EAST = torch.tensor([[1.0, 0.0]])
NORTH = torch.tensor([[0.0, 1.0]])


def test_the_distance_is_half_the_squared_angle():
    for degrees in (1, 30, 90, 170):
        angle = math.radians(degrees)
        other = torch.tensor([[math.cos(angle), math.sin(angle)]])
        assert spherical_distance(EAST, other).item() == pytest.approx(angle**2 / 2, rel=1e-3)


def test_equal_and_opposite_vectors_have_finite_gradients():
    for other in (EAST, -EAST):
        views = EAST.clone().requires_grad_()
        spherical_distance(F.normalize(views, dim=1), other).sum().backward()
        assert views.grad.isfinite().all()


def loss_of(views, *prompts, vectors):
    return prompt_loss(views, make_targets(prompts, vectors))


def test_a_negative_weight_turns_the_pull_round():
    views = F.normalize(torch.tensor([[1.0, 0.4]]), dim=1)
    toward = loss_of(views, Prompt("x", 2.0), vectors=EAST)
    away = loss_of(views, Prompt("x", -2.0), vectors=EAST)
    assert away.item() == pytest.approx(-toward.item())


def test_below_its_stop_a_prompt_does_not_pull():
    for stop, pulls in ((0.5, False), (0.01, True)):
        raw = torch.tensor([[1.0, 0.4]], requires_grad=True)
        loss_of(F.normalize(raw, dim=1), Prompt("x", 1.0, stop), vectors=EAST).backward()
        assert (raw.grad.abs().sum() > 0) == pulls


def test_the_score_is_the_weighted_mean_cosine():
    targets = make_targets((Prompt("x", 3.0), Prompt("y", -1.0)), torch.cat([EAST, NORTH]))
    assert prompt_score(EAST, targets).item() == pytest.approx(0.75)
