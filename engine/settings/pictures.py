"""The pictures that settings name: which they are, and the same settings with other names."""

from collections.abc import Callable, Sequence

import msgspec

from engine.prompts import format_prompts, parse_prompts
from engine.settings.options import OPTIONS, PICTURE, Option
from engine.settings.record import Settings


def picture_names(settings: Settings, *options: Option) -> tuple[str, ...]:
    """The names of the pictures that a drawing needs, or these options of it; each once."""
    names: dict[str, None] = {}

    def note(name: str) -> str:
        names[name] = None
        return name

    _renamed(settings, options or OPTIONS, note)
    return tuple(names)


def with_names(settings: Settings, rename: Callable[[str], str]) -> Settings:
    """The same settings with another name for each picture."""
    return _renamed(settings, OPTIONS, rename)


def _renamed(
    settings: Settings, options: Sequence[Option], rename: Callable[[str], str]
) -> Settings:
    changes: dict[str, str] = {}
    for option in options:
        value = getattr(settings, option.name)
        if value is None:
            continue
        if option.kind == "picture":
            changes[option.name] = rename(value)
        elif option.kind == "pictures":
            named = [
                msgspec.structs.replace(prompt, text=rename(prompt.text))
                for prompt in parse_prompts(value)
            ]
            changes[option.name] = format_prompts(named)
        elif option.kind == "blend" and value.startswith(PICTURE):
            changes[option.name] = PICTURE + rename(value.removeprefix(PICTURE))
    return msgspec.structs.replace(settings, **changes)
