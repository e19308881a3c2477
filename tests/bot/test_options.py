"""Slash options and settings say the same, because both come from the engine's table."""

import pytest

from bot.commands import COMMANDS
from bot.commands.pixel import pixel
from bot.options import (
    choices,
    chosen,
    palette_names,
    settings_from_options,
    summary,
    without_seed,
)
from engine.errors import SettingsError
from engine.palettes import PALETTES
from engine.settings import OPTION, make_settings, resolve


def test_options_become_settings() -> None:
    options = {"prompts": "a cat", "aspect": "square", "iterations": 30, "seed": None}
    settings = settings_from_options(options)
    assert settings == make_settings({"prompts": "a cat", "aspect": "square", "iterations": 30})


def test_an_attachment_is_something_to_start_from() -> None:
    options = {"prompts": "a cat", "aspect": "retain"}
    assert settings_from_options(options, has_image=True).init_image is not None
    with pytest.raises(SettingsError):
        settings_from_options(options, has_image=False)


def test_what_a_chat_may_not_choose_is_not_taken_from_one() -> None:
    with pytest.raises(KeyError):
        settings_from_options({"prompts": "a cat", "init_image": "/etc/passwd"})
    with pytest.raises(KeyError):
        settings_from_options({"prompts": "a cat", "perceptors": "anything/at-all"})


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"prompts": "   "}, "empty"),
        ({"prompts": "x" * 6000}, "6000 characters"),
        ({"prompts": "a castle:2x"}, "not a number"),
        ({"prompts": "a castle:99"}, "out of range"),
        ({"prompts": "a cat", "aspect": "retain"}, "there is none"),
        ({"prompts": "a cat", "seed": "y" * 101}, "seed cannot be"),
        ({"prompts": "a cat", "palette": "pico9"}, "cannot have “pico9”"),
    ],
)
def test_bad_options_are_refused_with_a_sentence(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        settings_from_options(options)


def test_only_what_differs_from_the_default_and_is_not_shown_elsewhere_is_shown() -> None:
    settings = make_settings(
        {"prompts": "a cat", "quality": "draft", "size": "80 45", "transparent": True, "seed": 5}
    )
    assert chosen(settings) == [("transparent", "yes")]
    assert chosen(make_settings({"prompts": "a cat"})) == []


def test_a_reroll_leaves_only_the_seed_open() -> None:
    settings = make_settings({"prompts": "a cat", "quality": "best", "seed": 5})
    assert without_seed(settings) == make_settings({"prompts": "a cat", "quality": "best"})


def test_the_choices_are_those_of_the_engine() -> None:
    assert [choice.value for choice in choices("aspect")] == list(OPTION["aspect"].choices)
    parameters = {parameter.name: parameter for parameter in pixel.parameters}
    assert parameters["iterations"].max_value == OPTION["iterations"].high
    assert parameters["quality"].description == OPTION["quality"].meaning


def test_the_palettes_that_are_offered_go_with_what_is_typed() -> None:
    assert palette_names("") == list(PALETTES)[:25]
    assert palette_names("Endes") == ["endesga32"]
    assert palette_names("red->rust") == []


def test_a_preset_from_a_chat_is_the_engine_s() -> None:
    settings = settings_from_options({"prompts": "a cat", "preset": "sprite", "colors": 5})
    assert settings == make_settings({"prompts": "a cat", "preset": "sprite", "colors": 5})
    assert ("colors", "5") in chosen(settings)


def test_the_commands_keep_to_discords_limits() -> None:
    for command in COMMANDS:
        assert len(command.description) <= 100
        assert command.guild_only
        for parameter in command.parameters:
            assert 1 <= len(str(parameter.description)) <= 100
            assert len(parameter.choices) <= 25


def test_what_a_picture_was_drawn_with_fits_on_a_line() -> None:
    resolved = resolve(make_settings({"prompts": "a cat", "iterations": 7}))
    assert summary(resolved) == (
        "quality normal · 400 × 224 pixels · 80 × 45 cells · 7 steps · pixelclip"
    )
