"""The table of settings, as it is documented and shown."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from engine.presets import PRESETS
from engine.settings import OPTIONS
from engine.settings_table import COMMAND, card, markdown, table

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def shown(what, width):
    written = io.StringIO()
    Console(file=written, width=width).print(what)
    return written.getvalue()


def test_the_documentation_is_the_table_of_the_code():
    assert PAGE.read_text() == markdown(), f"docs/settings.md is old; run: {COMMAND}"


@pytest.mark.parametrize("width", [80, 140])
def test_every_setting_and_preset_is_shown_whole_within_the_terminal(width):
    text = shown(table(), width)
    assert max(map(len, text.splitlines())) <= width
    for option in OPTIONS:
        words = f"{option.name} {option.default} {option.meaning} {option.allowed}".split()
        assert [word for word in words if word not in text] == []
    assert all(name in text for name in PRESETS)
    assert "[black," in text


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_a_setting_by_itself_tells_what_is_allowed(option):
    words = " ".join(shown(card(option), 80).split())
    for part in (option.name, option.meaning, option.default):
        assert part in words
    assert " ".join(option.allowed.split()) in words


def test_a_cell_of_the_page_keeps_its_strokes():
    assert "“\\|” separates" in markdown()
    rows = [line for line in markdown().splitlines() if line.startswith("| `")]
    assert len(rows) == len(OPTIONS) + len(PRESETS)
