"""Dreams: what a perceptor sees in an init image grows, and the picture can still be told."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from engine.cutouts import sample
from engine.drawers import grid_size
from engine.dream import OCTAVES, Dream, begin_dream, dream_loss, octave_at, octave_look
from engine.errors import SettingsError
from engine.perceptors import load_perceptor
from engine.png import encode_png
from engine.protocol import Done, Draw, Failed, Snapshot, Started
from engine.settings import PIXELCLIP, make_settings, resolve
from engine.streams import stream
from tests.engine.conftest import CPU, TINY
from tests.engine.test_fft_drawer import house


def settings(**given):
    small = {"seed": 1, "size": (96, 64), "iterations": 10, "num_cuts": 6, "init_image": "x"}
    return make_settings({"dream": True, "perceptors": [PIXELCLIP], **small, **given})


def dreaming(studio, **given):
    """An easel, and the studio it stands in."""
    one = studio()
    started = one.add(Draw("a", settings(**given), {"x": encode_png(house())}))
    assert isinstance(started, Started)
    return one, one._easels["a"]


def finish(room):
    events = []
    while not room.idle:
        events += room.tick()
    return next(event for event in events if isinstance(event, Done) and event.job == "a")


def picture(number=64):
    """A grid [1, 4, number, 1.5 · number]."""
    image = house((number * 3 // 2, number))
    colour = torch.from_numpy(np.asarray(image).astype(np.float32) / 255).permute(2, 0, 1)
    return torch.cat([colour, torch.ones(1, number, number * 3 // 2)])[None]


def test_octaves_come_ever_closer_and_the_last_one_stays():
    seen = [octave_at(progress / 100) for progress in range(100)]
    assert sorted(seen) == seen
    assert sorted(set(seen)) == list(range(OCTAVES))
    assert max(seen.count(octave) for octave in range(OCTAVES - 1)) <= 16
    assert seen[75:] == [OCTAVES - 1] * 25


@pytest.mark.parametrize("octave", range(OCTAVES))
def test_views_of_an_octave_lie_within_the_picture_and_roam_over_all_of_it(octave):
    look = octave_look(picture(128), octave, 400, stream(1, "test"))
    h = look.views.homographies
    reach = h[:, 0, 0]
    assert reach.max() <= 1.4**-octave
    assert reach.min() > 1.4 ** -(octave + 0.5) - 1e-6
    left, top = h[:, 0, 2] - reach, h[:, 1, 2] - reach
    right, bottom = h[:, 0, 2] + reach, h[:, 1, 2] + reach
    for low, high, half in ((left, right, 1.5), (top, bottom, 1.0)):
        assert low.min() >= -half - 1e-5
        assert high.max() <= half + 1e-5
        assert low.min() < -half + 0.05
        assert high.max() > half - 0.05


def test_views_show_the_picture_as_it_is():
    grid = torch.cat([torch.full((1, 3, 64, 96), 0.3), torch.ones(1, 1, 64, 96)], 1)
    look = octave_look(grid, 0, 3, stream(1, "test"))
    assert torch.allclose(sample([look.grid], [look.views], 16), torch.tensor(0.3))


def test_every_pixel_of_the_picture_answers_for_itself_from_afar():
    grid = picture(252).requires_grad_()
    look = octave_look(grid, 0, 1, stream(1, "test"))
    sample([look.grid], [look.views], 64).sum().backward()
    row = grid.grad[0, 0, 126]
    inside = row[row.nonzero().min() : row.nonzero().max() + 1]
    assert (inside > 0).all()


@pytest.mark.parametrize("name", [PIXELCLIP, TINY])
def test_a_dream_begins_at_nothing_and_loses_what_the_layers_gain(name, models_folder):
    perceptor = load_perceptor(name, CPU)
    dream = begin_dream(perceptor, picture(), 1)
    layers = perceptor.layers(torch.rand(4, 3, perceptor.view_size, perceptor.view_size))
    assert 0 < len(dream.powers) < len(layers) or name == TINY
    assert all(power.shape == (layers[n].shape[1], 1, 1) for n, power in dream.powers.items())
    louder = [layer * 10 for layer in layers]
    gain = dream_loss(layers, dream) - dream_loss(louder, dream)
    assert gain.item() == pytest.approx(np.log(100), rel=1e-3)


def test_quiet_places_count_as_much_as_loud_ones():
    dream = Dream({0: torch.ones(1, 1, 1)})
    layer = torch.tensor([[[[0.1, 10.0]]]], requires_grad=True)
    dream_loss([layer], dream).backward()
    relative = (layer.grad * layer.detach())[0, 0, 0]
    assert relative[0] == pytest.approx(relative[1].item())


def activations(studio_room, easel, grid):
    judge = studio_room.perceptor(easel.settings.perceptors[0])
    dream = begin_dream(judge, easel.drawer.reference(), 5)
    looks = [octave_look(grid, octave, 8, stream(7, "test")) for octave in (1, 3)]
    with torch.no_grad():
        seen = sample([k.grid for k in looks], [k.views for k in looks], judge.view_size)
        return -dream_loss(judge.layers(seen), dream).item()


@pytest.mark.parametrize("size", [(96, 64), (64, 64), (64, 80)])
def test_what_is_seen_grows_and_the_picture_can_still_be_told(studio, size):
    one, easel = dreaming(studio, size=size, iterations=16, learning_rate=0.06)
    begun = easel.drawer.reference()
    before = activations(one, easel, begun)
    done = finish(one)
    grid = easel.drawer.grid().detach()
    assert activations(one, easel, grid) > before + 0.1
    assert np.corrcoef(grid[0, :3].flatten(), begun[0, :3].flatten())[0, 1] > 0.85
    assert Image.open(io.BytesIO(done.png)).size == size
    assert np.isnan(done.statistics.score)


def test_a_dream_is_drawn_on_a_finer_canvas(studio):
    _, easel = dreaming(studio)
    plain = make_settings({"prompts": "a cat", "drawer": "fft", "size": (96, 64)})
    width, height = grid_size(resolve(plain))
    assert grid_size(easel.settings) == (2 * width, 2 * height)


def test_init_weight_keeps_a_dream_nearer_to_its_picture(studio):
    def distance(weight):
        one, easel = dreaming(studio, init_weight=weight, iterations=6)
        finish(one)
        return (easel.drawer.grid() - easel.drawer.reference()).square().mean().item()

    assert distance(10) < 0.8 * distance(0)


def test_a_prompt_is_dreamt_of_too(studio):
    def dreamt(**given):
        one, easel = dreaming(studio, iterations=4, **given)
        done = finish(one)
        return easel.drawer.native().tobytes(), done.statistics.score

    (alone, _), (led, score) = dreamt(), dreamt(prompts="a red apple")
    assert alone != led
    assert -1 < score < 1


def test_every_perceptor_dreams(studio, models_folder):
    def dreamt(*names):
        one, easel = dreaming(studio, perceptors=names, iterations=2)
        finish(one)
        return easel.drawer.native().tobytes()

    assert len({dreamt(PIXELCLIP), dreamt(TINY), dreamt(PIXELCLIP, TINY)}) == 3


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"dream": True}, "dream amplifies what is seen in an init image, and there is none"),
        ({"dream": True, "init_image": "x", "drawer": "pixel"}, "dream is only for drawer=fft"),
    ],
)
def test_what_cannot_be_dreamt_is_refused_with_a_sentence(given, sentence):
    with pytest.raises(SettingsError, match=sentence):
        make_settings(given)


def test_a_dream_of_a_picture_that_was_not_sent_along_is_refused(studio):
    failed = studio().add(Draw("a", settings()))
    assert isinstance(failed, Failed)
    assert "not sent along" in failed.sentence


def test_a_killed_dream_goes_on_to_the_same_bytes_on_any_number_of_threads(studio, tmp_path):
    asked, pictures = settings(iterations=4, num_cuts=4), {"x": encode_png(house())}
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        alone = studio()
        alone.add(Draw("a", asked, pictures))
        expected = finish(alone)
        torch.set_num_threads(1)
        first = studio(snapshots=tmp_path, snapshot_seconds=0)
        first.add(Draw("a", asked, pictures))
        for _ in range(2):
            assert Snapshot in [type(event) for event in first.tick()]
        second = studio(snapshots=tmp_path)
        second.add(Draw("b", settings(seed=2), pictures))
        assert second.add(Draw("a", asked, pictures)).iteration == 2
        done = finish(second)
    finally:
        torch.set_num_threads(before)
    assert (done.png, done.native_png) == (expected.png, expected.native_png)
