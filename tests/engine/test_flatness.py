"""Drawings that end when their score no longer rises."""

import io
import math

import pytest
import torch
from PIL import Image

from engine import flatness
from engine.errors import SettingsError
from engine.flatness import LEAST_STEPS, RISE, Flatness
from engine.protocol import Done, Draw, Progress, Snapshot, Started
from engine.recipe import read_recipe
from engine.settings import make_settings
from tests.engine.conftest import TINY

pytestmark = pytest.mark.usefixtures("models_folder")
STOPPED = {"iterations": 16, "early_stop": True, "display_every": 2, "start": "noise"}


@pytest.fixture
def impatient(monkeypatch):
    """No score rises enough, and few steps are enough to know."""
    monkeypatch.setattr(flatness, "LEAST_STEPS", 2)
    monkeypatch.setattr(flatness, "RISE", 2.0)


def ended(studio, settings):
    """The progress and the end of a drawing alone."""
    one = studio()
    assert isinstance(one.add(Draw("a", settings)), Started)
    events = [event for _ in range(100) for event in one.tick()]
    assert one.idle
    return events[:-1], events[-1]


@pytest.mark.parametrize(("iterations", "least"), [(80, 40), (400, 200), (20, None)])
def test_an_even_score_is_flat_after_half_of_the_steps_and_of_forty_at_least(iterations, least):
    scores = Flatness(iterations)
    first = None
    for step in range(1, iterations + 1):
        scores.add(0.2)
        if scores.flat and first is None:
            first = step
    assert first == least


def test_a_score_that_rises_is_not_flat_until_it_stops_to():
    scores = Flatness(80)
    slope = 1.1 * RISE / LEAST_STEPS
    for step in range(60):
        scores.add(slope * step + 0.01 * (-1) ** step)
        assert not scores.flat
    for _ in range(2 * LEAST_STEPS):
        scores.add(slope * 60)
    assert scores.flat


def test_where_there_is_no_score_nothing_is_flat():
    scores = Flatness(80)
    for _ in range(80):
        scores.add(math.nan)
    assert not scores.flat


def test_what_was_heard_is_taken_up_again():
    one, other = Flatness(80), Flatness(80)
    for step in range(50):
        one.add(0.001 * step)
    other.restore(one.state())
    for step in range(50, 80):
        assert one.flat == other.flat
        for scores in (one, other):
            scores.add(0.001 * 50 + 1e-6 * step)
    assert one.flat
    assert torch.equal(one.state(), other.state())


def test_a_drawing_whose_score_is_flat_ends_as_it_stands(studio, ask, impatient):
    settings = ask(perceptors=[TINY], **STOPPED)
    shown, done = ended(studio, settings)
    assert isinstance(done, Done)
    assert done.statistics.iterations == 8
    assert [event.iteration for event in shown if isinstance(event, Progress)] == [0, 2, 4, 6]
    # It is the picture that the whole drawing has on its way.
    whole = studio()
    whole.add(Draw("a", ask(perceptors=[TINY], **{**STOPPED, "early_stop": False})))
    for _ in range(8):
        list(whole.tick())
    on_its_way = Image.open(io.BytesIO(whole.look("a")[2]))
    assert on_its_way.tobytes() == Image.open(io.BytesIO(done.native_png)).tobytes()


def test_a_drawing_that_ended_early_draws_itself_again(studio, ask, impatient):
    _, done = ended(studio, ask(perceptors=[TINY], **STOPPED))
    recipe = read_recipe(done.png)
    assert recipe.settings.early_stop
    _, again = ended(studio, recipe.settings)
    assert again.png == done.png


def test_it_ends_at_the_same_step_beside_others_and_after_a_crash(studio, ask, impatient, tmp_path):
    settings = ask(perceptors=[TINY], **STOPPED)
    _, alone = ended(studio, settings)
    first = studio(snapshots=tmp_path, snapshot_seconds=0)
    first.add(Draw("a", settings))
    first.add(Draw("b", ask("a blue fish", perceptors=[TINY], iterations=20, seed=2)))
    events = [event for _ in range(5) for event in first.tick()]
    assert any(isinstance(event, Snapshot) for event in events)
    second = studio(snapshots=tmp_path)
    assert second.add(Draw("a", settings)).iteration == 5
    done = [event for _ in range(4) for event in second.tick() if isinstance(event, Done)]
    assert [(each.statistics.iterations, each.png) for each in done] == [(8, alone.png)]


def test_a_drawing_is_not_ended_where_nobody_asked_for_it(studio, ask, impatient):
    _, done = ended(studio, ask(perceptors=[TINY], iterations=12, start="noise"))
    assert done.statistics.iterations == 12


def test_what_has_no_score_cannot_end_early():
    with pytest.raises(SettingsError, match="early_stop ends a drawing whose fit"):
        make_settings({"early_stop": True, "target_image": "a.png"})
