"""A drawing in a terminal."""

import msgspec
import pytest
from PIL import Image

from engine.errors import OutputError
from engine.outputs import Outputs
from engine.recipe import draw_again, read_recipe_file
from engine.settings import make_settings
from engine.terminal import draw_in_terminal, half_blocks

TINY = {"iterations": 2, "num_cuts": 2, "pixel_size": (24, 16), "size": (48, 32), "start": "noise"}


def test_two_pixels_share_a_character():
    image = Image.new("RGB", (3, 4), "red")
    image.paste("blue", (0, 1, 3, 2))
    text = half_blocks(image)
    assert text.plain == "▀▀▀\n▀▀▀\n"
    assert str(text.spans[0].style) == "#ff0000 on #0000ff"


def test_an_odd_last_row_has_no_lower_half():
    text = half_blocks(Image.new("RGB", (2, 3), "red"))
    assert text.plain == "▀▀\n▀▀\n"
    assert str(text.spans[-1].style) == "#ff0000"


def test_where_a_picture_is_clear_the_terminal_shows():
    image = Image.new("RGBA", (2, 2), (255, 0, 0, 0))
    image.putpixel((1, 1), (0, 0, 255, 255))
    text = half_blocks(image)
    assert text.plain == " ▄\n"


def test_a_picture_that_cannot_be_the_same_is_said_to_be_like_it(tmp_path, capsys):
    outputs = Outputs(tmp_path / "a.png")
    asked = make_settings({"prompts": "a cat", "seed": 1, **TINY})
    assert draw_in_terminal([asked], None, outputs)
    recipe = read_recipe_file(outputs.out)
    again = draw_again(recipe, {})
    draw_in_terminal([again], None, outputs, recipe)
    assert "not the same" not in capsys.readouterr().out
    older = msgspec.structs.replace(recipe.provenance, drawing_version=1)
    draw_in_terminal([again], None, outputs, msgspec.structs.replace(recipe, provenance=older))
    assert "another drawing version: this picture will be like it" in capsys.readouterr().out


def test_the_picture_is_kept_where_its_palette_cannot_be(tmp_path):
    outputs = Outputs(tmp_path / "a.png", palettes=(tmp_path / "a.gpl",))
    many = {"colors": 0, "layers": False, "pixel_size": (80, 60), "size": (80, 60)}
    asked = make_settings({"prompts": "a cat", "seed": 1, **TINY, **many})
    with pytest.raises(OutputError, match="a palette holds 1 to 256"):
        draw_in_terminal([asked], None, outputs)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-native.png", "a.png", "a.svg"]
