"""What was measured, as JSON, as a table, and as a picture."""

from collections.abc import Sequence

import msgspec
from PIL import Image, ImageDraw, ImageFont
from rich.table import Table

from engine.bench.drawings import Drawing
from engine.bench.measure import PARTS, Machine, Row

# Of the parts of a step, colours that people who see colours differently can tell apart
# (Okabe & Ito 2008).
_COLOURS = {
    "render": "#E69F00",
    "cutouts": "#56B4E9",
    "perceptor": "#009E73",
    "backward": "#0072B2",
    "step": "#CC79A7",
    "other": "#999999",
}
_HEADINGS = (
    *("drawer", "perceptor", "device", "jobs", "ms a step", "±", "floor, ms", "efficiency"),
    *("steps/s", "gain", *PARTS, "a frame", "MiB", "of the product rate", "open_clip, ms"),
    *("naive, ms", "naive ÷ ours"),
)
_WIDTH, _MARGIN, _LABELS, _LINE, _BAR = 1200, 24, 330, 44, 24


def to_json(machine: Machine, rows: Sequence[Row], drawings: Sequence[Drawing] = ()) -> str:
    """``{"machine": …, "rows": […]}``, and ``"drawings": […]`` if there are any."""
    told: dict[str, object] = {"machine": machine, "rows": rows}
    if drawings:
        told["drawings"] = drawings
    return msgspec.json.format(msgspec.json.encode(told)).decode()


def drawings_table(drawings: Sequence[Drawing]) -> Table:
    """A line for each drawing as a whole."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("drawing", "perceptors", "device", "jobs", "steps", "views", "first frame, s"):
        shown.add_column(heading)
    shown.add_column("whole, s", justify="right")
    shown.add_column("of the product rate", justify="right")
    for each in drawings:
        shown.add_row(
            *(each.name, ", ".join(each.perceptors), each.device, str(each.jobs)),
            *(str(each.iterations), str(each.cuts), f"{each.first_frame_s:.3g}"),
            *(f"{each.seconds:.3g}", f"{each.product_share:.2f}"),
        )
    return shown


def table(machine: Machine, rows: Sequence[Row]) -> Table:
    """A line for each row; times in milliseconds of the clock that was chosen."""
    shown = Table(box=None, pad_edge=False, header_style="bold", title=described(machine))
    for number, heading in enumerate(_HEADINGS):
        shown.add_column(heading, justify="left" if number < 3 else "right")
    for row in rows:
        shown.add_row(
            *(row.drawer, row.perceptor, f"{row.device} {row.dtype}", str(row.jobs)),
            *(_ms(row.iteration_s), _ms(row.iteration_spread_s), _ms(row.floor_s)),
            *(f"{row.efficiency:.2f}", f"{row.iterations_per_s:.2f}", _times(row.gain)),
            *(_ms(row.split_s[part]) for part in PARTS),
            *(_ms(row.encode_s), str(row.peak_mib), f"{row.product_share:.2f}"),
            *(_ms(row.eager_floor_s), _ms(row.naive_s), _times(row.speedup)),
        )
    return shown


def chart(machine: Machine, rows: Sequence[Row]) -> Image.Image:
    """A bar for each row: what a step of one job takes by its parts, and where its floor is."""
    height = 2 * _MARGIN + _LINE * (len(rows) + 2)
    picture = Image.new("RGB", (_WIDTH, height), "white")
    draw = ImageDraw.Draw(picture)
    font, small = ImageFont.load_default(15), ImageFont.load_default(12)
    draw.text((_MARGIN, _MARGIN - 8), described(machine), "black", small)
    left = _MARGIN
    for part, colour in _COLOURS.items():
        draw.rectangle((left, _MARGIN + 18, left + 14, _MARGIN + 32), colour)
        draw.text((left + 20, _MARGIN + 16), part, "black", font)
        left += 40 + int(draw.textlength(part, font))
    draw.line((left + 7, _MARGIN + 14, left + 7, _MARGIN + 36), "black", 3)
    draw.text((left + 20, _MARGIN + 16), "floor: the perceptor alone", "black", font)
    for number, row in enumerate(rows):
        top = _MARGIN + _LINE * (number + 1) + 14
        # Each drawer and perceptor has a scale of its own: their times differ a hundredfold.
        widest = max(each.iteration_s / each.jobs for each in rows if _alike(each, row))
        scale = (_WIDTH - _LABELS - 3 * _MARGIN - 150) / widest
        _bar(draw, font, row, (_MARGIN, top), scale)
    return picture


def _bar(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    row: Row,
    corner: tuple[int, int],
    scale: float,
) -> None:
    left, top = corner
    name = f"{row.drawer}, {row.perceptor}, {row.device}, {row.jobs} job{'s' * (row.jobs > 1)}"
    draw.text((left, top + 3), name, "black", font)
    begin = x = float(left + _LABELS)
    parts = [(part, row.split_s[part]) for part in PARTS]
    parts.append(("other", max(0.0, row.iteration_s - sum(row.split_s.values()))))
    # What the parts sum to is a mean, and what is shown a median: they are drawn to its length.
    whole = sum(seconds for _, seconds in parts)
    for part, seconds in parts:
        width = seconds / whole * row.iteration_s / row.jobs * scale
        draw.rectangle((x, top, x + width, top + _BAR), _COLOURS[part])
        x += width
    floor = begin + row.floor_s / row.jobs * scale
    draw.line((floor, top - 4, floor, top + _BAR + 4), "black", 3)
    told = f"{_ms(row.iteration_s / row.jobs)} ms, {row.efficiency:.2f}"
    draw.text((max(x, floor) + 10, top + 3), told, "black", font)


def _alike(row: Row, other: Row) -> bool:
    return (row.perceptor, row.device) == (other.perceptor, other.device)


def described(machine: Machine) -> str:
    """The machine in a line."""
    load = "" if machine.load is None else f", load {machine.load:g}"
    gpu = "" if machine.gpu is None else f", {machine.gpu}"
    clock = "of the clock" if machine.clock == "wall" else "of the processor"
    threads = f"{machine.threads} thread{'s' * (machine.threads > 1)}"
    return f"{machine.processor}, {threads}{gpu}, torch {machine.torch}{load}; times {clock}"


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:.4g}"


def _times(factor: float | None) -> str:
    return "" if factor is None else f"{factor:.2f}"
