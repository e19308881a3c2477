"""Training of the small VQGAN (Esser et al. 2021) on icons and painted scenes.

Pixels and features first; the patch discriminator joins for the last part, when there is
something to tell apart.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from engine.files import write_atomically
from engine.models.vqgans import Shape
from engine.training import checkpoints, loop
from engine.training.vqgan_codebook import CodebookAverages, perplexity
from engine.training.vqgan_losses import Adversary, PerceptualLoss, adaptive_weight
from engine.vqgan import Autoencoder, pack

if TYPE_CHECKING:
    from pathlib import Path

    from engine.training.vqgan_pictures import PictureMaker


@dataclass(frozen=True)
class Recipe:
    """What a training run is determined by.

    Attributes:
        steps: batches in all.
        size: pictures a batch.
        rate: highest learning rate of both Adams.
        cooldown: last share of the steps, in which the rate falls to nothing.
        perceptual: weight of the perceptual loss beside the mean absolute difference.
        adversarial: weight of the adversarial loss beside the adaptive one; 0 leaves it out.
        adversary_from: share of the steps after which the discriminator joins.
        seed: of weights and batches.

    """

    steps: int = 4000
    size: int = 16
    rate: float = 1e-3
    cooldown: float = 0.3
    perceptual: float = 0.25
    adversarial: float = 0.4
    adversary_from: float = 0.7
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The learning rate of a step; it warms up for 200 steps."""
        return self.rate * loop.warm_hold_fall(step, self.steps, self.cooldown, warm=200)

    def has_adversary(self, step: int) -> bool:
        """Whether the discriminator takes part in a step."""
        return self.adversarial > 0 and step >= self.adversary_from * self.steps

    def revives(self, step: int) -> bool:
        """Whether dead codes are revived: not in the cooldown, when the others settle."""
        return step < (1 - self.cooldown) * self.steps


class Training:
    """A run that can be stopped and resumed: the same steps give the same weights."""

    def __init__(self, recipe: Recipe, device: torch.device, shape: Shape) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.step, self.device = recipe, 0, device
        self.model = Autoencoder(shape).to(device)
        self.codebook = self.model.quantize.embedding.weight.requires_grad_(requires_grad=False)
        self.averages = CodebookAverages(self.codebook)
        self.perceptual = PerceptualLoss().to(device)
        self.adversary = Adversary().to(device)
        learnt = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.Adam(learnt, lr=recipe.rate, betas=(0.5, 0.95))
        self.opponent = torch.optim.Adam(
            self.adversary.parameters(), lr=recipe.rate, betas=(0.5, 0.95)
        )
        self.average = checkpoints.Average(self.model, decay=0.998)

    def learn(self, pictures: torch.Tensor) -> float:
        """One step on [n, 3, 64, 64] pictures; returns the mean absolute difference."""
        recipe = self.recipe
        for optimiser in (self.optimiser, self.opponent):
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate_at(self.step)
        with torch.autocast(self.device.type, torch.bfloat16):
            latents = self.model.encode(pictures)
        # The quantiser wants full precision: differences of distances decide.
        codes, commitment, (_, _, chosen) = self.model.quantize(latents.float())
        with torch.autocast(self.device.type, torch.bfloat16):
            redrawn = self.model.decode(codes).float()
            features = self.perceptual(redrawn, pictures)
        difference = (redrawn - pictures).abs().mean()
        loss = difference + recipe.perceptual * features
        if recipe.has_adversary(self.step):
            loss = loss + self._adversarial(loss, redrawn, pictures)
        self.optimiser.zero_grad(set_to_none=True)
        (loss + commitment).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self._follow(latents, chosen)
        self.step += 1
        self.average.update(self.model, self.step)
        return float(difference.detach())

    def _adversarial(
        self, loss: torch.Tensor, redrawn: torch.Tensor, pictures: torch.Tensor
    ) -> torch.Tensor:
        """One step of the discriminator, then its weighted verdict on the redrawn pictures."""
        self.opponent.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16):
            told_apart = self.adversary.loss(pictures, redrawn.detach())
        told_apart.backward()  # type: ignore[no-untyped-call]
        self.opponent.step()
        self.adversary.requires_grad_(requires_grad=False)
        with torch.autocast(self.device.type, torch.bfloat16):
            verdict: torch.Tensor = -self.adversary(redrawn).mean()
        self.adversary.requires_grad_()
        last = self.model.decoder.conv_out.weight
        weight = self.recipe.adversarial * adaptive_weight(loss, verdict, last)
        return weight * verdict

    def _follow(self, latents: torch.Tensor, chosen: torch.Tensor) -> None:
        """Let the codebook follow the latents."""
        generator = None
        if self.recipe.revives(self.step):
            generator = torch.Generator().manual_seed(self.recipe.seed + self.step)
        rows = latents.detach().permute(0, 2, 3, 1).flatten(0, 2)
        self.averages.update(self.codebook, rows, chosen, generator)

    def save(self, path: Path) -> None:
        """Keep everything that the next step depends on."""
        checkpoints.save(
            {
                "recipe": asdict(self.recipe),
                "shape": asdict(self.model.shape),
                "step": self.step,
                "model": self.model.state_dict(),
                "averages": self.averages.state_dict(),
                "adversary": self.adversary.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "opponent": self.opponent.state_dict(),
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
        for part in ("model", "averages", "adversary", "optimiser", "opponent"):
            getattr(self, part).load_state_dict(state[part])
        self.average.restore(state["average"])


def load(path: Path) -> Autoencoder:
    """The model of a saved run: its averaged weights.

    Raises:
        FileNotFoundError: the run has not saved a state yet.

    """
    state = checkpoints.load_saved(path)
    model = Autoencoder(Shape(**state["shape"]))
    model.load_state_dict(state["average"])
    return model.eval()


def export(state: Path, target: Path) -> None:
    """Write the file that ships from a saved run; raises as `load` does."""
    write_atomically(target, pack(load(state)))


def train(training: Training, maker: PictureMaker, path: Path) -> None:
    """Run to the end of the recipe, as `loop.train` does."""

    def note(difference: float) -> str:
        used = perplexity(training.averages.uses)
        return f"difference {difference:.4f}, perplexity {used:.0f}"

    loop.train(training, maker.batch, path, "vqgan", note)
