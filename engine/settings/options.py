"""The table of settings as people see them: names, ranges, defaults in words, and meanings."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from engine.errors import SettingsError, quote
from engine.models.vqgans import MINI, VQGAN_NAMES
from engine.palettes import PALETTE_FORMS
from engine.presets import PRESETS
from engine.prompts import MAX_WEIGHT
from engine.tilings import TILINGS
from engine.vector_prompts import VECTOR_PROMPTS

MAX_SEED = 2**53 - 1
MAX_BATCHES = 16
# What a picture's name follows where words could stand as well.
PICTURE = "picture:"

# Drawers that have some settings to themselves.
PIXELS = ("pixel",)
STROKES = ("clipdraw", "line_sketch")
VQGAN = ("vqgan",)
FOURIER = ("fft",)
# Those whose picture can be covered by lines that stay as they are; strokes would be no strokes.
CANVASES = (*PIXELS, *VQGAN, *FOURIER)

Kind = Literal[
    "prompts",
    "choice",
    "several",
    "integer",
    "number",
    "numbers",
    "pair",
    "seed",
    "names",
    "flag",
    "palette",
    "labels",
    "picture",
    "pictures",
    "blend",
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
            case "several":
                return f"{', '.join(self.choices)}, separated by commas"
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
                return (
                    f"names separated by commas, each with a :weight up to {MAX_WEIGHT:g} or none"
                )
            case "flag":
                return "true or false"
            case "palette":
                return PALETTE_FORMS
            case "prompts":
                return "1 to 1000 characters"
            case "labels":
                return "names of ImageNet's classes separated by “|”, each with a :weight or none"
            case "picture":
                return "the name of a picture"
            case "pictures":
                return "names of pictures separated by “|”, each with a :weight or none"
            case "blend":
                return f"a prompt, or {PICTURE}NAME for a picture"


OPTIONS: tuple[Option, ...] = (
    Option(
        "prompts",
        "prompts",
        "What to draw. “|” separates several; each may end in :weight or :weight:stop.",
        "required, unless something else says what to draw",
    ),
    Option(
        "drawer",
        "choice",
        "How the picture is made: of cells, of codes, of strokes, of black lines, or of waves.",
        "pixel",
        choices=(*PIXELS, *VQGAN, *STROKES, *FOURIER),
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
    Option(
        "early_stop",
        "flag",
        "Ends the drawing in its second half, as soon as its score no longer rises.",
        "false",
    ),
    Option("display_every", "integer", "A progress frame each so many steps.", "20", 1, 2000),
    Option("seed", "seed", "Draws the same picture again.", "random"),
    Option(
        "perceptors",
        "names",
        "What judges the picture: pixelclip, or models of open_clip; a :weight says how much.",
        "auto",
        chat=False,
    ),
    Option(
        "num_cuts", "integer", "Augmented views that are judged in a step.", "by quality", 1, 128
    ),
    Option(
        "batches",
        "integer",
        "Views are judged so many times over in a step, without more memory.",
        "1",
        1,
        MAX_BATCHES,
    ),
    Option(
        "cut_power",
        "number",
        "How the views' sizes are spread: above 1 more of them are close, below 1 more are wide.",
        "1",
        0.1,
        10,
    ),
    Option(
        "pixel_size",
        "pair",
        "Columns and rows of the grid.",
        "80 45 wide, 40 40 square, 40 50 portrait",
        4,
        256,
        drawers=PIXELS,
    ),
    Option(
        "pixel_scale",
        "number",
        "Larger cells, so fewer of them.",
        "1",
        0.25,
        4,
        drawers=PIXELS,
    ),
    Option(
        "pixel_type",
        "choice",
        "The shape of the cells: squares, bricks, honeycomb, triangles, diamonds or stitches.",
        "rect",
        choices=tuple(TILINGS),
        drawers=PIXELS,
    ),
    Option(
        "palette",
        "palette",
        "Every cell is exactly one of these colours: a name, or colours and ramps of your own.",
        "none",
        drawers=PIXELS,
    ),
    Option(
        "colors",
        "integer",
        "As many colours at most, 2 to 64, chosen by the engine; 0 for any.",
        "20 from a first guess without a target image, else any",
        0,
        64,
        drawers=PIXELS,
    ),
    Option(
        "dither",
        "choice",
        "Mixes the palette's colours in the init image: by a pattern, or by errors.",
        "none",
        choices=("none", "bayer", "floyd"),
        drawers=PIXELS,
    ),
    Option(
        "transparent",
        "flag",
        "A free-standing picture with an alpha channel, optimised.",
        "false",
        drawers=PIXELS,
    ),
    Option(
        "layers",
        "flag",
        "A free-standing subject before a soft background of its own.",
        "true, unless transparent, from an init image, or with a target image",
        drawers=PIXELS,
    ),
    Option(
        "tile",
        "flag",
        "Seamless: the picture repeats in x and y without a border.",
        "false",
        drawers=PIXELS,
    ),
    Option(
        "symmetry",
        "choice",
        "Mirrored exactly: x left to right, y top to bottom, or both.",
        "none",
        choices=("none", "x", "y", "xy"),
        drawers=PIXELS,
    ),
    Option(
        "start",
        "choice",
        "Begin with a first guess for the prompt, or with noise.",
        "auto",
        choices=("auto", "guess", "noise"),
    ),
    Option("init_image", "picture", "Start from this picture.", "none", chat=False),
    Option("init_weight", "number", "Keeps close to the init image.", "0", 0, 10),
    Option(
        "init_noise",
        "choice",
        "What a start from noise looks like: specks, a gradient, clouds, snow, or nothing.",
        "pixels",
        choices=("pixels", "gradient", "perlin", "snow", "none"),
    ),
    Option(
        "target_image", "picture", "Pulls towards this picture, dot by dot.", "none", chat=False
    ),
    Option("target_weight", "number", "How strongly it pulls.", "1 with a target image", 0, 10),
    Option(
        "image_prompts",
        "pictures",
        "Pulls towards what these pictures show, as the perceptors see it.",
        "none",
        chat=False,
    ),
    Option(
        "outline",
        "flag",
        "The init image is a line drawing: its lines stay, the areas between are coloured in.",
        "false",
        drawers=CANVASES,
    ),
    Option(
        "mask",
        "picture",
        "A black-and-white picture: where it is white is inside.",
        "none",
        chat=False,
    ),
    Option("spot_prompts", "prompts", "What to draw inside the mask.", "none"),
    Option("spot_off_prompts", "prompts", "What to draw outside the mask.", "none"),
    Option(
        "dream",
        "flag",
        "Amplifies what the perceptors see in the init image; needs no prompt.",
        "false",
        drawers=FOURIER,
    ),
    Option(
        "labels",
        "labels",
        "What a classifier should take the picture for.",
        "none",
    ),
    Option(
        "blend_with",
        "blend",
        "Another prompt or picture: a walk leads from this one to it.",
        "none",
    ),
    Option("blend_frames", "integer", "Frames of that walk.", "24 with blend_with", 2, 120),
    Option(
        "learning_rate",
        "number",
        "The optimiser's step size: on what cells, codes or waves are made of, or on strokes in "
        "percent of the height.",
        "by drawer",
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
        "optimizer",
        "choice",
        "Adam; with decoupled weight decay; or with a rectified beginning.",
        "adam",
        choices=("adam", "adamw", "radam"),
    ),
    Option("smoothness_weight", "number", "Asks for even areas instead of specks.", "0", 0, 10),
    Option("saturation_weight", "number", "Asks for vivid colours.", "0", 0, 10),
    Option(
        "symmetry_weight",
        "number",
        "Asks for a picture that is its own mirror image, left to right.",
        "0",
        0,
        10,
    ),
    Option(
        "palette_weight",
        "number",
        "Asks for the colours of the palette instead of taking no others.",
        "0",
        0,
        10,
    ),
    Option("edge_weight", "number", "Asks for a picture that ends before its border.", "0", 0, 10),
    Option(
        "style_weight",
        "number",
        "Asks for the colours and textures of the target image, or else of the init image.",
        "0",
        0,
        10,
    ),
    Option(
        "vector_prompts",
        "several",
        "Leads away from what is seldom wanted: textoff from written text.",
        "none",
        choices=tuple(VECTOR_PROMPTS),
    ),
    Option(
        "strokes",
        "integer",
        "How many strokes the picture is made of.",
        "256, or 24 for line_sketch",
        1,
        4096,
        drawers=STROKES,
    ),
    Option(
        "stroke_length",
        "integer",
        "How many Bézier curves, joined end to end, a stroke is made of.",
        "2, or 4 for line_sketch",
        1,
        32,
        drawers=STROKES,
    ),
    Option(
        "min_stroke_width",
        "number",
        "The thinnest that a stroke may be, in percent of the height.",
        "0.5, or 1 for line_sketch",
        0.1,
        50,
        drawers=STROKES,
    ),
    Option(
        "max_stroke_width",
        "number",
        "The widest that a stroke may be, in percent of the height.",
        "5, or 1 for line_sketch",
        0.1,
        50,
        drawers=STROKES,
    ),
    Option(
        "allow_paper_color",
        "flag",
        "Whether the paper below the strokes may take on a colour; it is white otherwise.",
        "false",
        drawers=STROKES,
    ),
    Option(
        "vqgan_model",
        "choice",
        "Whose codes the picture is made of: mini, or a published model that was pulled.",
        MINI,
        choices=VQGAN_NAMES,
        chat=False,
        drawers=VQGAN,
    ),
)
OPTION: Mapping[str, Option] = {option.name: option for option in OPTIONS}


def find_option(name: str) -> Option:
    """The option of this name; raises `SettingsError` if there is none."""
    try:
        return OPTION[name]
    except KeyError:
        known = ", ".join(OPTION)
        raise SettingsError(f"There is no setting {quote(name)}; there are {known}.") from None
