"""The README tells the truth."""

import re
from pathlib import Path

import pytest

from bot.config import settings_table
from engine.cli import app as engine_commands

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_table_of_the_environment_is_that_of_the_code():
    assert settings_table() in README


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README))
def test_what_it_links_to_is_there(target):
    assert (ROOT / target).exists()


def test_each_option_of_draw_that_it_names_exists():
    (draw,) = [
        command.callback
        for command in engine_commands.registered_commands
        if command.callback is not None and command.callback.__name__ == "draw"
    ]
    options = {f"--{name.strip('_').replace('_', '-')}" for name in draw.__annotations__}
    section = README.split("## Draw from the command line")[1].split("\n## ")[0]
    assert set(re.findall(r"--[a-z][a-z-]+", section)) <= options


def test_every_file_on_its_map_is_there():
    drawing = README.split("## The house")[1].split("```")[1]
    half = None
    for line in drawing.strip().splitlines():
        for name in re.findall(r"[a-z_]+(?:/|\.py)", line.split("  ", 1)[0] or line.strip()):
            if not line.startswith(" "):
                half = ROOT / name
                assert half.is_dir()
        if line.startswith("  "):
            for name in re.findall(r"^\s+([a-z_]+(?:/|\.py))(?:  ([a-z_]+/))?", line):
                assert all((half / part).exists() for part in name if part), line
