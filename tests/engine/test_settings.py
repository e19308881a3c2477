"""Checked input, and what is filled in."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SettingsError
from engine.presets import PRESETS
from engine.settings import (
    MAX_SEED,
    OPTION,
    OPTIONS,
    PIXELCLIP,
    Settings,
    make_settings,
    resolve,
    seed_from,
)


def made(**given):
    return make_settings({"prompts": "a cat", **given})


def test_only_the_prompt_is_needed():
    settings = resolve(made())
    assert settings.size == (400, 224)
    assert settings.pixel_size == (80, 45)
    assert settings.perceptors == (PIXELCLIP,)
    assert 0 <= settings.seed <= MAX_SEED


def test_the_article_s_scale_gives_the_article_s_size():
    assert resolve(made(quality="better", scale=2.5)).size == (500, 280)


@pytest.mark.parametrize(
    ("aspect", "grid"), [("widescreen", (80, 45)), ("square", (40, 40)), ("portrait", (40, 50))]
)
def test_each_aspect_has_its_grid(aspect, grid):
    assert resolve(made(aspect=aspect)).pixel_size == grid


def test_retain_takes_the_shape_of_the_init_image():
    settings = resolve(made(aspect="retain", init_image="x.png"), init_size=(300, 100))
    width, height = settings.size
    assert width / height == pytest.approx(3, rel=0.01)
    columns, rows = settings.pixel_size
    assert columns / rows == pytest.approx(3, rel=0.05)


def test_resolving_again_changes_nothing():
    once = resolve(made(size="333x200", pixel_scale=2))
    assert resolve(once) == once


def test_a_random_seed_is_a_new_one_each_time():
    assert resolve(made()).seed != resolve(made()).seed


def test_text_is_as_good_as_values():
    typed = made(scale=1.5, iterations=30, transparent=True, pixel_size=(20, 10), seed=7)
    written = made(scale="1.5", iterations="30", transparent="yes", pixel_size="20x10", seed="7")
    assert typed == written


def test_a_text_seed_is_hashed_the_same_way_every_time():
    assert made(seed="lighthouse").seed == seed_from("lighthouse")
    assert made(seed="123").seed == 123
    assert 0 <= seed_from("🗼" * 50) <= MAX_SEED
    assert seed_from(str(MAX_SEED + 1)) <= MAX_SEED


def test_settings_survive_json():
    settings = resolve(made(learning_rate_drops="50, 75"))
    again = msgspec.json.decode(msgspec.json.encode(settings), type=Settings)
    assert again == settings


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"colour": "red"}, "no setting “colour”"),
        ({"scale": "big"}, "scale cannot be “big”; allowed are numbers from 0.5 to 8"),
        ({"scale": 9}, "0.5 to 8"),
        ({"scale": "nan"}, "0.5 to 8"),
        ({"scale": True}, "0.5 to 8"),
        ({"scale": 10**400}, "0.5 to 8"),
        ({"iterations": 0}, "1 to 2000"),
        ({"iterations": 2.5}, "1 to 2000"),
        ({"aspect": "round"}, "widescreen, square, portrait, retain"),
        ({"quality": 3}, "draft, normal, better, best, supreme"),
        ({"size": "500"}, "two whole numbers"),
        ({"size": "500x280x3"}, "two whole numbers"),
        ({"size": "10x10"}, "32 to 2048"),
        ({"size": 5}, "two whole numbers"),
        ({"pixel_size": "3 3"}, "4 to 256"),
        ({"seed": -1}, "seed cannot be"),
        ({"seed": ""}, "seed cannot be"),
        ({"seed": MAX_SEED + 1}, "seed cannot be"),
        ({"transparent": "perhaps"}, "true or false"),
        ({"learning_rate_drops": "50,150"}, "0 to 100"),
        ({"init_image": " "}, "init_image cannot be"),
        ({"init_weight": 1}, "there is none"),
        ({"aspect": "retain"}, "there is none"),
        ({"size": "64 64", "scale": 2}, "contradict"),
        ({"pixel_size": "64 64", "pixel_scale": 2}, "contradict"),
        ({"iterations": 10, "display_every": 20}, "allowed are 1 to 10"),
        ({"preset": "statue"}, "preset cannot be “statue”; allowed are sprite, icon, scene"),
        ({"palette": "pico9"}, "cannot have “pico9”; allowed are 1bit, amstrad"),
        ({"palette": 8}, "palette cannot be “8”; allowed are 1bit"),
        (
            {"palette": r"black->white\200", "pixel_size": (256, 256)},
            "200 colours is too large for 256 × 256 cells; allowed are 64 colours, or 20971 cells",
        ),
        ({"colors": 1}, "allowed are 2 to 64, or 0 for any"),
        ({"colors": 65}, "whole numbers from 0 to 64"),
        ({"symmetry": "z"}, "none, x, y, xy"),
        ({"start": "afresh"}, "auto, guess, noise"),
        ({"layers": True, "transparent": True}, "layers puts a background behind"),
        ({"start": "guess", "init_image": "x"}, "start=guess and an init_image contradict"),
        ({"start": "noise", "init_image": "x"}, "start=noise and an init_image contradict"),
        ({"pixel_type": "star"}, "rect, rectshift, hex, tri, diamond, knit"),
        ({"tile": "perhaps"}, "true or false"),
        (
            {"pixel_type": "knit", "symmetry": "y"},
            "symmetry=y is not possible with pixel_type=knit",
        ),
        ({"pixel_type": "knit", "symmetry": "xy"}, "allowed are none and x"),
        ({"pixel_type": "hex", "tile": True, "pixel_size": (8, 7)}, "even numbers of rows"),
        ({"pixel_type": "hex", "symmetry": "y", "pixel_size": (8, 7)}, "go with symmetry=y"),
        ({"pixel_type": "tri", "symmetry": "x", "pixel_size": (7, 8)}, "even numbers of columns"),
        ({"pixel_type": "tri", "tile": True, "pixel_size": (7, 8)}, "of columns and rows"),
        ({"drawer": "oil"}, "allowed are pixel, vqgan, clipdraw, line_sketch, fft"),
        (
            {"drawer": "clipdraw", "palette": "nes"},
            "palette is only for drawer=pixel, and the drawer is clipdraw",
        ),
        (
            {"drawer": "line_sketch", "preset": "sprite"},
            "preset=sprite sets pixel_size, which is only for drawer=pixel",
        ),
        ({"strokes": 5}, "strokes is only for drawer=clipdraw or line_sketch"),
        ({"drawer": "clipdraw", "strokes": 4097}, "whole numbers from 1 to 4096"),
        ({"drawer": "clipdraw", "stroke_length": 33}, "whole numbers from 1 to 32"),
        (
            {"drawer": "clipdraw", "min_stroke_width": 9},
            "min_stroke_width=9 is more than max_stroke_width=5",
        ),
        ({"drawer": "line_sketch", "max_stroke_width": 0.01}, "numbers from 0.1 to 50"),
        ({"prompts": 5}, "1 to 1000 characters"),
        ({"perceptors": []}, "names"),
    ],
)
def test_bad_input_is_refused_with_one_sentence(given, sentence):
    with pytest.raises(SettingsError) as refusal:
        made(**given)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("drawer", OPTION["drawer"].choices)
def test_a_drawer_refuses_every_setting_of_another_and_takes_its_own(drawer):
    values = {
        "pixel_size": (20, 10),
        "pixel_scale": 2,
        "pixel_type": "hex",
        "palette": "nes",
        "colors": 5,
        "dither": "bayer",
        "transparent": True,
        "layers": True,
        "tile": True,
        "symmetry": "x",
        "strokes": 30,
        "stroke_length": 3,
        "min_stroke_width": 1,
        "max_stroke_width": 2,
        "allow_paper_color": True,
        "outline": True,
        "dream": True,
        "vqgan_model": "mini",
    }
    assert set(values) == {option.name for option in OPTIONS if option.drawers}
    for name, value in values.items():
        if drawer in OPTION[name].drawers:
            beside = {"init_image": "a.png"} if name in {"outline", "dream", "dither"} else {}
            beside |= {"palette": "nes"} if name == "dither" else {}
            settings = resolve(made(drawer=drawer, **{name: value}, **beside))
            assert getattr(settings, name) == value
            assert resolve(settings) == settings
        else:
            with pytest.raises(SettingsError, match=f"^{name} is only for drawer="):
                made(drawer=drawer, **{name: value})


def test_what_a_drawer_has_no_use_for_may_be_said_to_be_off():
    settings = resolve(made(drawer="clipdraw", transparent=False, symmetry="none"))
    assert (settings.pixel_size, settings.colors, settings.layers) == (None, None, None)
    assert (settings.strokes, settings.learning_rate) == (256, 0.5)
    assert resolve(made(drawer="line_sketch")).strokes == 24
    assert (resolve(made()).strokes, resolve(made()).learning_rate) == (None, 0.08)


def test_a_missing_prompt_is_refused():
    with pytest.raises(SettingsError, match="prompt is missing"):
        make_settings({})


@given(st.sampled_from([option.name for option in OPTIONS]), st.text(max_size=60))
def test_any_text_for_any_setting_is_accepted_or_refused(name, value):
    try:
        settings = made(**{name: value})
    except SettingsError:
        return
    assert resolve(settings, init_size=(10, 10)).seed is not None


def test_every_option_is_a_field_and_every_field_an_option():
    assert [option.name for option in OPTIONS] == list(Settings.__struct_fields__)


@pytest.mark.parametrize("pixel_type", ["rectshift", "hex", "diamond"])
def test_shifted_rows_are_made_to_repeat_unless_the_grid_is_given(pixel_type):
    assert resolve(made(pixel_type=pixel_type, tile=True)).pixel_size[1] % 2 == 0
    assert resolve(made(pixel_type=pixel_type, symmetry="y")).pixel_size[1] % 2 == 0
    odd = made(pixel_type=pixel_type, pixel_size=(7, 7), symmetry="x")
    assert resolve(odd).pixel_size == (7, 7)


def test_triangles_are_made_to_repeat_unless_the_grid_is_given():
    for scale in (1, 1.3, 2, 2.9):
        columns, rows = resolve(made(pixel_type="tri", tile=True, pixel_scale=scale)).pixel_size
        assert columns % 2 == rows % 2 == 0


def test_a_palette_is_kept_as_it_was_named():
    assert made(palette=" PICO8 ").palette == "pico8"
    assert made(palette="[Red,  Blue]").palette == "[red, blue]"


def test_a_picture_has_layers_unless_it_is_transparent_or_from_an_image():
    assert resolve(made()).layers is True
    assert resolve(made(layers=False)).layers is False
    assert resolve(made(transparent=True)).layers is False
    assert resolve(made(init_image="x")).layers is False
    assert resolve(made(init_image="x", layers=True)).layers is True


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_its_settings_given_by_hand(preset):
    by_hand = made(**PRESETS[preset])
    assert msgspec.structs.replace(made(preset=preset), preset=None) == by_hand
    assert by_hand != made()


def test_what_is_given_by_hand_wins_over_a_preset():
    settings = made(preset="sprite", transparent=False, colors=5)
    assert (settings.transparent, settings.colors) == (False, 5)
    assert settings.pixel_size == PRESETS["sprite"]["pixel_size"]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    "given",
    [
        {"aspect": "portrait"},
        {"size": (640, 320)},
        {"scale": 3},
        {"pixel_size": (20, 20)},
        {"pixel_scale": 2},
        {"transparent": True},
        {"layers": True},
        {"init_image": "x"},
        {"init_image": "x", "aspect": "retain"},
    ],
)
def test_a_preset_never_contradicts_what_is_given(preset, given):
    drawer = PRESETS[preset].get("drawer", "pixel")
    if any(OPTION[name].drawers and drawer not in OPTION[name].drawers for name in given):
        with pytest.raises(SettingsError, match=f"the drawer is {drawer}"):
            made(preset=preset, **given)
        return
    settings = resolve(made(preset=preset, **given), init_size=(300, 100))
    assert {name: getattr(settings, name) for name in given} == given
    if drawer == "pixel" and "pixel_size" not in given:
        width, height = settings.size
        columns, rows = settings.pixel_size
        assert width / columns == pytest.approx(height / rows, rel=0.15)


def test_a_stored_job_does_not_change_with_the_table_of_presets(monkeypatch):
    stored = msgspec.json.encode(made(preset="sprite", seed=1))
    before = resolve(msgspec.json.decode(stored, type=Settings))
    monkeypatch.setattr("engine.settings.make.PRESETS", {"sprite": {"colors": 3}})
    assert resolve(msgspec.json.decode(stored, type=Settings)) == before
    assert made(preset="sprite").colors == 3
