"""Settings inside a prompt and one a line: which words are settings, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prompt_options import WRITABLE, read_lines, split_settings, write_line
from engine.errors import SettingsError
from engine.settings import OPTION

words = st.lists(
    st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=8)
    .map(lambda word: "".join(word.split()))
    .filter(lambda word: word and word[0] not in "-–—" and "|" not in word)
).map(" ".join)
values = st.sampled_from(["=x", '"x"', "“a” b", "'", "--tile", "pico8 --tile"]) | st.text(
    st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=20
).map(lambda text: " ".join(text.split()))


@pytest.mark.parametrize(
    ("text", "prompt", "settings"),
    [
        (
            "a lighthouse at dusk --palette pico8 --pixel-size 64x36 --tile",
            "a lighthouse at dusk",
            {"palette": "pico8", "pixel_size": "64x36", "tile": True},
        ),
        ("--seed 7 a fox", "a fox", {"seed": "7"}),
        ("a --Tile fox", "a fox", {"tile": True}),
        ("a fox --no-layers", "a fox", {"layers": False}),
        ("a fox --tile false", "a fox", {"tile": "false"}),
        ("a fox --tile=no", "a fox", {"tile": "no"}),
        ("a fox --tile on a wall", "a fox on a wall", {"tile": True}),
        ("a fox --seed=7", "a fox", {"seed": "7"}),
        ("a fox --seed: 7", "a fox", {"seed": "7"}),
        ("a fox --pixel_size 64 36 in snow", "a fox in snow", {"pixel_size": "64 36"}),
        ("a fox --pixel-size 64x36 36 times", "a fox 36 times", {"pixel_size": "64x36"}),
        ('a --palette "red->rust; [black]" fox', "a fox", {"palette": "red->rust; [black]"}),
        ("a fox --seed “my own”", "a fox", {"seed": "my own"}),
        ("a fox --seed 'my own'", "a fox", {"seed": "my own"}),
        ("a castle:2 --tile | people:-0.5", "a castle:2 | people:-0.5", {"tile": True}),
        ("a castle|--tile", "a castle|", {"tile": True}),
        # As a telephone writes two dashes.
        ("a fox —seed 7", "a fox", {"seed": "7"}),
        ("--dream", "", {"dream": True}),
    ],
)
def test_settings_are_taken_out_of_a_prompt(
    text: str, prompt: str, settings: dict[str, object]
) -> None:
    written = split_settings(text)
    assert (written.prompt, written.settings) == (prompt, settings)


@pytest.mark.parametrize(
    "text",
    [
        "a cat -- asleep",
        "well--known",
        "a cat --",
        "-- tile",
        "a cat --5 degrees",
        "a cat --- tile",
        "a cat —asleep",
        "a cat – tile",
        "  two  spaces ",
        "-tile",
    ],
)
def test_text_stays_text(text: str) -> None:
    written = split_settings(text)
    assert (written.prompt, written.settings) == (text, {})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a fox --palete pico8", "no setting “palete”; did you mean palette"),
        ("a fox --palete pico8", "put a space after “--”"),
        ("a fox --qqqq", "there are drawer, preset, aspect"),
        ("a fox --prompts b", "no setting “prompts”"),
        ("a fox --palette", "palette has no value; allowed are 1bit"),
        ("a fox --palette --tile", "palette has no value"),
        ("a fox --tile=", "tile has no value; allowed are true or false"),
        ("a fox --no-palette", "no setting “no-palette”"),
        ("a fox --no-tile=true", "takes no value"),
        ("a fox --seed 1 --seed 2", "seed is given twice"),
        ("a fox --tile --no-tile", "tile is given twice"),
        ('a fox --seed "my own', "quotation mark"),
        ('a fox --seed "my own"--tile', "quotation mark"),
        ("a fox --init-image https://example.com/a.png", "init_image is a picture; attach it"),
        ("a fox --mask ../secret.png", "mask is a picture; attach it"),
        ("a fox --image-prompts /etc/passwd", "image_prompts is a picture"),
    ],
)
def test_what_looks_like_a_setting_and_is_none_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        split_settings(text)


def test_every_setting_that_a_chat_may_use_can_be_written() -> None:
    chat = {name for name, option in OPTION.items() if option.chat} - {"prompts"}
    assert set(WRITABLE) == chat | {"perceptors", "vqgan_model"}


@given(words)
def test_words_without_dashes_are_left_as_they_are(text: str) -> None:
    assert split_settings(text).prompt == text


pieces = st.sampled_from(
    [
        *("a fox", "--tile", "--seed", "7", "“a b”", '"x', "|", "--", "—seed", "--no-tile"),
        *("--a", "=", ":2", " ", "  "),
    ]
)


@given(st.text(max_size=60) | st.lists(pieces, max_size=12).map("".join))
def test_any_text_is_read_or_refused_and_what_is_left_holds_no_setting(text: str) -> None:
    try:
        written = split_settings(text)
    except SettingsError:
        return
    again = split_settings(written.prompt)
    assert (again.prompt, again.settings) == (written.prompt, {})


@given(words, words, st.sampled_from([name for name in WRITABLE if name != "tile"]), values)
def test_a_value_in_quotation_marks_is_read_whole(
    before: str, after: str, name: str, value: str
) -> None:
    value = value.replace("”", "").strip() or "x"
    written = split_settings(f"{before} --{name}=“{value}” {after}")
    assert written.settings == {name: value}
    assert written.prompt.split() == f"{before} {after}".split()


@given(st.dictionaries(st.sampled_from(list(WRITABLE)), values.filter(bool), max_size=5))
def test_lines_are_read_as_they_were_written(settings: dict[str, str]) -> None:
    lines = [write_line(name, value) for name, value in settings.items()]
    assert read_lines("\n".join(lines)) == settings


def test_values_of_every_kind_are_written_in_a_line() -> None:
    settings = {
        "tile": True,
        "layers": False,
        "size": (64, 36),
        "cut_power": 0.30000000000000004,
        "learning_rate_drops": (),
        "palette": "",
    }
    lines = [write_line(name, value) for name, value in settings.items()]
    assert lines == [
        *("tile", "no-layers", "size 64 36", "cut_power 0.30000000000000004"),
        *('learning_rate_drops ""', 'palette ""'),
    ]
    assert read_lines("\n".join(lines)) == {
        "tile": True,
        "layers": False,
        "size": "64 36",
        "cut_power": "0.30000000000000004",
        "learning_rate_drops": "",
        "palette": "",
    }


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("palette pico8\n\n tile ", {"palette": "pico8", "tile": True}),
        ("palette: red->rust; [black]", {"palette": "red->rust; [black]"}),
        ("pixel-size = 64 36", {"pixel_size": "64 36"}),
        ('spot_prompts "a fox"', {"spot_prompts": "a fox"}),
        ("--palette pico8 --tile", {"palette": "pico8", "tile": True}),
        ("Tile no", {"tile": "no"}),
    ],
)
def test_lines_may_be_written_in_several_ways(text: str, settings: dict[str, object]) -> None:
    assert read_lines(text) == settings


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a fox", "no setting “a”"),
        ("palette", "palette has no value"),
        ("tile\ntile", "tile is given twice"),
        ("no-tile yes", "takes no value"),
        ("--tile a fox", "“a fox” belongs to no setting"),
        ("=", "no setting “=”"),
        ("target_image x.png", "is a picture"),
    ],
)
def test_a_line_that_is_no_setting_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        read_lines(text)
