"""Slash options ⇄ settings, taken from the engine's table, so that nothing is defined twice."""

from collections.abc import Mapping

import msgspec
from discord import app_commands

from engine.palettes import PALETTES
from engine.settings import OPTION, Settings, make_settings, split_weight

INIT_IMAGE = "init_image"

# Stands for an attachment that is not fetched yet; the job names it by its hash.
ATTACHMENT = "attachment"

# Discord's limits for the description of an option, and for how many choices it may have.
_LONGEST_DESCRIPTION = 100
_MOST_CHOICES = 25


def settings_from_options(options: Mapping[str, object], *, has_image: bool = False) -> Settings:
    """Build the settings of a slash command.

    Args:
        options: what was given, by the settings' names; None for what was left out.
        has_image: whether there is an attachment to start from.

    Raises:
        SettingsError: as `engine.settings.make_settings` does.
        KeyError: for a setting that a chat may not choose, which no command must offer.

    """
    for name in options:
        if not OPTION[name].chat:
            raise KeyError(name)
    return make_settings({**options, INIT_IMAGE: ATTACHMENT if has_image else None})


def describe(name: str) -> str:
    """An option's description in the slash command."""
    return OPTION[name].meaning[:_LONGEST_DESCRIPTION]


def choices(name: str) -> list[app_commands.Choice[str]]:
    """What can be chosen for an option."""
    return [app_commands.Choice(name=value, value=value) for value in OPTION[name].choices]


def palette_names(typed: str) -> list[str]:
    """The named palettes that hold what is typed so far, as many as Discord can offer."""
    return [name for name in PALETTES if typed.strip().lower() in name][:_MOST_CHOICES]


def whole_number_range(name: str) -> tuple[int, int]:
    """The least and the largest value of an option that is a whole number."""
    return int(OPTION[name].low), int(OPTION[name].high)


# Shown on their own: in the title, as fields, or in the summary of what a picture was drawn with.
_SHOWN_ELSEWHERE = frozenset(
    {
        *("prompts", "seed", INIT_IMAGE, "quality", "scale"),
        *("size", "pixel_size", "iterations", "perceptors"),
    }
)


def chosen(settings: Settings) -> list[tuple[str, str]]:
    """The other settings that differ from their defaults, as names and values for people."""
    defaults = Settings(prompts=settings.prompts)
    return [
        (name, _for_people(getattr(settings, name)))
        for name in OPTION
        if name not in _SHOWN_ELSEWHERE and getattr(settings, name) != getattr(defaults, name)
    ]


def summary(resolved: Settings) -> str:
    """What a picture was drawn with, on one line: quality, size, grid, steps and perceptors."""
    parts = [f"quality {resolved.quality}"]
    if resolved.size is not None:
        parts.append("{} × {} pixels".format(*resolved.size))
    if resolved.pixel_size is not None:
        parts.append("{} × {} cells".format(*resolved.pixel_size))
    parts.append(f"{resolved.iterations} steps")
    for perceptor in resolved.perceptors or ():
        name, weight = split_weight(perceptor)
        parts.append(name if weight == 1 else f"{name} × {weight:g}")
    return " · ".join(parts)


def without_seed(settings: Settings) -> Settings:
    """The same settings with the seed left open."""
    return msgspec.structs.replace(settings, seed=None)


def _for_people(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case tuple():
            return " ".join(_for_people(item) for item in value)
        case _:
            return str(value)
