"""What the small text tower learns to read: captions, the words of WordNet, and made-up prompts."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.training.names import with_article
from engine.training.recolour import COLOURS
from engine.training.scenes import SCENES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

UNSEEN_WORDS = 500
"""Nouns of which no training text holds a single one, to measure the reading of new words."""

_HELD_OUT_CAPTIONS = 3000
_PROMPTS = 80_000
_LONGEST_GLOSS = 14
_SHORT = 3
# WordNet's lexicographer files of what can be seen: animals, artefacts, bodies, events, food,
# places, objects, people, phenomena, plants, shapes and substances.
_VISIBLE = frozenset({5, 6, 8, 11, 13, 15, 17, 18, 19, 20, 25, 27})
_STYLES = (
    "pixel art",
    "8-bit",
    "watercolor",
    "oil painting",
    "vaporwave",
    "a photo",
    "minimalist",
    "steampunk",
    "fantasy art",
    "retro game sprite",
    "stained glass",
    "by Van Gogh",
)
_PATTERNS = (
    "{a_noun}",
    "{adjective} {noun}",
    "{a_adjective} {noun}",
    "{a_colour} {noun}",
    "{a_noun} and {a_second}",
    "{a_noun} with {a_second}",
    "{a_noun} on {a_second}",
    "{a_noun} in {a_second}",
    "{a_noun} near the {second}",
    "{a_adjective} {noun} {place}",
    "{a_noun} {place}",
    "{a_colour} {noun} {place}",
    "{a_colour} {noun} and {a_other_colour} {second}",
    "{style} of {a_noun}",
    "{a_noun}, {style}",
    "{a_adjective} {noun}, {style}",
    "{a_noun} made of {second}",
    "{noun} {second}",
    "portrait of {a_noun}",
    "{a_noun} holding {a_second}",
    "the {noun} of the {second}",
)


@dataclass(frozen=True)
class Corpus:
    """Texts to learn from, and two lists that are kept for measuring.

    The first `favoured` texts of `train` are the captions of up to three words: what the image
    tower knows by name, and what people type. `unseen` are nouns that stand in none of `train`.
    """

    train: tuple[str, ...]
    favoured: int
    captions: tuple[str, ...]
    unseen: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One synset: its part of speech (n, v, a, s or r), its words, and what they mean.

    `visible` nouns are those of things that can be seen.
    """

    part: str
    visible: bool
    words: tuple[str, ...]
    gloss: str


def build(captions: Sequence[str], wordnet: Path, seed: int = 0) -> Corpus:
    """Collect, make up and split the texts, the same for the same seed."""
    randomness = random.Random(seed)
    entries = list(read_wordnet(wordnet))
    nouns = sorted({w for e in entries if e.visible for w in e.words})
    adjectives = sorted({w for e in entries if e.part in "as" for w in e.words if " " not in w})
    lemmas = {word for entry in entries for word in entry.words}
    glosses = {e.gloss for e in entries if e.visible and e.gloss.count(" ") < _LONGEST_GLOSS}
    prompts = {_prompt(nouns, adjectives, randomness) for _ in range(_PROMPTS)}
    texts = sorted({*captions, *lemmas, *glosses, *prompts} - {""})
    # Unseen words are plain ones, which people might type, and stand in few texts.
    in_captions = {word for caption in captions for word in caption.split()}
    plain = [w for w in nouns if w.isalpha() and 4 <= len(w) <= 9 and w not in in_captions]
    unseen = tuple(sorted(randomness.sample(plain, UNSEEN_WORDS)))
    kept = [text for text in texts if not mentions(text, frozenset(unseen))]
    measured = frozenset(randomness.sample(sorted(set(captions)), _HELD_OUT_CAPTIONS))
    short = {caption for caption in captions if caption.count(" ") < _SHORT}
    # A stable sort: the short captions first, everything else in its order.
    train = sorted((text for text in kept if text not in measured), key=lambda t: t not in short)
    favoured = sum(text in short for text in train)
    return Corpus(tuple(train), favoured, tuple(sorted(measured)), unseen)


def read_wordnet(wordnet: Path) -> Iterator[Entry]:
    """The synsets of an unpacked `wordnet-base`, without proper names and examples.

    Format: wndb(5WN). A gloss ends where its first example begins.
    """
    for part in ("noun", "verb", "adj", "adv"):
        file = wordnet / "usr/share/wordnet" / f"data.{part}"
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith(" "):
                continue
            data, _, gloss = line.partition("|")
            _, lexicographer, kind, count, *rest = data.split()
            spelled = rest[: 2 * int(count, 16) : 2]
            words = tuple(
                re.sub(r"\(.*\)", "", word).replace("_", " ") for word in spelled if word.islower()
            )
            if words:
                visible = int(lexicographer) in _VISIBLE
                yield Entry(kind, visible, words, gloss.split(";")[0].strip())


def mentions(text: str, words: Collection[str]) -> bool:
    """Whether one of the words, or its plural, stands in the text."""
    said = re.findall(r"[a-z]+", text.lower())
    return any(word in words or word.removesuffix("s") in words for word in said)


def _prompt(nouns: Sequence[str], adjectives: Sequence[str], randomness: random.Random) -> str:
    noun, second = randomness.sample(nouns, 2)
    colour, other_colour = randomness.sample(list(COLOURS), 2)
    adjective = randomness.choice(adjectives)
    return randomness.choice(_PATTERNS).format(
        noun=noun,
        second=second,
        adjective=adjective,
        a_noun=with_article(noun),
        a_second=with_article(second),
        a_adjective=with_article(adjective),
        a_colour=with_article(colour),
        a_other_colour=with_article(other_colour),
        place=randomness.choice(randomness.choice(SCENES).places),
        style=randomness.choice(_STYLES),
    )
