"""Several perceptors, each with what its word counts (Perception Engines, White 2018)."""

import io

import pytest
from PIL import Image

from bot.options import summary
from engine.drawers import grid_size, make_drawer
from engine.errors import SettingsError
from engine.judges import Judges
from engine.perceptors import load_perceptor
from engine.protocol import Draw, Started
from engine.questions import questions
from engine.recipe import draw_again, read_recipe
from engine.settings import CLIP_QUALITIES, PIXELCLIP, make_settings, resolve
from tests.engine.conftest import CPU, TINY

pytestmark = pytest.mark.usefixtures("models_folder")


def drawn(studio, settings):
    room = studio()
    started = room.add(Draw("a", settings))
    assert isinstance(started, Started), started
    last = {}
    while not room.idle:
        last |= {event.job: event for event in room.tick()}
    return started, last["a"]


def test_a_weight_changes_the_picture_and_only_the_ratio_counts(studio, ask):
    def cells(*perceptors):
        settings = ask(perceptors=perceptors, iterations=4, num_cuts=3, start="noise")
        _, done = drawn(studio, settings)
        return Image.open(io.BytesIO(done.native_png)).tobytes()

    even = cells(PIXELCLIP, TINY)
    assert cells(f"{PIXELCLIP}:2", f"{TINY}:2") == even
    assert cells(PIXELCLIP, f"{TINY}:0.25") != even
    assert cells(PIXELCLIP, f"{TINY}:0.25") == cells(f"{PIXELCLIP}:4", TINY)


def test_loss_and_score_are_the_means_by_weight(studio, ask):
    def statistics(*perceptors):
        _, done = drawn(studio, ask(perceptors=perceptors, iterations=1, start="noise"))
        return done.statistics.loss, done.statistics.score

    one, other = statistics(PIXELCLIP), statistics(TINY)
    both = statistics(f"{PIXELCLIP}:3", TINY)
    expected = [(3 * mine + its) / 4 for mine, its in zip(one, other, strict=True)]
    assert both == pytest.approx(expected, abs=1e-5)


def test_weights_are_recorded_without_their_numbers_and_drawn_again_with_them(studio, ask):
    settings = ask(perceptors=[PIXELCLIP, f"{TINY}:0.5"], iterations=2, num_cuts=2)
    started, done = drawn(studio, settings)
    assert set(started.provenance.weights) >= {PIXELCLIP, TINY}
    assert not any(":" in name for name in started.provenance.weights)
    recipe = read_recipe(done.png)
    assert recipe.settings.perceptors == (PIXELCLIP, f"{TINY}:0.5")
    _, again = drawn(studio, draw_again(recipe, {}))
    assert again.png == done.png


def test_an_ensemble_takes_the_table_of_published_models_and_one_alone_has_no_weight():
    def resolved(*perceptors):
        given = {"prompts": "x", "perceptors": perceptors, "drawer": "clipdraw", "seed": 1}
        return resolve(make_settings(given))

    table = CLIP_QUALITIES["normal"]
    weighted = resolved(PIXELCLIP, f"{TINY}:0.5")
    assert (weighted.iterations, weighted.num_cuts) == (table.iterations, table.num_cuts)
    alone = resolved(f"{PIXELCLIP}:3")
    assert alone.perceptors == (PIXELCLIP,)
    assert alone == resolved(PIXELCLIP)
    # Strokes are judged on a canvas as fine as the finest views.
    assert grid_size(weighted) == grid_size(resolved(TINY)) > grid_size(alone)


def test_auto_is_left_to_the_engine_and_stands_alone():
    def perceptors(*names):
        return make_settings({"prompts": "x", "perceptors": names}).perceptors

    assert perceptors("auto") is perceptors("auto:2") is None
    with pytest.raises(SettingsError, match="give it alone"):
        perceptors("auto", TINY)


def test_judges_are_loaded_by_their_names_alone(ask):
    asked = []

    def load(name, device):
        asked.append(name)
        return load_perceptor(name, device)

    judges = Judges(load, CPU)
    settings = resolve(ask(perceptors=[PIXELCLIP, f"{TINY}:3"]))
    asks = questions(judges, settings, make_drawer(settings, None, CPU), {})
    shares = [one.share for one in asks]
    assert (asked, shares) == ([PIXELCLIP, TINY], [0.25, 0.75])


def test_people_read_which_perceptors_and_how_much(ask):
    settings = resolve(ask(perceptors=[PIXELCLIP, f"{TINY}:0.5"]))
    assert summary(settings).endswith(f"{PIXELCLIP} · {TINY} × 0.5")
