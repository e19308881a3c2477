"""The rule that must not break: the two halves meet at the torch-free door only."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOOR = {
    *("settings", "presets", "prompts", "palettes", "protocol", "client", "errors", "files", "cli"),
    "importing",
    # For the workshop: numpy and Pillow alone.
    *("animation", "palette_files", "png", "sprite_sheet"),
}


def imported(package: str) -> Iterator[tuple[Path, str]]:
    """Every module that a package's files import, wherever in the file that is."""
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports relatively"
                assert node.module is not None
                yield path, node.module
                if node.module == "engine":
                    yield from ((path, f"engine.{alias.name}") for alias in node.names)


def modules_after(statement: str) -> set[str]:
    """What is loaded in a fresh interpreter after a statement."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.split())


def test_the_bot_enters_the_engine_by_the_door_only() -> None:
    entered = {
        (path.name, module)
        for path, module in imported("bot")
        if module.startswith("engine.") and module.split(".")[1] not in DOOR
    }
    assert not entered
    assert any(module == "engine.client" for _, module in imported("bot"))


def test_the_engine_takes_nothing_from_the_bot() -> None:
    taken = {
        (path.name, module)
        for path, module in imported("engine")
        if module.split(".")[0] in {"bot", "discord", "aiosqlite"}
    }
    assert not taken


@pytest.mark.parametrize(
    "module",
    ["bot.app", "bot.runner", "bot.cli", "bot.workshop.__main__", "engine.client", "engine.cli"],
)
def test_the_bot_and_the_door_do_without_torch(module: str) -> None:
    loaded = modules_after(f"import {module}")
    assert module in loaded
    assert not loaded & {"torch", "open_clip", "torchvision", "safetensors"}


def test_the_engine_does_without_discord() -> None:
    loaded = modules_after("import engine.client, engine.cli")
    assert not loaded & {"discord", "aiosqlite", "bot"}


def test_the_command_line_imports_what_a_command_needs_only_when_it_is_called() -> None:
    loaded = modules_after("import bot.cli")
    assert not loaded & {"discord", "aiosqlite", "dotenv", "jinja2", "pydantic", "yoyo"}


def test_the_bot_starts_without_what_few_bots_need() -> None:
    loaded = modules_after("import bot.cli, bot.runner")
    assert "discord" in loaded
    # Templates are the gallery page's, migrations a new version's; typer can bring pydantic along.
    assert not loaded & {"jinja2", "yoyo", "pydantic", "rich"}


def test_drawing_does_not_wait_for_torch_s_compiler() -> None:
    loaded = modules_after(
        "from engine.drawing import draw\n"
        "from engine.settings import make_settings\n"
        "list(draw(make_settings({'prompts': 'a red apple', 'iterations': 2, 'num_cuts': 2})))"
    )
    assert "torch" in loaded
    assert not loaded & {"torch._dynamo", "sympy", "open_clip", "torchvision"}
