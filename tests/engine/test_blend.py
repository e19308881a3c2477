"""Walks from one job's picture to another's: drawn together, resumed, sent, written."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.blend import partner_settings, plan
from engine.drawers import make_drawer
from engine.errors import PictureError, SettingsError
from engine.picture_files import read_pictures
from engine.png import encode_png
from engine.protocol import Done, Draw, Failed, Progress, Provenance, Snapshot, Started
from engine.recipe import make_recipe, write_recipe
from engine.settings import resolve
from engine.walk import Walk
from tests.engine.conftest import CPU, TINY
from tests.engine.test_cli import pixel, size_of

pytestmark = pytest.mark.usefixtures("models_folder")

DISC = encode_png(Image.new("RGB", (30, 20), "orange"))
KINDS = pytest.mark.parametrize(
    "given", [{}, {"palette": "pico8"}, {"drawer": "clipdraw", "strokes": 6, "pixel_size": None}]
)


@pytest.fixture
def tiny(ask):
    def make(**given):
        small = {"iterations": 3, "num_cuts": 3, "blend_frames": 4, "blend_with": "a blue fish"}
        return ask(**{"perceptors": [TINY], **small, **given})

    return make


def finish(room):
    events = {}
    while not room.idle:
        for event in room.tick():
            events.setdefault(event.job, []).append(event)
    return events


def drawn(studio, settings, pictures=None, partner=None):
    room = studio()
    started = room.add(Draw("a", settings, pictures or {}, partner))
    assert isinstance(started, Started), started
    return finish(room)["a"]


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@KINDS
def test_a_walk_leads_from_the_picture_to_the_one_that_its_prompt_alone_would_give(
    studio, tiny, given
):
    *shown, done = drawn(studio, tiny(display_every=1, **given))
    assert len(done.walk) == 4
    alone = drawn(studio, tiny(**given, blend_with=None, blend_frames=None))[-1]
    other = drawn(studio, tiny(**given, prompts="a blue fish", blend_with=None, blend_frames=None))[
        -1
    ]
    assert alone.walk == ()
    assert (pixels(done.png) == pixels(alone.png)).all()
    assert (pixels(done.walk[0]) == pixels(alone.png)).all()
    assert (pixels(done.walk[-1]) == pixels(other.png)).all()
    assert len({bytes(pixels(frame)) for frame in done.walk}) == 4
    assert [type(event) for event in shown] == [Progress] * 3
    assert (pixels(shown[-1].png) != pixels(done.walk[-1])).any()


@KINDS
def test_it_is_the_same_again_beside_others_and_resumed(studio, tiny, given, tmp_path):
    once = drawn(studio, tiny(**given))[-1]
    room = studio(snapshots=tmp_path, snapshot_seconds=0)
    room.add(Draw("a", tiny(**given)))
    room.add(Draw("b", tiny(**given, seed=5)))
    assert [type(event) for event in room.tick()].count(Snapshot) == 2
    resumed = studio(snapshots=tmp_path)
    assert resumed.add(Draw("a", tiny(**given))).iteration == 1
    again = finish(resumed)["a"][-1]
    beside = finish(room)["a"][-1]
    for other in (again, beside):
        assert (other.png, other.native_png, other.walk) == (once.png, once.native_png, once.walk)
    assert not list(tmp_path.glob("a*"))


def test_an_engine_that_dies_on_the_walk_takes_it_again(studio, tiny, tmp_path):
    once = drawn(studio, tiny())[-1]
    room = studio(snapshots=tmp_path)
    room.add(Draw("a", tiny()))
    for _ in range(4):
        assert not any(isinstance(event, Done) for event in room.tick())
    assert room.look("a")[1] == encode_png(Image.open(io.BytesIO(once.png)))
    room.put_aside("a")
    resumed = studio(snapshots=tmp_path)
    assert resumed.add(Draw("a", tiny())).iteration == 3
    assert finish(resumed)["a"][-1].walk == once.walk


def test_a_walk_that_is_cancelled_or_fails_leaves_nothing(studio, tiny, tmp_path, monkeypatch):
    room = studio(snapshots=tmp_path, snapshot_seconds=0)
    room.add(Draw("a", tiny()))
    list(room.tick())
    assert len(list(tmp_path.iterdir())) == 2
    assert room.cancel("a").iteration == 1
    assert (room.idle, list(tmp_path.iterdir())) == (True, [])
    failed = room.add(Draw("a", tiny(blend_with="picture:unsent")))
    assert isinstance(failed, Failed)
    assert "not sent along" in failed.sentence
    assert room.idle


def test_a_partner_that_fails_ends_the_job_and_not_its_neighbours(studio, tiny, monkeypatch):
    room = studio()
    room.add(Draw("a", tiny()))
    room.add(Draw("b", tiny()))

    def broken(grid):
        raise RuntimeError("injected")

    monkeypatch.setattr(room._easels["a+partner"], "own_loss", broken)
    events = finish(room)
    assert [event.code for event in events["a"] if isinstance(event, Failed)] == ["internal"]
    assert isinstance(events["a"][-1], Failed)
    assert isinstance(events["b"][-1], Done)


def test_a_picture_at_the_other_end_is_taken_as_it_is(studio, tiny):
    settings = tiny(blend_with="picture:disc", colors=0, layers=False)
    done = drawn(studio, settings, {"disc": DISC})[-1]
    assert np.abs(pixels(done.walk[-1]) - (255, 165, 0)).max() < 8
    assert done.statistics.iterations == 3


def test_what_was_drawn_before_can_be_a_partner_in_the_manner_of_the_first(studio, tiny):
    partner = tiny(prompts="a tree", seed=9, palette="nes", blend_with=None, blend_frames=None)
    done = drawn(studio, tiny(blend_with=None, blend_frames=None), partner=resolve(partner))[-1]
    assert len(done.walk) == 24
    plain = tiny(prompts="a tree", seed=9, blend_with=None, blend_frames=None)
    assert (pixels(done.walk[-1]) == pixels(drawn(studio, plain)[-1].png)).all()


def test_the_same_words_lead_to_another_seed(tiny):
    settings = resolve(tiny(prompts="a blue fish"))
    assert partner_settings(settings).seed == settings.seed + 1
    assert partner_settings(resolve(tiny())).seed == settings.seed
    assert partner_settings(resolve(tiny(blend_with=None, blend_frames=None))) is None


def test_a_prompt_as_partner_leaves_aside_what_else_said_what_to_draw(tiny):
    given = {"labels": "goldfish", "init_image": "x", "init_weight": 1.0}
    partner = partner_settings(resolve(tiny(**given), init_size=(3, 2)))
    assert (partner.prompts, partner.labels) == ("a blue fish", None)
    assert (partner.init_image, partner.init_weight) == ("x", 1.0)
    styled = resolve(tiny(target_image="x", style_weight=1))
    assert (partner_settings(styled).target_image, partner_settings(styled).style_weight) == (
        None,
        0,
    )


def test_frames_that_are_too_much_to_send_are_drawn_in_half_the_size(ask):
    given = {"drawer": "clipdraw", "strokes": 9, "pixel_size": None, "size": (256, 192)}
    settings = [resolve(ask(**given, start="noise", seed=seed)) for seed in (1, 2)]
    first, last = (make_drawer(one, None, CPU) for one in settings)
    walk = Walk(first, last, 3, (256, 192), 2**20)
    while not walk.done:
        walk.step()
    assert {Image.open(io.BytesIO(frame)).size for frame in walk.frames} == {(256, 192)}
    small = Walk(first, last, 3, (256, 192), sum(map(len, walk.frames)) - 1)
    while not small.done:
        small.step()
    assert {Image.open(io.BytesIO(frame)).size for frame in small.frames} == {(128, 96)}
    hopeless = Walk(first, last, 3, (256, 192), 1)
    while not hopeless.done:
        hopeless.step()
    assert {Image.open(io.BytesIO(frame)).size for frame in hopeless.frames} == {(32, 24)}


@pytest.fixture
def files(tiny, tmp_path, monkeypatch):
    """A plain picture, a finished one, and one that needs another picture."""
    monkeypatch.chdir(tmp_path)
    plain = Image.new("RGB", (30, 20), "orange")
    plain.save("plain.png")
    provenance = Provenance(drawing_version=1, device="cpu", dtype="float32", weights={})
    for name, given in (("finished.png", {}), ("from.png", {"init_image": "x"})):
        settings = tiny(blend_with=None, blend_frames=None, prompts="a tree", seed=9, **given)
        settings = resolve(settings, init_size=(3, 2))
        recipe = make_recipe(settings, provenance, {"x": DISC})
        Path(name).write_bytes(encode_png(plain, write_recipe(recipe)))
    Path("text.png").write_text("no picture")
    return tmp_path


def test_two_prompts_are_drawn_from_one_seed(files):
    asked = plan("a cat", "a dog", {"drawer": "clipdraw"}, 7)
    assert (asked.partner, asked.backwards) == (None, False)
    settings = asked.settings
    assert (settings.prompts, settings.blend_with, settings.blend_frames) == ("a cat", "a dog", 7)
    assert settings.drawer == "clipdraw"
    assert settings.seed is not None


def test_a_finished_picture_is_drawn_again_as_it_was_wherever_it_stands(files):
    begin = plan("finished.png", "a dog", {}, None)
    assert (begin.settings.prompts, begin.settings.seed) == ("a tree", 9)
    assert (begin.settings.pixel_size, begin.settings.iterations) == ((16, 12), 3)
    assert (begin.settings.blend_with, begin.partner) == ("a dog", None)
    end = plan("a dog", "finished.png", {"seed": 4}, None)
    assert (end.settings.prompts, end.settings.seed) == ("a dog", 4)
    assert (end.partner.prompts, end.partner.seed) == ("a tree", 9)
    both = plan("finished.png", "finished.png", {}, None)
    assert both.settings.prompts == both.partner.prompts == "a tree"


@pytest.mark.parametrize("picture", ["plain.png", "from.png"])
def test_other_pictures_are_taken_as_they_are_and_take_the_form_of_what_is_drawn(files, picture):
    end = plan("a dog", picture, {}, None)
    assert (end.settings.blend_with, end.backwards) == (f"picture:{picture}", False)
    begin = plan(picture, "a dog", {"seed": 4}, None)
    assert (begin.settings.prompts, begin.settings.blend_with) == ("a dog", f"picture:{picture}")
    assert begin.backwards
    both = plan(picture, "plain.png", {}, 5)
    assert (both.settings.prompts, both.settings.iterations) == ("", 0)
    assert (both.settings.init_image, both.settings.aspect) == (picture, "retain")
    assert both.settings.blend_with == "picture:plain.png"


def test_two_pictures_are_walked_between_without_a_judge(studio, files):
    Image.new("RGB", (30, 20), "navy").save("navy.png")
    asked = plan("plain.png", "navy.png", {"pixel_size": (12, 8)}, 3)
    done = drawn(studio, asked.settings, read_pictures(asked.settings))[-1]
    first, middle, last = (pixels(frame).mean((0, 1)) for frame in done.walk)
    assert np.abs(first - (255, 165, 0)).max() < 8
    assert np.abs(last - (0, 0, 128)).max() < 8
    assert first[0] > middle[0] > last[0]


@pytest.mark.parametrize(
    ("ends", "given", "frames", "sentence"),
    [
        (("a cat", ""), {}, None, "prompt is empty"),
        (("", "a cat"), {}, None, "prompt is empty"),
        (("a cat", "missing.png"), {}, None, "No such file"),
        (("missing.jpg", "a cat"), {}, None, "No such file"),
        (("text.png", "a cat"), {}, None, "not a picture"),
        (("a cat", "a dog"), {}, 1, "whole numbers from 2 to 120"),
        (("a cat", "a dog"), {}, 121, "whole numbers from 2 to 120"),
        (("a cat", "a dog"), {"drawer": "crayon"}, None, "drawer cannot be"),
    ],
)
def test_what_no_walk_can_be_between_is_one_sentence(files, ends, given, frames, sentence):
    with pytest.raises((SettingsError, PictureError), match=sentence):
        plan(*ends, given, frames)


def test_the_command_line_writes_a_walk_and_draw_writes_one_beside_its_picture(files):
    quick = ("--quality", "draft", "--seed", "3", "--set", "iterations=2", "--set", "num_cuts=2")
    blend = ("blend", "a cat", "finished.png", "--frames", "3", "--sheet", "frames.png")
    done = pixel(*blend, *quick, cwd=files)
    assert done.returncode == 0, done.stderr
    assert "3 frames" in done.stdout
    with Image.open("blend.gif") as walk:
        assert (walk.size, walk.n_frames) == ((400, 224), 3)
    assert size_of("frames.png") == (400, 224)
    settings = ("--set", "blend_with=a dog", "--set", "blend_frames=3", "--timelapse", "lapse.gif")
    done = pixel("draw", "a cat", *quick, *settings, cwd=files)
    assert done.returncode == 0, done.stderr
    assert "output-walk.gif" in done.stdout
    with Image.open("output-walk.gif") as walk, Image.open("output.png") as picture:
        assert walk.n_frames == 3
        whole = picture.resize(walk.size, Image.Resampling.NEAREST)
        assert (np.asarray(walk.convert("RGB")) == np.asarray(whole)).all()
    assert size_of("lapse.gif") == size_of("output-walk.gif")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--out", "walk.png"), "must end in .gif, .webp or .mp4"),
        (("--out", "nowhere/walk.gif"), "no such folder"),
        (("--sheet", "frames.gif"), "must end in .png"),
        (("--set", "frames"), "name=value"),
    ],
)
def test_bad_options_are_one_sentence(files, arguments, sentence):
    done = pixel("blend", "a cat", "a dog", *arguments, cwd=files)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
