"""What a comparison of scores found, as JSON, as a table, and the pictures themselves."""

import math
import statistics
from collections.abc import Sequence

import msgspec
from PIL import Image
from rich.table import Table

from engine.bench.measure import Machine
from engine.bench.report import described
from engine.bench.score import Drawn, ScoreRow
from engine.training.contact_sheet import contact_sheet

_HEADINGS = (
    *("judge", "start", "drawings", "compared", "reached", "steps", "naive steps"),
    *("naive ÷ ours", "quartiles", "gain"),
)


class Summary(msgspec.Struct, frozen=True):
    """All drawings of ours that begin alike, as one judge scored them.

    Attributes:
        judge: who.
        start: what they begin with.
        drawings: how many there are.
        compared: of these, where the naive loop's picture got a better score than its noise.
        reached: of these, how many of ours had that score.
        steps: the median of those that it took; None if most never had it.
        naive_steps: the same of the naive loop.
        speedup: the median of the times' ratios, in which a drawing that never had it counts 0.
        quartiles: of these.
        gain: over all drawings the mean of our last score less the naive loop's, and its standard
            error.

    """

    judge: str
    start: str
    drawings: int
    compared: int
    reached: int
    steps: float | None
    naive_steps: float | None
    speedup: float | None
    quartiles: tuple[float, float] | None
    gain: tuple[float, float]


def summaries(rows: Sequence[ScoreRow]) -> list[Summary]:
    """One for each judge and start, in the order of the rows; each needs two drawings."""
    kinds = dict.fromkeys((row.judge, row.start) for row in rows)
    return [_summary([row for row in rows if (row.judge, row.start) == kind]) for kind in kinds]


def to_json(machine: Machine, rows: Sequence[ScoreRow]) -> str:
    """``{"machine": …, "summaries": […], "rows": […]}``."""
    found = {"machine": machine, "summaries": summaries(rows), "rows": rows}
    return msgspec.json.format(msgspec.json.encode(found)).decode()


def table(machine: Machine, rows: Sequence[ScoreRow]) -> Table:
    """A line for each judge and start; steps are those to the score the naive loop ends with."""
    shown = Table(box=None, pad_edge=False, header_style="bold", title=described(machine))
    for number, heading in enumerate(_HEADINGS):
        shown.add_column(heading, justify="left" if number < 2 else "right")
    for each in summaries(rows):
        gain, error = each.gain
        shown.add_row(
            *(each.judge, each.start, str(each.drawings), str(each.compared), str(each.reached)),
            *(_number(each.steps), _number(each.naive_steps), _number(each.speedup)),
            "" if each.quartiles is None else " to ".join(_number(end) for end in each.quartiles),
            f"{gain:+.3f} ± {error:.3f}",
        )
    return shown


def sheet(drawn: Sequence[Drawn]) -> Image.Image:
    """The finished pictures, those of one prompt and seed in a row."""
    pictures = [
        (f"{each.rows[0].prompt}, {name}", picture)
        for each in drawn
        for name, picture in each.pictures.items()
    ]
    return contact_sheet(pictures, columns=len(drawn[0].pictures), side=320)


def _summary(rows: Sequence[ScoreRow]) -> Summary:
    gains = [row.score - row.naive_score for row in rows]
    compared = [row for row in rows if row.speedup is not None]
    speedups = [row.speedup for row in compared if row.speedup is not None]
    steps = [math.inf if row.steps is None else row.steps for row in compared]
    usual = statistics.median(steps) if steps else math.inf
    return Summary(
        judge=rows[0].judge,
        start=rows[0].start,
        drawings=len(rows),
        compared=len(compared),
        reached=sum(row.steps is not None for row in compared),
        steps=None if math.isinf(usual) else usual,
        naive_steps=statistics.median(row.naive_steps for row in compared) if compared else None,
        speedup=round(statistics.median(speedups), 2) if speedups else None,
        quartiles=_quartiles(speedups) if len(speedups) > 1 else None,
        gain=(
            round(statistics.mean(gains), 4),
            round(statistics.stdev(gains) / math.sqrt(len(gains)), 4),
        ),
    )


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return round(low, 2), round(high, 2)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
