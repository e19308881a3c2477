"""A picture says how it was drawn, and is drawn again from that."""

import hashlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.errors import PictureError, SettingsError
from engine.png import encode_png
from engine.protocol import Provenance
from engine.recipe import (
    KEYWORD,
    draw_again,
    make_recipe,
    read_recipe,
    read_recipe_file,
    write_recipe,
)
from engine.settings import DRAWING_VERSION, PIXELCLIP_QUALITIES, make_settings, resolve

PROVENANCE = Provenance(DRAWING_VERSION, "cpu", "float32", {"pixelclip": "0" * 64})


def recipe(provenance=PROVENANCE, pictures=None, **given):
    asked = make_settings({"prompts": "a cat", "seed": 7, **given})
    return make_recipe(resolve(asked, init_size=(30, 20)), provenance, pictures)


def carrying(text):
    return encode_png(Image.new("RGB", (1, 1)), {KEYWORD: text})


def changed(**changes):
    """A picture whose text differs from a good one."""
    written = json.loads(write_recipe(recipe())[KEYWORD])
    for part, values in changes.items():
        written[part] = written[part] | values if isinstance(values, dict) else values
    return carrying(json.dumps(written))


def again(kept, **given):
    return resolve(draw_again(kept, given), init_size=(30, 20))


def test_a_picture_without_changes_is_asked_for_as_it_was():
    for asked in ({}, {"preset": "sprite"}, {"scale": 3}, {"size": "90x70"}, {"pixel_scale": 2}):
        kept = recipe(**asked)
        assert again(kept) == resolve(make_settings({"prompts": "a cat", "seed": 7, **asked}))


def test_what_is_given_beside_wins_over_the_picture_and_what_follows_from_it():
    kept = recipe(preset="sprite", quality="draft")
    assert again(kept, seed=5).seed == 5
    assert again(kept, prompts="a dog").prompts == "a dog"
    portrait = again(kept, aspect="portrait")
    assert (portrait.pixel_size, portrait.colors) == ((40, 50), 12)
    assert again(kept, scale=2).size == (300, 300)
    assert again(kept, quality="better").iterations == PIXELCLIP_QUALITIES["better"].iterations
    assert again(kept, quality="better").size == (384, 384)
    assert again(kept, iterations=6).display_every == 6
    assert again(kept, layers=True).transparent is False
    assert again(kept, preset="scene").colors == 16
    assert again(kept, init_image="x.png").start == "auto"


def test_another_drawer_takes_from_the_picture_what_it_understands():
    painted = again(recipe(palette="nes", symmetry="x", iterations=9), drawer="clipdraw")
    assert (painted.drawer, painted.palette, painted.symmetry) == ("clipdraw", None, "none")
    assert (painted.iterations, painted.seed) == (9, 7)
    asked = make_settings({"prompts": "a cat", "drawer": "clipdraw"})
    assert painted.learning_rate == resolve(asked).learning_rate
    cells = again(recipe(drawer="clipdraw", strokes=30), drawer="pixel")
    assert cells.strokes is None
    assert cells.pixel_size == (80, 45)


def test_what_is_given_as_it_is_in_the_picture_changes_nothing():
    kept = recipe(preset="sprite", quality="draft", pixel_size="20x20", iterations=9)
    assert again(kept, quality="draft", aspect="square", preset=None) == again(kept)


def test_nothing_is_told_of_a_picture_but_its_hash():
    given = {"init_image": "/home/ada/secret.png", "layers": True, "init_weight": 2}
    kept = recipe(pictures={given["init_image"]: b"PNG"}, **given)
    (text,) = write_recipe(kept).values()
    assert "secret" not in text
    assert kept.settings.init_image == hashlib.sha256(b"PNG").hexdigest()
    with pytest.raises(SettingsError, match="give that file as init_image again"):
        again(kept)
    redrawn = again(kept, init_image="copy.png")
    assert redrawn == resolve(
        make_settings({"prompts": "a cat", "seed": 7, **given, "init_image": "copy.png"})
    )


def test_a_picture_whose_hash_cannot_be_told_is_not_named_either():
    with pytest.raises(KeyError):
        recipe(init_image="/home/ada/secret.png")


def test_what_makes_a_like_of_a_picture_is_told():
    kept = recipe()
    assert kept.differences(recipe()) == ()
    older = msgspec.structs.replace(PROVENANCE, drawing_version=1, weights={"pixelclip": "1"})
    assert recipe(older).differences(kept) == ("another drawing version", "other weights")
    on_gpu = msgspec.structs.replace(PROVENANCE, device="cuda")
    assert recipe(on_gpu).differences(kept) == ("another class of machine",)
    assert recipe(older, seed=8).differences(kept) == ()
    one, other = (recipe(init_image="x", pictures={"x": png}) for png in (b"1", b"2"))
    assert one.differences(other) == ("another init image",)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (encode_png(Image.new("RGB", (1, 1))), "does not say how it was drawn"),
        (carrying("not JSON"), "cannot be read"),
        (carrying("{}"), "cannot be read"),
        (carrying("[" * 60_000), "cannot be read"),
        (carrying('{"settings": {"prompts": ' + "[" * 800 + "]" * 800 + "}}"), "cannot be read"),
        (changed(settings=3), "cannot be read"),
        (changed(provenance={"weights": [1]}), "cannot be read"),
        (changed(provenance={"drawing_version": "2"}), "cannot be read"),
        (changed(provenance={"drawing_version": 99}, settings={"new": 1}), "newer pixel.*99"),
        (changed(settings={"colour": "red"}), "not possible.*no setting “colour”"),
        (changed(settings={"iterations": 10**9}), "not possible.*1 to 2000"),
        (changed(settings={"scale": [[[]]]}), "not possible.*0.5 to 8"),
        (changed(settings={"prompts": None}), "not possible.*prompt is missing"),
        (changed(settings={"pixel_size": [256, 256], "palette": "x" * 5000}), "not possible"),
    ],
)
def test_a_text_that_cannot_be_used_is_one_sentence(data, sentence):
    with pytest.raises(PictureError, match=sentence) as refusal:
        read_recipe(data)
    assert "\n" not in str(refusal.value)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(PictureError, match="No such file"):
        read_recipe_file(tmp_path / "nothing.png")
    (tmp_path / "large.png").write_bytes(bytes(101))
    monkeypatch.setattr("engine.recipe.MAX_BYTES", 100)
    with pytest.raises(PictureError, match="larger than"):
        read_recipe_file(tmp_path / "large.png")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)


@given(
    st.text().map(carrying)
    | _json.map(json.dumps).map(carrying)
    | st.builds(
        lambda name, value: changed(settings={name: value}),
        st.sampled_from(sorted(json.loads(write_recipe(recipe())[KEYWORD])["settings"])),
        _json,
    )
)
def test_any_text_is_a_recipe_or_our_own_error(data):
    try:
        kept = read_recipe(data)
    except PictureError:
        return
    assert resolve(kept.settings, init_size=(1, 1)).seed is not None
