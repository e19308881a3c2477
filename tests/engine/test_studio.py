"""Several jobs drawn together, each as if it were alone."""

import hashlib
import io
import logging
import math

import msgspec
import pytest
import torch
from PIL import Image

from engine.asks import answered
from engine.errors import PictureError
from engine.perceptors.clip import ClipPerceptor
from engine.perceptors.pixelclip import PixelClip
from engine.png import encode_png
from engine.protocol import Cancelled, Done, Draw, Failed, Progress, Snapshot, Started
from engine.recipe import draw_again, read_recipe
from engine.settings import PIXELCLIP, resolve
from tests.engine.conftest import TINY
from tests.engine.malformed import encoded, png_of, zeros

pytestmark = pytest.mark.usefixtures("models_folder")

CHOSEN = {"palette": "nes", "colors": 4, "transparent": True, "symmetry": "x"}
SHAPED = {"pixel_type": "hex", "tile": True, "symmetry": "y", "palette": "pico8"}
HURRIED = {"optimizer": "radam", "batches": 2, "cut_power": 2}
PULLED = {
    "optimizer": "adamw",
    "palette": "pico8",
    "palette_weight": 1,
    "smoothness_weight": 1,
    "saturation_weight": 1,
    "symmetry_weight": 1,
    "edge_weight": 1,
    "vector_prompts": "textoff",
}
KINDS = pytest.mark.parametrize(
    "given", [{}, {"palette": "pico8"}, CHOSEN, SHAPED, HURRIED, PULLED], ids=str
)


def tiny(ask, **given):
    return ask(perceptors=[TINY], **given)


def finish(studio):
    """Tick until nothing is left; the events by job."""
    events = {}
    while not studio.idle:
        for event in studio.tick():
            events.setdefault(event.job, []).append(event)
    return events


def draw_alone(studio, settings, init_image=None):
    one = studio()
    pictures = {} if init_image is None else {settings.init_image: init_image}
    assert isinstance(one.add(Draw("alone", settings, pictures)), Started)
    return finish(one)["alone"][-1]


def test_a_job_starts_shows_frames_and_is_done(studio, ask):
    one = studio()
    started = one.add(Draw("a", tiny(ask, display_every=3)))
    assert (started.iteration, started.size) == (0, (64, 48))
    assert started.settings.perceptors == (TINY,)
    assert set(started.provenance.weights) == {TINY}
    events = finish(one)["a"]
    assert [event.iteration for event in events[:-1]] == [0, 3, 6]
    assert all(isinstance(event, Progress) for event in events[:-1])
    assert isinstance(events[-1], Done)
    assert events[-1].statistics.iterations == 8


def test_a_job_is_shown_as_it_begins_before_its_first_step(studio, ask, tmp_path):
    room = studio(snapshots=tmp_path, snapshot_seconds=0)
    room.add(Draw("a", tiny(ask)))
    begun = encode_png(room._easels["a"].drawer.enlarged((64, 48)))
    ticking = room.tick()
    frame = next(ticking)
    assert room._easels["a"].iteration == 0
    assert (frame.iteration, frame.png) == (0, begun)
    assert math.isnan(frame.score)
    list(ticking)
    # What goes on from a snapshot has been shown before, and what was cancelled nobody waits for.
    resumed = studio(snapshots=tmp_path)
    resumed.add(Draw("a", tiny(ask)))
    resumed.add(Draw("b", tiny(ask)))
    resumed.cancel("b")
    assert not any(isinstance(event, Progress) for event in resumed.tick())


def test_a_job_that_is_added_again_tells_nothing_of_the_one_before(studio, ask):
    room = studio()
    room.add(Draw("a", tiny(ask)))
    for _ in range(8):
        list(room.tick())
    room.add(Draw("a", tiny(ask, seed=6)))
    events = finish(room)["a"]
    assert [event.iteration for event in events[:-1]] == [0]
    assert events[-1].png == draw_alone(studio, tiny(ask, seed=6)).png


def test_a_job_that_cannot_be_shown_as_it_begins_fails_alone(studio, ask, monkeypatch):
    room = studio()
    for job in ("a", "b"):
        room.add(Draw(job, tiny(ask)))

    def broken(size):
        raise RuntimeError("injected")

    monkeypatch.setattr(room._easels["a"].drawer, "shown", broken)
    events = finish(room)
    assert [type(event) for event in events["a"]] == [Failed]
    assert isinstance(events["b"][-1], Done)


@KINDS
def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_picture(studio, ask, given):
    first, again, other = (draw_alone(studio, tiny(ask, seed=seed, **given)) for seed in (5, 5, 6))
    assert first.png == again.png
    assert first.native_png == again.native_png
    assert first.png != other.png


def test_a_first_guess_serves_any_perceptor(studio, ask):
    given = {"prompts": "a red heart", "pixel_size": [16, 16], "iterations": 4, "colors": 0}
    one = studio()
    started = one.add(Draw("a", tiny(ask, start="guess", **given)))
    assert set(started.provenance.weights) == {TINY, "guess", "pixelclip"}
    seen = Image.open(io.BytesIO(finish(one)["a"][-1].native_png)).convert("RGB")
    other = draw_alone(studio, tiny(ask, start="noise", **given))
    noise = Image.open(io.BytesIO(other.native_png)).convert("RGB")
    red, green, blue = seen.getpixel((8, 6))
    assert red > 100 > max(green, blue)
    # Four steps of a model that knows nothing do not make a red heart of noise.
    assert max(noise.getpixel((8, 6))[1:]) > 60


def test_the_resolved_settings_draw_the_same_picture_again(studio, ask):
    one = studio()
    started = one.add(Draw("a", tiny(ask, seed="a word", scale=None)))
    done = finish(one)["a"][-1]
    assert draw_alone(studio, started.settings).png == done.png


def test_a_finished_picture_says_how_it_was_drawn_and_draws_itself_again(studio, ask):
    one = studio()
    started = one.add(Draw("a", tiny(ask, preset="sprite", display_every=3)))
    *frames, done = finish(one)["a"]
    recipe = read_recipe(done.png)
    assert read_recipe(done.native_png) == recipe
    assert recipe.provenance == started.provenance
    assert resolve(recipe.settings) == started.settings
    again = draw_alone(studio, draw_again(recipe, {}))
    assert (again.png, again.native_png) == (done.png, done.native_png)
    for frame in frames:
        with pytest.raises(PictureError, match="does not say"):
            read_recipe(frame.png)


def test_a_picture_tells_the_hash_of_its_init_image_and_not_its_name(studio, ask):
    start = encode_png(Image.new("RGB", (16, 12), "red"))
    done = draw_alone(studio, tiny(ask, init_image="/home/ada/me.png"), start)
    recipe = read_recipe(done.png)
    assert recipe.settings.init_image == hashlib.sha256(start).hexdigest()
    assert b"ada/" not in done.png + done.native_png
    assert draw_alone(studio, draw_again(recipe, {"init_image": "x"}), start).png == done.png


@KINDS
@pytest.mark.parametrize("threads", [1, 2])
def test_a_picture_does_not_depend_on_who_else_is_in_the_room(studio, ask, threads, given):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        alone = draw_alone(studio, tiny(ask, **given))
        room = studio()
        room.add(Draw("early", tiny(ask, seed=2, num_cuts=9, pixel_size=(40, 40))))
        list(room.tick())
        room.add(Draw("mine", tiny(ask, **given)))
        room.add(Draw("short", tiny(ask, seed=3, iterations=2, transparent=True)))
        list(room.tick())
        room.add(Draw("late", tiny(ask, prompts="a blue sea", seed=4, palette="gameboy")))
        together = finish(room)["mine"][-1]
    finally:
        torch.set_num_threads(before)
    assert together.png == alone.png
    assert together.statistics.score == pytest.approx(alone.statistics.score)


def test_eight_small_drawings_together_have_the_bytes_that_each_has_alone(studio, ask):
    asked = {
        str(seed): ask(perceptors=[PIXELCLIP], start="noise", seed=seed, iterations=3, **given)
        for seed, given in enumerate(
            [{}, {"num_cuts": 9}, {"palette": "pico8"}, {"tile": True}] * 2
        )
    }
    room = studio()
    for job, settings in asked.items():
        room.add(Draw(job, settings))
    together = finish(room)
    for job, settings in asked.items():
        assert together[job][-1].png == draw_alone(studio, settings).png


def test_a_drawing_tells_the_numbers_that_it_was_judged_in(studio, ask):
    one = studio()
    small = one.add(Draw("a", ask(perceptors=[PIXELCLIP], start="noise"))).provenance
    large = one.add(Draw("b", tiny(ask))).provenance
    both = one.add(Draw("c", ask(perceptors=[PIXELCLIP, TINY]))).provenance
    judged_in = ClipPerceptor(TINY, one.device).dtype
    assert small.dtype == one.perceptor(PIXELCLIP).dtype
    assert (large.dtype, both.dtype) == (judged_in, judged_in)
    begun = one.add(Draw("d", tiny(ask, start="guess"))).provenance
    assert begun.dtype == min(judged_in, small.dtype)


@pytest.mark.parametrize(
    ("kind", "name", "passes"), [(PixelClip, PIXELCLIP, [24]), (ClipPerceptor, TINY, [6] * 4)]
)
def test_four_easels_take_one_sampling_a_tick_and_one_forward_where_the_bytes_allow(
    studio, ask, monkeypatch, kind, name, passes
):
    forwards, samplings = [], []
    encode_views = kind.encode_views

    def counted(self, views):
        forwards.append(len(views))
        return encode_views(self, views)

    from engine import asks as module

    sample = module.sample

    def counted_sample(grids, views, size):
        samplings.append(len(grids))
        return sample(grids, views, size)

    monkeypatch.setattr(kind, "encode_views", counted)
    monkeypatch.setattr(module, "sample", counted_sample)
    room = studio()
    for number in range(4):
        settings = ask(perceptors=[name], seed=number, iterations=3, start="noise")
        room.add(Draw(str(number), settings))
    forwards.clear()
    finish(room)
    assert samplings == [4, 4, 4]
    assert forwards == passes * 3


def test_batches_show_so_many_times_the_views_a_few_at_a_time(studio, ask, monkeypatch):
    seen = []
    encode_views = ClipPerceptor.encode_views

    def kept(self, views):
        seen.append(views.detach())
        return encode_views(self, views)

    monkeypatch.setattr(ClipPerceptor, "encode_views", kept)
    room = studio()
    room.add(Draw("several", tiny(ask, batches=3, iterations=2)))
    room.add(Draw("one", tiny(ask, seed=2, iterations=2)))
    seen.clear()
    finish(room)
    assert [len(views) for views in seen] == [6] * 8
    # Of each step the first batch passes beside the other job's only one.
    first, _, second, third = seen[:4]
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)


def test_a_step_of_several_batches_goes_by_the_mean_of_their_gradients(studio, ask):
    settings = resolve(ask(perceptors=[PIXELCLIP], start="noise", batches=3))
    room = studio()
    room.add(Draw("a", settings))
    easel, asks = room._easels["a"], room._asks["a"]
    gradients = []
    numbers = easel.numbers()
    for batch in range(3):
        look = easel.looks(numbers, batch)
        (loss,), _ = answered([asks], [look])
        gradients.append(torch.autograd.grad(loss, easel.drawer.parameters[0])[0])
    room._backward([easel], [numbers])
    mean = torch.stack(gradients).mean(0)
    # bfloat16 rounds a third of a gradient in another way.
    assert (easel.drawer.parameters[0].grad - mean).norm() < 0.02 * mean.norm()
    assert (gradients[0] - mean).norm() > 0.1 * mean.norm()


@pytest.mark.parametrize("given", [{"batches": 2}, {"cut_power": 4}, {"optimizer": "adamw"}])
def test_another_way_to_optimise_gives_another_picture(studio, ask, given):
    plain = {"colors": 0, "learning_rate": 0.3}
    other = draw_alone(studio, tiny(ask, **plain, **given))
    assert other.png != draw_alone(studio, tiny(ask, **plain)).png


def test_a_cancelled_job_leaves_and_the_others_go_on(studio, ask):
    room = studio()
    room.add(Draw("a", tiny(ask)))
    room.add(Draw("b", tiny(ask)))
    list(room.tick())
    assert room.cancel("a") == Cancelled("a", 1)
    assert room.cancel("a") is None
    assert set(finish(room)) == {"b"}


@KINDS
def test_a_job_goes_on_from_its_snapshot_and_ends_the_same(studio, ask, tmp_path, given):
    undisturbed = draw_alone(studio, tiny(ask, **given))
    first = studio(snapshots=tmp_path, snapshot_seconds=0)
    first.add(Draw("a", tiny(ask, **given)))
    for _ in range(3):
        assert Snapshot in [type(event) for event in first.tick()]
    second = studio(snapshots=tmp_path)
    started = second.add(Draw("a", tiny(ask, **given)))
    assert started.iteration == 3
    assert finish(second)["a"][-1].png == undisturbed.png
    assert list(tmp_path.iterdir()) == []


def test_a_job_put_aside_goes_on_where_it_was(studio, ask, tmp_path):
    room = studio(snapshots=tmp_path)
    room.add(Draw("a", tiny(ask)))
    list(room.tick())
    room.put_aside("a")
    room.put_aside("a")
    assert room.idle
    assert room.add(Draw("a", tiny(ask))).iteration == 1


def test_a_snapshot_of_other_settings_or_a_damaged_one_is_not_resumed(studio, ask, tmp_path):
    room = studio(snapshots=tmp_path, snapshot_seconds=0)
    room.add(Draw("a", tiny(ask)))
    list(room.tick())
    assert studio(snapshots=tmp_path).add(Draw("a", tiny(ask, seed=2))).iteration == 0
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:500])
    assert studio(snapshots=tmp_path).add(Draw("a", tiny(ask))).iteration == 0


def test_a_disk_that_takes_nothing_costs_a_snapshot_and_not_the_picture(studio, ask, tmp_path):
    room = studio(snapshots=tmp_path / "gone", snapshot_seconds=0)
    room.add(Draw("a", tiny(ask)))
    (tmp_path / "gone").rmdir()
    events = finish(room)["a"]
    assert isinstance(events[-1], Done)
    assert Snapshot not in [type(event) for event in events]


def test_a_job_that_fails_does_not_disturb_its_neighbours(studio, ask, monkeypatch, caplog):
    alone = draw_alone(studio, tiny(ask))
    room = studio()
    room.add(Draw("good", tiny(ask)))
    room.add(Draw("bad", tiny(ask, seed=2)))
    list(room.tick())

    def broken(grid):
        raise RuntimeError("injected")

    monkeypatch.setattr(room._easels["bad"], "own_loss", broken)
    with caplog.at_level(logging.CRITICAL):
        events = finish(room)
    assert isinstance(events["bad"][-1], Failed)
    assert events["bad"][-1].code == "internal"
    assert events["good"][-1].png == alone.png


def test_what_cannot_be_drawn_is_refused_with_a_sentence(studio, ask):
    room = studio()
    missing = room.add(Draw("a", ask(perceptors=["ViT-B-32/openai"])))
    assert missing.code == "perceptor"
    assert "pixel models pull ViT-B-32/openai" in missing.sentence
    shapeless = room.add(Draw("b", msgspec.structs.replace(tiny(ask, size=None), aspect="retain")))
    assert shapeless.code == "settings"
    unsent = room.add(Draw("c", tiny(ask, init_image="x")))
    assert "not sent along" in unsent.sentence
    broken = room.add(Draw("d", tiny(ask, init_image="x"), {"x": b"no PNG"}))
    assert broken.code == "settings"
    assert room.idle


def test_init_weight_keeps_a_picture_near_its_init_image(studio, ask):
    import io

    import numpy as np
    from PIL import Image

    red = io.BytesIO()
    Image.new("RGB", (16, 12), (220, 30, 30)).save(red, "PNG")

    def distance(**given):
        settings = tiny(ask, prompts="night", init_image="red", learning_rate=0.3, **given)
        done = draw_alone(studio, settings, red.getvalue())
        native = np.asarray(Image.open(io.BytesIO(done.native_png))).astype(float)
        return np.abs(native - (220, 30, 30)).mean()

    assert distance(init_weight=10) < distance(init_weight=0) / 2


NOISE = encoded(Image.effect_noise((64, 48), 99))


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (b"", "damaged"),
        (b"no picture", "damaged"),
        (NOISE[: len(NOISE) // 2], "damaged"),
        (encoded(Image.new("RGB", (8, 8)), "GIF"), "damaged"),
        (png_of(20_000, 20_000, zeros(10)), "damaged"),
        (png_of(9000, 9000, zeros(10)), "9000 × 9000 pixels; allowed are 512 a side"),
        (encoded(Image.new("RGB", (513, 1))), "513 × 1 pixels; allowed are 512 a side"),
    ],
)
def test_a_picture_that_was_not_made_safe_before_is_not_decoded(studio, ask, sent, sentence):
    settings = tiny(ask, init_image="a", start="auto")
    event = studio().add(Draw("1", settings, {"a": sent}))
    assert isinstance(event, Failed)
    assert event.code == "settings"
    assert sentence in event.sentence
