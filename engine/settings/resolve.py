"""What was left open, filled in: sizes, grids, steps and seeds."""

import math
import secrets

import msgspec

from engine.errors import SettingsError
from engine.models.vqgans import vqgan_shape
from engine.palettes import parse_palette
from engine.settings.defaults import (
    BASE_GRIDS,
    BASE_SIZES,
    BLEND_FRAMES,
    CLIP_QUALITIES,
    DRAWER_DEFAULTS,
    GUESS_COLORS,
    PIXELCLIP,
    PIXELCLIP_QUALITIES,
)
from engine.settings.options import MAX_SEED, PIXELS
from engine.settings.record import Settings
from engine.tilings import TILINGS, wrapping

# Raised whenever the mathematics of a drawing changes: equal rows of equal drawing version, on the
# same class of machine, give equal bytes.
DRAWING_VERSION = 7

# Cells × colours of a palette: each cell holds a number for each. That is 16 MiB a tensor.
MAX_CHOICES = 2**22


def resolve(
    settings: Settings,
    *,
    perceptors: tuple[str, ...] = (PIXELCLIP,),
    init_size: tuple[int, int] | None = None,
) -> Settings:
    """Fill in everything that was left open; resolving the result again changes nothing.

    Args:
        settings: as asked.
        perceptors: what `auto` stands for on this engine.
        init_size: width and height of the init image in pixels, for `aspect=retain`.

    Raises:
        SettingsError: when the aspect of a picture is wanted and there is none, or when the
            palette is too large for the grid.

    """
    names = settings.perceptors or perceptors
    table = PIXELCLIP_QUALITIES if names == (PIXELCLIP,) else CLIP_QUALITIES
    quality = table[settings.quality]
    # None at all is for whoever shows a picture without improving it.
    iterations = quality.iterations if settings.iterations is None else settings.iterations
    scale, size = settings.scale, settings.size
    # A size that was asked for has nothing to do with a scale.
    if size is None:
        base, _ = _shape(settings, init_size)
        # A float even where the table says 2: the snapshots' identity is taken from its digits.
        scale = float(scale or quality.scale)
        size = round(base[0] * scale), round(base[1] * scale)
    defaults = DRAWER_DEFAULTS[settings.drawer]
    vqgan_model = settings.vqgan_model or defaults.vqgan_model
    if vqgan_model is not None:
        size = vqgan_shape(vqgan_model).rounded(*size)
    start = _start(settings, names)
    pixels = settings.drawer in PIXELS
    colors, layers = settings.colors, settings.layers
    # A target has colours and a ground of its own.
    free = settings.target_image is None
    if pixels and colors is None and start == "guess" and settings.exact_palette is None and free:
        colors = GUESS_COLORS
    if pixels and layers is None:
        layers = settings.init_image is None and not settings.transparent and free
    return msgspec.structs.replace(
        settings,
        perceptors=names,
        iterations=iterations,
        display_every=min(settings.display_every or 20, iterations),
        num_cuts=settings.num_cuts or quality.num_cuts,
        scale=scale,
        size=size,
        seed=secrets.randbelow(MAX_SEED + 1) if settings.seed is None else settings.seed,
        pixel_size=cells(settings, init_size) if pixels else None,
        start=start,
        init_noise=_noise(settings, start),
        target_weight=_target_weight(settings),
        blend_frames=settings.blend_frames or (BLEND_FRAMES if settings.blend_with else None),
        vqgan_model=vqgan_model,
        colors=colors,
        layers=layers,
        learning_rate=settings.learning_rate or defaults.learning_rate,
        strokes=settings.strokes or defaults.strokes,
        stroke_length=settings.stroke_length or defaults.stroke_length,
        min_stroke_width=settings.min_stroke_width or defaults.min_stroke_width,
        max_stroke_width=settings.max_stroke_width or defaults.max_stroke_width,
    )


def series(settings: Settings, count: int) -> tuple[Settings, ...]:
    """The same settings with one seed after the other, from the asked one or a random one on."""
    first = secrets.randbelow(MAX_SEED + 1) if settings.seed is None else settings.seed
    return tuple(
        msgspec.structs.replace(settings, seed=(first + number) % (MAX_SEED + 1))
        for number in range(count)
    )


def _start(settings: Settings, perceptors: tuple[str, ...]) -> str:
    """What `auto` begins with; beside an init image there is nothing to choose."""
    if settings.start != "auto" or settings.init_image is not None:
        return settings.start
    if not settings.said_everywhere or settings.init_noise is not None:
        return "noise"
    return "guess" if perceptors == (PIXELCLIP,) else "noise"


def _noise(settings: Settings, start: str) -> str | None:
    """What noise the picture begins with, if it begins with noise."""
    return settings.init_noise or "pixels" if start == "noise" else None


def _target_weight(settings: Settings) -> float | None:
    if settings.target_image is None:
        return None
    return 1.0 if settings.target_weight is None else settings.target_weight


def _shape(
    settings: Settings, init_size: tuple[int, int] | None
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Base size in pixels and base grid in cells for the aspect."""
    if settings.aspect != "retain":
        return BASE_SIZES[settings.aspect], BASE_GRIDS[settings.aspect]
    if init_size is None:
        raise SettingsError("aspect=retain takes the shape of the init image, and there is none.")
    # Kept within what a grid can hold: a strip of 1 × 1000 is drawn as 1 × 8.
    ratio = min(8.0, max(1 / 8, init_size[0] / init_size[1]))
    base = (150 * math.sqrt(ratio), 150 / math.sqrt(ratio))
    return base, _grid_for(base)


def cells(settings: Settings, init_size: tuple[int, int] | None) -> tuple[int, int]:
    """Columns and rows of the grid; raises `SettingsError` if it is too much for the palette."""
    _, grid = _shape(settings, init_size)
    if settings.size is not None:
        grid = _grid_for(settings.size)
    columns, rows = settings.pixel_size or TILINGS[settings.pixel_type].grid(
        grid[0] / settings.pixel_scale,
        grid[1] / settings.pixel_scale,
        wrapping(settings.symmetry, tile=settings.tile),
        256,
    )
    if settings.exact_palette is not None and not settings.colors:
        colours = len(parse_palette(settings.exact_palette))
        if colours * columns * rows > MAX_CHOICES:
            raise SettingsError(
                f"A palette of {colours} colours is too large for {columns} × {rows} cells; "
                f"allowed are {MAX_CHOICES // (columns * rows)} colours, or "
                f"{MAX_CHOICES // colours} cells."
            )
    return columns, rows


def _grid_for(size: tuple[float, float]) -> tuple[float, float]:
    """Square cells, as many as the default grids have on average (about 2,400)."""
    ratio = size[0] / size[1]
    return math.sqrt(2400 * ratio), math.sqrt(2400 / ratio)
