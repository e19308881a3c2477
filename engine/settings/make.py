"""From what was given to settings, and back."""

from collections.abc import Mapping
from dataclasses import fields

import msgspec

from engine.errors import SettingsError
from engine.presets import PRESETS
from engine.settings.checks import check_drawer, check_pairs, drawers_for
from engine.settings.defaults import DrawerDefaults
from engine.settings.options import OPTION, find_option
from engine.settings.readers import read_value
from engine.settings.record import Settings
from engine.settings.resolve import cells

# What a preset keeps back where a setting is given that would contradict it.
_YIELDS: Mapping[str, tuple[str, ...]] = {
    "aspect": ("size", "pixel_size"),
    "scale": ("size",),
    "size": ("aspect", "scale", "pixel_size"),
    "pixel_size": ("pixel_scale",),
    "pixel_scale": ("pixel_size",),
    "transparent": ("layers",),
    "layers": ("transparent",),
    "init_image": ("layers", "start", "init_noise"),
    "init_noise": ("start",),
    "outline": ("layers", "transparent", "tile", "symmetry", "dither", "init_weight"),
    "start": ("init_noise",),
}

# What else says what to draw, so that there need not be a prompt.
_INSTEAD = (
    "dream",
    "image_prompts",
    "labels",
    "spot_prompts",
    "spot_off_prompts",
    "target_image",
)

# What was filled in for another value of a setting, and is filled in again for the one given.
_FOLLOWS: Mapping[str, tuple[str, ...]] = {
    "drawer": tuple(field.name for field in fields(DrawerDefaults)),
    "quality": ("perceptors", "iterations", "display_every", "num_cuts", "scale"),
    "iterations": ("display_every",),
}


def make_settings(given: Mapping[str, object], base: Settings | None = None) -> Settings:
    """Check what was given, as text or as values, and build the settings from it.

    A value of None counts as left out. A preset is written out: its values stand for those that
    are left out.

    Args:
        given: values by the names of `OPTIONS`.
        base: settings that stand for what is left out, such as those of a picture that was drawn
            before. What was given wins over them, and over what they say of the same thing in
            another way: a given aspect over their size.

    Raises:
        SettingsError: for an unknown name, a wrong type, a value out of range or a contradiction.

    """
    values: dict[str, object] = {}
    for name, value in given.items():
        option = find_option(name)
        if value is not None:
            values[name] = read_value(option, value)
    if values.get("dream") and "drawer" not in values:
        (values["drawer"],) = OPTION["dream"].drawers
    whole = _preset_values(values) | values
    if base is not None:
        whole = _base_values(base, whole) | whole
    if "prompts" not in whole:
        if not any(whole.get(name) for name in _INSTEAD):
            raise SettingsError("The prompt is missing; write what should be drawn.")
        whole["prompts"] = ""
    settings = msgspec.convert(whole, Settings)
    check_drawer(settings, values)
    check_pairs(settings, values)
    if settings.aspect != "retain":
        cells(settings, None)
    return settings


def to_given(settings: Settings) -> dict[str, object]:
    """What to give to `make_settings` to get these settings, asked for or resolved, again.

    Of resolved settings all are pinned; what `resolve` worked out from another setting is left
    out, since it would contradict it: a size from a scale, a grid from a pixel scale.
    """
    given = {
        name: value for name, value in msgspec.structs.asdict(settings).items() if value is not None
    }
    if not settings.prompts:
        del given["prompts"]
    if settings.scale is not None:
        given.pop("size", None)
    given.pop("pixel_scale" if settings.pixel_scale == 1 else "pixel_size", None)
    return given


def _base_values(base: Settings, given: Mapping[str, object]) -> dict[str, object]:
    """What other settings add: nothing that was given, nor anything that contradicts it."""

    def is_new(name: str) -> bool:
        if OPTION[name].kind == "picture":
            # A picture by another name may well be the same.
            return getattr(base, name) is None
        return bool(given[name]) and given[name] != getattr(base, name)

    yields = {
        name
        for asked in filter(is_new, given)
        for name in (*_YIELDS.get(asked, ()), *_FOLLOWS.get(asked, ()))
    }
    drawer = str(given.get("drawer", base.drawer))
    pull = given.get("palette_weight", base.palette_weight)
    assert isinstance(pull, float)
    return {
        name: value
        for name, value in to_given(base).items()
        if name not in given
        and name not in yields
        and (not (drawers := drawers_for(OPTION[name], pull)) or drawer in drawers)
    }


def _preset_values(given: Mapping[str, object]) -> dict[str, object]:
    """What the preset adds: nothing that was given, nor anything that contradicts it."""
    preset = given.get("preset")
    if not isinstance(preset, str):
        return {}
    kept_back = {name for asked, value in given.items() if value for name in _YIELDS.get(asked, ())}
    return {
        name: value
        for name, value in PRESETS[preset].items()
        if name not in given and name not in kept_back
    }
