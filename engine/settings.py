"""The settings of a drawing: one table of options, checked input, and the resolved whole.

Everyone who asks for a picture (slash command, command line, Python) builds the same `Settings`
through `make_settings`; `resolve` fills in what was left open. The names are those of clipit and
pixray.
"""

import hashlib
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

import msgspec

from engine.errors import SettingsError, quote
from engine.palettes import PALETTE_FORMS, parse_palette
from engine.presets import PRESETS
from engine.prompts import MAX_LENGTH as MAX_PROMPT_LENGTH
from engine.prompts import format_prompts, parse_prompts
from engine.tilings import TILINGS, wrapping

# Raised whenever the mathematics of a drawing changes: equal rows of equal drawing version, on the
# same class of machine, give equal bytes.
DRAWING_VERSION = 3

# The generator's pictures are a little noisy; few colours make clean pixel art of them.
GUESS_COLORS = 20

MAX_SEED = 2**53 - 1
# Cells × colours of a palette: each cell holds a number for each. That is 16 MiB a tensor.
MAX_CHOICES = 2**22
PIXELCLIP = "pixelclip"

# Drawers that have some settings to themselves.
_PIXELS = ("pixel",)
_STROKES = ("clipdraw", "line_sketch")

Kind = Literal[
    "text",
    "prompts",
    "choice",
    "integer",
    "number",
    "numbers",
    "pair",
    "seed",
    "names",
    "flag",
    "palette",
]


@dataclass(frozen=True)
class Option:
    """One setting as people see it.

    Attributes:
        low, high: the range of a number, or of each number of a pair; inclusive.
        default: what is taken when it is left out, in words.
        chat: whether a chat may set it freely (a file or a download must not come from one).
        drawers: those that it means something to, if not to all; with others it is refused.

    """

    name: str
    kind: Kind
    meaning: str
    default: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    chat: bool = True
    drawers: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What may be given, as the end of a sentence."""
        match self.kind:
            case "choice":
                return ", ".join(self.choices)
            case "integer":
                return f"whole numbers from {self.low:g} to {self.high:g}"
            case "number":
                return f"numbers from {self.low:g} to {self.high:g}"
            case "numbers":
                return f"numbers from {self.low:g} to {self.high:g}, separated by commas"
            case "pair":
                return f"two whole numbers from {self.low:g} to {self.high:g}, such as “80 45”"
            case "seed":
                return f"a whole number from 0 to {MAX_SEED}, or any text of up to 100 characters"
            case "names":
                return "names separated by commas"
            case "flag":
                return "true or false"
            case "palette":
                return PALETTE_FORMS
            case "prompts":
                return "1 to 1000 characters"
            case "text":
                return "the name of a picture"


OPTIONS: tuple[Option, ...] = (
    Option(
        "prompts",
        "prompts",
        "What to draw. “|” separates several; each may end in :weight or :weight:stop.",
        "required",
    ),
    Option(
        "drawer",
        "choice",
        "How the picture is made: of cells, of strokes in colour, or of black lines.",
        "pixel",
        choices=(*_PIXELS, *_STROKES),
    ),
    Option(
        "preset",
        "choice",
        "A bundle of the settings below; what is given by hand wins.",
        "none",
        choices=tuple(PRESETS),
    ),
    Option(
        "aspect",
        "choice",
        "The shape: 200:112, 150:150, 128:160, or that of the init image.",
        "widescreen",
        choices=("widescreen", "square", "portrait", "retain"),
    ),
    Option(
        "quality",
        "choice",
        "Fixes perceptors, iterations, cuts and scale unless they are given.",
        "normal",
        choices=("draft", "normal", "better", "best", "supreme"),
    ),
    Option("scale", "number", "Multiplies the aspect's base size.", "by quality", 0.5, 8),
    Option(
        "size", "pair", "Width and height in pixels, instead of aspect and scale.", "none", 32, 2048
    ),
    Option("iterations", "integer", "Optimisation steps.", "by quality", 1, 2000),
    Option("display_every", "integer", "A progress frame each so many steps.", "20", 1, 2000),
    Option("seed", "seed", "Draws the same picture again.", "random"),
    Option(
        "perceptors",
        "names",
        "What judges the picture: pixelclip, or models that open_clip can load.",
        "auto",
        chat=False,
    ),
    Option(
        "num_cuts", "integer", "Augmented views that are judged in a step.", "by quality", 1, 128
    ),
    Option(
        "pixel_size",
        "pair",
        "Columns and rows of the grid.",
        "80 45 wide, 40 40 square, 40 50 portrait",
        4,
        256,
        drawers=_PIXELS,
    ),
    Option(
        "pixel_scale",
        "number",
        "Larger cells, so fewer of them.",
        "1",
        0.25,
        4,
        drawers=_PIXELS,
    ),
    Option(
        "pixel_type",
        "choice",
        "The shape of the cells: squares, bricks, honeycomb, triangles, diamonds or stitches.",
        "rect",
        choices=tuple(TILINGS),
        drawers=_PIXELS,
    ),
    Option(
        "palette",
        "palette",
        "Every cell is exactly one of these colours: a name, or colours and ramps of your own.",
        "none",
        drawers=_PIXELS,
    ),
    Option(
        "colors",
        "integer",
        "As many colours at most, 2 to 64, chosen by the engine; 0 for any.",
        "20 from a first guess, else any",
        0,
        64,
        drawers=_PIXELS,
    ),
    Option(
        "dither",
        "choice",
        "Mixes the palette's colours in the init image: by a pattern, or by errors.",
        "none",
        choices=("none", "bayer", "floyd"),
        drawers=_PIXELS,
    ),
    Option(
        "transparent",
        "flag",
        "A free-standing picture with an alpha channel, optimised.",
        "false",
        drawers=_PIXELS,
    ),
    Option(
        "layers",
        "flag",
        "A free-standing subject before a soft background of its own.",
        "true, unless transparent or from an init image",
        drawers=_PIXELS,
    ),
    Option(
        "tile",
        "flag",
        "Seamless: the picture repeats in x and y without a border.",
        "false",
        drawers=_PIXELS,
    ),
    Option(
        "symmetry",
        "choice",
        "Mirrored exactly: x left to right, y top to bottom, or both.",
        "none",
        choices=("none", "x", "y", "xy"),
        drawers=_PIXELS,
    ),
    Option(
        "start",
        "choice",
        "Begin with a first guess for the prompt, or with noise.",
        "auto",
        choices=("auto", "guess", "noise"),
    ),
    Option("init_image", "text", "Start from this picture.", "none", chat=False),
    Option("init_weight", "number", "Keeps close to the init image.", "0", 0, 10),
    Option(
        "learning_rate",
        "number",
        "Adam's step size: on the cells' logits, or on strokes in percent of the height.",
        "0.08, or 0.5 for strokes",
        0.001,
        1,
    ),
    Option(
        "learning_rate_drops",
        "numbers",
        "Percents of the run after which the learning rate is divided by ten.",
        "75",
        0,
        100,
    ),
    Option(
        "strokes",
        "integer",
        "How many strokes the picture is made of.",
        "256, or 24 for line_sketch",
        1,
        4096,
        drawers=_STROKES,
    ),
    Option(
        "stroke_length",
        "integer",
        "How many Bézier curves, joined end to end, a stroke is made of.",
        "2, or 4 for line_sketch",
        1,
        32,
        drawers=_STROKES,
    ),
    Option(
        "min_stroke_width",
        "number",
        "The thinnest that a stroke may be, in percent of the height.",
        "0.5, or 1 for line_sketch",
        0.1,
        50,
        drawers=_STROKES,
    ),
    Option(
        "max_stroke_width",
        "number",
        "The widest that a stroke may be, in percent of the height.",
        "5, or 1 for line_sketch",
        0.1,
        50,
        drawers=_STROKES,
    ),
    Option(
        "allow_paper_color",
        "flag",
        "Whether the paper below the strokes may take on a colour; it is white otherwise.",
        "false",
        drawers=_STROKES,
    ),
)
OPTION: Mapping[str, Option] = {option.name: option for option in OPTIONS}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person asked for; None stands for “left open”, which `resolve` fills in.

    Built by `make_settings`, which checks every value; sizes are (width, height) in pixels and
    `pixel_size` is (columns, rows) in cells. `OPTIONS` holds ranges, defaults and meanings.
    """

    prompts: str
    drawer: str = "pixel"
    preset: str | None = None
    aspect: str = "widescreen"
    quality: str = "normal"
    scale: float | None = None
    size: tuple[int, int] | None = None
    iterations: int | None = None
    display_every: int | None = None
    seed: int | None = None
    perceptors: tuple[str, ...] | None = None
    num_cuts: int | None = None
    pixel_size: tuple[int, int] | None = None
    pixel_scale: float = 1.0
    pixel_type: str = "rect"
    palette: str | None = None
    colors: int | None = None
    dither: str = "none"
    transparent: bool = False
    layers: bool | None = None
    tile: bool = False
    symmetry: str = "none"
    start: str = "auto"
    init_image: str | None = None
    init_weight: float = 0.0
    learning_rate: float | None = None
    learning_rate_drops: tuple[float, ...] = (75.0,)
    strokes: int | None = None
    stroke_length: int | None = None
    min_stroke_width: float | None = None
    max_stroke_width: float | None = None
    allow_paper_color: bool = False


@dataclass(frozen=True)
class Quality:
    """What a quality's name stands for, on one class of perceptors."""

    perceptors: tuple[str, ...]
    iterations: int
    num_cuts: int
    scale: float


# pixray's table, for OpenAI's CLIP models on a GPU.
CLIP_QUALITIES: Mapping[str, Quality] = {
    "draft": Quality(("ViT-B-32/openai",), 200, 24, 1),
    "normal": Quality(("ViT-B-32/openai", "ViT-B-16/openai"), 250, 30, 2),
    "better": Quality(("RN50/openai", "ViT-B-32/openai", "ViT-B-16/openai"), 300, 36, 3),
    "best": Quality(("RN50x4/openai", "ViT-B-32/openai", "ViT-B-16/openai"), 350, 24, 4),
    "supreme": Quality(
        ("RN50x4/openai", "RN101/openai", "ViT-B-32/openai", "ViT-B-16/openai"), 400, 32, 5
    ),
}

# For the small models on two CPU cores: about 1, 3, 6, 16 and 60 seconds of drawing. A first guess
# has most of what the judge sees; a start from noise gains by the longer ones.
PIXELCLIP_QUALITIES: Mapping[str, Quality] = {
    "draft": Quality((PIXELCLIP,), 40, 12, 1),
    "normal": Quality((PIXELCLIP,), 80, 12, 2),
    "better": Quality((PIXELCLIP,), 160, 20, 3),
    "best": Quality((PIXELCLIP,), 320, 28, 4),
    "supreme": Quality((PIXELCLIP,), 720, 48, 5),
}


@dataclass(frozen=True)
class DrawerDefaults:
    """What a drawer takes for the settings that have no common default; None where it has none."""

    learning_rate: float
    strokes: int | None = None
    stroke_length: int | None = None
    min_stroke_width: float | None = None
    max_stroke_width: float | None = None


DRAWER_DEFAULTS: Mapping[str, DrawerDefaults] = {
    "pixel": DrawerDefaults(0.08),
    "clipdraw": DrawerDefaults(0.5, 256, 2, 0.5, 5.0),
    "line_sketch": DrawerDefaults(0.5, 24, 4, 1.0, 1.0),
}

# What a preset keeps back where a setting is given that would contradict it.
_YIELDS: Mapping[str, tuple[str, ...]] = {
    "aspect": ("size", "pixel_size"),
    "scale": ("size",),
    "size": ("aspect", "scale", "pixel_size"),
    "pixel_size": ("pixel_scale",),
    "pixel_scale": ("pixel_size",),
    "transparent": ("layers",),
    "layers": ("transparent",),
    "init_image": ("layers", "start"),
}

# What was filled in for another value of a setting, and is filled in again for the one given.
_FOLLOWS: Mapping[str, tuple[str, ...]] = {
    "drawer": tuple(field.name for field in fields(DrawerDefaults)),
    "quality": ("perceptors", "iterations", "display_every", "num_cuts", "scale"),
    "iterations": ("display_every",),
}

_BASE_SIZES: Mapping[str, tuple[int, int]] = {
    "widescreen": (200, 112),
    "square": (150, 150),
    "portrait": (128, 160),
}
_BASE_GRIDS: Mapping[str, tuple[int, int]] = {
    "widescreen": (80, 45),
    "square": (40, 40),
    "portrait": (40, 50),
}


def make_settings(given: Mapping[str, object], base: Settings | None = None) -> Settings:
    """Check what was given, as text or as values, and build the settings from it.

    A value of None counts as left out. A preset is written out: its values stand for those that
    are left out.

    Args:
        given: values by the names of `OPTIONS`.
        base: settings that stand for what is left out, such as those of a picture that was drawn
            before. What was given wins over them, and over what they say of the same thing in
            another way: a given aspect over their size.

    Raises:
        SettingsError: for an unknown name, a wrong type, a value out of range or a contradiction.

    """
    values: dict[str, object] = {}
    for name, value in given.items():
        option = find_option(name)
        if value is not None:
            values[name] = _READERS[option.kind](option, value)
    if "prompts" not in values and base is None:
        raise SettingsError("The prompt is missing; write what should be drawn.")
    whole = _preset_values(values) | values
    if base is not None:
        whole = _base_values(base, whole) | whole
    settings = msgspec.convert(whole, Settings)
    _check_drawer(settings, values)
    _check_pairs(settings, values)
    if settings.aspect != "retain":
        _cells(settings, None)
    return settings


def to_given(settings: Settings) -> dict[str, object]:
    """What to give to `make_settings` to get these settings, asked for or resolved, again.

    Of resolved settings all are pinned; what `resolve` worked out from another setting is left
    out, since it would contradict it: a size from a scale, a grid from a pixel scale.
    """
    given = {
        name: value for name, value in msgspec.structs.asdict(settings).items() if value is not None
    }
    if settings.scale is not None:
        given.pop("size", None)
    given.pop("pixel_scale" if settings.pixel_scale == 1 else "pixel_size", None)
    return given


def find_option(name: str) -> Option:
    """The option of this name; raises `SettingsError` if there is none."""
    try:
        return OPTION[name]
    except KeyError:
        known = ", ".join(OPTION)
        raise SettingsError(f"There is no setting {quote(name)}; there are {known}.") from None


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
    iterations = settings.iterations or quality.iterations
    scale, size = settings.scale, settings.size
    # A size that was asked for has nothing to do with a scale.
    if size is None:
        base, _ = _shape(settings, init_size)
        # A float even where the table says 2: the snapshots' identity is taken from its digits.
        scale = float(scale or quality.scale)
        size = round(base[0] * scale), round(base[1] * scale)
    start = _start(settings, names)
    pixels = settings.drawer in _PIXELS
    defaults = DRAWER_DEFAULTS[settings.drawer]
    colors, layers = settings.colors, settings.layers
    if pixels and colors is None and start == "guess" and settings.palette is None:
        colors = GUESS_COLORS
    if pixels and layers is None:
        layers = settings.init_image is None and not settings.transparent
    return msgspec.structs.replace(
        settings,
        perceptors=names,
        iterations=iterations,
        display_every=min(settings.display_every or 20, iterations),
        num_cuts=settings.num_cuts or quality.num_cuts,
        scale=scale,
        size=size,
        seed=secrets.randbelow(MAX_SEED + 1) if settings.seed is None else settings.seed,
        pixel_size=_cells(settings, init_size) if pixels else None,
        start=start,
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


def seed_from(text: str) -> int:
    """The seed that a text stands for: the number it is, else the first 53 bits of its SHA-256."""
    if text.isascii() and text.isdigit() and int(text) <= MAX_SEED:
        return int(text)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 11


def _start(settings: Settings, perceptors: tuple[str, ...]) -> str:
    """What `auto` begins with; beside an init image there is nothing to choose."""
    if settings.start != "auto" or settings.init_image is not None:
        return settings.start
    return "guess" if perceptors == (PIXELCLIP,) else "noise"


def _shape(
    settings: Settings, init_size: tuple[int, int] | None
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Base size in pixels and base grid in cells for the aspect."""
    if settings.aspect != "retain":
        return _BASE_SIZES[settings.aspect], _BASE_GRIDS[settings.aspect]
    if init_size is None:
        raise SettingsError("aspect=retain takes the shape of the init image, and there is none.")
    # Kept within what a grid can hold: a strip of 1 × 1000 is drawn as 1 × 8.
    ratio = min(8.0, max(1 / 8, init_size[0] / init_size[1]))
    base = (150 * math.sqrt(ratio), 150 / math.sqrt(ratio))
    return base, _grid_for(base)


def _cells(settings: Settings, init_size: tuple[int, int] | None) -> tuple[int, int]:
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
    if settings.palette is not None and not settings.colors:
        colours = len(parse_palette(settings.palette))
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


def _base_values(base: Settings, given: Mapping[str, object]) -> dict[str, object]:
    """What other settings add: nothing that was given, nor anything that contradicts it."""

    def is_new(name: str) -> bool:
        if OPTION[name].kind == "text":
            # A picture by another name may well be the same.
            return getattr(base, name) is None
        return bool(given[name]) and given[name] != getattr(base, name)

    yields = {
        name
        for asked in filter(is_new, given)
        for name in (*_YIELDS.get(asked, ()), *_FOLLOWS.get(asked, ()))
    }
    drawer = str(given.get("drawer", base.drawer))
    return {
        name: value
        for name, value in to_given(base).items()
        if name not in given
        and name not in yields
        and (not OPTION[name].drawers or drawer in OPTION[name].drawers)
    }


def _preset_values(given: Mapping[str, object]) -> dict[str, object]:
    """What the preset adds: nothing that was given, nor anything that contradicts it."""
    preset = given.get("preset")
    if not isinstance(preset, str):
        return {}
    kept_back = {name for asked, value in given.items() if value for name in _YIELDS.get(asked, ())}
    return {
        name: value
        for name, value in PRESETS[preset].items()
        if name not in given and name not in kept_back
    }


def _check_drawer(settings: Settings, given: Mapping[str, object]) -> None:
    """Refuse what means nothing to the drawer, and widths that leave no room."""
    plain = Settings(prompts=settings.prompts)
    for option in OPTIONS:
        foreign = option.drawers and settings.drawer not in option.drawers
        if not foreign or getattr(settings, option.name) == getattr(plain, option.name):
            continue
        culprit = option.name if option.name in given else f"preset={settings.preset}"
        means = "is" if option.name in given else f"sets {option.name}, which is"
        raise SettingsError(
            f"{culprit} {means} only for drawer={' or '.join(option.drawers)}, and the drawer is "
            f"{settings.drawer}; leave one of them out."
        )
    defaults = DRAWER_DEFAULTS[settings.drawer]
    thinnest = settings.min_stroke_width or defaults.min_stroke_width
    widest = settings.max_stroke_width or defaults.max_stroke_width
    if thinnest is not None and widest is not None and thinnest > widest:
        raise SettingsError(
            f"min_stroke_width={thinnest:g} is more than max_stroke_width={widest:g}; "
            "give a larger max_stroke_width or a smaller min_stroke_width."
        )


def _check_pairs(settings: Settings, given: Mapping[str, object]) -> None:
    if settings.init_image is None and settings.init_weight > 0:
        raise SettingsError(
            f"init_weight={settings.init_weight:g} keeps close to an init image, and there is "
            "none; give an init_image or leave init_weight out."
        )
    if settings.init_image is None and settings.aspect == "retain":
        raise SettingsError(
            "aspect=retain takes the shape of the init image, and there is none; "
            "give an init_image or another aspect."
        )
    if settings.init_image is not None and settings.start != "auto":
        raise SettingsError(
            f"start={settings.start} and an init_image contradict each other; "
            "give only one of them."
        )
    if settings.colors == 1:
        raise SettingsError("colors cannot be 1; allowed are 2 to 64, or 0 for any.")
    if settings.transparent and settings.layers:
        raise SettingsError(
            "layers puts a background behind the subject, and transparent leaves it out; "
            "give only one of them."
        )
    if settings.dither != "none" and settings.init_image is None:
        raise SettingsError(
            f"dither={settings.dither} draws an init image in few colours, and there is none; "
            "give an init_image or leave dither out."
        )
    if settings.dither != "none" and settings.palette is None and not settings.colors:
        raise SettingsError(
            f"dither={settings.dither} mixes the colours of a palette, and there is none; "
            "give a palette or colors, or leave dither out."
        )
    _check_tiling(settings)
    if "size" in given and "scale" in given:
        raise SettingsError("size and scale contradict each other; give only one of them.")
    if "pixel_size" in given and "pixel_scale" in given:
        raise SettingsError(
            "pixel_size and pixel_scale contradict each other; give only one of them."
        )
    if (
        settings.iterations is not None
        and settings.display_every is not None
        and settings.display_every > settings.iterations
    ):
        raise SettingsError(
            f"display_every={settings.display_every} is more than "
            f"iterations={settings.iterations}; allowed are 1 to {settings.iterations}."
        )


def _check_tiling(settings: Settings) -> None:
    tiling = TILINGS[settings.pixel_type]
    if not set(settings.symmetry) & set("xy") <= set(tiling.mirrors):
        raise SettingsError(
            f"symmetry={settings.symmetry} is not possible with pixel_type={settings.pixel_type}, "
            f"whose cells point down; allowed are none and {tiling.mirrors}."
        )
    if settings.pixel_size is None:
        return
    columns, rows = settings.pixel_size
    across, down = tiling.steps(wrapping(settings.symmetry, tile=settings.tile))
    if columns % across or rows % down:
        even = " and ".join(
            name for name, step in (("columns", across), ("rows", down)) if step > 1
        )
        wish = "tile" if settings.tile else f"symmetry={settings.symmetry}"
        raise SettingsError(
            f"pixel_size={columns} {rows} does not go with {wish} and "
            f"pixel_type={settings.pixel_type}; allowed are even numbers of {even}."
        )


def _refusal(option: Option, value: object) -> SettingsError:
    return SettingsError(
        f"{option.name} cannot be {quote(str(value))}; allowed are {option.allowed}."
    )


def _read_prompts(option: Option, value: object) -> str:
    if not isinstance(value, str):
        raise _refusal(option, value)
    written = format_prompts(parse_prompts(value))
    # Spaces around “|” and zeros before a point must not make it too long to be read again.
    return written if len(written) <= MAX_PROMPT_LENGTH else value.strip()


def _read_text(option: Option, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _refusal(option, value)
    return value


def _read_choice(option: Option, value: object) -> str:
    if not isinstance(value, str) or value.strip().lower() not in option.choices:
        raise _refusal(option, value)
    return value.strip().lower()


def _read_palette(option: Option, value: object) -> str:
    if not isinstance(value, str):
        raise _refusal(option, value)
    parse_palette(value)
    return " ".join(value.lower().split())


def _read_number(option: Option, value: object) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not option.low <= number <= option.high:
        raise _refusal(option, value)
    return number


def _read_integer(option: Option, value: object) -> int:
    number = _read_number(option, value)
    if number != int(number):
        raise _refusal(option, value)
    return int(number)


def _read_pair(option: Option, value: object) -> tuple[int, int]:
    sides: list[object]
    if isinstance(value, str):
        sides = list(value.lower().replace("x", " ").replace("×", " ").replace(",", " ").split())
    elif isinstance(value, list | tuple):
        sides = list(value)
    else:
        raise _refusal(option, value)
    if len(sides) != 2:
        raise _refusal(option, value)
    try:
        width, height = (_read_integer(option, side) for side in sides)
    except SettingsError:
        raise _refusal(option, value) from None
    return width, height


def _read_seed(option: Option, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEED:
        return value
    if isinstance(value, str) and 0 < len(value.strip()) <= 100:
        return seed_from(value.strip())
    raise _refusal(option, value)


def _read_names(option: Option, value: object) -> tuple[str, ...] | None:
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list | tuple) or not value:
        raise _refusal(option, value)
    names = tuple(dict.fromkeys(str(name) for name in value))
    return None if names == ("auto",) else names


def _read_numbers(option: Option, value: object) -> tuple[float, ...]:
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    numbers = value if isinstance(value, list | tuple) else [value]
    return tuple(sorted(_read_number(option, number) for number in numbers))


def _read_flag(option: Option, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "yes", "on", "1"}:
        return True
    if isinstance(value, str) and value.strip().lower() in {"false", "no", "off", "0"}:
        return False
    raise _refusal(option, value)


_READERS = {
    "prompts": _read_prompts,
    "text": _read_text,
    "choice": _read_choice,
    "number": _read_number,
    "integer": _read_integer,
    "pair": _read_pair,
    "seed": _read_seed,
    "numbers": _read_numbers,
    "names": _read_names,
    "flag": _read_flag,
    "palette": _read_palette,
}
