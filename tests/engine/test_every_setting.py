"""Every setting does something: with another value of it, what is drawn is another picture.

What exactly each one does is tested beside the code that does it.
"""

import io

import pytest
from PIL import Image, ImageDraw

from engine.protocol import Done, Draw, Started
from engine.settings import OPTION, make_settings, picture_names
from tests.engine.conftest import TINY
from tests.engine.pictures import png

# All that the documentation of clipit and pixray, and ours, tell of.
# fmt: off
NAMES = {
    "prompts", "drawer", "preset", "aspect", "quality", "scale", "size", "iterations",
    "early_stop", "display_every", "seed", "perceptors", "num_cuts", "batches", "cut_power",
    "pixel_size", "pixel_scale", "pixel_type", "palette", "colors", "dither", "transparent",
    "layers", "tile", "symmetry", "start", "init_image", "init_weight", "init_noise",
    "target_image", "target_weight", "image_prompts", "outline", "mask", "spot_prompts",
    "spot_off_prompts", "dream", "labels", "blend_with", "blend_frames", "learning_rate",
    "learning_rate_drops", "optimizer", "smoothness_weight", "saturation_weight",
    "symmetry_weight", "palette_weight", "edge_weight", "style_weight", "vector_prompts",
    "strokes", "stroke_length", "min_stroke_width", "max_stroke_width", "allow_paper_color",
    "vqgan_model",
}
# fmt: on


def house():
    """A line drawing on paper."""
    image = Image.new("RGB", (64, 48), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((12, 22, 40, 42), outline="black", width=2)
    draw.line((12, 22, 26, 8, 40, 22), fill="black", width=2)
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()


def left():
    """A mask: white on the left, black on the right."""
    image = Image.new("L", (64, 48), "black")
    image.paste("white", (0, 0, 32, 48))
    output = io.BytesIO()
    image.convert("RGB").save(output, "PNG")
    return output.getvalue()


PICTURES = {"red": png(), "blue": png((30, 60, 200)), "house": house(), "left": left()}

# What is drawn in common, and then without and with another value of the setting.
BASE = {"prompts": "a red apple", "seed": 1, "iterations": 3, "num_cuts": 4, "scale": 0.5}
GRID = {"pixel_size": (16, 12)}
INIT = {"init_image": "red"}
STROKES = {"drawer": "clipdraw", "strokes": 20}
SPOT = {"mask": "left", "spot_prompts": "a blue fish"}
CASES = {
    "prompts": ({}, {"prompts": "a blue fish"}),
    "drawer": ({}, {"drawer": "clipdraw"}),
    "preset": ({}, {"preset": "sprite"}),
    "aspect": ({}, {"aspect": "square"}),
    "quality": ({"num_cuts": None}, {"quality": "draft", "num_cuts": None, "iterations": 2}),
    "scale": ({}, {"scale": 0.6}),
    "size": ({"scale": None, "size": (64, 48)}, {"scale": None, "size": (72, 48)}),
    "iterations": ({}, {"iterations": 4}),
    # `test_flatness.py` has it: it changes nothing in the first forty steps.
    "early_stop": (None, None),
    "display_every": ({}, {"display_every": 1}),
    "seed": ({}, {"seed": 2}),
    "perceptors": ({}, {"perceptors": [TINY]}),
    "num_cuts": ({}, {"num_cuts": 5}),
    "batches": ({}, {"batches": 2}),
    "cut_power": ({}, {"cut_power": 3}),
    "pixel_size": ({}, {"pixel_size": (20, 12)}),
    "pixel_scale": ({"pixel_size": None}, {"pixel_size": None, "pixel_scale": 3}),
    "pixel_type": ({}, {"pixel_type": "hex"}),
    "palette": ({}, {"palette": "gameboy"}),
    "colors": ({}, {"colors": 3}),
    "dither": (INIT | {"palette": "gameboy"}, INIT | {"palette": "gameboy", "dither": "bayer"}),
    "transparent": ({}, {"transparent": True}),
    "layers": ({}, {"layers": False}),
    "tile": ({}, {"tile": True}),
    "symmetry": ({}, {"symmetry": "x"}),
    "start": ({}, {"start": "guess"}),
    "init_image": ({}, INIT),
    "init_weight": (INIT, INIT | {"init_weight": 10}),
    "init_noise": ({"start": "noise"}, {"start": "noise", "init_noise": "perlin"}),
    "target_image": ({}, {"target_image": "blue"}),
    "target_weight": ({"target_image": "blue"}, {"target_image": "blue", "target_weight": 9}),
    "image_prompts": ({}, {"image_prompts": "blue"}),
    "outline": ({"init_image": "house"}, {"init_image": "house", "outline": True}),
    "mask": (SPOT, SPOT | {"mask": "house"}),
    "spot_prompts": (SPOT, SPOT | {"spot_prompts": "a green tree"}),
    "spot_off_prompts": (SPOT, SPOT | {"spot_off_prompts": "a green tree"}),
    "dream": (INIT | {"drawer": "fft"}, INIT | {"dream": True}),
    "labels": (None, None),
    "blend_with": ({}, {"blend_with": "a blue fish", "blend_frames": 3}),
    "blend_frames": (
        {"blend_with": "a blue fish", "blend_frames": 3},
        {"blend_with": "a blue fish", "blend_frames": 4},
    ),
    "learning_rate": ({}, {"learning_rate": 0.3}),
    "learning_rate_drops": ({}, {"learning_rate_drops": (30,)}),
    "optimizer": ({}, {"optimizer": "radam"}),
    "smoothness_weight": ({}, {"smoothness_weight": 5}),
    "saturation_weight": ({}, {"saturation_weight": 5}),
    "symmetry_weight": ({}, {"symmetry_weight": 5}),
    "palette_weight": (
        {"palette": "gameboy"},
        {"palette": "gameboy", "palette_weight": 1},
    ),
    "edge_weight": ({}, {"edge_weight": 5}),
    "style_weight": (INIT, INIT | {"style_weight": 5}),
    "vector_prompts": ({}, {"vector_prompts": ["textoff"]}),
    "strokes": (STROKES, STROKES | {"strokes": 30}),
    "stroke_length": (STROKES, STROKES | {"stroke_length": 4}),
    "min_stroke_width": (STROKES, STROKES | {"min_stroke_width": 3}),
    "max_stroke_width": (STROKES, STROKES | {"max_stroke_width": 20}),
    "allow_paper_color": (STROKES, STROKES | {"allow_paper_color": True}),
    "vqgan_model": (None, None),
}


def drawn(studio, given):
    """Everything that comes of a drawing but its texts and times."""
    whole = BASE | GRID | given
    if whole.get("drawer", "pixel") != "pixel" or whole.get("dream") or "preset" in whole:
        whole.pop("pixel_size")
    if "preset" in whole:
        whole.pop("scale")
    # A first guess takes longer than all of the steps.
    if "init_image" not in whole and "start" not in whole:
        whole["start"] = "noise"
    settings = make_settings(whole)
    one = studio()
    pictures = {name: PICTURES[name] for name in picture_names(settings)}
    started = one.add(Draw("a", settings, pictures))
    assert isinstance(started, Started), started
    shown = []
    while not one.idle:
        for event in one.tick():
            shown.append(Image.open(io.BytesIO(event.png)).tobytes())
            if isinstance(event, Done):
                shown += [
                    Image.open(io.BytesIO(png)).tobytes() for png in getattr(event, "walk", ())
                ]
    return shown


def test_every_name_of_the_documentation_is_a_setting():
    assert set(OPTION) == NAMES == set(CASES)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[0] is not None])
def test_another_value_draws_another_picture(studio, models_folder, name):
    without, with_it = CASES[name]
    assert drawn(studio, with_it) != drawn(studio, without)


def test_the_same_values_draw_the_same_picture(studio):
    assert drawn(studio, {}) == drawn(studio, {})
