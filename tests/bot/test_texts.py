"""Strangers' words are made harmless, and stay readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.texts import alt_text, bar, code_block, duration, harmless, size


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a red apple", "a red apple"),
        ("**bold** _and_ `code` ||secret||", r"\*\*bold\*\* \_and\_ \`code\` \|\|secret\|\|"),
        ("@everyone <@123> <:emoji:9>", "@\u200beveryone \\<@\u200b123\\> \\<:emoji:9\\>"),
        ("[free](https://evil.example)", r"\[free\](https\://evil.example)"),
        ("two\nlines\r\n# heading", "two lines # heading"),
        ("\u202eturned", "turned"),
        ("🦊 naïve 山", "🦊 naïve 山"),
    ],
)
def test_a_prompt_is_text_and_nothing_else(text: str, shown: str) -> None:
    assert harmless(text, 500) == shown


@given(st.text(max_size=300), st.integers(min_value=3, max_value=120))
def test_a_prompt_never_gets_longer_than_it_may(text: str, limit: int) -> None:
    shown = harmless(text, limit)
    assert len(shown) <= limit
    assert "@everyone" not in shown
    assert "\n" not in shown


def test_a_long_prompt_is_cut_and_says_so() -> None:
    assert harmless("word " * 100, 50).endswith("…")
    assert len(alt_text("word " * 1000)) == 1024


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 s"), (8.4, "8 s"), (59, "59 s"), (61, "2 min"), (600, "10 min"), (5400, "1.5 h")],
)
def test_a_time_span_is_rounded_to_what_matters(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 KiB"), (2**20, "1 MiB"), (2**30 - 1, "1,024 MiB"), (1234 * 2**30, "1,234.0 GiB")],
)
def test_a_size_is_told_in_the_unit_that_fits(count: int, text: str) -> None:
    assert size(count) == text


def test_the_bar_has_the_same_length_however_full() -> None:
    assert {len(bar(share)) for share in (-1, 0, 0.3, 1, 7)} == {len(bar(0.5))}
    assert bar(0) != bar(0.5) != bar(1)


@given(st.text(max_size=300), st.integers(min_value=1, max_value=120))
def test_what_is_given_back_stays_in_its_block(text: str, limit: int) -> None:
    block = code_block(text, limit)
    inner = block.removeprefix("```\n").removesuffix("\n```")
    assert len(inner) <= limit
    assert "```" not in inner


def test_what_is_given_back_can_be_copied() -> None:
    assert code_block(" a *red* fox\n--tile ", 100) == "```\na *red* fox\n--tile\n```"
