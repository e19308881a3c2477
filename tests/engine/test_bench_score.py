"""What `pixel bench --score` compares and tells; never how long it takes."""

import io
import json
import math
import sys

import msgspec
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from engine.bench import score_report
from engine.bench.measure import machine
from engine.bench.onlookers import CLASSES, PHOTOS, Photos, PlainViews, make_onlooker
from engine.bench.score import ScoreRow, Trial, compare, looked_at, reached
from engine.cli import app
from engine.drawing import draw
from engine.errors import PerceptorError
from engine.labels import find_class
from engine.perceptors import load_perceptor
from engine.protocol import Done
from engine.settings import PIXELCLIP, make_settings
from engine.training.drawing_prompts import TUNING
from tests.engine.conftest import CPU

SMALL = {"num_cuts": 2, "pixel_size": (16, 9)}


@pytest.fixture(scope="module")
def perceptor():
    return load_perceptor(PIXELCLIP, CPU)


def row(**changes):
    usual = ScoreRow("j", "noise", "a bee", 1, 0.2, 40, 0.1, 0.25, 20, 1.0, 0.05, 2.0)
    return msgspec.structs.replace(usual, **changes)


def test_ours_and_the_naive_loop_draw_a_prompt_and_are_scored():
    trial = Trial(("a candle",), steps=3, naive_cuts=2, given=SMALL, clock="cpu")
    onlooker = make_onlooker(PIXELCLIP)
    (drawn,) = compare(trial, {"plain": onlooker})
    assert [(row.judge, row.start) for row in drawn.rows] == [
        ("plain", "guess"),
        ("plain", "noise"),
    ]
    assert list(drawn.pictures) == ["naive", "guess", "noise"]
    for row in drawn.rows:
        ends = [onlooker(drawn.pictures[name], "a candle") for name in (row.start, "naive")]
        assert ends == pytest.approx([row.score, row.naive_score], abs=1e-4)
        assert min(row.begin_s, row.step_s, row.naive_step_s) > 0
        assert row.steps is not None or row.score < row.naive_score
    # Taking turns changes nothing.
    settings = make_settings(
        {**SMALL, "iterations": 3, "prompts": "a candle", "seed": 1, "start": "noise"}
    )
    *_, done = draw(settings)
    assert isinstance(done, Done)
    alone = Image.open(io.BytesIO(done.native_png))
    assert alone.tobytes() == drawn.pictures["noise"].tobytes()


def test_a_score_is_reached_at_the_first_look_that_has_it():
    scores = {0: 0.1, 2: 0.3, 4: 0.2, 6: 0.4}
    assert [reached(scores, target) for target in (0.1, 0.2, 0.35, 0.5)] == [0, 2, 6, None]
    assert looked_at(7) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert looked_at(150)[-1] == 150
    assert len(looked_at(150)) < 40


def test_plain_views_know_what_a_picture_shows_on_either_side(perceptor):
    red = Image.new("RGB", (80, 45), (200, 20, 20))
    sees = PlainViews(perceptor)
    assert sees(red, "red") > sees(red, "blue") + 0.05
    half = Image.new("RGB", (16, 8), (20, 20, 200))
    half.paste(red.resize((6, 8)), (0, 0))
    mirrored = half.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert sees(half, "red") == pytest.approx(sees(mirrored, "red"), abs=1e-5)
    assert sees(half, "red") != pytest.approx(sees(red, "red"), abs=1e-3)


def test_a_classifier_is_asked_for_the_classes_of_a_prompt():
    seen = []

    def classifier(views):
        seen.append(views)
        said = torch.full((len(views), 1000), -20.0)
        said[:, find_class("hare")] = math.log(0.25)
        said[:, find_class("Angora")] = math.log(0.25)
        return said

    asked = Photos(classifier)
    assert asked(Image.new("RGB", (80, 45)), "a rabbit") == pytest.approx(math.log(0.5), abs=1e-4)
    assert asked(Image.new("RGB", (32, 32)), "a bee") == pytest.approx(-20)
    for views in seen:
        assert views.shape[1:] == (3, 224, 224)
        assert 0 <= views.min() <= views.max() <= 1


def test_the_classes_are_known_and_no_prompt_is_sealed():
    assert set(CLASSES) <= set(TUNING)
    assert all(find_class(name) >= 0 for names in CLASSES.values() for name in names)


def test_who_cannot_judge_is_refused(monkeypatch):
    with pytest.raises(PerceptorError, match="Nobody called “x”"):
        make_onlooker("x")
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(PerceptorError, match="not installed"):
        make_onlooker(PHOTOS)


def test_a_summary_counts_what_was_never_reached_and_leaves_out_what_says_nothing():
    rows = [
        row(speedup=4.0, steps=10),
        row(speedup=2.0, steps=20),
        row(speedup=0.0, steps=None),
        row(speedup=None, naive_steps=0, steps=0),
    ]
    (found,) = score_report.summaries(rows)
    assert (found.drawings, found.compared, found.reached) == (4, 3, 2)
    assert (found.steps, found.speedup, found.quartiles) == (20, 2.0, (1.0, 3.0))
    assert found.gain == (0.05, 0.0)
    (never,) = score_report.summaries([row(speedup=0.0, steps=None)] * 2)
    assert (never.steps, never.speedup) == (None, 0)
    (nothing,) = score_report.summaries([row(speedup=None)] * 2)
    assert (nothing.compared, nothing.speedup, nothing.quartiles) == (0, None, None)
    both = [*rows, *(msgspec.structs.replace(each, start="guess") for each in rows)]
    assert score_report.table(machine("cpu"), both).row_count == 2


def test_the_command_prints_json_and_keeps_the_pictures(tmp_path):
    sheet = tmp_path / "sheet.png"
    asked = ["bench", "--score", "--quick", "--steps", "2", "--cuts", "2", "--json"]
    done = CliRunner().invoke(app, [*asked, "--chart", str(sheet)])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [row["start"] for row in told["rows"]] == ["guess", "noise"] * 2
    assert [each["drawings"] for each in told["summaries"]] == [2, 2]
    assert told["machine"]["clock"] == "wall"
    with Image.open(sheet) as picture:
        assert picture.width > 3 * 300


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--score", "--jobs", "2"], "--jobs is not for"),
        (["--score", "--drawer", "pixel"], "--drawer is not for"),
        (["--steps", "3"], "--steps is for"),
        (["--judge", PIXELCLIP], "--judge is for"),
        (["--score", "--judge", "x"], "Nobody called “x”"),
    ],
)
def test_what_is_taken_no_notice_of_is_refused(given, named):
    done = CliRunner().invoke(app, ["bench", *given])
    assert done.exit_code == 2
    assert named in done.output
