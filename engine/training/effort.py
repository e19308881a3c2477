"""How much better a drawing gets for more time: the curve by which the defaults are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.studio import Studio
from engine.training.drawings import draw_prompts, seconds_alone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from engine.training.judge import Judge

EFFORTS = ((0, 0), (20, 8), (40, 12), (80, 12), (120, 16), (200, 20))
"""(iterations, views a step); none is the first guess alone, left as it is."""


@dataclass(frozen=True)
class Effort:
    """What one choice of iterations and views costs and gives.

    Attributes:
        seconds: of one drawing alone on this machine.
        mean_rank: of the own prompt among the hundred, by the judge.
        within_five: percent of the drawings whose prompt is among the judge's first five.

    """

    iterations: int
    views: int
    seconds: float
    mean_rank: float
    within_five: float

    def __str__(self) -> str:
        """The figures in a line."""
        return (
            f"{self.iterations:4} × {self.views:2} views: {self.seconds:5.1f} s, "
            f"mean rank {self.mean_rank:.1f}, within five {self.within_five:.0f} %"
        )


def measure(
    prompts: Sequence[str],
    given: Mapping[str, object],
    effort: tuple[int, int],
    judge: Judge,
    seed: int = 1,
) -> Effort:
    """Draw prompts with one effort and have them judged."""
    studio = Studio()
    iterations, views = effort
    chosen = (
        {**given, "iterations": iterations, "num_cuts": views}
        if iterations
        else {**given, "iterations": 1, "num_cuts": 1, "learning_rate": 0.001}
    )
    drawn = draw_prompts(prompts, chosen, seed, studio)
    verdict = judge.ranks({prompt: drawing.picture for prompt, drawing in drawn.items()})
    seconds = seconds_alone(chosen, studio)
    return Effort(iterations, views, seconds, verdict.mean, verdict.within(5))


def plot(curves: Mapping[str, Sequence[Effort]], path: Path) -> None:
    """Write the curves as a PNG: the judge's mean rank, and its first five, against seconds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots(1, 2)
    for name, efforts in curves.items():
        seconds = [effort.seconds for effort in efforts]
        axes[0].plot(seconds, [effort.mean_rank for effort in efforts], "o-", label=name)
        axes[1].plot(seconds, [effort.within_five for effort in efforts], "o-", label=name)
    axes[0].set_ylabel("judge's mean rank among 100")
    axes[0].invert_yaxis()
    axes[1].set_ylabel("within the judge's first five, %")
    for axis in axes:
        axis.set_xlabel("seconds a drawing, two cores")
        axis.set_xscale("symlog", linthresh=1)
        axis.grid(alpha=0.3)
        axis.legend(frameon=False)
    figure.savefig(path, dpi=120)
