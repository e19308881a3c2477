"""Settings mean the same after they were written and read again, in every way there is."""

import hashlib

import msgspec
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from PIL import Image

from engine.png import encode_png
from engine.prompts import MAX_LENGTH, parse_prompts
from engine.protocol import Provenance
from engine.recipe import make_recipe, read_recipe, write_recipe
from engine.settings import (
    Settings,
    make_settings,
    picture_names,
    resolve,
    to_given,
    with_names,
)
from tests.engine.strategies import settings

# Random settings often contradict each other, and are then drawn anew.
patient = effort(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
INIT_SIZE = (300, 200)
PROVENANCE = Provenance(2, "cpu", "float32", {"pixelclip": "0" * 64})


@patient
@given(settings())
def test_asked_settings_are_made_again_from_what_to_give(asked):
    assert make_settings(to_given(asked)) == asked


@patient
@given(settings())
def test_resolved_settings_are_resolved_again_from_what_to_give(asked):
    resolved = resolve(asked, init_size=INIT_SIZE)
    assert resolve(make_settings(to_given(resolved)), init_size=INIT_SIZE) == resolved


@patient
@given(settings())
def test_settings_survive_json(asked):
    for each in (asked, resolve(asked, init_size=INIT_SIZE)):
        assert msgspec.json.decode(msgspec.json.encode(each), type=Settings) == each


@patient
@given(settings())
def test_a_picture_s_text_tells_all_settings_but_the_names_of_pictures(asked):
    resolved = resolve(asked, init_size=INIT_SIZE)
    pictures = dict.fromkeys(picture_names(asked), b"a picture")
    recipe = make_recipe(resolved, PROVENANCE, pictures)
    png = encode_png(Image.new("RGB", (1, 1)), write_recipe(recipe))
    again = read_recipe(png)
    assert again == recipe
    digest = hashlib.sha256(b"a picture").hexdigest()
    expected = with_names(resolved, lambda name: digest)
    assert resolve(again.settings, init_size=INIT_SIZE) == expected
    assert set(picture_names(expected)) <= {digest}


def test_prompts_as_long_as_allowed_can_be_read_again():
    longest = "|".join(["x" * 124] * 8)
    longest += "x" * (MAX_LENGTH - len(longest))
    asked = make_settings({"prompts": longest})
    assert make_settings(to_given(asked)) == asked
    assert parse_prompts(asked.prompts) == parse_prompts(longest)
