"""Settings written in words: ``a lighthouse --palette pico8 --tile``, or one a line in a form.

Nothing is read by halves: what looks like a setting is one, or is refused. Text stays text:
``well--known``, ``a cat -- asleep``, ``--`` and ``--5`` set nothing.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.errors import SettingsError, quote
from engine.settings import OPTION, Option

# What names files that may have to be downloaded: a chat may choose among those that are listed.
LISTED = ("perceptors", "vqgan_model")

# What can be written; the prompt is what is left, and a picture comes as an attachment.
WRITABLE: Mapping[str, Option] = {
    name: option
    for name, option in OPTION.items()
    if name != "prompts" and (option.chat or name in LISTED)
}
_PICTURES = tuple(name for name, option in OPTION.items() if option.kind in {"picture", "pictures"})

# Telephones make one dash of two; so that a dash in a sentence stays one, it must be followed by
# a setting that there is.
_START = re.compile(r"(?<![^\s|])(?P<dash>--|[—–])(?P<name>[^\W\d_][^\s=:|]*)(?P<sign>[=:]?)")
_QUOTES = (('"', '"'), ("'", "'"), ("“", "”"), ("„", "“"), ("«", "»"), ("「", "」"))
_QUOTED = re.compile("|".join(f"{a}[^{b}]*{b}(?!\\S)" for a, b in _QUOTES))
_WORD = re.compile(r"\S+")
_TRUTH = re.compile(r"(?:true|false)(?!\S)", re.IGNORECASE)
_TWO_NUMBERS = re.compile(r"\d+\s+\d+(?!\S)")
_LINE = re.compile(r"(?P<name>[^\s=:]+)\s*[=:]?\s*(?P<value>.*)")


@dataclass(frozen=True)
class Written:
    """A text taken apart: what is left to draw, and the settings, not checked but for their names.

    Values are texts; a flag that stands alone is True, and False after ``no-``.
    """

    prompt: str
    settings: Mapping[str, str | bool] = field(default_factory=dict)


def split_settings(text: str) -> Written:
    """Take the settings out of a prompt.

    Args:
        text: with ``--name value``, ``--name=value`` and, for what is true or false, ``--name`` or
            ``--no-name`` anywhere in it. A value of several words stands in quotation marks.

    Raises:
        SettingsError: for a name that there is not, a setting that is written twice, or a value
            that is missing.

    """
    settings: dict[str, str | bool] = {}
    kept: list[str] = []
    at = 0
    while (match := _START.search(text, at)) is not None:
        found = _find(match["name"])
        if found is None and match["dash"] != "--":
            kept.append(text[at : match.end()])
            at = match.end()
            continue
        kept.append(text[at : match.start()] + " ")
        if found is None:
            hint = "If it is no setting, put a space after “--”."
            raise SettingsError(f"{_unknown(match['name'])} {hint}")
        name, value = found
        if value is None:
            value, at = _read_value(text, match.end(), WRITABLE[name], signed=bool(match["sign"]))
        elif match["sign"]:
            raise SettingsError(f"--{match['name']} takes no value; leave it out.")
        else:
            at = match.end()
        _add(settings, name, value)
    if not settings:
        return Written(text)
    return Written(" ".join("".join([*kept, text[at:]]).split()), settings)


def read_lines(text: str) -> dict[str, str | bool]:
    """Read settings that stand one a line: ``name value``, or as in a prompt.

    Raises:
        SettingsError: as `split_settings`, and for words that belong to no setting.

    """
    settings: dict[str, str | bool] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        for name, value in _read_line(line):
            _add(settings, name, value)
    return settings


def write_line(name: str, value: object) -> str:
    """A setting as a line that `read_lines` reads back."""
    match value:
        case True:
            return name
        case False:
            return f"no-{name}"
        case _:
            parts = map(str, value) if isinstance(value, tuple) else str(value).split()
            written = " ".join(parts)
            bare = written and not written.startswith(("=", ":")) and not _QUOTED.fullmatch(written)
            return f"{name} {written if bare else _in_quotes(written)}"


def _read_line(line: str) -> list[tuple[str, str | bool]]:
    if _START.match(line) is not None:
        written = split_settings(line)
        if written.prompt:
            raise SettingsError(f"{quote(written.prompt)} belongs to no setting; leave it out.")
        return list(written.settings.items())
    match = _LINE.fullmatch(line)
    found = _find(match["name"]) if match is not None else None
    if match is None or found is None:
        raise _unknown(match["name"] if match is not None else line)
    name, value = found
    rest = match["value"]
    if value is not None:
        if rest:
            raise SettingsError(f"{match['name']} takes no value; leave it out.")
        return [(name, value)]
    if not rest:
        if WRITABLE[name].kind == "flag":
            return [(name, True)]
        raise _missing(WRITABLE[name])
    return [(name, rest[1:-1].strip() if _QUOTED.fullmatch(rest) else rest)]


def _read_value(text: str, at: int, option: Option, *, signed: bool) -> tuple[str | bool, int]:
    """The value after a setting's name or its sign (“=” or “:”), and where it ends."""
    end = at
    while text[at : at + 1].isspace():
        at += 1
    if option.kind == "flag" and not signed:
        truth = _TRUTH.match(text, at)
        return (True, end) if truth is None else (truth[0], truth.end())
    if (quoted := _QUOTED.match(text, at)) is not None:
        return quoted[0][1:-1].strip(), quoted.end()
    if text[at : at + 1] in {opening for opening, _ in _QUOTES}:
        raise SettingsError(
            f"The value of {option.name} begins with a quotation mark; "
            "put another one at its end, and a space after it."
        )
    if option.kind == "pair" and (numbers := _TWO_NUMBERS.match(text, at)) is not None:
        return numbers[0], numbers.end()
    word = _WORD.match(text, at)
    if word is None or _START.match(word[0]) is not None:
        raise _missing(option)
    return word[0], word.end()


def _find(written: str) -> tuple[str, str | bool | None] | None:
    """The setting that a name stands for, and its value where the name says that too."""
    name = written.lower().replace("-", "_")
    if name in WRITABLE:
        return name, None
    plain = name.removeprefix("no_")
    if plain != name and plain in WRITABLE and WRITABLE[plain].kind == "flag":
        return plain, False
    return None


def _add(settings: dict[str, str | bool], name: str, value: str | bool) -> None:
    if name in settings:
        raise SettingsError(f"{name} is given twice; leave one of them out.")
    settings[name] = value


def _missing(option: Option) -> SettingsError:
    return SettingsError(f"{option.name} has no value; allowed are {option.allowed}.")


def _unknown(written: str) -> SettingsError:
    name = written.lower().replace("-", "_")
    if name in _PICTURES:
        return SettingsError(f"{name} is a picture; attach it to the command instead.")
    near = difflib.get_close_matches(name, WRITABLE, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(WRITABLE)}."
    return SettingsError(f"There is no setting {quote(written)}; {hint}")


def _in_quotes(text: str) -> str:
    """In marks of a kind that the text does not hold; as it is where it holds all of them."""
    for opening, closing in _QUOTES:
        if closing not in text:
            return f"{opening}{text}{closing}"
    return text
