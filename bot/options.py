"""What people ask for ⇄ settings, taken from the engine's table: nothing is defined twice."""

from collections.abc import Mapping

import msgspec
from discord import app_commands

from bot.prompt_options import LISTED
from engine.errors import SettingsError, quote
from engine.settings import (
    OPTION,
    OPTIONS,
    Settings,
    make_settings,
    picture_names,
    split_weight,
)

INIT_IMAGE = "init_image"

# Discord's limit.
_LONGEST_DESCRIPTION = 100


def settings_from_options(
    options: Mapping[str, object],
    *,
    listed: Mapping[str, tuple[str, ...]] | None = None,
    pictures: Mapping[str, str] | None = None,
    base: Settings | None = None,
) -> Settings:
    """Build settings from what a chat asks for.

    Args:
        options: what was given, by the settings' names; None for what was left out.
        listed: the names that the operator lets people choose, by each setting of `LISTED`.
        pictures: names that the bot gave to pictures, by the settings that they are for.
        base: what stands for the rest that was left out.

    Raises:
        SettingsError: as `engine.settings.make_settings` does, for a model that is not listed, and
            for a picture by any other name.
        KeyError: for a setting that a chat may not choose, which no command must offer.

    """
    listed, pictures = listed or {}, pictures or {}
    for name in options:
        if not OPTION[name].chat and name not in LISTED:
            raise KeyError(name)
    settings = make_settings({**options, **pictures}, base)
    for name in LISTED:
        _check_listed(name, getattr(settings, name), listed.get(name, ()))
    ours = picture_names(msgspec.convert({"prompts": "", **pictures}, Settings))
    for name in picture_names(settings):
        if name not in ours:
            raise SettingsError(f"A picture is attached, never named as in {quote(name)}.")
    return settings


def merged(*sources: tuple[str, Mapping[str, object]]) -> dict[str, object]:
    """Put together what was given in several places, each with words for it.

    Raises:
        SettingsError: when a setting is given in two of them.

    """
    given: dict[str, object] = {}
    places: dict[str, str] = {}
    for place, options in sources:
        for name, value in options.items():
            if value is None:
                continue
            if name in given:
                raise SettingsError(
                    f"{name} is given twice, {places[name]} and {place}; leave one of them out."
                )
            given[name], places[name] = value, place
    return given


def pictures_of(settings: Settings) -> dict[str, str]:
    """The pictures that settings name, by the settings that they are for."""
    return {
        option.name: getattr(settings, option.name)
        for option in OPTIONS
        if picture_names(settings, option)
    }


def changes_of(settings: Settings) -> dict[str, object]:
    """What to give beside the prompt and the pictures to ask for these settings again.

    What the preset brings is left out, and so is the seed.
    """
    preset = {} if settings.preset is None else {"preset": settings.preset}
    usual = make_settings({"prompts": "x", **preset})
    own = {"prompts", "seed", *pictures_of(settings)}
    given = {
        option.name: value
        for option in OPTIONS
        if option.name not in own
        and (value := getattr(settings, option.name)) is not None
        and value != getattr(usual, option.name)
    }
    return preset | given


def describe(name: str) -> str:
    """An option's description in the slash command."""
    return OPTION[name].meaning[:_LONGEST_DESCRIPTION]


def choices(name: str) -> list[app_commands.Choice[str]]:
    """What can be chosen for an option."""
    return [app_commands.Choice(name=value, value=value) for value in OPTION[name].choices]


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
        (name, for_people(name, getattr(settings, name)))
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


def _check_listed(name: str, value: str | tuple[str, ...] | None, allowed: tuple[str, ...]) -> None:
    models = (value,) if isinstance(value, str) else value or ()
    for model in models:
        if split_weight(model)[0] not in allowed:
            raise SettingsError(
                f"{name} cannot be {quote(model)} here; allowed are {', '.join(allowed)}."
            )


def for_people(name: str, value: object) -> str:
    """A setting's value in words."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case tuple():
            return " ".join(for_people(name, item) for item in value)
        case _ if OPTION[name].kind in {"picture", "pictures"}:
            return "attached"
        case _:
            return str(value)
