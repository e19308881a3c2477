"""The prompt language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import SettingsError
from engine.prompts import Prompt, format_prompts, parse_prompts


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a red apple", [Prompt("a red apple")]),
        ("  spaces  ", [Prompt("spaces")]),
        ("a castle:2", [Prompt("a castle", 2)]),
        ("a castle:2 | people:-0.5", [Prompt("a castle", 2), Prompt("people", -0.5)]),
        ("fog:1:0.25", [Prompt("fog", 1, 0.25)]),
        ("fog:-1:-.7", [Prompt("fog", -1, -0.7)]),
        ("7 cats", [Prompt("7 cats")]),
        ("route 66", [Prompt("route 66")]),
        ("Star Wars: a new hope", [Prompt("Star Wars: a new hope")]),
        ("time: 10", [Prompt("time: 10")]),
        ("a :) face", [Prompt("a :) face")]),
        ("cat|dog", [Prompt("cat"), Prompt("dog")]),
        ("cat | | dog |", [Prompt("cat"), Prompt("dog")]),
        ("🍎:2", [Prompt("🍎", 2)]),
        ("@everyone", [Prompt("@everyone")]),
    ],
)
def test_a_prompt_is_text_with_an_optional_weight_and_stop(source, expected):
    assert parse_prompts(source) == tuple(expected)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("|", "only “|”"),
        ("x" * 1001, "1001 characters"),
        ("|".join("abcdefghi"), "9 parts"),
        ("castle:2x", "“2x”"),
        ("castle:1,5", "“1,5”"),
        ("castle:.", "“.”"),
        ("castle:-inf", "-inf"),
        ("castle:+nan", "+nan"),
        ("castle:1_0", "1_0"),
        ("castle:11", "−10 to 10"),
        ("castle:1:6", "−5 to 5"),
        ("castle:1:2z", "“2z”"),
        (":2", "no text"),
        ("cat | :2", "no text"),
        ("cat:0", "weight 0"),
    ],
)
def test_a_slip_is_refused_with_a_sentence_that_names_it(source, sentence):
    with pytest.raises(SettingsError) as refusal:
        parse_prompts(source)
    assert sentence in str(refusal.value)
    assert str(refusal.value).endswith(".")


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_and_what_is_read_is_read_again_the_same(source):
    try:
        prompts = parse_prompts(source)
    except SettingsError:
        return
    assert parse_prompts(format_prompts(prompts)) == prompts


@given(
    st.lists(
        st.builds(
            Prompt,
            st.sampled_from(["a cat", "two: dogs", "7"]),
            st.floats(-10, 10).filter(bool),
            st.none() | st.floats(-5, 5),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_weights_and_stops_survive_being_written_and_read(prompts):
    assert parse_prompts(format_prompts(prompts)) == tuple(prompts)
