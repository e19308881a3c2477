"""What people, channels and servers may set for themselves: one table, and one check."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.store import Scope
from engine.errors import SettingsError, quote
from engine.settings import OPTION, make_settings

Kind = Literal["setting", "flag", "integer", "choice", "words", "channel", "channels", "roles"]

_EVERYBODY: tuple[Scope, ...] = ("user", "channel", "guild")
_GUILD: tuple[Scope, ...] = ("guild",)

_SCOPE_NAMES: Mapping[Scope, str] = {
    "user": "a person",
    "channel": "a channel",
    "guild": "a server",
}
# What a select of Discord's can hold.
_MOST_CHOSEN = 25
_MOST_WORDS, _LONGEST_WORD = 200, 50

NEVER, LISTED, ALWAYS, AGE = "never", "words", "always", "age"
HIDE, REFUSE = "spoiler", "refuse"


@dataclass(frozen=True)
class Preference:
    """One thing that can be set.

    Attributes:
        kind: “setting” is a setting of a drawing, as in `OPTIONS`.
        scopes: for whom it can be set.
        default: what holds where nobody has set it; None for nothing.
        low, high: the range of a whole number; inclusive.
        capped: whether the operator's setting of the same name is the most.

    """

    name: str
    kind: Kind
    meaning: str
    scopes: tuple[Scope, ...]
    default: object = None
    low: int = 0
    high: int = 0
    choices: tuple[str, ...] = ()
    capped: bool = False

    @property
    def allowed(self) -> str:
        """What may be given, as the end of a sentence."""
        match self.kind:
            case "setting":
                return OPTION[self.name].allowed
            case "flag":
                return "true or false"
            case "integer":
                return f"whole numbers from {self.low} to {self.high}"
            case "choice":
                return ", ".join(self.choices)
            case "words":
                return (
                    f"up to {_MOST_WORDS} words or phrases of up to {_LONGEST_WORD} characters, "
                    "separated by commas or lines"
                )
            case "channel":
                return "the id of a channel"
            case "channels" | "roles":
                return f"the ids of up to {_MOST_CHOSEN} {self.kind}"


PREFERENCES: tuple[Preference, ...] = (
    Preference("preset", "setting", "The preset, where none is given.", _EVERYBODY),
    Preference("palette", "setting", "The palette, where none is given.", _EVERYBODY),
    Preference("quality", "setting", "The quality, where none is given.", _EVERYBODY),
    Preference("aspect", "setting", "The aspect, where none is given.", _EVERYBODY),
    Preference("drawer", "setting", "The drawer, where none is given.", _EVERYBODY),
    Preference(
        "private",
        "flag",
        "Keeps your pictures off the gallery page and the starboard.",
        ("user",),
        default=False,
    ),
    Preference(
        "gallery",
        "flag",
        "Whether anybody may see the channel's pictures on the gallery page.",
        ("channel",),
        default=False,
    ),
    Preference(
        "allowed",
        "flag",
        "Whether pictures may be asked for in this channel, whatever the server's list says.",
        ("channel",),
    ),
    Preference(
        "channels", "channels", "Where pictures may be asked for; everywhere if empty.", _GUILD
    ),
    Preference("roles", "roles", "Who may ask for pictures; everybody if empty.", _GUILD),
    Preference(
        "first_roles",
        "roles",
        "Whose pictures come first in each round; nobody's if empty.",
        _GUILD,
    ),
    Preference(
        "waiting_per_user",
        "integer",
        "How many pictures of one person may wait here.",
        _GUILD,
        low=1,
        high=1000,
        capped=True,
    ),
    Preference(
        "running_per_user",
        "integer",
        "How many pictures of one person are drawn here at the same time.",
        _GUILD,
        low=1,
        high=64,
        capped=True,
    ),
    Preference(
        "running_per_guild",
        "integer",
        "How many pictures of this server are drawn at the same time.",
        _GUILD,
        low=1,
        high=64,
        capped=True,
    ),
    Preference(
        "cooldown",
        "integer",
        "Seconds between two pictures that one person asks for.",
        _GUILD,
        default=0,
        high=86_400,
    ),
    Preference(
        "spoiler",
        "choice",
        "Which pictures are posted behind a spoiler.",
        _GUILD,
        default=LISTED,
        choices=(NEVER, LISTED, ALWAYS, AGE),
    ),
    Preference("words", "words", "Words that this server does not want to see.", _GUILD),
    Preference(
        "word_rule",
        "choice",
        "What becomes of a prompt with such a word.",
        _GUILD,
        default=HIDE,
        choices=(HIDE, REFUSE),
    ),
    Preference("starboard", "channel", "Where favourites of many are posted once more.", _GUILD),
    Preference(
        "stars",
        "integer",
        "How many people must have a picture among their favourites for that.",
        _GUILD,
        default=3,
        low=1,
        high=1000,
    ),
)
PREFERENCE: Mapping[str, Preference] = {preference.name: preference for preference in PREFERENCES}

# What a picture is drawn with where nothing is given.
USUAL = tuple(preference.name for preference in PREFERENCES if preference.kind == "setting")


def read_preference(
    scope: Scope, name: str, value: object, *, caps: Mapping[str, int] | None = None
) -> object:
    """Check a value that somebody wants to set, as text or as itself; returns its one form.

    Args:
        scope: for whom.
        name: what.
        value: not None, which takes back.
        caps: the most of what is `capped`, by name.

    Raises:
        SettingsError: when there is no such preference, not for this scope, or not with this value.

    """
    preference = PREFERENCE.get(name)
    if preference is None:
        raise SettingsError(
            f"There is no preference {quote(name)}; there are {', '.join(PREFERENCE)}."
        )
    if scope not in preference.scopes:
        whose = " or ".join(_SCOPE_NAMES[one] for one in preference.scopes)
        raise SettingsError(
            f"{name} cannot be set for {_SCOPE_NAMES[scope]}; it is a preference of {whose}."
        )
    match preference.kind:
        case "setting":
            return getattr(make_settings({"prompts": "x", name: value}), name)
        case "flag":
            return _flag(preference, value)
        case "choice":
            if value not in preference.choices:
                raise _refusal(preference, value)
            return value
        case "integer":
            number = _whole_number(preference, value)
            most = (caps or {}).get(name) if preference.capped else None
            if most is not None and number > most:
                raise SettingsError(
                    f"{name} cannot be {number}; whoever runs this bot allows at most {most}."
                )
            return number
        case "words":
            return _words(preference, value)
        case "channel":
            return _id(preference, value)
        case "channels" | "roles":
            if not isinstance(value, list | tuple) or len(value) > _MOST_CHOSEN:
                raise _refusal(preference, value)
            return sorted({_id(preference, one) for one in value})


def check_together(usual: Mapping[str, object]) -> None:
    """Make sure that the settings of one scope can be drawn with; raises `SettingsError`."""
    make_settings({"prompts": "x", **{name: usual.get(name) for name in USUAL}})


def plain(text: str) -> str:
    """A text without what does not matter to a list of words: case, accents, invisible signs."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    kept = (
        sign
        for sign in apart
        # The marks of Latin, Greek and Cyrillic letters; those of kana make other letters.
        if not "\u0300" <= sign <= "\u036f" and unicodedata.category(sign) != "Cf"
    )
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def _allowed_shortly(preference: Preference) -> str:
    if preference.kind == "setting":
        return "as in [the table of settings](settings.md)"
    capped = ", and no more than the operator allows" if preference.capped else ""
    return preference.allowed.replace("the id of ", "").replace("the ids of ", "") + capped


def _refusal(preference: Preference, value: object) -> SettingsError:
    return SettingsError(
        f"{preference.name} cannot be {quote(str(value))}; allowed are {preference.allowed}."
    )


def _flag(preference: Preference, value: object) -> bool:
    match value:
        case bool():
            return value
        case "true":
            return True
        case "false":
            return False
        case _:
            raise _refusal(preference, value)


def _whole_number(preference: Preference, value: object) -> int:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value)
    if type(value) is not int or not preference.low <= value <= preference.high:
        raise _refusal(preference, value)
    return value


def _id(preference: Preference, value: object) -> int:
    if type(value) is not int or not 0 < value < 2**63:
        raise _refusal(preference, value)
    return value


def _words(preference: Preference, value: object) -> list[str]:
    if isinstance(value, str):
        value = value.replace("\n", ",").split(",")
    if not isinstance(value, list | tuple):
        raise _refusal(preference, value)
    words: dict[str, str] = {}
    for one in value:
        word = " ".join(str(one).split())
        if not word:
            continue
        if len(word) > _LONGEST_WORD or not any(map(str.isalnum, plain(word))):
            raise _refusal(preference, word)
        words.setdefault(plain(word), word)
    if len(words) > _MOST_WORDS:
        raise SettingsError(
            f"{preference.name} cannot be {len(words)} words; allowed are {preference.allowed}."
        )
    return list(words.values())


def preferences_table() -> str:
    """Every preference as a Markdown table, for docs/preferences.md."""
    rows = [
        "| Preference | Of | May be | Unless set | Meaning |",
        "| --- | --- | --- | --- | --- |",
    ]
    for one in PREFERENCES:
        whose = ", ".join(_SCOPE_NAMES[scope] for scope in one.scopes)
        usual = "" if one.default is None else f"`{str(one.default).lower()}`"
        rows.append(
            f"| `{one.name}` | {whose} | {_allowed_shortly(one)} | {usual} | {one.meaning} |"
        )
    return "\n".join(rows)
