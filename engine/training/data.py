"""The pictures: every icon drawn once, named, and kept in one array on disk.

`root/pictures.npy` is [n, 72, 72, 4] straight-alpha RGBA; `root/pictures.json` names each of them
and lists the concepts. A concept is a name; the sets draw the same name in different styles.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.training import names, sources
from engine.training.progress import Progress

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

HELD_OUT = 100
"""Concepts that no training picture shows, to measure what was understood and not learnt."""

# What people are likely to ask of an art bot first is not given up for the sake of a measurement.
_ASKED_FIRST = """
apple bear bird boat butterfly cactus car castle cat chicken cow crab crown dog dolphin dragon duck
elephant fire fish flower fox frog ghost heart horse house knight lighthouse lion moon airplane axe
jar mermaid monkey mountain mouse mushroom octopus owl panda penguin pig pirate pizza princess
pumpkin rabbit rainbow robot rocket rose shark shield skull snake snowman spider star sun sunflower
sunset sword tiger train tree turtle unicorn volcano whale wizard wolf
"""


@dataclass(frozen=True)
class Concept:
    """A name, the emoji keywords that go with it, and whether it was held out of training."""

    name: str
    keywords: tuple[str, ...]
    held_out: bool


@dataclass(frozen=True)
class Record:
    """Where one picture comes from and what it shows (an index into the concepts)."""

    source: str
    slug: str
    concept: int
    single_colour: bool


@dataclass(frozen=True)
class Pictures:
    """All rendered pictures with their records, read from `root`; `pixels` is memory-mapped."""

    pixels: npt.NDArray[np.uint8]
    records: tuple[Record, ...]
    concepts: tuple[Concept, ...]

    @classmethod
    def load(cls, root: Path) -> Pictures:
        """Read what `build` wrote.

        Raises:
            FileNotFoundError: `build` has not been run for this root.

        """
        document = json.loads((root / "pictures.json").read_text(encoding="utf-8"))
        concepts = tuple(
            Concept(concept["name"], tuple(concept["keywords"]), concept["held_out"])
            for concept in document["concepts"]
        )
        records = tuple(Record(**record) for record in document["records"])
        return cls(np.load(root / "pictures.npy", mmap_mode="r"), records, concepts)

    def training_indices(self) -> list[int]:
        """The pictures that may be trained on: neither the unseen style nor held-out concepts."""
        evaluation = {icons.prefix for icons in sources.ICON_SETS if icons.use == "evaluate"}
        return [
            index
            for index, record in enumerate(self.records)
            if record.source not in evaluation and not self.concepts[record.concept].held_out
        ]

    def indices_of(self, source: str) -> list[int]:
        """The pictures of one set."""
        return [i for i, record in enumerate(self.records) if record.source == source]


@dataclass(frozen=True)
class _Drawing:
    source: str
    slug: str
    name: str
    svg: str
    single_colour: bool


def build(root: Path) -> Pictures:
    """Fetch, draw and name everything; writes the array, the records and the licences."""
    sources.fetch(root)
    sources.write_licences(root)
    drawings = _drawings(root)
    keywords = _keywords(root)
    # The renderer is imported here, so that training on ready data does not need it.
    from engine.training.render import render

    pixels, seen = [], set()
    kept: list[_Drawing] = []
    progress = Progress("draw", len(drawings))
    for step, drawing in enumerate(drawings, start=1):
        picture = render(drawing.svg)
        progress.show(step, f"{len(kept)} kept")
        if picture is None:
            continue
        # Sets borrow from each other; the same drawing under the same name counts once.
        fingerprint = hashlib.sha256(_thumbnail(picture) + drawing.name.encode()).digest()
        if fingerprint in seen:
            continue
        seen.add(fingerprint)
        pixels.append(picture)
        kept.append(drawing)
    concepts = _concepts(kept, keywords)
    index = {concept.name: number for number, concept in enumerate(concepts)}
    records = tuple(
        Record(drawing.source, drawing.slug, index[drawing.name], drawing.single_colour)
        for drawing in kept
    )
    np.save(root / "pictures.npy", np.stack(pixels))
    document = {
        "concepts": [asdict(concept) for concept in concepts],
        "records": [asdict(record) for record in records],
    }
    (root / "pictures.json").write_text(json.dumps(document), encoding="utf-8")
    return Pictures.load(root)


def _drawings(root: Path) -> list[_Drawing]:
    """Every drawing that has a name, icon sets first, because clip art borrows their names."""
    drawings, joined_later = [], []
    for icon_set in sources.ICON_SETS:
        for icon in sources.read_icons(root, icon_set):
            if icon.category == "Flags":
                continue
            if icon_set.prefix == "fxemoji":
                joined_later.append((icon_set, icon))
                continue
            name = names.name_of(icon.slug)
            if name is not None:
                drawings.append(
                    _Drawing(icon_set.prefix, icon.slug, name, icon.svg, icon_set.single_colour)
                )
    joined = names.joined_names(sorted({drawing.name for drawing in drawings}))
    for icon_set, icon in joined_later:
        name = names.split_joined(icon.slug, joined)
        if name is not None:
            drawings.append(_Drawing(icon_set.prefix, icon.slug, name, icon.svg, False))
    known = {drawing.name for drawing in drawings} & names.nouns(root / "wordnet")
    for file in names.clip_art_folders(root / "openclipart"):
        svg = file.read_text(encoding="utf-8", errors="replace")
        name = names.clip_art_name(svg, known)
        if name is not None:
            drawings.append(_Drawing("openclipart", file.stem, name, svg, False))
    return drawings


def _keywords(root: Path) -> dict[str, tuple[str, ...]]:
    words = {}
    for spelled, *rest in sources.read_keywords(root).values():
        plain = tuple(word.replace("_", " ") for word in rest if word.isascii() and len(word) > 2)
        words[spelled.replace("_", " ")] = tuple(w for w in plain if w[0].isalpha())[:8]
    return words


def _concepts(
    drawings: list[_Drawing], keywords: dict[str, tuple[str, ...]]
) -> tuple[Concept, ...]:
    evaluation = {icons.prefix for icons in sources.ICON_SETS if icons.use == "evaluate"}
    styles = defaultdict(set)
    for drawing in drawings:
        styles[drawing.name].add(drawing.source)
    candidates = [
        name
        for name, drawn_by in styles.items()
        if drawn_by & evaluation and len(drawn_by) >= 4 and not _always_trained(name)
    ]
    # By hash, so that the choice does not move when a set gains an icon.
    candidates.sort(key=lambda name: hashlib.sha256(name.encode()).digest())
    held_out = candidates[:HELD_OUT]
    return tuple(
        Concept(
            name, keywords.get(name, ()), any(names.contains_words(name, word) for word in held_out)
        )
        for name in sorted(styles)
    )


def _always_trained(name: str) -> bool:
    return not set(_ASKED_FIRST.split()).isdisjoint(name.split())


def _thumbnail(picture: npt.NDArray[np.uint8]) -> bytes:
    """A coarse copy in 16 levels, the same for pictures that differ by rounding alone."""
    coarse = picture.reshape(12, 6, 12, 6, 4).mean(axis=(1, 3))
    return bytes((coarse / 16).astype(np.uint8))


def summary(pictures: Pictures) -> str:
    """Pictures a set and the number of concepts, for people."""
    counts = Counter(record.source for record in pictures.records)
    lines = [f"{source:26} {number:6}" for source, number in sorted(counts.items())]
    held_out = sum(concept.held_out for concept in pictures.concepts)
    lines.append(f"{len(pictures.concepts)} names, {held_out} held out of training")
    return "\n".join(lines)
