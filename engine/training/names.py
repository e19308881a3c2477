"""Slugs and titles to the names of things: `red-apple` → "red apple", "2 dead frogs" → "frog"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
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
_INTERFACE_VARIANT = re.compile(r"(-(alt|front|one|side|two|three|[0-9]+))+$")
# WordNet's lexicographer files of what can be touched: animals, artefacts, bodies, food, natural
# objects, people and plants.
_THINGS = frozenset({5, 6, 8, 13, 17, 18, 20})
_FOLDERS = """
animals buildings containers decorations education electronics food geography/astronomy office
people plants recreation/holiday recreation/music recreation/party recreation/sports
recreation/toys science tools transportation/vehicles transportation/boating
transportation/aircraft signs_and_symbols/weather
"""
_STAMP_FOLDERS = """
animals clothes food hobbies household medical naturalforces people plants seasonal space sports
symbols/faces symbols/shapes town vehicles
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


def thing_of(slug: str, category: str, allowed: Mapping[str, str]) -> str | None:
    """The thing that an icon for interfaces shows: `interface-essential-tool-box-2` → "toolbox".

    Such slugs may begin with their category (`InterfaceEssential`). What remains must be one of
    the allowed names, which are given by their spelling without spaces; else None.
    """
    own = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", category).lower()
    name = name_of(slug.removeprefix(f"{own}-"))
    if name is None:
        return None
    for slug_again in (name.replace(" ", "-"), _INTERFACE_VARIANT.sub("", name.replace(" ", "-"))):
        joined = slug_again.replace("-", "")
        if len(joined) > 2 and joined in allowed:
            return allowed[joined]
    return None


def nouns(wordnet: Path, longest: int = 3) -> set[str]:
    """WordNet's nouns of up to `longest` words, in lower case, proper names left out."""
    return {lemma for lemma, _ in _read_nouns(wordnet) if lemma.count(" ") < longest}


def things(wordnet: Path) -> set[str]:
    """WordNet's nouns whose first sense can be touched: "hammer", and neither "share" nor "set"."""
    data = wordnet / "usr/share/wordnet/data.noun"
    lines = data.read_text(encoding="utf-8").splitlines()
    file_of = {line[:8]: int(line[9:11]) for line in lines if not line.startswith(" ")}
    return {lemma for lemma, first in _read_nouns(wordnet) if file_of[first] in _THINGS}


def _read_nouns(wordnet: Path) -> Iterator[tuple[str, str]]:
    """Each lemma of letters, and the place of its first sense in `data.noun` (wndb(5WN))."""
    index = wordnet / "usr/share/wordnet/index.noun"
    for line in index.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        fields = line.split()
        lemma = fields[0].replace("_", " ")
        if lemma.replace(" ", "").isalpha():
            # The last fields are the senses, the most frequent first; the third says how many.
            yield lemma, fields[-int(fields[2])]


def clip_art_folders(openclipart: Path) -> list[Path]:
    """The SVG files of the Open Clip Art Library's folders that show things, sorted."""
    top = openclipart / "usr/share/openclipart/svg"
    return sorted(file for folder in _FOLDERS.split() for file in (top / folder).rglob("*.svg"))


def clip_art_name(svg: str, known: Collection[str]) -> str | None:
    """The known name that a clip's title holds, or None; its subject words confirm it."""
    title = _TITLE.search(svg)
    # One artist's template has left its title on drawings of other things.
    if title is None or title.group(1).startswith("Clipart by"):
        return None
    subjects = {_singular(word.strip().lower()) for word in _SUBJECT.findall(svg)}
    return titled(title.group(1), known, subjects)


def stamp_files(stamps: Path) -> list[Path]:
    """The pictures of Tux Paint's stamps that show things, sorted; as SVG where there is both."""
    top = stamps / "usr/share/tuxpaint/stamps"
    found = sorted(
        file for folder in _STAMP_FOLDERS.split() for file in (top / folder).rglob("*.[sp][vn]g")
    )
    drawn = {file.with_suffix("") for file in found if file.suffix == ".svg"}
    return [f for f in found if f.suffix == ".svg" or f.with_suffix("") not in drawn]


def stamp_name(file: Path, known: Collection[str]) -> str | None:
    """The known name at the end of what a stamp's description says first ("A cheetah.")."""
    description = file.with_suffix(".txt")
    if not description.exists():
        return None
    text = description.read_text(encoding="utf-8", errors="replace")
    return titled(re.split(r"[.!,(\n]", text, maxsplit=1)[0], known)


def titled(title: str, known: Collection[str], subjects: Collection[str] = ()) -> str | None:
    """The known name that a title holds, the longest and then the last one, or None.

    English puts the thing after what describes it ("cartoon dog"). A single word that is not last
    in the title must be one of the subjects.
    """
    words = [_singular(word) for word in re.findall(r"[a-z]+", title.lower())]
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
