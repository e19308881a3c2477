"""Slugs and titles to the names of things: `red-apple` → "red apple", "2 dead frogs" → "frog"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

# Left out: what differs only by skin or gender (a view of 64 pixels cannot tell), flags, written
# signs, and the two dozen clock faces.
_LEFT_OUT = re.compile(
    r"skin-tone|^flag-|-flag$|keycap|button|-text$|o-clock|oclock|thirty|regional-indicator|"
    r"^(man|woman|men|women)-|^(family|couple|kiss|letter|digit|input|japanese|squared|cl|"
    r"uv-index|wind-beaufort|code|not-available|pressure|time)(-|$)|^family|"
    r"-(light|medium|medium-light|medium-dark|dark)$|zodiac|^number-|heavy-|"
    r"^(beaufort|celsius|fahrenheit)|-duo$"
)
_VARIANT = re.compile(r"(-(fill|flat|line|[0-9]+))+$")
_FOLDERS = """
animals buildings containers decorations education electronics food geography/astronomy office
people plants recreation/holiday recreation/music recreation/party recreation/sports
recreation/toys science tools transportation/vehicles transportation/boating
transportation/aircraft signs_and_symbols/weather
"""
_TITLE = re.compile(r"<dc:title>([^<]+)</dc:title>")
_SUBJECT = re.compile(r"<rdf:li>([^<]+)</rdf:li>")


def name_of(slug: str) -> str | None:
    """The name that a slug spells, or None for the kinds of icon that are left out."""
    if _LEFT_OUT.search(slug):
        return None
    words = _VARIANT.sub("", slug).replace("-", " ").strip()
    return words if len(words) > 1 else None


def split_joined(slug: str, joined: dict[str, str]) -> str | None:
    """The name behind a slug without separators (`loveletter`), if it is one of the known ones."""
    return joined.get(re.sub(r"[^a-z0-9]", "", slug.lower()))


def joined_names(names: Iterable[str]) -> dict[str, str]:
    """Each name by its spelling without spaces, for `split_joined`."""
    return {name.replace(" ", ""): name for name in names}


def nouns(wordnet: Path, longest: int = 3) -> set[str]:
    """WordNet's nouns of up to `longest` words, in lower case, proper names left out."""
    found = set()
    index = wordnet / "usr/share/wordnet/index.noun"
    for line in index.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        lemma = line.split(" ", 1)[0].replace("_", " ")
        if lemma.count(" ") < longest and lemma.replace(" ", "").isalpha():
            found.add(lemma)
    return found


def clip_art_folders(openclipart: Path) -> list[Path]:
    """The SVG files of the Open Clip Art Library's folders that show things, sorted."""
    top = openclipart / "usr/share/openclipart/svg"
    return sorted(file for folder in _FOLDERS.split() for file in (top / folder).rglob("*.svg"))


def clip_art_name(svg: str, known: Collection[str]) -> str | None:
    """The known name that a clip's title holds, the longest and then the last one, or None.

    English puts the thing after what describes it ("cartoon dog"). A single word that is not last
    in the title must be confirmed by the clip's own subject words.
    """
    title = _TITLE.search(svg)
    if title is None:
        return None
    subjects = {_singular(word.strip().lower()) for word in _SUBJECT.findall(svg)}
    words = [_singular(word) for word in re.findall(r"[a-z]+", title.group(1).lower())]
    for length in (3, 2, 1):
        for start in range(len(words) - length, -1, -1):
            name = " ".join(words[start : start + length])
            certain = length > 1 or name in subjects or start + length == len(words)
            if name in known and certain:
                return name
    return None


def contains_words(name: str, words: str) -> bool:
    """Whether `words` stand in `name` as whole words: "barn owl" contains "owl"."""
    return f" {words} " in f" {name} "


def with_article(name: str) -> str:
    """The name as one would say it in a sentence: "an owl", "eyes"."""
    if name.endswith("s") and not name.endswith(("ss", "us")):
        return name
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _singular(word: str) -> str:
    if word.endswith(("ss", "us", "glasses", "scissors")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word.removesuffix("s")
