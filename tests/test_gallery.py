"""The gallery in the docs shows everything that can be chosen, by commands that work."""

import importlib.util
from pathlib import Path

import pytest
from PIL import Image

from engine.presets import PRESETS
from engine.recipe import read_recipe_file
from engine.settings import OPTION
from engine.tilings import TILINGS

DOCS = Path(__file__).parent.parent / "docs"
SHOWN = [*OPTION["drawer"].choices, *TILINGS, *PRESETS]


def commands():
    spec = importlib.util.spec_from_file_location("gallery", DOCS / "gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {Path(words[-1]).stem: words for words in module.commands(module.PAGE.read_text())}


def test_there_is_a_picture_for_every_drawer_type_of_cell_and_preset():
    assert list(commands()) == SHOWN
    page = (DOCS / "gallery.md").read_text()
    assert all(f"](gallery/{name}.png)" in page for name in SHOWN)
    assert {path.stem for path in (DOCS / "gallery").glob("*.png")} == set(SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_a_picture_is_what_its_command_draws(name):
    words = commands()[name]
    options = dict(zip(words[3:-2:2], words[4:-2:2], strict=True))
    path = DOCS / "gallery" / f"{name}.png"
    settings = read_recipe_file(path).settings
    assert settings.prompts == words[2]
    for option, value in options.items():
        assert str(getattr(settings, option.removeprefix("--").replace("-", "_"))) == value
    with Image.open(path) as picture:
        assert len(picture.convert("RGB").getcolors(2**24)) > 1
