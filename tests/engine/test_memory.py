"""What does not fit into the memory is drawn smaller, or refused with a sentence."""

import logging

import msgspec
import pytest
import torch

from engine import memory
from engine.memory import capacity, kept_for_view, smaller
from engine.protocol import Done, Draw, Failed, Progress, Started
from engine.settings import resolve
from tests.engine.test_studio import draw_alone, finish

CPU = torch.device("cpu")
GPU_IS_FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
MACHINE_IS_FULL = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 2 bytes")
FULL = pytest.mark.parametrize("error", [GPU_IS_FULL, MACHINE_IS_FULL, MemoryError()], ids=repr)


def fail(room, monkeypatch, job, error, times=1):
    """Have the next steps of a job end with an error."""
    left = iter(range(times))
    easel = room._easels[job]
    own_loss = type(easel).own_loss

    def failing(self, grid):
        if self.job == job and next(left, None) is not None:
            raise error
        return own_loss(self, grid)

    monkeypatch.setattr(type(easel), "own_loss", failing)


@FULL
def test_a_job_that_runs_out_of_memory_is_drawn_once_more_and_smaller(
    studio, ask, monkeypatch, caplog, error
):
    caplog.set_level(logging.CRITICAL)
    alone = draw_alone(studio, ask(seed=2))
    room = studio()
    room.add(Draw("good", ask(seed=2)))
    room.add(Draw("large", ask()))
    list(room.tick())
    # Beside the other one, and then alone.
    fail(room, monkeypatch, "large", error, times=2)
    events = finish(room)
    again = events["large"][0]
    assert isinstance(again, Started)
    assert again.iteration == 0
    assert again.note == (
        "It did not fit into the memory, so its 6 views a step are judged in two halves."
    )
    assert (again.settings.num_cuts, again.settings.batches) == (3, 2)
    assert events["good"][-1].png == alone.png
    # From its new settings it can be drawn again.
    assert events["large"][-1].png == draw_alone(studio, again.settings).png


@FULL
def test_a_job_that_runs_out_of_memory_again_has_failed(studio, ask, monkeypatch, caplog, error):
    caplog.set_level(logging.CRITICAL)
    room = studio()
    room.add(Draw("large", ask()))
    fail(room, monkeypatch, "large", error, times=2)
    *begun, failed = finish(room)["large"]
    assert [type(event) for event in begun] == [Progress, Started, Progress]
    assert failed == Failed(
        "large",
        "memory",
        "The picture does not fit into the memory; try a lower quality or fewer cuts.",
    )


def test_memory_that_runs_out_beside_others_does_not_make_a_job_smaller(studio, ask, monkeypatch):
    room = studio()
    room.add(Draw("a", ask()))
    room.add(Draw("b", ask(seed=2)))
    fail(room, monkeypatch, "a", MemoryError(), times=1)
    events = finish(room)
    assert [type(event) for event in events["a"]] == [Progress, Done]


def test_what_fits_only_in_halves_is_begun_so(studio, ask, monkeypatch):
    room = studio()
    needed = room._judges.needed(resolve(ask()))
    monkeypatch.setattr("engine.studio.capacity", lambda _device: needed - 1)
    started = room.add(Draw("large", ask()))
    assert started.note is not None
    assert isinstance(finish(room)["large"][-1], Done)


def test_what_can_never_fit_is_refused_before_it_is_begun(studio, ask, monkeypatch):
    monkeypatch.setattr("engine.studio.capacity", lambda _device: 2**20)
    room = studio()
    refused = room.add(Draw("large", ask(num_cuts=100)))
    assert isinstance(refused, Failed)
    assert refused.code == "memory"
    assert "for its 50 views a step, and this machine has 0.0 GiB; lower num_cuts" in (
        refused.sentence
    )
    assert room.idle


def test_views_keep_what_the_backward_pass_needs_and_weights_do_not_count():
    weight = torch.randn(5, 3, 4, 4, requires_grad=True)

    def squares(views):
        return torch.nn.functional.conv2d(views, weight, stride=4) ** 2

    # The views themselves, and what is squared: 5 channels of 2 × 2 numbers.
    assert kept_for_view(squares, 8, CPU) == 4 * (3 * 8 * 8 + 5 * 2 * 2)


def test_a_perceptor_s_views_take_as_much_as_was_counted(studio, ask):
    room = studio()
    few, many = (room._judges.needed(resolve(ask(num_cuts=count))) for count in (6, 60))
    assert many == 10 * few > 10 * 2**20


def test_a_container_and_a_limit_of_the_process_count(monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_CGROUP_LIMIT", limit)
    whole = capacity(CPU)
    limit.write_text("max\n")
    assert capacity(CPU) == whole
    limit.write_text("1048576\n")
    assert capacity(CPU) == 2**20
    monkeypatch.setattr("resource.getrlimit", lambda _which: (4096, -1))
    assert capacity(CPU) == 4096


def test_smaller_keeps_the_number_of_views_and_halves_a_large_canvas(ask):
    settings, _ = smaller(resolve(ask(num_cuts=7, batches=2)))
    assert (settings.num_cuts, settings.batches) == (4, 4)
    waves = resolve(ask(drawer="fft", pixel_size=None, size=(256, 128)))
    settings, sentence = smaller(waves)
    assert settings.size == (128, 64)
    assert sentence.endswith("are judged in two halves and it is drawn at half its size.")
    assert resolve(settings).size == (128, 64)
    one = msgspec.structs.replace(resolve(ask(num_cuts=1)))
    assert smaller(one) is None
