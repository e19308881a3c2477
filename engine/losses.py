"""What is asked of a picture: to fit prompts and labels, and to stay near its init image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from engine.prompts import Prompt

# A logarithm of a probability that leaves something to all other classes.
_NOT_CERTAIN = -1e-6
_TARGET = 10.0


@dataclass(frozen=True)
class Targets:
    """A job's prompts in one perceptor's space.

    Attributes:
        vectors: ``[prompts, d]``, unit length.
        weights: ``[prompts]``; negative ones push away.
        stops: ``[prompts]``; −∞ where a prompt has none.

    """

    vectors: torch.Tensor
    weights: torch.Tensor
    stops: torch.Tensor


def make_targets(prompts: Sequence[Prompt], vectors: torch.Tensor) -> Targets:
    """Prompts and their text vectors ``[prompts, d]`` as the targets of a loss."""
    return Targets(
        vectors=vectors,
        weights=torch.tensor([prompt.weight for prompt in prompts], device=vectors.device),
        stops=torch.tensor(
            [-torch.inf if prompt.stop is None else prompt.stop for prompt in prompts],
            device=vectors.device,
        ),
    )


def join_targets(parts: Sequence[Targets]) -> Targets:
    """All of them as the targets of one loss."""
    return Targets(
        *(
            torch.cat([getattr(part, name) for part in parts])
            for name in ("vectors", "weights", "stops")
        )
    )


def spherical_distance(views: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
    """Squared great-circle distance of unit vectors, halved: ``[n, d], [p, d]`` → ``[n, p]``.

    VQGAN-CLIP (Crowson et al. 2022), section 3: ``2 · arcsin(‖a − b‖ / 2)²``.
    """
    chord = (views[:, None, :] - texts[None, :, :]).norm(dim=2)
    return 2 * torch.asin((chord / 2).clamp(max=1 - 1e-6)) ** 2


def prompt_loss(views: torch.Tensor, targets: Targets) -> torch.Tensor:
    """How far the views are from the prompts, by weight; a scalar.

    A prompt whose signed distance is below its stop gives no gradient (VQGAN-CLIP's
    ``ReplaceGrad`` of a maximum).
    """
    signed = spherical_distance(views, targets.vectors) * targets.weights.sign()
    return (torch.maximum(signed, targets.stops) * targets.weights.abs()).mean(0).sum()


@torch.no_grad()
def prompt_score(views: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Mean cosine of views and prompts, by weight: −1…1, higher is a better fit; a scalar."""
    cosine = (views[:, None, :] * targets.vectors[None, :, :]).sum(2).mean(0)
    return (cosine * targets.weights).sum() / targets.weights.abs().sum()


def label_loss(said: torch.Tensor, classes: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """How far a classifier is from taking the views for the labels, by weight; a scalar.

    The negative logarithm of a label's probability, or, where its weight is negative, of that of
    all other classes together, which ends to push once the label is out of the question. A label
    counts 1 while every class is as likely, about as much as a prompt does at first (Perception
    Engines, White 2018, asks classifiers in the same way).

    Args:
        said: log probabilities ``[n, all classes]``.
        classes: the labels' numbers ``[labels]``.
        weights: ``[labels]``; negative ones push away.

    """
    chosen = said[:, classes]
    others = torch.log(-torch.expm1(chosen.clamp(max=_NOT_CERTAIN)))
    surprise = -torch.where(weights > 0, chosen, others) / math.log(said.shape[1])
    return (surprise * weights.abs()).mean(0).sum()


@torch.no_grad()
def label_score(said: torch.Tensor, classes: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mean probability of the labels, by weight: −1…1, higher is a better fit; a scalar."""
    return (said[:, classes].exp().mean(0) * weights).sum() / weights.abs().sum()


def target_loss(grid: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of a whole picture from its target, both ``[4, rows, columns]``.

    Scaled so that a weight of 1 can be seen beside a prompt, and one of 10 leaves it little.
    """
    return _TARGET * (grid - target).square().mean()


def init_loss(grid: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of the cells from those of the init image; a scalar."""
    return (grid - start).square().mean()
