"""The command that draws a picture again, as somebody would type it."""

from bot.jobs import Job
from engine.errors import SettingsError
from engine.settings import OPTIONS, Option, Settings, make_settings, picture_names


def command(job: Job) -> str:
    """`/pixel` with the prompt, the seed and whatever else was asked for.

    Pictures that it started from are left out: a command has no room for them.
    """
    words = [job.prompt, *_flag("seed", job.seed)]
    usual = _usual(job.asked)
    if job.asked.preset is not None:
        words += _flag("preset", job.asked.preset)
    for option in OPTIONS:
        value = getattr(job.asked, option.name)
        if _is_typed(option, job.asked) and value != getattr(usual, option.name):
            words += _flag(option.name, value)
    return f"/pixel prompt:{' '.join(words).strip()}"


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


def _flag(name: str, value: object) -> list[str]:
    text = _text(value)
    # Quoted as a shell would have it, if it would not be one word.
    return [f"--{name}", text if _is_word(text) else f'"{text}"']


def _is_word(text: str) -> bool:
    return bool(text) and not any(letter.isspace() or letter in "\"'" for letter in text)


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
