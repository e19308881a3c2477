"""Every language says everything that the commands and forms say, by Discord's rules."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import discord
import pytest
from discord.app_commands import CommandTree, Translator

from bot import translations
from bot.commands import add_commands
from bot.jobs import Job
from bot.store import Store
from bot.translations import FOLDER, Language, Table, fault, languages, phrase, table_of, translated
from bot.views import asking, recolouring
from bot.views.asking import AskForm
from bot.views.recolouring import PaletteForm
from tests.bot.helpers import add
from tests.bot.scripted import ScriptedEngine
from tests.simulated import simulated

TABLES = get_args(Table)
LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.toml"))


class Asked(Translator):
    """Notes what is to be translated, as discord.py asks for it."""

    def __init__(self) -> None:
        self.texts: defaultdict[str, dict[str, None]] = defaultdict(dict)

    async def translate(self, string, locale, context):
        table = table_of(context)
        assert table is not None
        self.texts[table][string.message] = None


def commands() -> CommandTree:
    tree = CommandTree(discord.Client(intents=discord.Intents(guilds=True)))
    add_commands(tree)
    return tree


def form(locale: discord.Locale, job: Job | None = None, **how) -> AskForm:
    return AskForm(SimpleNamespace(locale=locale, client=SimpleNamespace(forms={})), job, **how)


def palette_form(locale: discord.Locale) -> PaletteForm:
    return PaletteForm(SimpleNamespace(locale=locale, client=SimpleNamespace(forms={})), 1)


@pytest.fixture
async def english(store: Store, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Every text that is shown in the language of whoever sees it, by its table."""
    tree, asked = commands(), Asked()
    for command in tree.get_commands():
        # The bot's owner reads its log too, which is in English.
        if command.name != "admin":
            await command.get_translated_payload(tree, asked)

    def noted(_locale: discord.Locale, table: str, text: str) -> str:
        asked.texts[table][text] = None
        return text

    monkeypatch.setattr(asking, "phrase", noted)
    monkeypatch.setattr(recolouring, "phrase", noted)
    form(discord.Locale.american_english)
    form(discord.Locale.american_english, await add(store))
    palette_form(discord.Locale.american_english)
    form(discord.Locale.american_english, await add(store), relation="start")
    return {table: list(texts) for table, texts in asked.texts.items()}


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return request.param


def test_there_are_five_languages_by_discords_names() -> None:
    assert LANGUAGES == ["de", "es-ES", "fr", "ja", "pt-BR"]
    assert set(LANGUAGES) <= {locale.value for locale in discord.Locale}


async def test_every_text_has_a_line_in_every_language(english: dict[str, list[str]]) -> None:
    missing = [
        f'  bot/translations/{name}.toml, below [{table}]: {json.dumps(text)} = "…"'
        for name, language in languages().items()
        for table, texts in english.items()
        for text in texts
        if text not in getattr(language, table)
    ]
    assert not missing, "lines to add:\n" + "\n".join(missing)


async def test_no_line_translates_what_is_not_said_any_more(english: dict[str, list[str]]) -> None:
    stale = [
        f"  bot/translations/{name}.toml, below [{table}]: {json.dumps(text)}"
        for name, language in languages().items()
        for table in TABLES
        for text in getattr(language, table)
        if text not in english.get(table, ())
    ]
    assert not stale, "lines whose English is gone:\n" + "\n".join(stale)


def test_every_line_keeps_to_discords_rules(language: str) -> None:
    faults = [
        f"{table}: {text!r} {wrong}"
        for table in TABLES
        for text in getattr(languages()[language], table).values()
        if (wrong := fault(table, text))
    ]
    assert not faults


@pytest.mark.parametrize(
    ("table", "text", "wrong"),
    [
        ("names", "palette", None),
        ("names", "größe-2_x'", None),
        ("names", "色数", None),
        ("names", "Farben", "lower case"),
        ("names", "zwei wörter", "something other than letters"),
        ("names", "a" * 33, "33 characters; allowed are 32"),
        ("names", "", "empty"),
        ("menus", "Ein Bild Info", None),
        ("descriptions", "x" * 101, "101 characters"),
        ("choices", "x (oben)", None),
        ("labels", "x" * 46, "allowed are 45"),
    ],
)
def test_discords_rules(table: Table, text: str, wrong: str | None) -> None:
    found = fault(table, text)
    assert found is None if wrong is None else wrong in (found or "")


def nested(options: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Each list of options or subcommands that is shown together."""
    yield options
    for option in options:
        yield from nested(option.get("options", []))


async def test_no_two_things_that_are_shown_together_have_one_name(language: str) -> None:
    registered = await translated(commands())
    for together in nested(registered):
        names = [
            part.get("name_localizations", {}).get(language, part["name"]) for part in together
        ]
        assert len(set(names)) == len(names), names


def longest(part: dict[str, Any], key: str) -> int:
    return max(map(len, [part.get(key, ""), *part.get(f"{key}_localizations", {}).values()]))


def size(part: dict[str, Any]) -> int:
    """What counts towards Discord's limit: of each text the longest of all languages."""
    own = longest(part, "name") + longest(part, "description") + len(str(part.get("value", "")))
    return own + sum(map(size, [*part.get("options", []), *part.get("choices", [])]))


async def test_a_command_has_at_most_8000_characters_in_the_longest_language() -> None:
    for command in await translated(commands()):
        assert size(command) <= 8000, command["name"]
        for together in nested(command.get("options", [])):
            assert len(together) <= 25
            for option in together:
                assert len(option.get("choices", [])) <= 25
                assert len(option["description"]) <= 100


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch):
    """Puts one language into the place of the files."""

    def put(**tables: dict[str, str]) -> None:
        monkeypatch.setattr(translations, "languages", lambda: {"de": Language(**tables)})

    return put


def test_what_has_no_line_stays_english(only) -> None:
    only(labels={"Remix": "Neu"})
    assert phrase(discord.Locale.german, "labels", "Remix") == "Neu"
    assert phrase(discord.Locale.german, "labels", "Prompt") == "Prompt"
    assert phrase(discord.Locale.german, "choices", "Remix") == "Remix"
    assert phrase(discord.Locale.korean, "labels", "Remix") == "Remix"


async def test_a_line_that_discord_would_refuse_is_left_out_and_logged(
    only, caplog: pytest.LogCaptureFixture
) -> None:
    only(names={"prompt": "Zwei Wörter", "seed": "saat"})
    (pixel,) = [command for command in await translated(commands()) if command["name"] == "pixel"]
    localized = {option["name"]: option.get("name_localizations") for option in pixel["options"]}
    assert localized["prompt"] is None
    assert localized["seed"] == {"de": "saat"}
    assert "Zwei Wörter" in caplog.text


def test_a_file_with_another_table_is_refused() -> None:
    with pytest.raises(ValueError, match="name"):
        translations.msgspec.toml.decode(b'[name]\npixel = "bild"', type=Language)


async def test_discord_is_given_all_languages(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        (request,) = [entry for entry in server.env.http_requests if entry.method == "PUT"]
        (pixel,) = [command for command in request.json if command["name"] == "pixel"]
        spanish = pixel["description_localizations"]["es-ES"]
        assert spanish == "Dibuja una imagen a partir de tus palabras."
        assert pixel["description_localizations"]["es-419"] == spanish
        options = {option["name"]: option for option in pixel["options"]}
        assert options["colors"]["name_localizations"]["fr"] == "couleurs"
        assert options["seed"]["description_localizations"]["ja"] == "同じ絵をもう一度描きます。"
        square = options["aspect"]["choices"][1]
        assert (square["value"], square["name_localizations"]["pt-BR"]) == ("square", "quadrado")
        assert "ko" not in pixel["description_localizations"]


async def test_a_new_translation_is_registered_at_the_next_start(tmp_path: Path, only) -> None:
    async with simulated(tmp_path, ScriptedEngine()):
        pass
    only(names={"seed": "saat"})
    async with simulated(tmp_path, ScriptedEngine()) as server:
        assert [entry for entry in server.env.http_requests if entry.method == "PUT"]


async def test_a_form_is_in_the_language_of_whoever_opens_it() -> None:
    german = form(discord.Locale.german).to_dict()
    assert german["title"] == "Bild zeichnen"
    texts = [label["label"] for label in german["components"]]
    assert texts == ["Prompt", "Format", "Qualität", "Einstellungen", "Mit diesem Bild beginnen"]
    values = german["components"][1]["component"]["options"]
    assert [(option["label"], option["value"]) for option in values][:2] == [
        ("Breitbild", "widescreen"),
        ("Quadrat", "square"),
    ]
