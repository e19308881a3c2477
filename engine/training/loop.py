"""What all runs over prepared batches share: the schedule of the rate, and the loop itself."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

from engine.training.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_Batch = TypeVar("_Batch")
_Taken = TypeVar("_Taken", contravariant=True)


class Recipe(Protocol):
    """How long a run is, and how large its batches are."""

    @property
    def steps(self) -> int:
        """Batches in all."""

    @property
    def size(self) -> int:
        """Examples a batch."""


class Run(Protocol[_Taken]):
    """A training that can be stopped and resumed."""

    step: int

    @property
    def recipe(self) -> Recipe:
        """What determines it."""

    def learn(self, batch: _Taken, /) -> float:
        """Take one step; returns the figure to watch."""

    def save(self, path: Path) -> None:
        """Keep everything that the next step depends on."""

    def resume(self, path: Path) -> None:
        """Continue from `path` where it exists."""


def warm_hold_fall(step: int, steps: int, cooldown: float, warm: int) -> float:
    """The share of the highest rate: it warms up, holds, then falls linearly (Hägele et al. 2024).

    Args:
        step: from 0 on.
        steps: of the whole run.
        cooldown: last share of the steps, in which the rate falls to nothing.
        warm: steps until the rate is reached.

    """
    left = (steps - step) / max(1.0, cooldown * steps)
    return min(1.0, (step + 1) / warm, left)


def train(
    run: Run[_Batch],
    batch: Callable[[int, int], _Batch],
    path: Path,
    task: str,
    note: Callable[[float], str],
    save_every: int = 500,
) -> None:
    """Run to the end of the recipe, resuming from `path` and saving there every few minutes.

    The next batch is made while the present one is learnt.

    Args:
        run: to be trained.
        batch: makes the batch of a step, given its number and size.
        path: of the state.
        task: what the line of progress calls it.
        note: what that line says of the moving average of the figure.
        save_every: steps.

    """
    run.resume(path)
    recipe = run.recipe
    progress = Progress(task, recipe.steps, run.step)
    smooth = math.nan
    with ThreadPoolExecutor(max_workers=1) as ahead:
        coming = ahead.submit(batch, run.step, recipe.size)
        while run.step < recipe.steps:
            present = coming.result()
            coming = ahead.submit(batch, run.step + 1, recipe.size)
            figure = run.learn(present)
            smooth = figure if math.isnan(smooth) else 0.99 * smooth + 0.01 * figure
            progress.show(run.step, note(smooth))
            if run.step % save_every == 0 or run.step == recipe.steps:
                run.save(path)
