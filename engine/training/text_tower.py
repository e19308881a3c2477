"""Distillation of the teacher into the text tower that ships (Hinton et al. 2015).

The tower learns to point where the centred teacher points. Its word table starts as the principal
components of the teacher's own table, so that words which the corpus lacks still mean something.
"""

from __future__ import annotations

import math
import random
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F

from engine.perceptors.pixelclip import WIDTH, TextShape, TextTower, WordPieces
from engine.training import checkpoints
from engine.training.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_POOL = 32
"""Batches whose texts are sorted by length together, so that little is padded."""


@dataclass(frozen=True)
class Recipe:
    """What a distillation is determined by; the rate warms up, then falls as a half cosine.

    `favour` is the share of the looks that goes to the corpus's favoured texts.
    """

    steps: int = 5_000
    size: int = 384
    rate: float = 1.5e-3
    favour: float = 0.5
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        warm = min(1.0, (step + 1) / 200)
        return self.rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * step / self.steps)) / 2)


def tokenise(texts: Sequence[str], shape: TextShape) -> list[list[int]]:
    """The word pieces of every text."""
    word_pieces = WordPieces(longest=shape.tokens)
    return [word_pieces(text) for text in texts]


def pad(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    """Rows of ids as [n, longest], filled up with 0."""
    longest = max(len(row) for row in rows)
    return torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])


def start_from(table: torch.Tensor, shape: TextShape) -> TextTower:
    """A fresh tower whose word table holds the principal components of `table` [vocabulary, d]."""
    tower = TextTower(shape)
    centred = table.float() - table.float().mean(dim=0)
    _, directions = torch.linalg.eigh(centred.T @ centred)
    reduced = centred @ directions[:, -shape.table :]
    with torch.no_grad():
        tower.table.weight.copy_(reduced / reduced.std())
        tower.positions.normal_(std=0.02)
    return tower


class Training:
    """A run that can be stopped and resumed: the same steps give the same weights."""

    def __init__(
        self, recipe: Recipe, table: torch.Tensor, shape: TextShape, device: torch.device
    ) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.step, self.device = recipe, 0, device
        self.tower = start_from(table, shape).to(device)
        matrices = [p for n, p in self.tower.named_parameters() if p.ndim > 1 and "table" not in n]
        others = [p for n, p in self.tower.named_parameters() if p.ndim <= 1 or "table" in n]
        groups = [
            {"params": matrices, "weight_decay": 0.02},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=recipe.rate, betas=(0.9, 0.98))

    def learn(self, ids: torch.Tensor, targets: torch.Tensor) -> float:
        """One step on [n, t] ids and [n, d] unit-length targets; returns 1 − the mean cosine."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate_at(self.step)
        self.optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16):
            embeddings = self.tower(ids.to(self.device))
        loss = 1 - F.cosine_similarity(embeddings.float(), targets.to(self.device)).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.tower.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Keep everything that the next step depends on."""
        checkpoints.save(
            {
                "recipe": asdict(self.recipe),
                "step": self.step,
                "tower": self.tower.state_dict(),
                "optimiser": self.optimiser.state_dict(),
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
        self.optimiser.load_state_dict(state["optimiser"])


def train(
    training: Training,
    rows: Sequence[Sequence[int]],
    targets: torch.Tensor,
    favoured: int,
    path: Path,
    save_every: int = 500,
) -> None:
    """Run to the end of the recipe over tokenised texts, favoured ones first, and their targets."""
    training.resume(path)
    recipe = training.recipe
    progress = Progress("text tower", recipe.steps, training.step)
    smooth = math.nan
    while training.step < recipe.steps:
        pool = batches_of(rows, favoured, recipe, training.step // _POOL)
        for chosen in pool[training.step % _POOL :]:
            loss = training.learn(pad([rows[index] for index in chosen]), targets[chosen])
            smooth = loss if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss
            progress.show(training.step, f"1 - cosine {smooth:.4f}")
            if training.step % save_every == 0 or training.step == recipe.steps:
                training.save(path)
            if training.step == recipe.steps:
                return


def batches_of(
    rows: Sequence[Sequence[int]], favoured: int, recipe: Recipe, pool: int
) -> list[list[int]]:
    """The batches of a pool: texts drawn at random, grouped by length, in random order."""
    choice = random.Random(f"{recipe.seed}/{pool}")
    drawn = [
        choice.randrange(favoured if choice.random() < recipe.favour else len(rows))
        for _ in range(_POOL * recipe.size)
    ]
    drawn.sort(key=lambda index: len(rows[index]))
    batches = [drawn[start : start + recipe.size] for start in range(0, len(drawn), recipe.size)]
    choice.shuffle(batches)
    return batches


def load(path: Path, shape: TextShape) -> TextTower:
    """The tower of a saved run.

    Raises:
        FileNotFoundError: the run has not saved a state yet.

    """
    tower = TextTower(shape)
    tower.load_state_dict(checkpoints.load_saved(path)["tower"])
    return tower.eval()


@torch.no_grad()
def embed(tower: TextTower, texts: Sequence[str], shape: TextShape) -> torch.Tensor:
    """The tower's vectors of many texts, unit length: [n, d], on the CPU."""
    rows = tokenise(texts, shape)
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    vectors = torch.empty(len(rows), WIDTH)
    for start in range(0, len(order), 256):
        chosen = order[start : start + 256]
        ids = pad([rows[index] for index in chosen]).to(tower.positions.device)
        vectors[chosen] = F.normalize(tower(ids).float(), dim=-1).cpu()
    return vectors
