"""Training of the first guess by flow matching, on texts of the tower that ships."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from engine.guess.generator import LAYERS, Generator, GuessShape
from engine.training import checkpoints, loop

if TYPE_CHECKING:
    from pathlib import Path

    from engine.training.guess_batches import GuessBatch, GuessBatchMaker

_EARLIER = 0.6


@dataclass(frozen=True)
class Recipe:
    """What a run is determined by.

    Attributes:
        steps: batches in all.
        size: pictures a batch.
        rate: highest learning rate of AdamW.
        cooldown: last share of the steps, in which the rate falls to nothing.
        silent: share of the pictures that are learnt without their text, for guidance.
        behind: weight of the background's error; the subject's is 1.
        seed: of weights, batches, noise and times.

    """

    steps: int = 20_000
    size: int = 96
    rate: float = 1.2e-3
    cooldown: float = 0.3
    silent: float = 0.1
    behind: float = 0.4
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The learning rate of a step; it warms up for 300 steps."""
        return self.rate * loop.warm_hold_fall(step, self.steps, self.cooldown, warm=300)


class Training:
    """A run that can be stopped and resumed: the same steps give the same weights."""

    def __init__(
        self, recipe: Recipe, texts: torch.Tensor, device: torch.device, shape: GuessShape
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.step, self.device, self.shape = recipe, 0, device, shape
        self.texts = texts.to(device)
        model = Generator(shape).to(device)
        self.model = model.to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), lr=recipe.rate, betas=(0.9, 0.99), weight_decay=0.01
        )
        self.average = checkpoints.Average(self.model, decay=0.9995)

    def learn(self, batch: GuessBatch) -> float:
        """One step on one batch; returns the mean squared error of the velocity."""
        recipe = self.recipe
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.rate_at(self.step)
        generator = torch.Generator(self.device)
        generator.manual_seed(recipe.seed * 1_000_003 + self.step)
        n = len(batch.layers)
        noise = torch.randn(batch.layers.shape, generator=generator, device=self.device)
        # Logit-normal times (Esser et al. 2024), more of them early: that is where so small a
        # picture finds its form.
        time = torch.randn(n, generator=generator, device=self.device).sub(_EARLIER).sigmoid()
        spoken = torch.rand(n, generator=generator, device=self.device) >= recipe.silent
        text = self.texts[batch.texts] * spoken[:, None]
        mixed = torch.lerp(noise, batch.layers, time[:, None, None, None])
        mixed = mixed.contiguous(memory_format=torch.channels_last)
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16):
            velocity = self.model(mixed, time, text, batch.styles)
        error = (velocity.float() - (batch.layers - noise)).square()
        loss = error[:, :4].mean() * 4 / LAYERS + recipe.behind * error[:, 4:].mean() * 3 / LAYERS
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        self.average.update(self.model, self.step)
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Keep everything that the next step depends on."""
        checkpoints.save(
            {
                "recipe": asdict(self.recipe),
                "shape": asdict(self.shape),
                "step": self.step,
                "model": self.model.state_dict(),
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
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.restore(state["average"])


def load(path: Path) -> Generator:
    """The generator of a saved run: its averaged weights.

    Raises:
        FileNotFoundError: the run has not saved a state yet.

    """
    state: dict[str, Any] = checkpoints.load_saved(path)
    model = Generator(GuessShape(**state["shape"]))
    model.load_state_dict(state["average"])
    return model.eval()


def train(training: Training, maker: GuessBatchMaker, path: Path) -> None:
    """Run to the end of the recipe, as `loop.train` does."""
    loop.train(training, maker.batch, path, "first guess", lambda error: f"loss {error:.4f}")
