"""One value at a time: what was given, as text or as a value, checked and in its one form."""

import hashlib
import math
from collections.abc import Callable, Mapping

from engine.errors import SettingsError, quote
from engine.labels import find_class
from engine.palettes import parse_palette
from engine.prompts import MAX_LENGTH as MAX_PROMPT_LENGTH
from engine.prompts import MAX_WEIGHT, format_prompts, parse_prompts
from engine.settings.options import MAX_SEED, PICTURE, Option


def read_value(option: Option, value: object) -> object:
    """The value of an option in the one form that `Settings` holds; raises `SettingsError`."""
    read = _READERS[option.kind](option, value)
    for text in read if isinstance(read, tuple) else (read,):
        if isinstance(text, str) and not _is_whole(text):
            raise SettingsError(
                f"{option.name} cannot be {quote(text)}, which holds half a character (a surrogate "
                "code point); write it anew."
            )
    return read


def _is_whole(text: str) -> bool:
    """Whether a text can be stored and sent; bytes of a command line that are no UTF-8 cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def seed_from(text: str) -> int:
    """The seed that a text stands for: the number it is, else the first 53 bits of its SHA-256."""
    if text.isascii() and text.isdigit() and int(text) <= MAX_SEED:
        return int(text)
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8]) >> 11


def split_weight(name: str) -> tuple[str, float]:
    """A perceptor's name and its weight, 1 if it has none; NaN for what is not a number."""
    name, colon, weight = name.partition(":")
    if not colon:
        return name, 1.0
    try:
        return name, float(weight)
    except ValueError:
        return name, math.nan


def _refusal(option: Option, value: object) -> SettingsError:
    return SettingsError(
        f"{option.name} cannot be {quote(str(value))}; allowed are {option.allowed}."
    )


def _read_prompts(option: Option, value: object) -> str:
    if not isinstance(value, str):
        raise _refusal(option, value)
    written = format_prompts(parse_prompts(value))
    # Spaces around “|” and zeros before a point must not make it too long to be read again.
    return written if len(written) <= MAX_PROMPT_LENGTH else value.strip()


def _read_labels(option: Option, value: object) -> str:
    written = _read_prompts(option, value)
    for prompt in parse_prompts(written):
        if prompt.stop is not None:
            raise _refusal(option, value)
        find_class(prompt.text)
    return written


def _read_picture(option: Option, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _refusal(option, value)
    return value


def _read_pictures(option: Option, value: object) -> str:
    written = _read_prompts(option, value)
    if any(prompt.stop is not None for prompt in parse_prompts(written)):
        raise _refusal(option, value)
    return written


def _read_blend(option: Option, value: object) -> str:
    if isinstance(value, str) and value.startswith(PICTURE):
        return PICTURE + _read_picture(option, value.removeprefix(PICTURE))
    return _read_prompts(option, value)


def _read_choice(option: Option, value: object) -> str:
    if not isinstance(value, str) or value.strip().lower() not in option.choices:
        raise _refusal(option, value)
    return value.strip().lower()


def _read_several(option: Option, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list | tuple):
        raise _refusal(option, value)
    return tuple(dict.fromkeys(_read_choice(option, name) for name in value))


def _read_palette(option: Option, value: object) -> str:
    if not isinstance(value, str):
        raise _refusal(option, value)
    parse_palette(value)
    return " ".join(value.lower().split())


def _read_number(option: Option, value: object) -> float:
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if isinstance(value, bool) or not option.low <= number <= option.high:
        raise _refusal(option, value)
    return number


def _read_integer(option: Option, value: object) -> int:
    number = _read_number(option, value)
    if number != int(number):
        raise _refusal(option, value)
    return int(number)


def _read_pair(option: Option, value: object) -> tuple[int, int]:
    sides: list[object]
    if isinstance(value, str):
        sides = list(value.lower().replace("x", " ").replace("×", " ").replace(",", " ").split())
    elif isinstance(value, list | tuple):
        sides = list(value)
    else:
        raise _refusal(option, value)
    if len(sides) != 2:
        raise _refusal(option, value)
    try:
        width, height = (_read_integer(option, side) for side in sides)
    except SettingsError:
        raise _refusal(option, value) from None
    return width, height


def _read_seed(option: Option, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SEED:
        return value
    if isinstance(value, str) and 0 < len(value.strip()) <= 100:
        return seed_from(value.strip())
    raise _refusal(option, value)


def _read_names(option: Option, value: object) -> tuple[str, ...] | None:
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    if not isinstance(value, list | tuple) or not value:
        raise _refusal(option, value)
    weights: dict[str, float] = {}
    for given in value:
        name, weight = split_weight(str(given))
        if not name or not 0 < weight <= MAX_WEIGHT:
            raise _refusal(option, value)
        weights[name] = weight
    if list(weights) == ["auto"]:
        return None
    if "auto" in weights:
        raise SettingsError(
            f"{option.name} cannot be {quote(' '.join(map(str, value)))}; “auto” chooses all of "
            "them, so give it alone, or names without it."
        )
    # The weight of one is against that of the others: alone it says nothing.
    if len(set(weights.values())) == 1:
        return tuple(weights)
    return tuple(name if weight == 1 else f"{name}:{weight:g}" for name, weight in weights.items())


def _read_numbers(option: Option, value: object) -> tuple[float, ...]:
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    numbers = value if isinstance(value, list | tuple) else [value]
    return tuple(sorted(_read_number(option, number) for number in numbers))


def _read_flag(option: Option, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in {"true", "yes", "on", "1"}:
        return True
    if isinstance(value, str) and value.strip().lower() in {"false", "no", "off", "0"}:
        return False
    raise _refusal(option, value)


_READERS: Mapping[str, Callable[[Option, object], object]] = {
    "prompts": _read_prompts,
    "labels": _read_labels,
    "picture": _read_picture,
    "pictures": _read_pictures,
    "blend": _read_blend,
    "several": _read_several,
    "choice": _read_choice,
    "number": _read_number,
    "integer": _read_integer,
    "pair": _read_pair,
    "seed": _read_seed,
    "numbers": _read_numbers,
    "names": _read_names,
    "flag": _read_flag,
    "palette": _read_palette,
}
