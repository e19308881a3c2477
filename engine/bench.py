"""How fast this machine draws, beside the floor: the perceptor's own forward and backward pass."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from engine.protocol import Draw
from engine.settings import PIXELCLIP, make_settings
from engine.studio import Studio

_REPEATS = 30
_WARM_UP = 5


@dataclass(frozen=True)
class Row:
    """One line of the table; times are medians of a tick, in seconds.

    Attributes:
        jobs: how many are drawn together.
        cuts: views of each job in a step.
        iteration: seconds that one step of all jobs takes.
        floor: seconds that the perceptor alone takes for as many views, with their gradient.

    """

    jobs: int
    cuts: int
    iteration: float
    floor: float

    @property
    def efficiency(self) -> float:
        """The share of the time that is spent on what must be done, 0…1."""
        return self.floor / self.iteration

    @property
    def throughput(self) -> float:
        """Steps of single jobs in a second."""
        return self.jobs / self.iteration


def measure(jobs: int, cuts: int) -> Row:
    """Draw `jobs` pictures at the article's grid with pixelclip for a few steps."""
    studio = Studio()
    settings = {"prompts": "a red apple", "iterations": 2000, "display_every": 2000}
    for seed in range(jobs):
        asked = make_settings(
            settings | {"seed": seed, "num_cuts": cuts, "perceptors": [PIXELCLIP]}
        )
        studio.add(Draw(str(seed), asked))
    iteration = _median(lambda: list(studio.tick()), studio.device)

    perceptor = studio.perceptor(PIXELCLIP)
    side = perceptor.view_size
    views = torch.rand(jobs * cuts, 3, side, side, device=studio.device, requires_grad=True)
    text = perceptor.encode_text(["a red apple"])

    def forward_and_backward() -> None:
        views.grad = None
        torch.autograd.backward((perceptor.encode_views(views) @ text.T).sum())

    return Row(jobs, cuts, iteration, _median(forward_and_backward, studio.device))


def _median(run: Callable[[], object], device: torch.device) -> float:
    times = []
    for repeat in range(_WARM_UP + _REPEATS):
        began = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        if repeat >= _WARM_UP:
            times.append(time.perf_counter() - began)
    return statistics.median(times)
