"""Whatever is written or sent is read, or refused in one sentence; nothing else is raised.

In CI each property is tried a hundred times. To try them for about five minutes:

    pytest tests/test_fuzz.py --hypothesis-profile long --timeout 900
"""

import re

import msgspec
from hypothesis import HealthCheck, example, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from bot.options import settings_from_options
from bot.prompt_options import WRITABLE, read_lines, split_settings, write_line
from engine.errors import SettingsError
from engine.palettes import MAX_COLOURS, MIN_COLOURS, PALETTES, parse_palette
from engine.prompts import MAX_LENGTH, MAX_PROMPTS, format_prompts, parse_prompts
from engine.protocol import (
    HEADER_BYTES,
    MAX_FRAME,
    Cancel,
    Cancelled,
    Done,
    Draw,
    Failed,
    Heartbeat,
    Hello,
    Progress,
    ProtocolError,
    Ready,
    Snapshot,
    Statistics,
    Told,
    decode_reply,
    decode_request,
    encode_frame,
    frame_length,
)
from engine.settings import OPTIONS, Settings, make_settings, resolve, to_given
from tests.engine.strategies import settings

patient = effort(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])

# Halves of characters too, as a command line of other bytes has them.
anything = st.text(st.characters(exclude_categories=[]), max_size=60)
numbers = st.sampled_from(
    [
        "0",
        "-0",
        "1e400",
        "-1e400",
        "nan",
        "inf",
        "1_000",
        "٣",
        "²",
        "0x10",
        "9" * 400,
        ".",
        "+",
        "5",
    ]
) | st.floats().map(str)


def spoken(*pieces: str, most: int = 25) -> st.SearchStrategy[str]:
    """Texts in a language: its own pieces, numbers, and anything between them."""
    piece = st.sampled_from(pieces) | numbers | anything
    return st.lists(piece, max_size=most).map("".join)


prompts = spoken(*"|:- \t\n.", ":2", ":-0.5", ":2:0.1", "|:", "a castle", "::", "--", "x" * 300)
palettes = spoken(
    *"#;,[]()+-\\> \n",
    *("->", "\\8", "\\256", "\\999", "red", "rust", "black", "#fc0", "#1a1c2c", "fff", "[black"),
    *("(255+128+0)", "[1+0.5+0]", "file:///etc/passwd", *PALETTES),
)
names = st.sampled_from([option.name for option in OPTIONS]) | anything
commands = spoken(
    *" \n\t=:\"'“”„«»「」|—–",
    *(
        "--",
        "--no-",
        "—",
        "--palette",
        "--tile",
        "--no-tile",
        "--size=",
        "--seed ",
        "--mask",
        "nes",
    ),
    *(f" --{name.replace('_', '-')} " for name in WRITABLE),
    *(" true", " false", "64x36", "64 36", "a fox", "pixelclip", "nes", "/etc/passwd", "../../x"),
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | anything
    | numbers
    | prompts
    | palettes
    | st.sampled_from([2**63, -(2**63), 10**400, "picture:", "picture:x", "auto", "x:nan"])
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=2),
    max_leaves=5,
)


def refusal(error: SettingsError) -> None:
    """It can be sent to whoever wrote that, and is no more than they can read."""
    sentence = str(error)
    assert sentence[-1] in ".?", sentence
    assert len(sentence.encode()) < 2000


@patient
@given(prompts)
@example("a\ud800")
def test_prompts(text):
    try:
        read = parse_prompts(text)
    except SettingsError as error:
        refusal(error)
        return
    assert 1 <= len(read) <= MAX_PROMPTS
    assert all(prompt.text and -10 <= prompt.weight <= 10 for prompt in read)
    assert all(prompt.stop is None or -5 <= prompt.stop <= 5 for prompt in read)
    written = format_prompts(read)
    if len(written) <= MAX_LENGTH:
        assert parse_prompts(written) == read


@patient
@given(palettes)
def test_palettes(text):
    try:
        colours = parse_palette(text)
    except SettingsError as error:
        refusal(error)
        return
    assert MIN_COLOURS <= len(colours) <= MAX_COLOURS
    assert all(0 <= part <= 255 for colour in colours for part in colour)
    assert len(set(colours)) == len(colours)
    assert "`" not in text, "it would end the code block in which it is shown"


@patient
@given(st.dictionaries(names, values, max_size=6), st.sampled_from(["x", "a cat", ""]))
def test_settings(given, prompt):
    try:
        asked = make_settings({"prompts": prompt, **given})
        resolved = resolve(asked, init_size=(30, 20))
    except SettingsError as error:
        refusal(error)
        return
    for one in (asked, resolved):
        assert msgspec.json.decode(msgspec.json.encode(one), type=Settings) == one
        body = encode_frame(Draw("1", one))[HEADER_BYTES:]
        assert decode_request(body) == Draw("1", one)
    assert make_settings(to_given(asked)) == asked


@patient
@given(st.sampled_from(OPTIONS), values)
@example(next(option for option in OPTIONS if option.name == "seed"), "\ud800")
def test_one_setting(option, value):
    try:
        asked = make_settings({"prompts": "x", option.name: value})
    except SettingsError as error:
        refusal(error)
        return
    assert msgspec.json.decode(msgspec.json.encode(asked), type=Settings) == asked


@patient
@given(commands)
def test_settings_in_a_prompt(text):
    try:
        written = split_settings(text)
    except SettingsError as error:
        refusal(error)
        return
    assert set(written.settings) <= set(WRITABLE)
    if not written.settings:
        assert written.prompt == text


@patient
@given(commands)
def test_settings_in_a_prompt_from_a_chat(text):
    try:
        written = split_settings(text)
        asked = settings_from_options(
            {"prompts": written.prompt.strip() or None, **written.settings},
            listed={"perceptors": ("pixelclip",), "vqgan_model": ("mini",)},
        )
    except SettingsError as error:
        refusal(error)
        return
    for name in ("init_image", "target_image", "mask", "image_prompts"):
        assert getattr(asked, name) is None
    assert not (asked.blend_with or "").startswith("picture:")
    assert {name.partition(":")[0] for name in asked.perceptors or ()} <= {"pixelclip"}
    assert asked.vqgan_model in (None, "mini")


@patient
@given(commands)
@example('--drawer ""')
def test_settings_one_a_line(text):
    try:
        read = read_lines(text)
    except SettingsError as error:
        refusal(error)
        return
    assert set(read) <= set(WRITABLE)
    for name, value in read.items():
        # It can be written into the form again, unless it holds every quotation mark.
        if not re.search("[\"'”“»」]", str(value)):
            assert set(read_lines(write_line(name, value))) == {name}


messages = st.sampled_from(
    [
        Hello(4),
        Draw("7", make_settings({"prompts": "a cat", "seed": 3}), {"a": b"png"}),
        Cancel("7", keep=True),
        Ready(4, 1, "cpu", "x86_64", ("pixelclip",)),
        Told(1, Progress("7", 1, 2, 0.5, 0.3, b"png")),
        Told(1, Snapshot("7", 20)),
        Told(2, Done("7", b"png", b"png", Statistics(2, 1.0, 0.5, 0.3), "<svg/>", (b"png",))),
        Told(1, Failed("7", "memory", "It does not fit.")),
        Told(1, Cancelled("7", 3)),
        Heartbeat(0.5),
    ]
) | settings().map(lambda asked: Draw("7", asked))


@st.composite
def damaged_frames(draw):
    """A message's frame with bytes changed, taken out, put in, or cut off."""
    frame = bytearray(encode_frame(draw(messages)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(frame)))
        match draw(st.sampled_from(["change", "remove", "insert", "cut", "nest"])):
            case "change":
                frame[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "remove":
                del frame[at : at + draw(st.integers(1, 8))]
            case "insert":
                frame[at:at] = draw(st.binary(max_size=12))
            case "cut":
                del frame[at:]
            case "nest":
                frame[at:at] = draw(st.sampled_from([b"\x91", b"\x81\xa1a"])) * 20_000
    return bytes(frame)


@patient
@given(st.binary(max_size=300) | damaged_frames())
@example(b"\0\0\0\0\x82\xa4type\xa5Hello\xa1z" + b"\x91" * 100_000)
@example(b"\0\0\0\0\x82\xa4type\xa9Cancelled\xa3job\xa1\xff")
def test_frames(data):
    header, body = data[:HEADER_BYTES], data[HEADER_BYTES:]
    if len(header) == HEADER_BYTES:
        try:
            assert frame_length(header) <= MAX_FRAME
        except ProtocolError as error:
            assert "at most" in str(error)  # noqa: PT017 - it may well be short
    for decode in (decode_request, decode_reply):
        try:
            message = decode(body)
        except ProtocolError:
            continue
        assert decode(encode_frame(message)[HEADER_BYTES:]) is not None


@patient
@given(messages, st.data())
def test_a_frame_that_is_cut_off_is_no_message(message, data):
    body = encode_frame(message)[HEADER_BYTES:]
    decode = decode_request if isinstance(message, Hello | Draw | Cancel) else decode_reply
    assert decode(body) is not None
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    try:
        decode(cut)
    except ProtocolError:
        return
    raise AssertionError(cut)
