"""How long the engine needs for the score that the naive loop ends with.

Both draw the same prompt, turn by turn, and who scores them is not what they are improved by.
Scores belong to steps, which are the same on any machine; what a step takes is measured beside
them, so that whatever else the machine does meets both alike.
"""

import io
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec
import torch
from PIL import Image

from engine.bench.measure import CLOCKS, Clock
from engine.bench.naive import NaiveCells, NaiveLoop
from engine.bench.onlookers import CLASSES, Onlooker
from engine.errors import EngineError
from engine.perceptors import Perceptor, load_perceptor
from engine.perceptors.pixelclip import PixelClip
from engine.protocol import Done, Draw, Failed
from engine.settings import PIXELCLIP, Settings, make_settings, resolve
from engine.streams import stream
from engine.studio import Studio

PROMPTS = tuple(CLASSES)
"""Of those for tuning (`engine.training.drawing_prompts`), the ones that every onlooker knows."""

# What is drawn by default, and the same from noise.
_STARTS = ("guess", "noise")
_JOB = "score"
_CPU = torch.device("cpu")


class Trial(msgspec.Struct, frozen=True):
    """What is compared.

    Attributes:
        prompts: what is drawn, each with every seed.
        seeds: of the drawings.
        steps: how many each drawing may take; ours takes no more time for them.
        naive_cuts: the naive loop's views in each.
        given: settings of ours other than these and the defaults.
        clock: what tells the time.

    """

    prompts: Sequence[str]
    seeds: Sequence[int] = (1,)
    steps: int = 150
    naive_cuts: int = 36
    given: Mapping[str, object] = {}
    clock: Clock = "wall"


class ScoreRow(msgspec.Struct, frozen=True):
    """One drawing of ours beside the naive loop's of the same prompt and seed; times in seconds.

    Attributes:
        judge: who scored.
        start: what ours begins with.
        prompt, seed: of both.
        naive_score: what the naive loop ends with.
        naive_steps: after how many it had that first.
        naive_step_s: the median of its steps.
        score: what ours ends with.
        steps: after how many ours had the naive loop's score first; None if it never had.
        begin_s: what comes before its first step.
        step_s: the median of its steps.
        speedup: the naive loop's time to that score ÷ ours; 0 if ours never had it, and None if the
            naive loop's last score is no better than that of the noise it began with.

    """

    judge: str
    start: str
    prompt: str
    seed: int
    naive_score: float
    naive_steps: int
    naive_step_s: float
    score: float
    steps: int | None
    begin_s: float
    step_s: float
    speedup: float | None


class Drawn(msgspec.Struct, frozen=True):
    """Rows of one prompt and seed, and the finished pictures by what each is called."""

    rows: list[ScoreRow]
    pictures: dict[str, Image.Image]


class _Drawing(Protocol):
    """A picture that is improved step by step."""

    def step(self) -> None:
        """Improve it once."""

    def native(self) -> Image.Image:
        """The picture at one pixel a cell."""


def compare(trial: Trial, onlookers: Mapping[str, Onlooker]) -> Iterator[Drawn]:
    """Draw each prompt with each seed, on a processor.

    Args:
        trial: what.
        onlookers: who scores them, by name.

    Raises:
        SettingsError: a setting is not allowed.
        EngineError: a picture cannot be drawn.

    """
    perceptor = load_perceptor(PIXELCLIP, _CPU)
    # The naive loop's is as others would load it.
    exact = PixelClip(device=_CPU, dtype=torch.float32)
    studios = {start: Studio(device=_CPU, perceptor=lambda *_: perceptor) for start in _STARTS}
    for start, studio in studios.items():
        # What is loaded for the first picture is there for all others.
        _Ours(studio, _settings(trial, start, PROMPTS[0], 0))
        studio.cancel(_JOB)
    for prompt in trial.prompts:
        for seed in trial.seeds:
            yield _drawn(trial, exact, onlookers, studios, prompt, seed)


def reached(scores: Mapping[int, float], target: float) -> int | None:
    """The first of the steps that were looked at whose score is at least the target."""
    return next((step for step, score in scores.items() if score >= target), None)


def looked_at(steps: int) -> list[int]:
    """After which of so many steps a picture is scored: all at first, then ever fewer; the last."""
    looks, step = [], 0
    while step < steps:
        looks.append(step)
        step += max(1, step // 5)
    return [*looks, steps]


class _Course:
    """A drawing on its way, with what its steps took and how it was scored."""

    def __init__(
        self,
        make: Callable[[], _Drawing],
        steps: int,
        judged: Callable[[Image.Image], dict[str, float]],
        clock: Callable[[], float],
    ) -> None:
        self._judged, self._clock = judged, clock
        began = clock()
        self._drawing = make()
        self.begin_s = clock() - began
        self._steps, self._looks = steps, set(looked_at(steps))
        self.seconds: list[float] = []
        self._scores: dict[int, dict[str, float]] = {}
        self._look()

    def turn(self) -> None:
        """Take a step, if there is one left."""
        if len(self.seconds) == self._steps:
            return
        began = self._clock()
        self._drawing.step()
        self.seconds.append(self._clock() - began)
        if len(self.seconds) in self._looks:
            self._look()

    def scores(self, judge: str) -> dict[int, float]:
        """What a judge said, by the steps that were taken before."""
        return {step: said[judge] for step, said in self._scores.items()}

    def native(self) -> Image.Image:
        """The picture as it stands."""
        return self._drawing.native()

    def _look(self) -> None:
        self._scores[len(self.seconds)] = self._judged(self.native())


class _Ours:
    """A drawing of the engine."""

    def __init__(self, studio: Studio, settings: Settings) -> None:
        self._studio = studio
        self._left = _iterations(settings)
        self._finished: bytes | None = None
        event = studio.add(Draw(_JOB, settings))
        if isinstance(event, Failed):
            raise EngineError(event.sentence)

    def step(self) -> None:
        self._tick()
        self._left -= 1
        # The finished picture comes when it is encoded.
        while self._left == 0 and self._finished is None:
            self._tick()

    def _tick(self) -> None:
        for event in self._studio.tick():
            if isinstance(event, Failed):
                raise EngineError(event.sentence)
            if isinstance(event, Done):
                self._finished = event.native_png

    def native(self) -> Image.Image:
        return Image.open(io.BytesIO(self._finished or self._studio.look(_JOB)[2]))


class _Naive:
    """The naive loop, with cells to improve."""

    def __init__(self, settings: Settings, perceptor: Perceptor) -> None:
        assert settings.seed is not None
        assert settings.pixel_size is not None
        # It takes its numbers from torch's own stream, as notebooks do.
        torch.manual_seed(settings.seed)
        self._cells = NaiveCells(*settings.pixel_size, stream(settings.seed, "naive/cells"))
        target = perceptor.encode_text([settings.prompts])
        self._loop = NaiveLoop(
            self._cells, settings, perceptor.encode_views, perceptor.view_size, target
        )

    def step(self) -> None:
        self._loop.step()

    def native(self) -> Image.Image:
        return self._cells.native()


def _drawn(
    trial: Trial,
    exact: Perceptor,
    onlookers: Mapping[str, Onlooker],
    studios: Mapping[str, Studio],
    prompt: str,
    seed: int,
) -> Drawn:
    def judged(picture: Image.Image) -> dict[str, float]:
        return {name: onlooker(picture, prompt) for name, onlooker in onlookers.items()}

    def course(make: Callable[[], _Drawing], steps: int) -> _Course:
        return _Course(make, steps, judged, CLOCKS[trial.clock])

    asked = {start: _settings(trial, start, prompt, seed) for start in studios}
    loose = msgspec.structs.replace(asked["noise"], num_cuts=trial.naive_cuts)
    naive = course(lambda: _Naive(loose, exact), trial.steps)
    ours = {
        start: course(_beginning(studios[start], settings), _iterations(settings))
        for start, settings in asked.items()
    }
    courses = {"naive": naive, **ours}
    for _ in range(max(trial.steps, *map(_iterations, asked.values()))):
        for each in courses.values():
            each.turn()
    rows = [
        _row(judge, start, prompt, seed, each, naive)
        for judge in onlookers
        for start, each in ours.items()
    ]
    return Drawn(rows, {name: each.native() for name, each in courses.items()})


def _beginning(studio: Studio, settings: Settings) -> Callable[[], _Drawing]:
    return lambda: _Ours(studio, settings)


def _settings(trial: Trial, start: str, prompt: str, seed: int) -> Settings:
    """Of one drawing of ours, which shows nothing before it is finished."""
    given = {
        "iterations": trial.steps,
        **trial.given,
        "prompts": prompt,
        "seed": seed,
        "start": start,
    }
    settings = resolve(make_settings(given))
    return msgspec.structs.replace(settings, display_every=settings.iterations)


def _iterations(settings: Settings) -> int:
    assert settings.iterations is not None
    return settings.iterations


def _row(judge: str, start: str, prompt: str, seed: int, ours: _Course, naive: _Course) -> ScoreRow:
    naive_scores, scores = naive.scores(judge), ours.scores(judge)
    target = list(naive_scores.values())[-1]
    naive_steps, steps = reached(naive_scores, target), reached(scores, target)
    assert naive_steps is not None
    # Only the turns that both took part in.
    together = min(len(ours.seconds), len(naive.seconds))
    naive_s, step_s = (statistics.median(each.seconds[:together]) for each in (naive, ours))
    speedup = 0.0 if steps is None else naive_steps * naive_s / (ours.begin_s + steps * step_s)
    return ScoreRow(
        judge=judge,
        start=start,
        prompt=prompt,
        seed=seed,
        naive_score=round(target, 4),
        naive_steps=naive_steps,
        naive_step_s=round(naive_s, 5),
        score=round(list(scores.values())[-1], 4),
        steps=steps,
        begin_s=round(ours.begin_s, 4),
        step_s=round(step_s, 5),
        speedup=round(speedup, 2) if naive_steps else None,
    )
