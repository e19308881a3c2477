"""What jobs ask of judges, and the one pass of each judge that answers all of them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch

from engine.cutouts import Views, sample
from engine.perceptors import Perceptor
from engine.stopwatch import span

# The picture as prompts see it, without its free-standing subject, the two sides of a mask, and the
# picture as a dream sees it (`engine.dream`).
Part = Literal["whole", "flat", "inside", "outside", "octave"]

# One tensor, or one a layer; the first axis is that of the views.
Answer = torch.Tensor | tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Look:
    """What is looked at in one step of one job.

    Attributes:
        grid: as `engine.drawers.Drawer.grid` has it, or a part of it.
        views: where.

    """

    grid: torch.Tensor
    views: Views


class Judge(Protocol):
    """What answers: a way in which a perceptor or a classifier sees views."""

    @property
    def view_size(self) -> int:
        """Side of the square views it takes, in pixels."""

    @property
    def alike(self) -> bool:
        """As `Perceptor.alike`."""

    def __call__(self, views: torch.Tensor) -> Answer:
        """Views ``[n, 3, size, size]``, RGB in 0…1 → what it says of each, differentiable."""


@dataclass(frozen=True)
class Encoding:
    """A perceptor's embedding of views, as a judge."""

    perceptor: Perceptor

    @property
    def view_size(self) -> int:
        """Side of the square views it takes, in pixels."""
        return self.perceptor.view_size

    @property
    def alike(self) -> bool:
        """As the perceptor's."""
        return self.perceptor.alike

    def __call__(self, views: torch.Tensor) -> torch.Tensor:
        """Views → ``[n, d]``, unit length."""
        return self.perceptor.encode_views(views)


@dataclass(frozen=True)
class Layers:
    """What a perceptor's stages answer to views, as a judge."""

    perceptor: Perceptor

    @property
    def view_size(self) -> int:
        """Side of the square views it takes, in pixels."""
        return self.perceptor.view_size

    @property
    def alike(self) -> bool:
        """As the perceptor's."""
        return self.perceptor.alike

    def __call__(self, views: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Views → ``[n, channels, height, width]`` a stage."""
        return self.perceptor.layers(views)


@dataclass(frozen=True)
class Ask:
    """One thing that a job asks of one judge.

    Attributes:
        judge: who answers.
        part: which of the job's looks it sees.
        share: what its loss counts beside the job's other ones.
        loss: the answer for the job's own views → a scalar.
        score: the same → how well it fits, −1…1; None if that says nothing.

    """

    judge: Judge
    part: Part
    share: float
    loss: Callable[[Answer], torch.Tensor]
    score: Callable[[Answer], torch.Tensor] | None = None


def answered(
    asked: Sequence[Sequence[Ask]], looks: Sequence[Mapping[Part, Look]]
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Each job's loss and score, a scalar each, from one pass of each judge for all of them.

    Args:
        asked: what each job asks.
        looks: what of each job is looked at, by part.

    """
    users: dict[Judge, list[tuple[int, Ask]]] = defaultdict(list)
    for index, asks in enumerate(asked):
        for ask in asks:
            users[ask.judge].append((index, ask))
    losses: list[list[torch.Tensor]] = [[] for _ in asked]
    scores: list[list[tuple[float, torch.Tensor]]] = [[] for _ in asked]
    sampled: dict[tuple[int, tuple[tuple[int, Part], ...]], torch.Tensor] = {}
    for judge, questions in users.items():
        # Judges that take the same size for the same looks share the sampled views, and asks that
        # differ only in their loss share the answer.
        seen = tuple(dict.fromkeys((index, ask.part) for index, ask in questions))
        shown = [looks[index][part] for index, part in seen]
        key = judge.view_size, seen
        if key not in sampled:
            with span("cutouts"):
                sampled[key] = sample(
                    [look.grid for look in shown], [look.views for look in shown], judge.view_size
                )
        with span("perceptor"):
            answers = _answers(judge, sampled[key], [len(look.views) for look in shown])
        by_look = dict(zip(seen, answers, strict=True))
        for index, ask in questions:
            answer = by_look[index, ask.part]
            losses[index].append(ask.share * ask.loss(answer))
            if ask.score is not None:
                scores[index].append((ask.share, ask.score(answer)))
    device = next(iter(looks[0].values())).grid.device
    return (
        [_sum(parts, device) for parts in losses],
        [_mean(parts, device) for parts in scores],
    )


def _answers(judge: Judge, views: torch.Tensor, counts: list[int]) -> Sequence[Answer]:
    """What a judge says of each look's views, which follow one another in these numbers.

    A GPU wants them all together; on a processor the views of one job fill it as well.
    """
    if not judge.alike and views.device.type == "cpu":
        return [judge(part) for part in torch.split(views, counts)]
    answer = judge(views)
    if isinstance(answer, torch.Tensor):
        return torch.split(answer, counts)
    return list(zip(*(torch.split(layer, counts) for layer in answer), strict=True))


def _sum(losses: list[torch.Tensor], device: torch.device) -> torch.Tensor:
    """Nothing for a job that asks nobody."""
    return torch.stack(losses).sum() if losses else torch.zeros((), device=device)


def _mean(scores: Sequence[tuple[float, torch.Tensor]], device: torch.device) -> torch.Tensor:
    """By share; NaN for a job whose fit nothing says."""
    if not scores:
        return torch.full((), torch.nan, device=device)
    weighted = torch.stack([share * score for share, score in scores])
    return weighted.sum() / sum(share for share, _ in scores)
