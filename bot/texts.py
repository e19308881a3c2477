"""Words that people read: strangers' prompts made harmless, durations, bars."""

import math
import re

# Discord's limit.
ALT_TEXT_LIMIT = 1024

_BAR_CELLS = 12
_SPECIAL = re.compile(r"[\\*_~`|\[\]<>]|:(?=//)")
# Signs that turn the direction of everything after them.
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def harmless(text: str, limit: int) -> str:
    """A stranger's text on one line of a message, with at most `limit` characters.

    No mention, no markdown, no link and no emoji is made of it. Escaping makes a text longer, so
    the text is shortened until its escaped form fits.
    """
    plain = one_line(text)
    kept = len(plain)
    while len(shown := _escape(plain if kept == len(plain) else f"{plain[:kept]}…")) > limit:
        kept -= max(1, (len(shown) - limit) // 2)
    return shown


def alt_text(prompt: str) -> str:
    """What a picture shows, for those who cannot see it."""
    text = one_line(prompt)
    return text if len(text) <= ALT_TEXT_LIMIT else f"{text[: ALT_TEXT_LIMIT - 1]}…"


def code_block(text: str, limit: int) -> str:
    """A stranger's text as it is, to be copied; of its contents at most `limit` characters."""
    # Three backticks would end the block.
    plain = text.strip().replace("```", "'''")
    return f"```\n{plain if len(plain) <= limit else f'{plain[: limit - 1]}…'}\n```"


def one_line(text: str) -> str:
    """A text without line breaks and without signs that turn its direction."""
    return " ".join(_DIRECTIONS.sub("", text).split())


def duration(seconds: float) -> str:
    """A time span, rounded to what a person wants to know."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if seconds < 3600:
        return f"{math.ceil(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def size(count: int) -> str:
    """A number of bytes for people."""
    if count < 2**20:
        return f"{count / 2**10:,.0f} KiB"
    return f"{count / 2**20:,.0f} MiB" if count < 2**30 else f"{count / 2**30:,.1f} GiB"


def bar(share: float) -> str:
    """How much is done, from 0 to 1."""
    full = round(_BAR_CELLS * min(1.0, max(0.0, share)))
    return "▰" * full + "▱" * (_BAR_CELLS - full)


def _escape(text: str) -> str:
    # A backslash does not stop a mention where Discord looks for one; a space of no width does.
    return _SPECIAL.sub(r"\\\g<0>", text).replace("@", "@\u200b")
