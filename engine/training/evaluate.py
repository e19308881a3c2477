"""What a pair of towers can do: find pictures by name, tell colours, and read everyday words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from engine.training.everyday_words import NAMES_OF
from engine.training.names import contains_words, with_article
from engine.training.recolour import COLOURS, prototypes, recolour

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import nn

    from engine.training.data import Pictures

Embed = Callable[[list[str]], torch.Tensor]
"""Texts to unit-length vectors [n, d]."""

UNSEEN_STYLE = "openmoji"
BARE = ("{name}",)
TEMPLATES = (
    "{name}",
    "{thing}",
    "a picture of {thing}",
    "a drawing of {thing}",
    "an icon of {thing}",
)
"""How a name can be said; the mean of these is CLIP's zero-shot practice (Radford et al. 2021)."""
_RANKS = (1, 5, 10)
_PAPER = 0.94


@dataclass(frozen=True)
class Recall:
    """Share of texts, in percent, whose picture is among the first 1, 5 and 10 of `pictures`."""

    texts: int
    pictures: int
    at: tuple[float, float, float]

    def __str__(self) -> str:
        """The three figures, and among how many."""
        figures = " / ".join(f"{share:.1f}" for share in self.at)
        return f"{figures}  ({self.texts} names among {self.pictures} pictures)"


@dataclass(frozen=True)
class Report:
    """The figures of one pair of towers.

    `all_names` are those of the unseen style, many of which no other set draws; `learnt` are those
    that training pictures showed in other styles, and `held_out` those that were kept from it.
    `chosen` are those of them that were chosen to be; the others only contain such a name.
    """

    all_names: Recall
    learnt: Recall
    held_out: Recall
    chosen: Recall
    colours: float

    def __str__(self) -> str:
        """The figures as lines for people."""
        return (
            f"  recall @1 / @5 / @10, all names: {self.all_names}\n"
            f"  recall @1 / @5 / @10, learnt:    {self.learnt}\n"
            f"  recall @1 / @5 / @10, held out:  {self.held_out}\n"
            f"  recall @1 / @5 / @10, chosen:    {self.chosen}\n"
            f"  colours named right: {self.colours:.1f} %"
        )


def views_of(pictures: Pictures, indices: list[int]) -> torch.Tensor:
    """Pictures as plain views on near-white paper, nine tenths of a view wide: [n, 3, 64, 64]."""
    return on_paper(_cut_outs(pictures, indices))


def _cut_outs(pictures: Pictures, indices: list[int]) -> torch.Tensor:
    return torch.from_numpy(pictures.pixels[indices]).permute(0, 3, 1, 2).float() / 255


def on_paper(rgba: torch.Tensor) -> torch.Tensor:
    """Straight-alpha pictures [n, 4, s, s] over near-white paper, with a margin of it."""
    over = rgba[:, :3] * rgba[:, 3:] + _PAPER * (1 - rgba[:, 3:])
    small = F.interpolate(over, size=58, mode="bilinear", antialias=True)
    return F.pad(small, (3, 3, 3, 3), value=_PAPER)


@torch.inference_mode()
def embed_views(tower: nn.Module, views: torch.Tensor) -> torch.Tensor:
    """Unit-length embeddings of many views."""
    return F.normalize(torch.cat([tower(part) for part in torch.split(views, 128)]), dim=-1)


def recall(texts: torch.Tensor, views: torch.Tensor, shown: torch.Tensor) -> Recall:
    """Text → image retrieval; `shown` [pictures] is the row of `texts` that each picture shows."""
    own = shown[None, :] == torch.arange(len(texts))[:, None]
    agreement = texts @ views.T
    best = agreement.masked_fill(~own, -2).amax(dim=1)
    # Other pictures of the same name do not count against it.
    before = ((agreement > best[:, None]) & ~own).sum(dim=1)
    shares = [100 * float((before < rank).float().mean()) for rank in _RANKS]
    return Recall(len(texts), len(views), (shares[0], shares[1], shares[2]))


def embed_names(embed: Embed, names: list[str], templates: tuple[str, ...]) -> torch.Tensor:
    """The mean vector of each name in all templates, of unit length: [n, d]."""
    said = [embed(_say(names, template)) for template in templates]
    return F.normalize(torch.stack(said).sum(dim=0), dim=-1)


def _say(names: Iterable[str], template: str) -> list[str]:
    return [template.format(name=name, thing=with_article(name)) for name in names]


def evaluate(
    tower: nn.Module, embed: Embed, pictures: Pictures, templates: tuple[str, ...] = BARE
) -> Report:
    """Measure an image tower with any text encoder that shares its space.

    Args:
        tower: [n, 3, 64, 64] views → [n, d].
        embed: texts → [n, d].
        pictures: those of the unseen style are looked at.
        templates: how names are said, with `{name}` or, with its article, `{thing}`.

    """
    indices = _style(pictures)
    views = embed_views(tower, views_of(pictures, indices))

    def measured(chosen: list[int]) -> Recall:
        concepts = [pictures.records[indices[number]].concept for number in chosen]
        distinct = sorted(set(concepts))
        texts = embed_names(
            embed, [pictures.concepts[concept].name for concept in distinct], templates
        )
        shown = torch.tensor([distinct.index(concept) for concept in concepts])
        return recall(texts, views[chosen], shown)

    trained = {pictures.records[index].concept for index in pictures.training_indices()}
    concepts = [pictures.records[index].concept for index in indices]
    learnt = [number for number, concept in enumerate(concepts) if concept in trained]
    kept = {concept.name for concept in pictures.concepts if concept.held_out}
    names = [pictures.concepts[concept].name for concept in concepts]
    held_out = [number for number, name in enumerate(names) if name in kept]
    chosen = [
        n for n in held_out if not any(contains_words(names[n], k) for k in kept - {names[n]})
    ]
    return Report(
        measured(list(range(len(indices)))),
        measured(learnt),
        measured(held_out),
        measured(chosen),
        _colours(tower, embed, pictures),
    )


@dataclass(frozen=True)
class Reading:
    """Share of words, in percent, for which a right name is the nearest, or among the five."""

    words: int
    names: int
    first: float
    within_five: float

    def __str__(self) -> str:
        """The figures, and among how many."""
        return (
            f"  right name @1 / @5: {self.first:.1f} / {self.within_five:.1f}  "
            f"({self.words} everyday words among {self.names} names)"
        )


def read_words(
    embed: Embed, names: list[str], right: Mapping[str, tuple[str, ...]] = NAMES_OF
) -> Reading:
    """Whether words that are no names lead to the names that are `right` for them."""
    words = [word for word, answers in right.items() if not set(names).isdisjoint(answers)]
    nearest = (embed(words) @ embed(names).T).topk(5, dim=1).indices.tolist()
    found = [
        [names[index] in right[word] for index in row]
        for word, row in zip(words, nearest, strict=True)
    ]
    first = 100 * sum(row[0] for row in found) / len(found)
    within_five = 100 * sum(any(row) for row in found) / len(found)
    return Reading(len(words), len(names), first, within_five)


def asked_of(pictures: Pictures) -> list[str]:
    """Every text that `evaluate` embeds, for encoders that are asked beforehand."""
    names = {pictures.concepts[pictures.records[i].concept].name for i in _style(pictures)}
    said = {text for template in TEMPLATES for text in _say(names, template)}
    coloured = {f"a {c} {name}" for name in _to_colour(pictures).values() for c in COLOURS}
    return sorted(said | coloured)


def _style(pictures: Pictures) -> list[int]:
    return pictures.indices_of(UNSEEN_STYLE)


def _to_colour(pictures: Pictures) -> dict[int, str]:
    """Every fortieth picture of the unseen style, unless its name holds a colour already."""
    names = {i: pictures.concepts[pictures.records[i].concept].name for i in _style(pictures)[::40]}
    return {index: name for index, name in names.items() if not set(name.split()) & set(COLOURS)}


def _colours(tower: nn.Module, embed: Embed, pictures: Pictures) -> float:
    """Percent of recoloured pictures that are nearest to "a <colour> <name>" of the eleven."""
    right = []
    for index, name in _to_colour(pictures).items():
        rgba = _cut_outs(pictures, [index] * len(COLOURS))
        views = embed_views(tower, on_paper(recolour(rgba, prototypes())))
        texts = embed([f"a {colour} {name}" for colour in COLOURS])
        right.append((views @ texts.T).argmax(dim=1) == torch.arange(len(COLOURS)))
    return 100 * float(torch.cat(right).float().mean())
