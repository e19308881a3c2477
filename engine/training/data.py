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
from engine.training.nearest import nearest, thumbnails
from engine.training.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    import numpy.typing as npt

HELD_OUT = 100
"""Concepts that no training picture shows, to measure what was understood and not learnt."""

BORROWED = 0.1
"""Distance (see `nearest`) below which two pictures are taken for one drawing."""

# Categories of icons that show no thing.
_NO_THINGS = frozenset({"Flags", "Brand / Logo", "Brand", "Brands", "Logo", "Logos"})

# The sets that say what is drawn often enough to be held out. The list is closed, so that the
# choice does not move when sets are added.
_COUNTED = """
noto noto-v1 twemoji emojione fluent-emoji fluent-emoji-flat fxemoji streamline-emojis
streamline-kameleon-color flat-color-icons flat-ui meteocons game-icons openmoji
"""

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
        """The pictures that may be trained on: of the sets for training, no held-out concepts."""
        return [
            index
            for index, record in enumerate(self.records)
            if sources.USE_OF[record.source] == "train"
            and not self.concepts[record.concept].held_out
        ]

    def judge_indices(self) -> list[int]:
        """The pictures that only the judge learns from, held-out concepts included."""
        return [
            index
            for index, record in enumerate(self.records)
            if sources.USE_OF[record.source] == "judge"
        ]

    def indices_of(self, source: str) -> list[int]:
        """The pictures of one set."""
        return [i for i, record in enumerate(self.records) if record.source == source]


@dataclass(frozen=True)
class _Drawing:
    """A picture still to be drawn: an SVG document, or the bytes of a raster file."""

    source: str
    slug: str
    name: str
    content: str | bytes
    single_colour: bool = False


def build(root: Path) -> Pictures:
    """Fetch, draw and name everything; writes the array, the records and the licences."""
    sources.fetch(root)
    sources.write_licences(root)
    kept, pixels = _draw_all(list(_drawings(root)))
    own = _own(kept, pixels)
    kept, pixels = [kept[index] for index in own], pixels[own]
    concepts = _concepts(kept, _keywords(root))
    index = {concept.name: number for number, concept in enumerate(concepts)}
    records = tuple(
        Record(drawing.source, drawing.slug, index[drawing.name], drawing.single_colour)
        for drawing in kept
    )
    np.save(root / "pictures.npy", pixels)
    document = {
        "concepts": [asdict(concept) for concept in concepts],
        "records": [asdict(record) for record in records],
    }
    (root / "pictures.json").write_text(json.dumps(document), encoding="utf-8")
    return Pictures.load(root)


def _draw_all(drawings: list[_Drawing]) -> tuple[list[_Drawing], npt.NDArray[np.uint8]]:
    """Those of which something is to be seen, each once, and their pixels."""
    # The renderer is imported here, so that training on ready data does not need it.
    from engine.training.render import read_raster, render, render_visible

    pixels, seen = [], set()
    kept: list[_Drawing] = []
    progress = Progress("draw", len(drawings))
    for step, drawing in enumerate(drawings, start=1):
        if isinstance(drawing.content, bytes):
            picture = read_raster(drawing.content)
        else:
            picture = render(drawing.content)
            if picture is None and drawing.source in {sources.CLIP_ART, sources.STAMPS}:
                picture = render_visible(drawing.content)
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
    return kept, np.stack(pixels)


def _own(drawings: list[_Drawing], pixels: npt.NDArray[np.uint8]) -> list[int]:
    """All but the judge's pictures that look like one of another use, whatever its name."""
    judges = [i for i, d in enumerate(drawings) if sources.USE_OF[d.source] == "judge"]
    others = [i for i, d in enumerate(drawings) if sources.USE_OF[d.source] != "judge"]
    if not judges:
        return others
    distances, _ = nearest(thumbnails(pixels[judges]), thumbnails(pixels[others]))
    borrowed = {
        index
        for index, distance in zip(judges, distances.tolist(), strict=True)
        if distance < BORROWED
    }
    return [index for index in range(len(drawings)) if index not in borrowed]


def _drawings(root: Path) -> Iterator[_Drawing]:
    """Every drawing that has a name."""
    wordnet = root / "wordnet"
    named = {
        name
        for icon_set in sources.ICON_SETS
        if icon_set.slugs == "plain" and icon_set.use != "judge"
        for icon in sources.read_icons(root, icon_set)
        if icon.category not in _NO_THINGS and (name := names.name_of(icon.slug)) is not None
    }
    joined = names.joined_names(sorted(named))
    things = names.joined_names(sorted(names.things(wordnet) | set(_keywords(root))))
    for icon_set in sources.ICON_SETS:
        for icon in sources.read_icons(root, icon_set):
            if icon.category in _NO_THINGS:
                continue
            if icon_set.slugs == "joined":
                name = names.split_joined(icon.slug, joined)
            elif icon_set.slugs == "interface":
                name = names.thing_of(icon.slug, icon.category, things)
            else:
                name = names.name_of(icon.slug)
            if name is not None:
                single_colour = icon_set.single_colour
                yield _Drawing(icon_set.prefix, icon.slug, name, icon.svg, single_colour)
    known = named & names.nouns(wordnet)
    for file in names.clip_art_folders(root / sources.CLIP_ART):
        svg = file.read_text(encoding="utf-8", errors="replace")
        name = names.clip_art_name(svg, known)
        if name is not None:
            yield _Drawing(sources.CLIP_ART, file.stem, name, svg)
    known |= names.things(wordnet)
    for file in names.stamp_files(root / sources.STAMPS):
        name = names.stamp_name(file, known)
        if name is not None:
            content = file.read_bytes()
            if file.suffix == ".svg":
                yield _Drawing(sources.STAMPS, file.stem, name, content.decode(errors="replace"))
            else:
                yield _Drawing(sources.STAMPS, file.stem, name, content)


def _keywords(root: Path) -> dict[str, tuple[str, ...]]:
    words = {}
    for spelled, *rest in sources.read_keywords(root).values():
        plain = tuple(word.replace("_", " ") for word in rest if word.isascii() and len(word) > 2)
        words[spelled.replace("_", " ")] = tuple(w for w in plain if w[0].isalpha())[:8]
    return words


def _concepts(
    drawings: list[_Drawing], keywords: dict[str, tuple[str, ...]]
) -> tuple[Concept, ...]:
    drawn_by: dict[str, set[str]] = defaultdict(set)
    for drawing in drawings:
        drawn_by[drawing.name].add(drawing.source)
    held_out = choose_held_out(drawn_by)
    return tuple(
        Concept(
            name, keywords.get(name, ()), any(names.contains_words(name, word) for word in held_out)
        )
        for name in sorted(drawn_by)
    )


def choose_held_out(drawn_by: Mapping[str, Collection[str]]) -> list[str]:
    """The names to keep from training, among those that are drawn often; `drawn_by` are the sets.

    A name must be in the unseen style, and in four of the sets that are counted.
    """
    counted = frozenset(_COUNTED.split())
    unseen = {source for source, use in sources.USE_OF.items() if use == "evaluate"}
    candidates = [
        name
        for name, drawing in drawn_by.items()
        if not unseen.isdisjoint(drawing)
        and len(counted.intersection(drawing)) >= 4
        and not _always_trained(name)
    ]
    # By hash, so that the choice does not move when a set gains an icon.
    candidates.sort(key=lambda name: hashlib.sha256(name.encode()).digest())
    return candidates[:HELD_OUT]


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
