"""Random settings for property tests, made from the table of options itself."""

from hypothesis import assume
from hypothesis import strategies as st

from engine.errors import SettingsError
from engine.palettes import PALETTES
from engine.settings import MAX_SEED, OPTIONS, PIXELCLIP, Option, make_settings

# More than a few at once nearly always contradict each other.
MAX_GIVEN = 6

_palettes = st.sampled_from([*PALETTES, r"red->rust\8;[black]", "#fff #000 #be4a2f", " PICO8 "])
_weights = st.floats(-10, 10).map(lambda weight: f":{weight}")
_prompts = st.lists(
    st.builds("{}{}".format, st.text(min_size=1, max_size=20), st.just("") | _weights),
    min_size=1,
    max_size=8,
).map("|".join)


def values(option: Option):
    """What may be given for an option, written or as a value; not all of it is accepted."""
    low, high = option.low, option.high
    match option.kind:
        case "choice":
            return st.sampled_from(option.choices)
        case "integer":
            return st.integers(int(low), int(high))
        case "number":
            return st.floats(low, high)
        case "numbers":
            return st.lists(st.floats(low, high), max_size=4)
        case "pair":
            side = st.integers(int(low), int(high))
            return st.tuples(side, side) | st.builds("{}x{}".format, side, side)
        case "seed":
            return st.integers(0, MAX_SEED) | st.text(min_size=1, max_size=100)
        case "flag":
            return st.booleans()
        case "names":
            return st.lists(
                st.sampled_from(["auto", PIXELCLIP, "RN50/openai", "RN50/openai:0.5"]), min_size=1
            )
        case "palette":
            return _palettes
        case "prompts":
            return _prompts
        case "several":
            return st.lists(st.sampled_from(option.choices))
        case "labels":
            return st.sampled_from(["goldfish", "goldfish:2 | volcano:-0.5", " Tabby "])
        case "picture":
            return st.text(min_size=1, max_size=30)
        case "pictures":
            return _prompts
        case "blend":
            return _prompts | st.text(min_size=1, max_size=30).map("picture:{}".format)


@st.composite
def settings(draw):
    """Settings that `make_settings` accepts."""
    names = draw(
        st.lists(st.sampled_from(OPTIONS[1:]), max_size=MAX_GIVEN, unique_by=lambda o: o.name)
    )
    given = {option.name: draw(values(option)) for option in (OPTIONS[0], *names)}
    try:
        return make_settings(given)
    except SettingsError:
        assume(False)
