"""What is offered while somebody types."""

import pytest

from bot.completion import (
    chosen_job,
    listed_choices,
    palette_choices,
    preset_choices,
    prompt_choices,
    setting_choices,
)
from bot.options import settings_from_options
from bot.prompt_options import split_settings
from bot.store import FormerPrompt
from engine.palettes import PALETTES
from engine.presets import PRESETS

LONG = "a lighthouse " + "at dusk " * 30


def test_palettes_go_with_what_is_typed() -> None:
    assert [choice.value for choice in palette_choices("")] == list(PALETTES)[:25]
    assert [choice.value for choice in palette_choices(" Endes")] == ["endesga32"]
    assert palette_choices("red->rust") == []


def test_presets_say_what_they_bring() -> None:
    assert [choice.value for choice in preset_choices("")] == list(PRESETS)
    (sprite,) = preset_choices("SPR")
    assert sprite.value == "sprite"
    assert sprite.name == (
        "sprite: aspect square · size 384 × 384 · pixel_size 32 × 32 · colors 12 · transparent"
    )
    assert all(len(choice.name) <= 100 for choice in preset_choices(""))


def test_the_last_of_several_models_is_completed() -> None:
    listed = ("pixelclip", "RN50/openai", "ViT-B-32/openai")
    assert [choice.value for choice in listed_choices("", listed)] == list(listed)
    assert [choice.value for choice in listed_choices("pixelclip:2, open", listed)] == [
        "pixelclip:2, RN50/openai",
        "pixelclip:2, ViT-B-32/openai",
    ]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("a fox --pal", ["a fox --palette", "a fox --palette-weight"]),
        ("a fox --Pixel-t", ["a fox --pixel-type"]),
        ("a fox --palette en", ["a fox --palette endesga32"]),
        ("a fox --pixel_type=H", ["a fox --pixel_type=hex"]),
        ("a fox --perceptors pix", ["a fox --perceptors pixelclip"]),
        ("a fox --preset spr", ["a fox --preset sprite"]),
        ("a fox --seed 7", []),
        ("a fox --palette nes ", []),
        ("a fox -- pal", []),
        ("a fox--pal", []),
        ("a fox", []),
        ("x" * 90 + " --palette en", []),
    ],
)
def test_a_setting_at_the_end_of_a_prompt_is_completed(typed: str, offered: list[str]) -> None:
    choices = setting_choices(typed, {"perceptors": ("pixelclip",)})
    assert [choice.value for choice in choices] == offered


def test_all_settings_are_offered_as_far_as_discord_takes_them() -> None:
    assert len(setting_choices("a fox --", {})) == 25


def test_former_prompts_go_with_what_is_typed_whatever_its_capitals() -> None:
    former = [FormerPrompt(3, "Ein Häuschen"), FormerPrompt(2, "a\nfox"), FormerPrompt(1, "a cat")]
    assert [choice.value for choice in prompt_choices("", former)] == [
        "Ein Häuschen",
        "a\nfox",
        "a cat",
    ]
    assert [choice.name for choice in prompt_choices("A F", former)] == ["A F", "a fox"]
    assert [choice.name for choice in prompt_choices("häus", former)] == ["häus", "Ein Häuschen"]


def test_what_is_typed_comes_first_since_enter_takes_it() -> None:
    former = [FormerPrompt(2, "a red fox"), FormerPrompt(1, "a red")]
    assert [choice.value for choice in prompt_choices("a red", former)] == ["a red", "a red fox"]
    assert prompt_choices("a bird", former) == [], "Enter sends the command at once"


def test_who_has_asked_for_nothing_gets_examples_that_can_be_drawn() -> None:
    examples = [choice.value for choice in prompt_choices("", [])]
    assert examples
    for example in examples:
        written = split_settings(example)
        assert settings_from_options({"prompts": written.prompt, **written.settings})
    assert prompt_choices("", [FormerPrompt(1, "a fox")])[0].value == "a fox"


def test_as_many_prompts_are_offered_as_discord_takes() -> None:
    former = [FormerPrompt(number, f"cat {number}") for number in range(40)]
    assert len(prompt_choices("", former)) == 25


def test_a_long_prompt_is_offered_by_its_number() -> None:
    (choice,) = prompt_choices("", [FormerPrompt(7, LONG)])
    assert len(choice.name) == 100
    assert choice.name.endswith("…")
    assert choice.value == "#7"
    assert chosen_job(choice.value) == 7


def test_only_a_number_by_itself_stands_for_a_prompt() -> None:
    for text in ("7", "#", "#7 cats", "# 7", "a #7", "#७", "#" + "9" * 30):
        assert chosen_job(text) is None
