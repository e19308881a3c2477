"""What can be said of the pictures: every caption of the training, listed once.

Because the list is closed, each caption passes through the text teacher once, before the training.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from engine.training.names import with_article
from engine.training.recolour import COLOURS
from engine.training.scenes import SCENES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.training.data import Concept, Pictures

    Number = Callable[[str], int]

_TEMPLATES = (
    "a picture of {}",
    "a drawing of {}",
    "pixel art of {}",
    "an icon of {}",
    "{} on a plain background",
    "a cute {name}",
    "a cartoon {name}",
    "{name} emoji",
)
_PLACES_EACH = 5
_BACKGROUNDS_EACH = 4
_PARTNERS_EACH = 4


class Kind(IntEnum):
    """What a caption says about a thing; `detail` means something else for each."""

    PLAIN = 0  # "an apple", "pixel art of an apple"; detail 0
    KEYWORD = 1  # "fruit"; detail 0
    COLOURED = 2  # "a blue apple"; detail is the colour's number
    BACKGROUND = 3  # "an apple on a blue background"; detail is the colour's number
    PLACED = 4  # "an apple in space"; detail is the scene's number
    PAIR = 5  # "an apple and a tree"; detail is the other concept's number


@dataclass(frozen=True)
class Caption:
    """One thing that can be said of a concept: the text's number, its kind, and the detail."""

    text: int
    kind: Kind
    detail: int = 0


@dataclass(frozen=True)
class Captions:
    """All texts; the captions of each concept; the texts of each scene; the bank of names.

    `bank` holds the concepts (by number) whose names several pictures show: the classes of the
    cross-entropy, whose texts are `bank_texts`. `colour_texts` are the colours' own words.
    """

    texts: tuple[str, ...]
    of_concept: dict[int, tuple[Caption, ...]]
    of_scene: tuple[tuple[int, ...], ...]
    bank: tuple[int, ...]
    bank_texts: tuple[int, ...]
    colour_texts: tuple[int, ...]


def write_captions(
    pictures: Pictures, indices: Sequence[int] | None = None, seed: int = 0
) -> Captions:
    """Say everything there is to say about some pictures, the same for the same seed.

    They are those for training unless their indices are given.
    """
    randomness = random.Random(seed)
    texts: dict[str, int] = {}

    def number(text: str) -> int:
        return texts.setdefault(text, len(texts))

    shown = pictures.training_indices() if indices is None else indices
    counts = Counter(pictures.records[index].concept for index in shown)
    several = sorted(concept for concept, pictured in counts.items() if pictured > 1)
    of_concept: dict[int, tuple[Caption, ...]] = {}
    for concept in sorted(counts):
        found = _plain(pictures.concepts[concept], number)
        found += _coloured(pictures.concepts[concept], number)
        if counts[concept] > 1:
            found += _templates(pictures.concepts[concept], number)
            found += _situations(pictures, concept, several, randomness, number)
        of_concept[concept] = tuple(found)
    of_scene = tuple(tuple(number(name) for name in scene.names) for scene in SCENES)
    bank_texts = tuple(number(pictures.concepts[concept].name) for concept in several)
    colour_texts = tuple(number(colour) for colour in COLOURS)
    return Captions(tuple(texts), of_concept, of_scene, tuple(several), bank_texts, colour_texts)


def by_kind(captions: Sequence[Caption]) -> dict[Kind, tuple[Caption, ...]]:
    """The captions of one concept, sorted by what they say."""
    groups: dict[Kind, list[Caption]] = defaultdict(list)
    for caption in captions:
        groups[caption.kind].append(caption)
    return {kind: tuple(group) for kind, group in groups.items()}


def _plain(concept: Concept, number: Number) -> list[Caption]:
    said = (concept.name, with_article(concept.name))
    plain = [Caption(number(text), Kind.PLAIN) for text in said]
    return plain + [Caption(number(word), Kind.KEYWORD) for word in concept.keywords[:5]]


def _templates(concept: Concept, number: Number) -> list[Caption]:
    thing = with_article(concept.name)
    said = (template.format(thing, name=concept.name) for template in _TEMPLATES)
    return [Caption(number(text), Kind.PLAIN) for text in said]


def _coloured(concept: Concept, number: Number) -> list[Caption]:
    # A name that holds a colour ("red heart") would make a caption that contradicts itself.
    if set(concept.name.split()) & set(COLOURS):
        return []
    return [
        Caption(number(with_article(f"{colour} {concept.name}")), Kind.COLOURED, detail)
        for detail, colour in enumerate(COLOURS)
    ]


def _situations(
    pictures: Pictures,
    concept: int,
    others: Sequence[int],
    randomness: random.Random,
    number: Number,
) -> list[Caption]:
    thing = with_article(pictures.concepts[concept].name)
    found = []
    for scene in randomness.sample(range(len(SCENES)), _PLACES_EACH):
        place = randomness.choice(SCENES[scene].places)
        found.append(Caption(number(f"{thing} {place}"), Kind.PLACED, scene))
    for colour in randomness.sample(range(len(COLOURS)), _BACKGROUNDS_EACH):
        text = f"{thing} on {with_article(tuple(COLOURS)[colour])} background"
        found.append(Caption(number(text), Kind.BACKGROUND, colour))
    for other in randomness.sample(others, min(_PARTNERS_EACH, len(others))):
        if other != concept:
            text = f"{thing} and {with_article(pictures.concepts[other].name)}"
            found.append(Caption(number(text), Kind.PAIR, other))
    return found
