"""Drawings of many prompts at once, by the engine as it ships, for the judge and for people."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from engine.errors import EngineError
from engine.protocol import Done, Draw, Failed
from engine.settings import make_settings
from engine.studio import Studio
from engine.training.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_TOGETHER = 4


@dataclass(frozen=True)
class Drawing:
    """A finished picture at one pixel a cell, and the perceptor's own score of it."""

    picture: Image.Image
    score: float


def draw_prompts(
    prompts: Sequence[str], given: Mapping[str, object], seed: int, studio: Studio | None = None
) -> dict[str, Drawing]:
    """Draw each prompt once, all with one seed.

    Args:
        prompts: what to draw.
        given: further settings, as `engine.settings.make_settings` takes them.
        seed: of every drawing.
        studio: an idle one to use again.

    Raises:
        SettingsError: for settings that are not allowed.
        EngineError: when a picture cannot be drawn.

    """
    studio = studio or Studio()
    waiting = [
        Draw(prompt, make_settings({**given, "prompts": prompt, "seed": seed}))
        for prompt in prompts
    ]
    progress = Progress("drawings", len(prompts))
    finished: dict[str, Drawing] = {}
    running = 0
    while waiting or running:
        while waiting and running < _TOGETHER:
            _checked([studio.add(waiting.pop(0))])
            running += 1
        for event in _checked(studio.tick()):
            picture = Image.open(io.BytesIO(event.native_png))
            picture.load()
            finished[event.job] = Drawing(picture, event.statistics.score)
            running -= 1
            progress.show(len(finished))
    return {prompt: finished[prompt] for prompt in prompts}


def seconds_alone(given: Mapping[str, object], studio: Studio) -> float:
    """Wall time of one drawing that has the machine to itself, the perceptor loaded already."""
    settings = make_settings({"prompts": "a lighthouse at dusk", "seed": 1, **given})
    began = time.perf_counter()
    _checked([studio.add(Draw("alone", settings))])
    while not studio.idle:
        for _ in _checked(studio.tick()):
            pass
    return time.perf_counter() - began


def _checked(events: Iterable[object]) -> list[Done]:
    done = []
    for event in events:
        if isinstance(event, Failed):
            raise EngineError(event.sentence)
        if isinstance(event, Done):
            done.append(event)
    return done
