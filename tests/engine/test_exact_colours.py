"""Every cell of a drawing has exactly one of the colours that were asked for."""

import io

import pytest
from PIL import Image

from engine.drawing import draw
from engine.palettes import PALETTES, parse_palette
from engine.protocol import Done, Progress
from engine.settings import PIXELCLIP


def drawn(studio, ask, **given):
    """The colours of each progress frame, of the finished picture and of its native one."""
    settings = ask(
        perceptors=[PIXELCLIP], start="noise", num_cuts=3, iterations=6, display_every=2, **given
    )
    for event in draw(settings, studio=studio()):
        if isinstance(event, Progress | Done):
            yield colours_of(event.png)
        if isinstance(event, Done):
            yield colours_of(event.native_png)


def colours_of(png):
    with Image.open(io.BytesIO(png)) as image:
        cells = image.convert("RGBA").getcolors(99999)
    assert {pixel[3] for _, pixel in cells} <= {0, 255}
    return {pixel[:3] for _, pixel in cells if pixel[3]}


@pytest.mark.parametrize("name", [*PALETTES, r"red->rust\8;[black]"])
def test_a_palette_s_colours_are_exact_in_every_frame(studio, ask, name):
    pictures = list(drawn(studio, ask, palette=name))
    assert len(pictures) == 5
    assert all(colours <= set(parse_palette(name)) for colours in pictures)


@pytest.mark.parametrize("transparent", [False, True])
def test_there_are_no_more_colours_than_asked_for(studio, ask, transparent):
    for colours in drawn(studio, ask, colors=3, transparent=transparent):
        assert 1 <= len(colours) <= 3
    for colours in drawn(studio, ask, colors=3, palette="db32", transparent=transparent):
        assert len(colours) <= 3
        assert colours <= set(PALETTES["db32"])


@pytest.mark.parametrize("preset", ["sprite", "icon", "scene"])
def test_a_preset_draws_in_its_few_colours(studio, ask, preset):
    limit = ask(preset=preset).colors
    assert all(0 < len(colours) <= limit for colours in drawn(studio, ask, preset=preset))
