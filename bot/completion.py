"""What is offered while somebody types an option, as Discord shows it."""

import re
from collections.abc import Iterator, Mapping, Sequence

from discord.app_commands import Choice

from bot.prompt_options import WRITABLE
from bot.store import FormerPrompt, Offer
from bot.texts import one_line
from engine.palettes import PALETTES
from engine.presets import PRESETS
from engine.settings import split_weight

# Discord's limits: how many are offered, and how long a name and a value may be.
_MOST = 25
_LONGEST = 100

_EXAMPLES = (
    "a red apple",
    "a lighthouse at dusk",
    "a castle --palette gameboy",
    "a cat --preset sprite",
)

_LAST_SETTING = re.compile(r"(?<!\S)--(?P<name>[\w-]*)(?:[\s=](?P<value>\S*))?$")
_NUMBER = re.compile(r"#([0-9]{1,18})")
# What Discord takes for a whole number has no more digits.
_DIGITS = re.compile(r"[0-9]{1,15}")


def palette_choices(typed: str) -> list[Choice[str]]:
    """The named palettes that hold what is typed so far."""
    return _as_they_are(name for name in PALETTES if typed.strip().lower() in name)


def preset_choices(typed: str) -> list[Choice[str]]:
    """The presets that hold what is typed so far, each with what it brings."""
    return [
        Choice(name=_cut(f"{name}: {' · '.join(_phrases(bundle))}"), value=name)
        for name, bundle in PRESETS.items()
        if typed.strip().lower() in name
    ][:_MOST]


def listed_choices(typed: str, listed: Sequence[str]) -> list[Choice[str]]:
    """The listed names that go with the last of those typed so far, after the ones before it."""
    before, comma, last = typed.rpartition(",")
    head = f"{before.strip()}, " if comma else ""
    chosen = {split_weight(name)[0] for name in before.replace(",", " ").split()}
    return _as_they_are(
        head + name
        for name in listed
        if last.strip().lower() in name.lower() and name not in chosen
    )


def setting_choices(typed: str, listed: Mapping[str, Sequence[str]]) -> list[Choice[str]]:
    """The prompt typed so far with the setting at its end completed: its name, then its value.

    Args:
        typed: such as ``a fox --pal`` or ``a fox --palette nes``.
        listed: the names that can be chosen for settings that name models.

    """
    match = _LAST_SETTING.search(typed)
    if match is None:
        return []
    if match["value"] is None:
        wanted = match["name"]
        candidates: Sequence[str] = [name.replace("_", "-") for name in WRITABLE]
    else:
        wanted = match["value"]
        candidates = _values(match["name"].lower().replace("-", "_"), listed)
    head = typed[: len(typed) - len(wanted)]
    return _as_they_are(head + word for word in candidates if word.startswith(wanted.lower()))


def prompt_choices(typed: str, former: Sequence[FormerPrompt]) -> list[Choice[str]]:
    """What is typed so far, and the former prompts that hold it, in their order.

    Discord takes the first one when somebody presses Enter, so that must be what they typed; where
    nothing else is offered, neither is that, and Enter sends the command at once. A former prompt
    that is too long for a value is offered by the number of its job, as `chosen_job` reads it. Who
    has none, and types nothing, gets examples.
    """
    text = one_line(typed)
    own = [Choice(name=text, value=text)] if text and not is_too_long(text) else []
    matching = [
        Choice(
            name=_cut(one_line(old.prompt)),
            value=f"#{old.job_id}" if is_too_long(old.prompt) else old.prompt,
        )
        for old in former
        if text.casefold() in one_line(old.prompt).casefold() and old.prompt != text
    ]
    if not text and not matching:
        return [Choice(name=text, value=text) for text in _EXAMPLES]
    return [*own, *matching][:_MOST] if matching else []


def picture_choices(typed: str, offers: Sequence[Offer]) -> list[Choice[int]]:
    """The pictures whose prompts hold what is typed, or whose numbers begin with it.

    A number that is typed is offered first, whosever it is.
    """
    text = one_line(typed).casefold().removeprefix("#")
    found = [
        Choice(name=_cut(f"#{offer.job_id} {one_line(offer.prompt)}"), value=offer.job_id)
        for offer in offers
        if text in one_line(offer.prompt).casefold() or str(offer.job_id).startswith(text)
    ]
    if _DIGITS.fullmatch(text):
        number = int(text)
        known = [choice for choice in found if choice.value == number]
        found = [
            *(known or [Choice(name=f"#{number}", value=number)]),
            *(choice for choice in found if choice.value != number),
        ]
    return found[:_MOST]


def chosen_job(value: str) -> int | None:
    """The number of the job whose prompt is meant, if `value` may have been offered for one."""
    match = _NUMBER.fullmatch(value)
    return int(match[1]) if match is not None else None


def is_too_long(prompt: str) -> bool:
    """Whether a prompt cannot be a choice's value."""
    return len(prompt) > _LONGEST


def _values(name: str, listed: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The values of a setting that have names."""
    option = WRITABLE.get(name)
    if option is not None and option.kind == "palette":
        return list(PALETTES)
    return listed.get(name) or (option.choices if option is not None else ())


def _as_they_are(names: Iterator[str]) -> list[Choice[str]]:
    return [Choice(name=name, value=name) for name in names if len(name) <= _LONGEST][:_MOST]


def _phrases(bundle: Mapping[str, object]) -> Iterator[str]:
    for name, value in bundle.items():
        match value:
            case True:
                yield name
            case tuple():
                yield f"{name} {' × '.join(map(str, value))}"
            case _:
                yield f"{name} {value}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
