"""Slash options and settings say the same, because both come from the engine's table."""

import pytest
from discord import app_commands
from hypothesis import given

from bot.commands import COMMANDS
from bot.commands.pixel import pixel
from bot.options import (
    changes_of,
    choices,
    chosen,
    merged,
    pictures_of,
    settings_from_options,
    summary,
    without_seed,
)
from engine.errors import SettingsError
from engine.settings import OPTION, Settings, make_settings, resolve
from tests.engine.strategies import settings as random_settings


def test_options_become_settings() -> None:
    options = {"prompts": "a cat", "aspect": "square", "iterations": 30, "seed": None}
    settings = settings_from_options(options)
    assert settings == make_settings({"prompts": "a cat", "aspect": "square", "iterations": 30})


def test_an_attachment_is_something_to_start_from() -> None:
    options = {"prompts": "a cat", "aspect": "retain"}
    settings = settings_from_options(options, pictures={"init_image": "a name"})
    assert settings.init_image == "a name"
    with pytest.raises(SettingsError, match="there is none"):
        settings_from_options(options)


def test_what_a_chat_may_not_choose_is_not_taken_from_one() -> None:
    with pytest.raises(KeyError):
        settings_from_options({"prompts": "a cat", "init_image": "/etc/passwd"})


def test_only_listed_models_are_taken_from_a_chat() -> None:
    listed = {"perceptors": ("pixelclip", "RN50/openai"), "vqgan_model": ("mini", "coco")}
    both = {"prompts": "a cat", "perceptors": "pixelclip, RN50/openai:0.5"}
    assert settings_from_options(both, listed=listed).perceptors == ("pixelclip", "RN50/openai:0.5")
    auto = {"prompts": "a cat", "perceptors": "auto"}
    assert settings_from_options(auto, listed=listed).perceptors is None
    other = {"prompts": "a cat", "perceptors": "pixelclip, ViT-L-14/openai"}
    with pytest.raises(SettingsError, match="“ViT-L-14/openai” here; allowed are pixelclip, RN50"):
        settings_from_options(other, listed=listed)
    model = {"prompts": "a cat", "drawer": "vqgan", "vqgan_model": "faceshq"}
    with pytest.raises(SettingsError, match="“faceshq” here; allowed are mini, coco"):
        settings_from_options(model, listed=listed)


def test_a_picture_is_never_named_from_a_chat() -> None:
    options = {"prompts": "a cat", "blend_with": "picture:../0/5/final"}
    with pytest.raises(SettingsError, match="attached"):
        settings_from_options(options, pictures={"init_image": "a name"})
    options["blend_with"] = "a dog"
    assert settings_from_options(options).blend_with == "a dog"


def test_what_is_given_in_two_places_is_refused() -> None:
    assert merged(("here", {"tile": True, "seed": None}), ("there", {"seed": "7"})) == {
        "tile": True,
        "seed": "7",
    }
    with pytest.raises(SettingsError, match="seed is given twice, here and there; leave one"):
        merged(("here", {"seed": 7}), ("there", {"seed": "7"}))


@given(random_settings())
def test_what_differs_asks_for_the_same_settings_again(settings: Settings) -> None:
    again = make_settings(
        {"prompts": settings.prompts or None, **pictures_of(settings), **changes_of(settings)}
    )
    assert again == without_seed(settings)


def test_what_a_preset_brings_is_no_difference() -> None:
    settings = make_settings({"prompts": "a cat", "preset": "sprite", "colors": 5, "seed": 1})
    assert changes_of(settings) == {"preset": "sprite", "colors": 5}


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
        | {"target_image": "a hash"}
    )
    assert chosen(settings) == [("transparent", "yes"), ("target_image", "attached")]
    assert chosen(make_settings({"prompts": "a cat"})) == []


def test_a_reroll_leaves_only_the_seed_open() -> None:
    settings = make_settings({"prompts": "a cat", "quality": "best", "seed": 5})
    assert without_seed(settings) == make_settings({"prompts": "a cat", "quality": "best"})


def test_the_choices_are_those_of_the_engine() -> None:
    assert [choice.value for choice in choices("aspect")] == list(OPTION["aspect"].choices)
    parameters = {parameter.name: parameter for parameter in pixel.parameters}
    assert parameters["iterations"].max_value == OPTION["iterations"].high
    assert parameters["quality"].description == OPTION["quality"].meaning


def test_a_preset_from_a_chat_is_the_engine_s() -> None:
    settings = settings_from_options({"prompts": "a cat", "preset": "sprite", "colors": 5})
    assert settings == make_settings({"prompts": "a cat", "preset": "sprite", "colors": 5})
    assert ("colors", "5") in chosen(settings)


def test_the_commands_keep_to_discords_limits() -> None:
    for command in COMMANDS:
        assert command.guild_only
        if isinstance(command, app_commands.ContextMenu):
            assert len(command.name) <= 32
            continue
        assert len(command.description) <= 100
        group = isinstance(command, app_commands.Group)
        for each in command.walk_commands() if group else [command]:
            assert len(each.description) <= 100
            for parameter in each.parameters:
                assert 1 <= len(str(parameter.description)) <= 100
                assert len(parameter.choices) <= 25


def test_what_a_picture_was_drawn_with_fits_on_a_line() -> None:
    resolved = resolve(make_settings({"prompts": "a cat", "iterations": 7}))
    assert summary(resolved) == (
        "quality normal · 400 × 224 pixels · 80 × 45 cells · 7 steps · pixelclip"
    )
