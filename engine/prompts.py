"""The prompt language: ``a castle:2 | people:-0.5`` → texts with weights and stops."""

import math
import re
from collections.abc import Sequence

import msgspec

from engine.errors import SettingsError, quote

MAX_LENGTH = 1000
MAX_PROMPTS = 8
MAX_WEIGHT = 10.0
MAX_STOP = 5.0

# A tail that starts like a number is meant as one: `castle:2x` is a slip, `Wars: a hope` is text.
_TAIL = re.compile(r":(?P<number>[+\-.\d][^\s:]*)$")


class Prompt(msgspec.Struct, frozen=True):
    """One thing to draw.

    Attributes:
        text: what the picture should (or should not) show; not empty.
        weight: −10…10; a negative weight pushes the picture away.
        stop: the signed distance below which the prompt stops pulling, −5…5 (VQGAN-CLIP,
            Crowson et al. 2022, ``Prompt.stop``); None pulls for ever.

    """

    text: str
    weight: float = 1.0
    stop: float | None = None


def parse_prompts(source: str) -> tuple[Prompt, ...]:
    r"""Read the prompts of one drawing, separated by ``|``, each ``text[:weight[:stop]]``.

    Args:
        source: 1–1000 characters, at most 8 prompts.

    Raises:
        SettingsError: when it is empty or too long, when a weight or a stop is not a number or
            out of range, or when nothing but weights is left.

    """
    text = source.strip()
    if not text:
        raise SettingsError(
            "The prompt is empty; write what should be drawn, such as “a red apple”."
        )
    if len(text) > MAX_LENGTH:
        raise SettingsError(
            f"The prompt is {len(text)} characters long; at most {MAX_LENGTH} are allowed."
        )
    parts = [part.strip() for part in text.split("|")]
    parts = [part for part in parts if part]
    if not parts:
        raise SettingsError("The prompt holds only “|”; write what should be drawn between them.")
    if len(parts) > MAX_PROMPTS:
        raise SettingsError(
            f"The prompt has {len(parts)} parts between “|”; at most {MAX_PROMPTS} are allowed."
        )
    prompts = tuple(_parse_one(part) for part in parts)
    if all(prompt.weight == 0 for prompt in prompts):
        raise SettingsError("Every prompt has the weight 0; give at least one another weight.")
    return prompts


def format_prompts(prompts: Sequence[Prompt]) -> str:
    """Write prompts so that `parse_prompts` reads the same ones again."""
    return " | ".join(_format_one(prompt) for prompt in prompts)


def _parse_one(part: str) -> Prompt:
    rest, last = _split_number(part)
    if last is None:
        return Prompt(_checked_text(rest, part))
    before, second = _split_number(rest)
    if second is None:
        return Prompt(_checked_text(rest, part), _number(last, "weight", MAX_WEIGHT, part))
    return Prompt(
        _checked_text(before, part),
        _number(second, "weight", MAX_WEIGHT, part),
        _number(last, "stop", MAX_STOP, part),
    )


def _split_number(part: str) -> tuple[str, str | None]:
    match = _TAIL.search(part)
    if match is None:
        return part, None
    return part[: match.start()].rstrip(), match["number"]


def _checked_text(text: str, part: str) -> str:
    if not text:
        raise SettingsError(f"The prompt part {quote(part)} has a weight but no text before it.")
    return text


def _number(source: str, what: str, limit: float, part: str) -> float:
    try:
        value = float(source)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in source:
        raise SettingsError(
            f"The {what} {quote(source)} in {quote(part)} is not a number; write it like "
            "“a castle:2” or, for a colon that is text, put a space after it."
        )
    if abs(value) > limit:
        raise SettingsError(
            f"The {what} {source} in {quote(part)} is out of range; "
            f"allowed are −{limit:g} to {limit:g}. For a colon that is text, put a space after it."
        )
    return value


def _format_one(prompt: Prompt) -> str:
    if prompt.stop is not None:
        return f"{prompt.text}:{_digits(prompt.weight)}:{_digits(prompt.stop)}"
    return prompt.text if prompt.weight == 1 else f"{prompt.text}:{_digits(prompt.weight)}"


def _digits(number: float) -> str:
    return str(int(number)) if number.is_integer() else repr(number)
