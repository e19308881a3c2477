"""Several first guesses, of which the perceptor takes the one that fits the prompts best."""

from collections.abc import Sequence

import torch

from engine.cutouts import choose_views, sample
from engine.drawers.base import Start
from engine.drawers.starts import fitted
from engine.losses import Targets, prompt_score
from engine.perceptors.base import Perceptor
from engine.streams import stream

_VIEWS = 12


@torch.no_grad()
def best(starts: Sequence[Start], perceptor: Perceptor, targets: Targets, seed: int) -> Start:
    """The start whose views agree most with the prompts, all seen through the same views.

    Args:
        starts: with backgrounds, all of one size.
        perceptor: whose space the targets are in.
        targets: the prompts.
        seed: of the views.

    """
    _, rows, columns = starts[0].subject.shape
    views = choose_views(_VIEWS, columns, rows, stream(seed, "guess/choice"))
    # All are seen whole: a subject by itself would say nothing of its place.
    grids = [fitted(start, layers=False, transparent=False).subject[None] for start in starts]
    seen = sample(grids, [views] * len(grids), perceptor.view_size)
    embedded = torch.split(perceptor.encode_views(seen), _VIEWS)
    scores = torch.stack([prompt_score(part, targets) for part in embedded])
    return starts[int(scores.argmax())]
