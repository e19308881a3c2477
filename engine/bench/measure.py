"""A step of each drawer with each perceptor, its parts, its floor, and the naive loop.

All that is compared is measured turn by turn, so that whatever else the machine does meets all of
it alike; the ratios are medians of the ratios of the turns.
"""

import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from engine.bench.memory import forget_peak, peak_mib
from engine.bench.naive import NaiveLoop
from engine.drawers import make_drawer
from engine.errors import EngineError
from engine.perceptors import Perceptor, load_perceptor
from engine.perceptors.pixelclip import PixelClip
from engine.protocol import Draw, Failed
from engine.settings import PIXELCLIP, make_settings, resolve
from engine.stopwatch import Stopwatch
from engine.studio import Studio

# The article's drawing, but longer than any measurement; with pixelclip, which judges in more and
# smaller steps, what is drawn by default.
ARTICLE = {
    "prompts": "Humans use Machine Learning to make art #pixelart",
    "aspect": "widescreen",
    "quality": "better",
    "scale": 2.5,
    "iterations": 2000,
    "start": "noise",
}
ARTICLE_CUTS, PIXELCLIP_CUTS = 36, 12
PARTS = ("render", "cutouts", "perceptor", "backward", "step")

_LEAST_TURNS = 3
# Sides of the product that tells how fast products can be, and how often it is taken.
_GPU_SIDE, _CPU_SIDE, _PRODUCTS = 8192, 1536, 5

_Embed = Callable[[torch.Tensor], torch.Tensor]
Clock = Literal["wall", "cpu"]
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


class Effort(msgspec.Struct, frozen=True):
    """How long to measure.

    Attributes:
        turns: the most turns that are taken of everything.
        seconds: for one drawer and one perceptor; at least three turns are taken.
        naive: whether open_clip's own module and the naive loop are measured.
        clock: what tells the time; the processor's takes no notice of who else uses it.

    """

    turns: int = 20
    seconds: float = 60.0
    naive: bool = True
    clock: Clock = "wall"


class Row(msgspec.Struct, frozen=True):
    """One line; times are medians in seconds, and what was not measured is None.

    Attributes:
        drawer, perceptor, weights, device, dtype: what was measured; weights are "random" where
            only the time is asked for.
        cuts: views of each job in a step.
        jobs: how many are drawn together.
        turns: how many times each was measured.
        iteration_s: what one step of all jobs takes.
        iteration_spread_s: half of what lies between the quartiles of that.
        floor_s: the perceptor's forward pass and its gradient alone, for as many views.
        floor_spread_s: as of the iteration.
        efficiency: floor ÷ iteration.
        iterations_per_s: steps of single jobs in a second.
        gain: how many times that is what one job alone has.
        split_s: the iteration by its parts.
        encode_s: one frame of one job as PNG, which every `display_every` steps need.
        peak_mib: the most memory of the process, or of the GPU, during a step.
        eager_floor_s: the floor of open_clip's own module in float32.
        naive_s: a step of the naive loop.
        speedup: naive ÷ (iteration ÷ jobs).
        floor_gflop: the products in the floor, 10⁹ operations on numbers.
        product_gflops: what one large product of such numbers reaches in a second here.
        product_share: how much of that rate the perceptor reaches in the floor.

    """

    drawer: str
    perceptor: str
    weights: str
    device: str
    dtype: str
    cuts: int
    jobs: int
    turns: int
    iteration_s: float
    iteration_spread_s: float
    floor_s: float
    floor_spread_s: float
    efficiency: float
    iterations_per_s: float
    gain: float | None
    split_s: dict[str, float]
    encode_s: float
    peak_mib: float
    floor_gflop: float
    product_gflops: float
    product_share: float
    eager_floor_s: float | None = None
    naive_s: float | None = None
    speedup: float | None = None


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured, and what else the machine did."""

    processor: str
    threads: int
    torch: str
    gpu: str | None
    load: float | None
    clock: Clock


def machine(clock: Clock) -> Machine:
    """This machine as it is now."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return Machine(_processor(), torch.get_num_threads(), str(torch.__version__), gpu, load, clock)


def devices() -> tuple[torch.device, ...]:
    """The processor, and a GPU where there is one."""
    names = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    return tuple(torch.device(name) for name in names)


def measure(
    drawer: str,
    name: str,
    device: torch.device,
    jobs: Sequence[int],
    effort: Effort,
    cuts: int | None = None,
    cells: str | None = None,
) -> list[Row]:
    """Rows for some numbers of jobs together, the article's drawing by a drawer and a perceptor.

    Args:
        drawer: its name.
        name: of a perceptor: pixelclip, or ``architecture/tag`` of open_clip with random weights.
        device: where to draw.
        jobs: how many are drawn together, one row each.
        effort: how long to measure.
        cuts: views of each job in a step; by default `ARTICLE_CUTS` or `PIXELCLIP_CUTS`.
        cells: as the setting `pixel_size`, columns × rows; by default the article's.

    Raises:
        EngineError: one of them cannot be drawn.
        PerceptorError: there is no such perceptor.

    """
    usual = PIXELCLIP_CUTS if name == PIXELCLIP else ARTICLE_CUTS
    asked: dict[str, object] = {"num_cuts": cuts or usual}
    if cells is not None:
        asked["pixel_size"] = cells
    return _Bench(drawer, name, device, effort, asked).rows(jobs)


@dataclass
class _Contestant:
    """So many jobs together, and what their turns took."""

    jobs: int
    studio: Studio
    tick: Callable[[], None]
    floor: Callable[[], None]
    watch: Stopwatch
    peak: float
    gflop: float
    parts: Callable[[], None] | None
    ticks: list[float] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)


class _Bench:
    """One drawer with one perceptor."""

    def __init__(
        self,
        drawer: str,
        name: str,
        device: torch.device,
        effort: Effort,
        asked: Mapping[str, object],
    ) -> None:
        self.drawer, self.name, self.device, self.effort = drawer, name, device, effort
        self.perceptor = random_perceptor(name, device)
        self.product = product_rate(getattr(torch, self.perceptor.dtype), device)
        usual = {"drawer": drawer, "perceptors": [name], "seed": 0, "display_every": 2000}
        self.settings = resolve(make_settings({**ARTICLE, **usual, **asked}))
        assert self.settings.num_cuts is not None
        self.cuts = self.settings.num_cuts

    def rows(self, jobs: Sequence[int]) -> list[Row]:
        contestants = [self._contestant(count) for count in jobs]
        others = self._others() if self.effort.naive else {}
        slow: dict[str, list[float]] = {what: [] for what in others}
        # The first time warms everything up.
        for run in (*(each.floor for each in contestants), *others.values()):
            run()
        began, turns = time.perf_counter(), 0
        while turns < self.effort.turns and (
            turns < _LEAST_TURNS or time.perf_counter() - began < self.effort.seconds
        ):
            for each in contestants:
                if each.parts is None:
                    with each.watch.listening():
                        each.ticks.append(self._seconds(each.tick))
                else:
                    # What a graph does has no parts that could be told apart from outside.
                    each.ticks.append(self._seconds(each.tick))
                    with each.watch.listening():
                        each.parts()
                each.floors.append(self._seconds(each.floor))
            # They take many times longer.
            if turns < _LEAST_TURNS:
                for what, run in others.items():
                    slow[what].append(self._seconds(run))
            turns += 1
        alone = next((each for each in contestants if each.jobs == 1), None)
        return [self._row(each, alone, slow) for each in contestants]

    def _row(
        self, each: _Contestant, alone: _Contestant | None, slow: dict[str, list[float]]
    ) -> Row:
        iteration = statistics.median(each.ticks)
        naive, eager = slow.get("naive"), slow.get("floor")
        return Row(
            drawer=self.drawer,
            perceptor=self.name,
            weights=self.perceptor.weights_hash,
            device=self.device.type,
            dtype=self.perceptor.dtype,
            cuts=self.cuts,
            jobs=each.jobs,
            turns=len(each.ticks),
            iteration_s=_short(iteration),
            iteration_spread_s=_short(_spread(each.ticks)),
            floor_s=_short(statistics.median(each.floors)),
            floor_spread_s=_short(_spread(each.floors)),
            efficiency=_short(_ratio(each.floors, each.ticks)),
            iterations_per_s=_short(each.jobs / iteration),
            gain=None if alone is None else _short(each.jobs * _ratio(alone.ticks, each.ticks)),
            split_s={part: _short(each.watch.seconds[part] / len(each.ticks)) for part in PARTS},
            encode_s=_short(self._encoding(each.studio)),
            peak_mib=round(each.peak),
            floor_gflop=_short(each.gflop),
            product_gflops=_short(self.product),
            product_share=_short(each.gflop / statistics.median(each.floors) / self.product),
            eager_floor_s=None if eager is None else _short(statistics.median(eager)),
            naive_s=None if naive is None else _short(statistics.median(naive)),
            # Only the turns that both took part in.
            speedup=None
            if naive is None
            else _short(each.jobs * _ratio(naive, each.ticks[: len(naive)])),
        )

    def _contestant(self, jobs: int) -> _Contestant:
        studio = self._studio(jobs)
        tick = _ticking(studio)
        # Warmed up before its memory is looked at.
        tick()
        forget_peak(self.device)
        tick()
        peak = peak_mib(self.device)
        floor, watch, parts = self._floor(jobs), self._stopwatch(), None
        if self.device.type == "cuda":
            parts = _ticking(self._studio(jobs, capture=False))
            parts()
        return _Contestant(jobs, studio, tick, floor, watch, peak, gflop_of(floor), parts)

    def _studio(self, count: int, *, capture: bool | None = None) -> Studio:
        """A studio with so many jobs, each of another seed."""
        studio = Studio(device=self.device, perceptor=lambda *_: self.perceptor, capture=capture)
        for seed in range(count):
            event = studio.add(Draw(str(seed), msgspec.structs.replace(self.settings, seed=seed)))
            if isinstance(event, Failed):
                raise EngineError(event.sentence)
        return studio

    def _floor(self, count: int) -> Callable[[], None]:
        """The perceptor alone, in as many passes as the studio makes for so many jobs."""
        together = count if self.perceptor.alike or self.device.type != "cpu" else 1
        once = _forward_and_gradient(self.perceptor.encode_views, self._views(together * self.cuts))

        def all_of_them() -> None:
            for _ in range(count // together):
                once()

        return all_of_them

    def _others(self) -> dict[str, Callable[[], None]]:
        """Of open_clip's own module, or pixelclip itself: its floor, and a naive loop around it."""
        if self.name == PIXELCLIP:
            embed: _Embed = PixelClip(device=self.device, dtype=torch.float32).encode_views
        else:
            from engine.bench.eager import eager_module

            embed = eager_module(self.name, self.device)
        target = self.perceptor.encode_text([self.settings.prompts])
        drawer = make_drawer(self.settings, None, self.device)
        loop = NaiveLoop(drawer, self.settings, embed, self.perceptor.view_size, target)
        return {"floor": _forward_and_gradient(embed, self._views(self.cuts)), "naive": loop.step}

    def _views(self, count: int) -> torch.Tensor:
        side = self.perceptor.view_size
        return torch.rand(count, 3, side, side, device=self.device).requires_grad_()

    def _stopwatch(self) -> Stopwatch:
        return Stopwatch(CLOCKS[self.effort.clock], lambda: _settle(self.device))

    def _seconds(self, run: Callable[[], object]) -> float:
        watch = self._stopwatch()
        began = watch.now()
        run()
        return watch.now() - began

    def _encoding(self, studio: Studio) -> float:
        """Seconds that the frame of a job takes, as the studio makes it."""
        return statistics.median(self._seconds(lambda: studio.frame("0")) for _ in range(3))


def random_perceptor(name: str, device: torch.device) -> Perceptor:
    """pixelclip, or a model of open_clip with random weights; raises `PerceptorError`."""
    if name == PIXELCLIP:
        return load_perceptor(name, device)
    from engine.perceptors.clip import ClipPerceptor

    return ClipPerceptor(name, device, random=True)


def _ticking(studio: Studio) -> Callable[[], None]:
    def tick() -> None:
        for event in studio.tick():
            if isinstance(event, Failed):
                raise EngineError(event.sentence)

    return tick


def _forward_and_gradient(embed: _Embed, views: torch.Tensor) -> Callable[[], None]:
    def run() -> None:
        views.grad = None
        torch.autograd.backward(F.normalize(embed(views), dim=1).sum())

    return run


def gflop_of(run: Callable[[], object]) -> float:
    """10⁹ operations in all matrix products and convolutions of some work."""
    with FlopCounterMode(display=False) as counter:
        run()
    return float(counter.get_total_flops()) / 1e9


def product_rate(dtype: torch.dtype, device: torch.device) -> float:
    """10⁹ operations in a second of one large square product, the best of some."""
    side = _GPU_SIDE if device.type == "cuda" else _CPU_SIDE
    one, other = (torch.rand(side, side, device=device).to(dtype) for _ in range(2))
    best = math.inf
    for _ in range(_PRODUCTS):
        _settle(device)
        began = time.perf_counter()
        torch.mm(one, other)
        _settle(device)
        best = min(best, time.perf_counter() - began)
    return 2 * side**3 / best / 1e9


def _settle(device: torch.device) -> None:
    """Wait until what was begun is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _ratio(over: Sequence[float], under: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def _spread(values: Sequence[float]) -> float:
    """Half of what lies between the quartiles."""
    low, _, high = statistics.quantiles(values, n=4)
    return (high - low) / 2


def _short(value: float) -> float:
    """Four significant digits."""
    return value if value == 0 else round(value, 3 - math.floor(math.log10(abs(value))))


def _processor() -> str:
    """The processor's name as the system tells it."""
    return next(_names(), platform.processor() or platform.machine())


def _names() -> Iterator[str]:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                yield line.partition(":")[2].strip()
    except OSError:
        return
