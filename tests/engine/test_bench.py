"""What `pixel bench` measures; never how long it takes."""

import json

import pytest
import torch
import torch.nn.functional as F
from typer.testing import CliRunner

from engine.bench import drawings as whole_drawings
from engine.bench import report
from engine.bench.measure import PARTS, Effort, _Bench, gflop_of, machine, measure, product_rate
from engine.bench.naive import NaiveLoop
from engine.cli import app
from engine.errors import SettingsError
from engine.perceptors import load_perceptor
from engine.settings import PIXELCLIP, make_settings, resolve
from engine.stopwatch import Stopwatch, span
from tests.engine.conftest import CPU, TINY
from tests.engine.drawers import begun

pytestmark = pytest.mark.usefixtures("models_folder")
SHORT = Effort(turns=3, seconds=1, clock="cpu")


def test_each_number_of_jobs_has_a_row_with_its_floor_parts_and_rivals():
    rows = measure("pixel", PIXELCLIP, CPU, (1, 2), SHORT, cuts=2)
    dtype = load_perceptor(PIXELCLIP, CPU).dtype
    assert [(row.jobs, row.cuts, row.dtype, row.device) for row in rows] == [
        (jobs, 2, dtype, "cpu") for jobs in (1, 2)
    ]
    for row in rows:
        assert set(row.split_s) == set(PARTS)
        assert all(seconds > 0 for seconds in row.split_s.values())
        assert sum(row.split_s.values()) < 2 * row.iteration_s
        assert min(row.floor_s, row.efficiency, row.encode_s, row.peak_mib, row.naive_s) > 0
        assert row.iterations_per_s == pytest.approx(row.jobs / row.iteration_s, rel=0.01)
        assert row.speedup > 0
        share = row.floor_gflop / row.floor_s / row.product_gflops
        assert row.product_share == pytest.approx(share, rel=0.01)
    assert rows[0].gain == 1


def test_operations_of_products_are_counted_forward_and_back():
    one, other = torch.rand(30, 40).requires_grad_(), torch.rand(40, 50)
    assert gflop_of(lambda: torch.autograd.backward((one @ other).sum())) == 4 * 30 * 40 * 50 / 1e9
    assert product_rate(torch.float32, CPU) > 0


def test_whole_drawings_are_measured_with_their_first_frame(monkeypatch):
    monkeypatch.setattr(whole_drawings, "_DRAWN", {"small": (TINY,)})
    measured = whole_drawings.drawings(CPU, [1, 2], iterations=12, cuts=2)
    assert [(each.name, each.jobs, each.iterations) for each in measured] == [
        ("small", 1, 12),
        ("small", 2, 12),
    ]
    for each in measured:
        assert 0 < each.first_frame_s <= each.seconds
        assert each.product_share > 0
    assert report.drawings_table(measured).row_count == 2
    told = json.loads(report.to_json(machine("wall"), [], measured))
    assert [each["perceptors"] for each in told["drawings"]] == [[TINY], [TINY]]


def test_a_grid_of_another_size_is_measured():
    seen = []
    for cells in (None, "16x9"):
        bench = _Bench("pixel", PIXELCLIP, CPU, SHORT, {"num_cuts": 2, "pixel_size": cells})
        seen.append(bench.settings.pixel_size)
    assert seen == [(80, 45), (16, 9)]
    with pytest.raises(SettingsError, match="pixel_size"):
        measure("pixel", PIXELCLIP, CPU, (1,), SHORT, cuts=2, cells="wide")


def test_models_of_open_clip_are_measured_without_their_weights(monkeypatch, tiny_models):
    (row,) = measure("clipdraw", "tiny/unheard-of", CPU, (1,), SHORT, cuts=2)
    assert row.weights == "random"
    assert row.eager_floor_s > 0


def test_the_command_prints_json_and_draws_its_bars(tmp_path):
    chart = tmp_path / "bars.png"
    asked = ["bench", "--drawer", "pixel", "--perceptor", PIXELCLIP, "--jobs", "1", "--cuts", "2"]
    done = CliRunner().invoke(app, [*asked, "--quick", "--no-naive", "--json", "--chart", chart])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert set(told) == {"machine", "rows"}
    assert told["machine"]["threads"] == torch.get_num_threads()
    (row,) = told["rows"]
    assert {"drawer", "perceptor", "iteration_s", "floor_s", "efficiency"} < set(row)
    assert row["naive_s"] is None
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_measured_is_refused_with_a_sentence():
    for asked, sentence in ((("--drawer", "oil"), "oil"), (("--perceptor", "x"), "“x”")):
        done = CliRunner().invoke(app, ["bench", "--quick", "--no-naive", *asked])
        assert done.exit_code == 2
        assert sentence in done.output


def test_a_table_and_a_picture_have_a_line_for_each_row():
    rows = measure("pixel", TINY, CPU, (1, 2), Effort(turns=3, seconds=1, naive=False), cuts=2)
    told = machine("wall")
    assert report.table(told, rows).row_count == 2
    one, two = (report.chart(told, rows[:count]) for count in (1, 2))
    assert two.height > one.height
    assert two.width == one.width


def test_the_naive_loop_draws_what_it_is_asked_for():
    perceptor = load_perceptor(PIXELCLIP, CPU)
    target = perceptor.encode_text(["a red apple"])
    settings = resolve(
        make_settings(
            {
                "prompts": "x",
                "pixel_size": [12, 12],
                "start": "noise",
                "seed": 1,
                "num_cuts": 6,
                "layers": False,
            }
        )
    )
    torch.manual_seed(0)
    drawer = begun(settings)
    loop = NaiveLoop(drawer, settings, perceptor.encode_views, perceptor.view_size, target)

    def fit():
        whole = F.interpolate(drawer.grid()[:1, :3].detach(), size=(64, 64))
        return (F.normalize(perceptor.encode_views(whole)) * target).sum().item()

    before = fit()
    for _ in range(15):
        loop.step()
    assert fit() > before + 0.05


def test_a_stopwatch_adds_up_what_happens_while_it_listens():
    ticks = iter(range(100))
    watch = Stopwatch(clock=lambda: float(next(ticks)))
    with span("early"):
        pass
    with watch.listening():
        for _ in range(2):
            with span("work"), span("within"):
                pass
    with span("late"):
        pass
    assert watch.seconds == {"work": 6, "within": 2}
