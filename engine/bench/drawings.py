"""Whole drawings, from the first step to the finished file, with random weights."""

import time
from collections.abc import Sequence

import msgspec
import torch

from engine.bench.measure import ARTICLE, ARTICLE_CUTS, gflop_of, product_rate, random_perceptor
from engine.errors import EngineError
from engine.perceptors import Perceptor
from engine.protocol import Done, Draw, Failed, Progress
from engine.settings import CLIP_QUALITIES, make_settings
from engine.studio import Studio

# Steps between two frames, and steps that are enough for a graph.
_EVERY, _SHORT = 10, 3
_BETTER = CLIP_QUALITIES["better"]
# What is drawn, by name: the article's own, and the quality “better” with all that judge it.
_DRAWN = {
    "the article's": ("ViT-B-32/openai",),
    "better": _BETTER.perceptors,
}


class Drawing(msgspec.Struct, frozen=True):
    """One drawing as a whole, or several at once.

    Attributes:
        name: of what is drawn.
        perceptors: who judge it.
        device, dtype: where, and in what numbers those that can are computed.
        jobs: how many are drawn together.
        iterations, cuts: steps of each, and views in each.
        first_frame_s: seconds until the first frame of one of them is there as a PNG.
        seconds: until the files of all of them are.
        product_share: how much of the rate of one large product the perceptors reach all through
            the drawing, whatever else it does.

    """

    name: str
    perceptors: tuple[str, ...]
    device: str
    dtype: str
    jobs: int
    iterations: int
    cuts: int
    first_frame_s: float
    seconds: float
    product_share: float


def drawings(
    device: torch.device,
    jobs: Sequence[int],
    *,
    iterations: int = _BETTER.iterations,
    cuts: int = ARTICLE_CUTS,
) -> list[Drawing]:
    """Both drawings for some numbers of jobs together.

    Graphs are captured in short drawings that come before.

    Args:
        device: where to draw.
        jobs: how many are drawn together.
        iterations: steps of each.
        cuts: views in each step.

    Raises:
        EngineError: one of them cannot be drawn.
        PerceptorError: one of those who judge is unknown.

    """
    loaded: dict[str, Perceptor] = {}

    def perceptor(name: str, device: torch.device) -> Perceptor:
        if name not in loaded:
            loaded[name] = random_perceptor(name, device)
        return loaded[name]

    studio = Studio(device=device, perceptor=perceptor)
    measured = []
    for name, perceptors in _DRAWN.items():
        for count in jobs:
            given = {"perceptors": list(perceptors), "num_cuts": cuts}
            _drawn(studio, given, _SHORT, count)
            first, whole = _drawn(studio, given, iterations, count)
            judges = [loaded[each] for each in perceptors]
            dtype = "bfloat16" if any(each.dtype == "bfloat16" for each in judges) else "float32"
            gflop = count * iterations * sum(_gflop(each, cuts, device) for each in judges)
            measured.append(
                Drawing(
                    *(name, perceptors, device.type, dtype, count, iterations, cuts, first, whole),
                    gflop / whole / product_rate(getattr(torch, dtype), device),
                )
            )
    return measured


def _drawn(
    studio: Studio, given: dict[str, object], iterations: int, jobs: int
) -> tuple[float, float]:
    """Seconds until the first frame, and until all of the files."""
    for seed in range(jobs):
        shown = {"display_every": min(_EVERY, iterations), "iterations": iterations}
        settings = make_settings(ARTICLE | given | shown | {"seed": seed})
        event = studio.add(Draw(str(seed), settings))
        if isinstance(event, Failed):
            raise EngineError(event.sentence)
    began = time.perf_counter()
    first: float | None = None
    while not studio.idle:
        for event in studio.tick():
            if isinstance(event, Failed):
                raise EngineError(event.sentence)
            if first is None and isinstance(event, Progress | Done):
                first = time.perf_counter() - began
    assert first is not None
    return first, time.perf_counter() - began


def _gflop(judge: Perceptor, cuts: int, device: torch.device) -> float:
    """Of a judge's forward pass and its gradient for the views of one step."""
    side = judge.view_size
    views = torch.rand(cuts, 3, side, side, device=device).requires_grad_()
    return gflop_of(lambda: torch.autograd.backward(judge.encode_views(views).sum()))
