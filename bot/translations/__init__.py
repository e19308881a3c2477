"""The commands in other languages, from the files beside this one.

A file is named like Discord's language (``de.toml``) and says what each English text is in it, in
five tables: `names` of commands and options, `menus` (names of context-menu commands, which may
hold spaces and capitals), `descriptions`, `choices`, and `labels` of forms. What it lacks stays
English.
"""

import logging
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import discord
import msgspec
from discord.app_commands import (
    CommandTree,
    ContextMenu,
    TranslationContextLocation,
    TranslationContextTypes,
    Translator,
    locale_str,
)

log = logging.getLogger(__name__)

Table = Literal["names", "menus", "descriptions", "choices", "labels"]

FOLDER = Path(__file__).parent

# A language of Discord's without a file of its own, and the one that is read there too.
_READ_TOO = {"es-419": "es-ES"}

_NAMES = frozenset(
    {
        TranslationContextLocation.command_name,
        TranslationContextLocation.group_name,
        TranslationContextLocation.parameter_name,
    }
)
_DESCRIPTIONS = frozenset(
    {
        TranslationContextLocation.command_description,
        TranslationContextLocation.group_description,
        TranslationContextLocation.parameter_description,
    }
)
# What Discord takes beside letters and digits in a name.
_SIGNS = re.compile(r"[-_']")
_LONGEST: Mapping[Table, int] = {
    "names": 32,
    "menus": 32,
    "descriptions": 100,
    "choices": 100,
    "labels": 45,
}


class Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: what is said for each English text."""

    names: dict[str, str] = {}
    menus: dict[str, str] = {}
    descriptions: dict[str, str] = {}
    choices: dict[str, str] = {}
    labels: dict[str, str] = {}


@cache
def languages() -> Mapping[str, Language]:
    """Every file, by its language; read once."""
    return {
        path.stem: msgspec.toml.decode(path.read_bytes(), type=Language)
        for path in sorted(FOLDER.glob("*.toml"))
    }


def table_of(context: TranslationContextTypes) -> Table | None:
    """The table that a text of a command belongs to."""
    if isinstance(context.data, ContextMenu):
        return "menus"
    if context.location in _NAMES:
        return "names"
    if context.location in _DESCRIPTIONS:
        return "descriptions"
    return "choices" if context.location is TranslationContextLocation.choice_name else None


def fault(table: Table, text: str) -> str | None:
    """What Discord would refuse in a translation, or None when nothing is wrong with it."""
    longest = _LONGEST[table]
    if not text.strip():
        return "is empty"
    if len(text) > longest:
        return f"has {len(text)} characters; allowed are {longest}"
    if table == "names":
        rest = _SIGNS.sub("", text)
        if not all(unicodedata.category(sign)[0] in "LN" for sign in rest):
            return "holds something other than letters, digits, “-”, “_” and “'”"
        if text != text.lower():
            return "is not in lower case"
    return None


def find(locale: discord.Locale, table: Table, english: str) -> str | None:
    """What a text is in a language; None where it has no line, or one that Discord would refuse."""
    language = languages().get(_READ_TOO.get(locale.value, locale.value))
    if language is None:
        return None
    text: str | None = getattr(language, table).get(english)
    if text is not None and (wrong := fault(table, text)) is not None:
        log.warning("a translation to %s is left out: %r %s", locale.value, text, wrong)
        return None
    return text


def phrase(locale: discord.Locale, table: Table, english: str) -> str:
    """What a text is in a language, or as it is."""
    return find(locale, table, english) or english


class FileTranslator(Translator):
    """Answers from the files; Discord would refuse all commands for one bad name."""

    async def translate(
        self, string: locale_str, locale: discord.Locale, context: TranslationContextTypes
    ) -> str | None:
        """The text in that language, or None to leave it in English."""
        table = table_of(context)
        return find(locale, table, string.message) if table is not None else None


async def translated(tree: CommandTree[Any]) -> list[dict[str, Any]]:
    """All commands of a tree as they are registered, in every language."""
    translator = FileTranslator()
    return [
        await command.get_translated_payload(tree, translator) for command in tree.get_commands()
    ]
