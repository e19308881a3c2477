"""How fast strokes are drawn: `python -m engine.strokes.bench` prints one line of JSON.

Times are those of one thread's processor time, so that other work on the machine counts little.
"""

import json
import resource
import statistics
import time
from collections.abc import Callable

import torch

from engine.strokes import Strokes, render
from engine.strokes.curves import flatten
from engine.strokes.placing import random_points

_STROKES, _CURVES = 1024, 2
_WIDTH, _HEIGHT = 384, 216
_REPEATS = 5
_MATRIX = 2048


def measure() -> dict[str, float]:
    """Seconds forward and backward for CLIPDraw's kind of strokes, and what the core can do.

    Strokes are of two curves, each a tenth of the height long, from 0.5 to 5 % of it wide.
    """
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    points = random_points(_STROKES, _CURVES, 0.1 * _HEIGHT, (_WIDTH, _HEIGHT), generator)
    widths = (0.005 + 0.045 * torch.rand(_STROKES, generator=generator)) * _HEIGHT
    colours = torch.rand(_STROKES, 4, generator=generator)
    strokes = Strokes(points.requires_grad_(), widths.requires_grad_(), colours.requires_grad_())
    left, right = torch.rand(2, _MATRIX, _MATRIX, generator=generator)

    before = _peak()
    forward, backward = [], []
    for _ in range(_REPEATS):
        drawn, seconds = _timed(lambda: render(strokes, _WIDTH, _HEIGHT))
        forward.append(seconds)
        backward.append(_timed(drawn.square().mean().backward)[1])
    grown = _peak() - before
    product = min(_timed(lambda: left @ right)[1] for _ in range(_REPEATS))
    return {
        "strokes": _STROKES,
        "width": _WIDTH,
        "height": _HEIGHT,
        "lines": len(flatten(points).owners),
        "forward_s": round(statistics.median(forward), 4),
        "backward_s": round(statistics.median(backward), 4),
        "peak_mib": round(before + grown),
        "of_which_drawing_mib": round(grown),
        "matmul_gflops": round(2 * _MATRIX**3 / product / 1e9, 1),
    }


def _timed(run: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, float]:
    began = time.process_time()
    result = run()
    return result, time.process_time() - began


def _peak() -> float:
    """The most memory that the process has taken so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    print(json.dumps(measure()))
