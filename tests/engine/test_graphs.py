"""Drawings by CUDA graphs, captured and replayed by a double of CUDA that has their semantics."""

import logging

import pytest
import torch

from engine.errors import EngineError
from engine.gpu import Gpu
from engine.protocol import Done, Draw, Failed, Progress, Snapshot, Started
from engine.settings import PIXELCLIP
from engine.studio import Studio
from tests.engine.conftest import CPU, TINY
from tests.engine.cuda_double import Cuda, Pinned
from tests.engine.test_studio import PULLED, finish

pytestmark = pytest.mark.usefixtures("models_folder")

KINDS = {
    "free colours": {"colors": 0},
    "palette": {"palette": "pico8"},
    "colours": {"palette": "nes", "colors": 4, "transparent": True, "symmetry": "x"},
    "free choice of colours": {"colors": 3},
    "sprite": {"preset": "sprite"},
    "tile": {"tile": True, "pixel_type": "hex"},
    "losses": PULLED,
    "radam": {"optimizer": "radam", "batches": 2, "learning_rate_drops": "50"},
    "fft": {"drawer": "fft", "pixel_size": None},
    "vqgan": {"drawer": "vqgan", "pixel_size": None},
    "clipdraw": {"drawer": "clipdraw", "pixel_size": None, "strokes": 12},
    "line_sketch": {"drawer": "line_sketch", "pixel_size": None, "strokes": 6},
}
UNSTEADY = {"clipdraw", "line_sketch"}


@pytest.fixture
def cuda():
    return Cuda()


@pytest.fixture
def gpu_studio(loaded, studio, monkeypatch, cuda):
    """Makes studios that draw as on a GPU, with graphs or without."""

    def make(*, graphs=True, double=None, **options):
        monkeypatch.setenv("PIXEL_CUDA_GRAPHS", "auto" if graphs else "off")
        double = double or cuda
        return studio(gpu=Gpu(CPU, double, double.pinned), **options)

    return make


def alone(make, settings, pictures=None):
    room = make()
    assert isinstance(room.add(Draw("alone", settings, pictures or {})), Started)
    return finish(room)["alone"]


CASES = [
    *((kind, [PIXELCLIP]) for kind in KINDS),
    *((kind, [PIXELCLIP, TINY]) for kind in ("palette", "losses", "fft")),
]


@pytest.mark.parametrize(("kind", "perceptors"), CASES, ids=str)
def test_a_graph_draws_what_is_drawn_by_hand(gpu_studio, ask, cuda, kind, perceptors):
    given = {"perceptors": perceptors, "start": "noise", "iterations": 6} | KINDS[kind]
    settings = ask(**given)
    done = alone(gpu_studio, settings)[-1]
    assert isinstance(done, Done)
    replays = sum(graph.replays for graph in cuda.graphs)
    by_hand = alone(lambda: gpu_studio(graphs=False), settings)[-1]
    assert (done.png, done.native_png) == (by_hand.png, by_hand.native_png)
    assert (done.statistics.loss, done.statistics.score) == (
        by_hand.statistics.loss,
        by_hand.statistics.score,
    )
    assert sum(graph.replays for graph in cuda.graphs) == replays
    # The first step of each of two or three phases is by hand.
    assert 0 < replays < 6


def test_what_a_gpu_draws_is_about_what_a_processor_draws(gpu_studio, studio, ask):
    settings = ask(perceptors=[PIXELCLIP], start="noise", iterations=30, pixel_size=(24, 24))
    there, here = (alone(make, settings)[-1].statistics for make in (gpu_studio, studio))
    assert there.score == pytest.approx(here.score, abs=0.03)


def few(ask, **given):
    """A small drawing of one of two forms: a palette of its own makes another."""
    return ask(**{"perceptors": [PIXELCLIP], "start": "noise", "iterations": 7} | given)


@pytest.mark.parametrize(
    "given",
    [
        {"colors": 0},
        {"palette": "pico8"},
        {"drawer": "clipdraw", "pixel_size": None, "strokes": 8, "batches": 2},
    ],
    ids=str,
)
def test_jobs_that_come_and_go_have_the_bytes_that_they_have_alone(gpu_studio, ask, cuda, given):
    asked = {
        str(seed): few(ask, seed=seed, prompts=prompt, iterations=steps, **given)
        for seed, (prompt, steps) in enumerate(
            [("a red apple", 9), ("the sea", 5), ("a cat", 12), ("night", 7), ("a fox", 8)]
        )
    }
    asked["other"] = few(ask, pixel_size=None, drawer="fft")
    expected = {job: alone(gpu_studio, settings)[-1] for job, settings in asked.items()}
    cuda.graphs.clear()
    room, waiting = gpu_studio(), list(asked)
    done = {}
    while waiting or not room.idle:
        if waiting:
            job = waiting.pop(0)
            room.add(Draw(job, asked[job]))
        for _ in range(2):
            done |= {event.job: event for event in room.tick() if isinstance(event, Done)}
    for job, event in expected.items():
        assert done[job].png == event.png
        assert done[job].statistics.loss == event.statistics.loss
    # Graphs of several sizes and phases were used, each by whoever came.
    assert sum(graph.replays for graph in cuda.graphs) > len(cuda.graphs) > 3


def test_a_job_that_takes_another_one_s_seat_needs_no_new_graph(gpu_studio, ask, cuda):
    room = gpu_studio()
    for seed in range(3):
        room.add(Draw(str(seed), few(ask, seed=seed, prompts=f"picture {seed}", colors=0)))
        finish(room)
        assert len(cuda.graphs) == 1
    assert cuda.graphs[0].replays == 6 + 7 + 7


@pytest.mark.parametrize(
    ("jobs", "sizes"), [(1, [1]), (2, [2]), (3, [1, 2]), (5, [1, 4]), (11, [1, 2, 8])]
)
def test_jobs_of_one_form_sit_at_tables_of_powers_of_two(gpu_studio, ask, monkeypatch, jobs, sizes):
    from engine import graphs as module

    tables = []
    init = module._Table.__init__

    def noted(self, gpu, moved, easels, *others):
        tables.append(len(easels))
        init(self, gpu, moved, easels, *others)

    monkeypatch.setattr(module._Table, "__init__", noted)
    room = gpu_studio()
    for seed in range(jobs):
        settings = few(ask, seed=seed, num_cuts=2, iterations=3, pixel_size=(8, 8), colors=0)
        room.add(Draw(str(seed), settings))
    finish(room)
    assert sorted(tables) == sizes


@pytest.mark.parametrize(
    ("given", "graphs"),
    [
        ({"prompts": "a cat"}, 1),
        ({"learning_rate": 0.2, "learning_rate_drops": "50"}, 1),
        ({"iterations": 9}, 1),
        ({"cut_power": 2}, 2),
        ({"prompts": "a cat | a dog"}, 2),
        ({"num_cuts": 7}, 2),
        ({"pixel_size": (12, 16)}, 2),
        ({"optimizer": "radam"}, 3),
        ({"smoothness_weight": 2}, 2),
        ({"tile": True}, 2),
    ],
    ids=str,
)
def test_jobs_share_a_graph_if_they_differ_in_numbers_only(gpu_studio, ask, cuda, given, graphs):
    expected = alone(lambda: gpu_studio(graphs=False), few(ask, colors=0, **given))[-1]
    room = gpu_studio()
    room.add(Draw("a", few(ask, colors=0)))
    finish(room)
    room.add(Draw("b", few(ask, colors=0, **given)))
    assert finish(room)["b"][-1].png == expected.png
    assert len(cuda.graphs) == graphs


@pytest.mark.parametrize("kind", ["palette", "losses"])
def test_a_job_goes_on_from_its_snapshot_and_ends_the_same(gpu_studio, ask, tmp_path, kind):
    settings = few(ask, **KINDS[kind])
    undisturbed = alone(gpu_studio, settings)[-1]
    first = gpu_studio(snapshots=tmp_path, snapshot_seconds=0)
    first.add(Draw("beside", few(ask, seed=9, **KINDS[kind])))
    first.add(Draw("a", settings))
    for _ in range(4):
        assert Snapshot in [type(event) for event in first.tick()]
    second = gpu_studio(snapshots=tmp_path, double=Cuda())
    assert second.add(Draw("a", settings)).iteration == 4
    assert finish(second)["a"][-1].png == undisturbed.png


def test_a_job_put_aside_leaves_its_seat_and_tells_what_it_has_shown(gpu_studio, ask, tmp_path):
    settings = few(ask, colors=0, display_every=1)
    undisturbed = alone(gpu_studio, settings)
    room = gpu_studio(snapshots=tmp_path)
    room.add(Draw("alone", settings))
    told = [event for _ in range(4) for event in room.tick()] + room.put_aside("alone")
    room.add(Draw("other", few(ask, seed=4, colors=0)))
    list(room.tick())
    assert room.add(Draw("alone", settings)).iteration == 4
    told += [event for event in finish(room)["alone"] if isinstance(event, Progress | Done)]
    assert [event.png for event in told] == [event.png for event in undisturbed]


def test_what_cannot_be_captured_is_drawn_by_hand_with_one_line_in_the_log(
    gpu_studio, ask, cuda, caplog
):
    expected = alone(lambda: gpu_studio(graphs=False), few(ask, colors=0))[-1]
    cuda.fails = RuntimeError("operation not permitted when stream is capturing")
    with caplog.at_level(logging.WARNING):
        done = alone(gpu_studio, few(ask, colors=0))[-1]
    assert done.png == expected.png
    (line,) = caplog.messages
    assert "without a graph: operation not permitted" in line
    assert not cuda.graphs


def test_after_a_capture_that_failed_other_steps_are_captured(gpu_studio, ask, cuda, caplog):
    caplog.set_level(logging.CRITICAL)
    room = gpu_studio()
    cuda.fails = RuntimeError("operation not permitted when stream is capturing")
    for job, given in (("a", {"colors": 0}), ("b", {"palette": "pico8"})):
        room.add(Draw(job, few(ask, iterations=12, **given)))
        finish(room)
    # Of the palette's choice, soft and hard.
    assert len(cuda.graphs) == 2


def test_memory_that_runs_out_in_a_capture_gives_all_graphs_back(gpu_studio, ask, cuda, caplog):
    caplog.set_level(logging.CRITICAL)
    first, second = few(ask, colors=0, iterations=12), few(ask, palette="pico8")
    expected = [alone(gpu_studio, settings)[-1].png for settings in (first, second)]
    room = gpu_studio()
    room.add(Draw("first", first))
    list(room.tick())
    list(room.tick())
    room.add(Draw("second", second))
    list(room.tick())
    freed = cuda.freed
    cuda.fails = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    events = finish(room)
    assert cuda.freed > freed
    assert [events[job][-1].png for job in ("first", "second")] == expected


def test_a_job_that_runs_out_of_memory_beside_others_is_drawn_alone_and_then_smaller(
    gpu_studio, ask, monkeypatch, caplog
):
    caplog.set_level(logging.CRITICAL)
    alone_ = alone(gpu_studio, few(ask, seed=2, colors=0))[-1]
    room = gpu_studio()
    room.add(Draw("good", few(ask, seed=2, colors=0)))
    room.add(Draw("large", few(ask, colors=0)))
    list(room.tick())
    easel = room._easels["large"]
    # Beside the other one; alone, when its step is captured; and when that is drawn by hand.
    left = iter(range(3))
    own_loss = easel.own_loss

    def failing(grid):
        if next(left, None) is not None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return own_loss(grid)

    monkeypatch.setattr(easel, "own_loss", failing)
    room._graphs._seen.clear()
    events = finish(room)
    assert events["good"][-1].png == alone_.png
    started, *_, done = events["large"]
    assert isinstance(started, Started)
    assert isinstance(done, Done)
    assert started.settings.batches == 2


def test_nothing_of_a_step_waits_for_the_device(gpu_studio, ask, cuda):
    """The host waits for a tick before the last but one, and for what it wants to show."""
    room = gpu_studio()
    room.add(Draw("a", few(ask, colors=0, iterations=60, display_every=60)))
    for _ in range(10):
        list(room.tick())
    cuda.calls.clear()
    for _ in range(10):
        list(room.tick())
    assert cuda.calls.count("copy to device") == 10
    assert cuda.calls.count("copy to host") == 0
    # A buffer that was copied from before it is written again, and the bound on the host's lead.
    assert cuda.calls.count("synchronize") == 20
    assert "query" not in cuda.calls


def test_frames_come_in_order_and_before_the_end(gpu_studio, ask):
    settings = few(ask, colors=0, iterations=9, display_every=2)
    room = gpu_studio()
    for job in ("a", "b"):
        room.add(Draw(job, settings))
    for events in finish(room).values():
        assert [event.iteration for event in events[:-1]] == [0, 2, 4, 6, 8]
        assert isinstance(events[-1], Done)
        assert len({event.png for event in events}) == 6
        assert all(-1 < event.score < 1 for event in events[1:-1])


def test_a_cancelled_job_leaves_its_seat_to_others(gpu_studio, ask, cuda):
    expected = alone(gpu_studio, few(ask, seed=3, colors=0))[-1]
    cuda.graphs.clear()
    room = gpu_studio()
    room.add(Draw("a", few(ask, colors=0, display_every=1)))
    for _ in range(3):
        list(room.tick())
    assert room.cancel("a").iteration == 3
    room.add(Draw("b", few(ask, seed=3, colors=0)))
    events = finish(room)
    assert set(events) == {"b"}
    assert events["b"][-1].png == expected.png
    assert len(cuda.graphs) == 1


def test_a_picture_that_cannot_be_shown_has_failed_and_the_others_go_on(
    gpu_studio, ask, monkeypatch, caplog
):
    caplog.set_level(logging.CRITICAL)
    room = gpu_studio()
    room.add(Draw("good", few(ask, colors=0)))
    room.add(Draw("bad", few(ask, colors=0, display_every=2)))

    def broken(size=None):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(room._easels["bad"].drawer, "shown", broken)
    events = finish(room)
    assert isinstance(events["good"][-1], Done)
    assert events["bad"][-1] == Failed(
        "bad",
        "memory",
        "The picture does not fit into the memory; try a lower quality or fewer cuts.",
    )


@pytest.mark.parametrize("asked", ["on", "", "AUTO"])
def test_a_setting_that_is_neither_auto_nor_off_is_refused(monkeypatch, asked):
    monkeypatch.setenv("PIXEL_CUDA_GRAPHS", asked)
    with pytest.raises(EngineError, match=f"cannot be “{asked}”; allowed are auto and off"):
        Studio(device=CPU)


def test_the_double_keeps_what_the_device_has_not_copied_from_whoever_looks_too_early(cuda):
    gpu = Gpu(CPU, cuda, cuda.pinned)
    value = torch.tensor([1.0, 2.0])
    fetched = gpu.fetch([value])
    value.zero_()
    assert not fetched.ready()
    assert fetched._tensors[0].isnan().all()
    assert fetched.tensors()[0].tolist() == [1, 2]
    host = cuda.pinned((2,), torch.float32)
    host.fill_(1)
    torch.zeros(2).copy_(host, non_blocking=True)
    assert isinstance(host, Pinned)
    host.fill_(2)
    event = cuda.Event()
    event.record()
    with pytest.raises(AssertionError, match="while it was copied"):
        event.synchronize()
