"""Training of the image tower against the locked, centred text teacher.

Each batch is seen twice: as it is, and with the step of the input gradient that hurts most within
an L2 ball ("free" adversarial training, Shafahi et al. 2019). Robust models have input gradients
that draw shapes (Santurkar et al. 2019; CLIPAG, Ganz and Elad 2023), which is what they are for
here, and the second look costs no gradient of its own.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from engine.perceptors.pixelclip import ImageShape, ImageTower
from engine.training import checkpoints, loop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.training.batches import Batch, BatchMaker
    from engine.training.captions import Captions


@dataclass(frozen=True)
class Recipe:
    """What a training run is determined by.

    Attributes:
        steps: batches in all.
        size: views a batch.
        rate: highest learning rate of AdamW.
        cooldown: last share of the steps, in which the rate falls to nothing.
        reach: radius of the adversarial step in L2 (RGB in 0..1, 64 × 64), at the end; it grows
            from a third of that. 0 trains on the clean batch twice.
        twice: whether there is a second look at each batch at all.
        alike: cosine of two captions above which neither counts as the other's contrast.
        seed: of weights and batches.

    """

    steps: int = 20_000
    size: int = 128
    rate: float = 2e-3
    cooldown: float = 0.3
    reach: float = 0.8
    twice: bool = True
    alike: float = 0.85
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The learning rate of a step; it warms up for 300 steps."""
        return self.rate * loop.warm_hold_fall(step, self.steps, self.cooldown, warm=300)

    def reach_at(self, step: int) -> float:
        """The adversarial radius of a step."""
        return self.reach * min(1.0, 1 / 3 + step / max(1.0, 0.5 * self.steps))


class Normalised(nn.Sequential):
    """A convolution with batch normalisation, which is folded into it for shipping."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__(convolution, nn.BatchNorm2d(convolution.out_channels))

    def folded(self) -> nn.Conv2d:
        """One convolution that does the same with the statistics gathered so far."""
        convolution, norm = self
        if not (isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)):
            message = "A normalised convolution holds a convolution and its normalisation."
            raise TypeError(message)
        return fuse_conv_bn_eval(convolution.eval(), norm.eval())


def fresh(shape: ImageShape) -> ImageTower:
    """An untrained tower, as it is trained."""
    return with_normalisation(ImageTower(shape))


def with_normalisation(tower: ImageTower) -> ImageTower:
    """Give every convolution of a fresh tower its batch normalisation, in place."""
    for module in list(tower.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Conv2d) and not isinstance(module, Normalised):
                setattr(module, name, Normalised(child))
    return tower


def fold(state: dict[str, torch.Tensor], shape: ImageShape) -> ImageTower:
    """The plain tower of a training state."""
    tower = fresh(shape)
    tower.load_state_dict(state)
    for module in list(tower.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Normalised):
                setattr(module, name, child.folded())
    return tower.eval()


def load(path: Path, shape: ImageShape) -> ImageTower:
    """The plain tower of a saved run: its averaged weights.

    Raises:
        FileNotFoundError: the run has not saved a state yet.

    """
    return fold(checkpoints.load_saved(path)["average"], shape)


class Objective(nn.Module):
    """The three losses, with the texts they need and their learnt temperatures.

    Captions of the batch against its views (InfoNCE both ways, Radford et al. 2021) + 0.6 ×
    cross-entropy over the bank of all names + 0.15 × cross-entropy over the eleven colours.
    """

    texts: torch.Tensor
    names: torch.Tensor
    colours: torch.Tensor

    def __init__(self, texts: torch.Tensor, captions: Captions, alike: float) -> None:
        super().__init__()
        self.register_buffer("texts", texts, persistent=False)
        self.register_buffer("names", texts[list(captions.bank_texts)], persistent=False)
        self.register_buffer("colours", texts[list(captions.colour_texts)], persistent=False)
        self.log_scales = nn.Parameter(torch.full((3,), math.log(15.0)))
        self._alike = alike

    def forward(self, embeddings: torch.Tensor, batch: Batch) -> torch.Tensor:
        """The loss of [n, d] unit-length embeddings."""
        scales = self.log_scales.clamp(max=math.log(60.0)).exp()
        targets = self.texts[batch.texts]
        alike = (targets @ targets.T > self._alike).fill_diagonal_(fill_value=False)
        logits = (scales[0] * embeddings @ targets.T).masked_fill(alike, -math.inf)
        own = torch.arange(len(logits), device=logits.device)
        loss = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
        for weight, scale, bank, labels in (
            (0.6, scales[1], self.names, batch.names),
            (0.15, scales[2], self.colours, batch.colours),
        ):
            rows = labels >= 0
            if rows.any():
                label = labels[rows]
                alike = bank[label] @ bank.T > self._alike
                alike[torch.arange(len(label), device=label.device), label] = False
                logits = (scale * embeddings[rows] @ bank.T).masked_fill(alike, -math.inf)
                loss = loss + weight * F.cross_entropy(logits, label)
        return loss


class Training:
    """A run that can be stopped and resumed: the same steps give the same weights.

    `build` makes the fresh tower, [n, 3, 64, 64] → [n, d], from torch's global randomness.
    """

    def __init__(
        self,
        recipe: Recipe,
        objective: Objective,
        device: torch.device,
        build: Callable[[], nn.Module],
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.step, self.device = recipe, 0, device
        self.objective = objective.to(device)
        self.tower = build().to(device).to(memory_format=torch.channels_last)
        matrices = [p for p in self.tower.parameters() if p.ndim > 1]
        vectors = [p for p in self.tower.parameters() if p.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": 0.02},
            {"params": [*vectors, *self.objective.parameters()], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))
        self.average = checkpoints.Average(self.tower, decay=0.9985)

    def learn(self, batch: Batch) -> float:
        """One step: the clean batch, then perhaps its adversarial twin; returns the clean loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate_at(self.step)
        self.tower.train()
        views = batch.views.clone().requires_grad_(self.recipe.twice)
        clean = self._descend(views, batch)
        if views.grad is not None:
            direction = F.normalize(views.grad.flatten(1), dim=1).view_as(views)
            harm = (batch.views + self.recipe.reach_at(self.step) * direction).clamp(0, 1)
            self._descend(harm, batch)
        self.step += 1
        self.average.update(self.tower, self.step)
        return clean

    def _descend(self, views: torch.Tensor, batch: Batch) -> float:
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16):
            embeddings = self.tower(views)
        loss = self.objective(F.normalize(embeddings.float(), dim=-1), batch)
        loss.backward()
        nn.utils.clip_grad_norm_(self.tower.parameters(), 5.0)
        self.optimiser.step()
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Keep everything that the next step depends on."""
        checkpoints.save(
            {
                "recipe": asdict(self.recipe),
                "step": self.step,
                "tower": self.tower.state_dict(),
                "objective": self.objective.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "average": self.average.state,
            },
            path,
        )

    def resume(self, path: Path) -> None:
        """Continue from `path` where it exists."""
        state = checkpoints.load(path)
        if state is None:
            return
        self.step = state["step"]
        self.tower.load_state_dict(state["tower"])
        self.objective.load_state_dict(state["objective"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.restore(state["average"])


def train(
    training: Training,
    maker: BatchMaker,
    path: Path,
    task: str = "image tower",
) -> None:
    """Run to the end of the recipe, as `loop.train` does."""
    loop.train(training, maker.batch, path, task, lambda loss: f"loss {loss:.3f}")
