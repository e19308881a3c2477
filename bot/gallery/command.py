"""The command that draws a picture again, as somebody would type it."""

import re

from bot.jobs import Job
from bot.texts import one_line
from engine.errors import SettingsError
from engine.settings import OPTIONS, Option, Settings, make_settings, picture_names


def command(job: Job) -> tuple[str, ...]:
    """`/pixel` with the prompt, the seed and whatever else was asked for; to be joined by spaces.

    Pictures that it started from are left out: a command has no room for them.
    """
    words = [f"/pixel prompt:{one_line(job.prompt)}", _flag("seed", job.seed)]
    usual = _usual(job.asked)
    if job.asked.preset is not None:
        words.append(_flag("preset", job.asked.preset))
    for option in OPTIONS:
        value = getattr(job.asked, option.name)
        if _is_typed(option, job.asked) and value != getattr(usual, option.name):
            words.append(_flag(option.name, value))
    return tuple(words)


def _usual(asked: Settings) -> Settings:
    """What is taken where nothing is said, by the preset if there is one."""
    given = {"prompts": asked.prompts or None, "preset": asked.preset}
    try:
        return make_settings(given)
    except SettingsError:
        # Without a prompt, or with a preset that is gone.
        return Settings(prompts=asked.prompts)


def _is_typed(option: Option, asked: Settings) -> bool:
    if option.name in {"prompts", "seed", "preset"} or not option.chat:
        return False
    return getattr(asked, option.name) is not None and not picture_names(asked, option)


def _flag(name: str, value: object) -> str:
    text = one_line(_text(value))
    if not _is_word(text):
        mark = next((mark for mark in "\"'" if mark not in text), '"')
        text = f"{mark}{text}{mark}"
    return f"--{name} {text}"


def _is_word(text: str) -> bool:
    """Whether a value ends where it should without quotation marks."""
    return re.fullmatch(r"(?!--)[^\s\"'“„«「—–]+", text) is not None


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g}"
        case [int(), int()]:
            return "{} {}".format(*value)
        case tuple():
            return ",".join(map(_text, value))
        case _:
            return str(value)
