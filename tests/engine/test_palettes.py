"""Palettes: names, hex colours and pixray's language."""

import hashlib
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SettingsError
from engine.palettes import MAX_COLOURS, PALETTES, parse_palette

BYTES = st.integers(0, 255)
COLOURS = st.tuples(BYTES, BYTES, BYTES)


def hexed(colour):
    return "#{:02x}{:02x}{:02x}".format(*colour)


@pytest.mark.parametrize("name", PALETTES)
def test_a_name_gives_its_colours_each_once(name):
    colours = parse_palette(name)
    assert colours == PALETTES[name]
    assert len(set(colours)) == len(colours)


def test_the_named_colours_are_those_that_earlier_pictures_were_drawn_with():
    named = ";".join(
        f"{name}:{' '.join(map(hexed, colours))}" for name, colours in sorted(PALETTES.items())
    )
    assert hashlib.sha256(named.encode()).hexdigest()[:16] == "9c00f3612941a290"


@pytest.mark.parametrize("written", ["PICO-8", " pico 8 ", "pico_8"])
def test_a_name_may_be_written_as_people_write_it(written):
    assert parse_palette(written) == PALETTES["pico8"]


@pytest.mark.parametrize(
    ("source", "colours"),
    [
        (r"red->rust\2;[black]", [(229, 0, 0), (168, 60, 9), (0, 0, 0)]),
        (r"black->white\3", [(0, 0, 0), (128, 128, 128), (255, 255, 255)]),
        (r"mat:red\2", [(0, 0, 0), (255, 0, 0)]),
        (r"[mat:red, #0f0]\3", [(255, 0, 0), (128, 128, 0), (0, 255, 0)]),
        (r"black->mat:red->white\3", [(0, 0, 0), (255, 0, 0), (255, 255, 255)]),
        ("[rebeccapurple, robin's egg]", [(102, 51, 153), (109, 237, 253)]),
        ("(1+2+3) -> #fff \\ 2", [(1, 2, 3), (255, 255, 255)]),
        ("#123, #ABCDEF", [(17, 34, 51), (171, 205, 239)]),
        ("1a1c2c f4f4f4", [(26, 28, 44), (244, 244, 244)]),
        (r"pixel_green\2;[pixel_orange]", [(0, 0, 0), (112, 255, 135), (255, 204, 51)]),
        (r"[1+0.5+0]->[0+0+1]\2", [(255, 128, 0), (0, 0, 255)]),
        ("[[1+1+0], (127.5+0+255)]", [(255, 255, 0), (128, 0, 255)]),
        ("[tab:blue, C1, tab:grey]", [(31, 119, 180), (255, 127, 14), (127, 127, 127)]),
        ("[k, mat:r, g, 0.5]", [(0, 0, 0), (255, 0, 0), (0, 128, 0), (128, 128, 128)]),
        ("gameboy;[#0f380f, white]", [*PALETTES["gameboy"], (255, 255, 255)]),
    ],
)
def test_the_language_is_that_of_pixray(source, colours):
    assert list(parse_palette(source)) == colours


def test_a_ramp_has_sixteen_steps_unless_it_is_told():
    assert len(parse_palette("black->white")) == 16
    assert parse_palette("white") == parse_palette("black->white")


def test_a_name_of_both_lists_is_that_of_the_xkcd_survey():
    assert parse_palette("[green, mat:green]") == ((21, 176, 26), (0, 128, 0))


@given(st.lists(COLOURS, min_size=2, max_size=MAX_COLOURS, unique=True))
def test_any_colours_come_back_as_they_were_written(colours):
    assert list(parse_palette(" ".join(map(hexed, colours)))) == colours
    assert list(parse_palette(f"[{','.join(map(hexed, colours))}]")) == colours


@given(st.lists(COLOURS, min_size=2, max_size=5), st.integers(2, MAX_COLOURS))
def test_a_ramp_runs_evenly_from_its_first_colour_to_its_last(ends, steps):
    try:
        ramp = parse_palette("->".join(map(hexed, ends)) + f"\\{steps}")
    except SettingsError:
        assert len(set(ends)) == 1 or steps < len(ends)
        return
    assert ramp[0] == ends[0]
    assert len(ramp) <= steps
    if len(ends) == 2:
        assert ramp[-1] == ends[1]
        for low, high in itertools.pairwise(ramp):
            for first, last, one, two in zip(ends[0], ends[1], low, high, strict=True):
                assert abs(two - one) <= abs(last - first) / (steps - 1) + 1


@given(
    st.text(alphabet=st.sampled_from("[]()\\;,->+# rdbluet0179fpico8:."), max_size=40)
    | st.text(max_size=40)
)
def test_any_text_is_a_palette_or_refused_with_one_sentence(source):
    try:
        colours = parse_palette(source)
    except SettingsError as refusal:
        sentence = str(refusal)
        assert sentence.startswith("The ")
        assert re.search(r"allowed|at its end", sentence)
        assert sentence.endswith(".")
    else:
        assert 2 <= len(set(colours)) == len(colours) <= MAX_COLOURS


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (" ", "palette is empty; allowed are 1bit, amstrad"),
        ("pico9", "cannot have “pico9”"),
        ("[red]", "has 1 colour; allowed are 2 to 256"),
        ("[black, #000]", "has 1 colour; allowed are 2 to 256"),
        (r"black->white\256;ega", "colours; allowed are 2 to 256"),
        ("[red, blue", "has no “]” at its end"),
        (r"red->rust\1", "cannot have “1” steps; allowed are 2 to 256"),
        (r"red->rust\many", "cannot have “many” steps"),
        (r"red->rust\257", "cannot have “257” steps"),
        ("red->", "cannot have “”"),
        ("[red,, blue]", "cannot have “”"),
        ("red;;blue", "cannot have “”"),
        ("#12345 #fff", "cannot have “#12345 #fff”"),
        ("(256+0+0)->red", "cannot have “(256+0+0)”"),
        ("[1+0.5+2]->red", "cannot have “[1+0.5+2]”"),
        ("@palette.png", "cannot have “@palette.png”"),
        ("http://a.b/c.png", "cannot have “http://a.b/c.png”"),
        ("mat:rust", "cannot have “mat:rust”"),
        ("x" * 4001, "4001 characters long; at most 4000"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_is_allowed(source, sentence):
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        parse_palette(source)
