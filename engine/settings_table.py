"""The table of all settings for people: in a terminal, as Markdown, and one setting by itself."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.presets import PRESETS
from engine.settings import OPTIONS, Option

# How the documentation is made.
COMMAND = "pixel settings --markdown > docs/settings.md"

_NAME = "bold cyan"

_INTRODUCTION = f"""\
# Settings

Everything that a drawing can be asked for. On the command line any of them is `--set name=value`,
and the most used have options of their own (`pixel draw --help`); `pixel settings NAME` explains
one. This page is made by `{COMMAND}`.
"""


def table() -> RenderableType:
    """Every setting and preset, in columns that are at home in 80 characters and in more."""
    options = _columns("setting", "default", "meaning, and what is allowed")
    for option in OPTIONS:
        meaning = Text.assemble(option.meaning, "\n", (option.allowed, "dim"))
        options.add_row(Text(option.name, _NAME), Text(option.default), meaning)
    return Group(options, "", _presets())


def card(option: Option) -> RenderableType:
    """One setting: its meaning, what is allowed, and how it is written."""
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("allowed", Text(option.allowed))
    facts.add_row("default", Text(option.default))
    facts.add_row("in a chat", "free" if option.chat else "what the operator has listed")
    parts: list[RenderableType] = [Text(option.name, _NAME), Text(option.meaning), facts]
    if option.name == "preset":
        parts += ["", _presets()]
    return Group(*parts)


def markdown() -> str:
    """The whole page of the documentation."""
    settings = [
        (f"`{option.name}`", option.default, option.allowed, option.meaning) for option in OPTIONS
    ]
    presets = [(f"`{name}`", _assigned(values)) for name, values in PRESETS.items()]
    parts = (
        _INTRODUCTION,
        _markdown_table(("Setting", "Default", "Allowed", "Meaning"), settings),
        "## Presets\n",
        _markdown_table(("Preset", "Is"), presets),
    )
    return "\n".join(parts)


def _presets() -> Table:
    presets = _columns("preset", "is")
    for name, values in PRESETS.items():
        presets.add_row(Text(name, _NAME), Text(_assigned(values)))
    return presets


def _columns(*headings: str) -> Table:
    columns = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    first, *others, last = headings
    columns.add_column(first, no_wrap=True)
    for heading in others:
        columns.add_column(heading, max_width=16)
    columns.add_column(last, overflow="fold", ratio=1)
    return columns


def _assigned(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={_written(value)}" for name, value in values.items())


def _written(value: object) -> str:
    """A setting's value as it is written on the command line."""
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings)]
    # A backslash before a stroke keeps it in its cell; one before a digit must be told apart.
    lines += [[cell.replace("\\", "\\\\").replace("|", "\\|") for cell in row] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
