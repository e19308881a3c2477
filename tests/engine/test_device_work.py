"""The part of a step that a GPU does by itself: nothing is asked back, nothing copied there."""

from types import SimpleNamespace

import pytest
import torch

from engine import covered, cutouts, gathered
from engine.drawers import colours, quantize
from engine.protocol import Draw, Started
from engine.settings import PIXELCLIP
from engine.studio import Studio
from engine.vqgan import load_vqgan
from tests.engine.conftest import CPU, TINY
from tests.engine.fake_cuda import CUDA, FakeCuda
from tests.engine.pictures import half_and_half
from tests.engine.test_graphs import KINDS, UNSTEADY

pytestmark = pytest.mark.usefixtures("models_folder", "nothing_kept")

CACHES = (
    *(covered.spread, covered.white, gathered._spread_on, gathered._white_on),
    *(quantize._matrices, load_vqgan, cutouts._grey, colours._gumbel_on),
)
ASKED = {
    **{kind: given for kind, given in KINDS.items() if kind not in UNSTEADY},
    "dream": {"drawer": "fft", "pixel_size": None, "dream": True, "init_image": "m", "start": None},
    "places": {"mask": "m", "spot_prompts": "a cat", "target_image": "m", "style_weight": 1},
    "init image": {"init_image": "m", "start": None, "init_weight": 1},
}


@pytest.fixture
def nothing_kept():
    """What is made once and kept, without tensors that have no numbers."""

    def clear():
        for cache in CACHES:
            cache.cache_clear()

    clear()
    yield
    clear()


def moved(fake, ask, perceptors, given):
    """A studio with a job that has been moved to the device, and what its step takes there."""
    # Not one that others use: its weights are moved as well.
    room = Studio(device=CPU)
    asked = {"perceptors": perceptors, "start": "noise"} | given
    started = room.add(Draw("a", ask(**asked), {"m": half_and_half()}))
    assert isinstance(started, Started), started
    easel, numbers = room._easels["a"], room._easels["a"].numbers(for_device=True)
    return room, fake.move(easel), fake.move(room._asks), fake.move(numbers)


@pytest.mark.parametrize("kind", ASKED)
def test_a_step_is_done_on_the_device_alone(ask, monkeypatch, kind):
    fake = FakeCuda()
    room, easel, room._asks, numbers = moved(fake, ask, [PIXELCLIP], ASKED[kind])
    # There is no device for torch's own threads of the backward pass.
    monkeypatch.setattr(torch.autograd, "backward", lambda total: None)
    with fake:
        fake.twice(lambda: room._moved([easel], [numbers]))
        assert easel.taken.device == CUDA
        for parameter in easel.drawer.parameters:
            parameter.grad = torch.empty_like(parameter)
        fake.once(lambda: easel.move(numbers))


def test_a_frozen_transformer_judges_on_the_device_alone(ask, monkeypatch):
    fake = FakeCuda()
    room, easel, room._asks, numbers = moved(fake, ask, [TINY], {})
    monkeypatch.setattr(torch.autograd, "backward", lambda total: None)
    with fake:
        fake.twice(lambda: room._moved([easel], [numbers]))


@pytest.mark.parametrize("solid", [False, True])
def test_the_gradient_of_views_is_summed_on_the_device_alone(solid):
    function = gathered._Bilinear
    context = SimpleNamespace(save_for_backward=lambda *kept: vars(context).update(kept=kept))
    fake = FakeCuda()
    with fake:
        layers = torch.empty(3, dtype=torch.int64)
        given = fake.move((torch.empty(2, 4, 12, 16), layers, torch.empty(3, 96, 96, 2)))
        found = function.forward(context, *given, solid)
        context.saved_tensors = context.kept
        pull = torch.empty_like(found)
        fake.once(lambda: function.backward(context, pull))
        assert function.backward(context, pull)[0].shape == given[0].shape


def test_the_watch_sees_what_asks_back_and_what_is_copied():
    fake = FakeCuda()
    with fake:
        there = torch.empty(3, device=CUDA)
        for wrong in (
            lambda: there.sum().item(),
            lambda: there[there > 0],
            lambda: there + torch.ones(3),
            lambda: there.cpu(),
            lambda: torch.ones(3).to(CUDA),
            lambda: torch.tensor([1.0], device=CUDA) + there,
        ):
            with pytest.raises(Exception, match=r"."):
                fake.once(wrong)
