"""Which picture is nearest to another one, in pixels: to find copies, wherever they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from engine.training.data import Pictures

_SIDE = 24
_ROWS = 1024


def thumbnails(pictures: Iterable[npt.NDArray[np.uint8]]) -> torch.Tensor:
    """What each [h, w, 4] straight-alpha picture shows, in 24 × 24 premultiplied cells: [n, 2304].

    A picture is cut to what is visible and stretched to the square, so that neither size nor place
    hides a copy. One with nothing visible is all 0.
    """
    return torch.stack([_thumbnail(picture) for picture in pictures])


def nearest(pictures: torch.Tensor, others: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The distance to the nearest of the other thumbnails, and which one it is: [n] and [n].

    The distance is the root mean square over cells and channels: 0 for a copy, 1 for a white
    square and nothing at all.
    """
    distances, indices = [], []
    for rows in torch.split(pictures, _ROWS):
        distance, index = torch.cdist(rows, others).min(dim=1)
        distances.append(distance)
        indices.append(index)
    return torch.cat(distances) / (4 * _SIDE * _SIDE) ** 0.5, torch.cat(indices)


@dataclass(frozen=True)
class Neighbour:
    """The training picture that is nearest to another one, and how far it is."""

    distance: float
    source: str
    name: str


def nearest_training(drawn: Iterable[npt.NDArray[np.uint8]], pictures: Pictures) -> list[Neighbour]:
    """What each [h, w, 4] picture, of any size, would be a copy of, if it is one."""
    indices = pictures.training_indices()
    shown = thumbnails(pictures.pixels[index] for index in indices)
    distances, found = nearest(thumbnails(drawn), shown)
    records = [pictures.records[indices[number]] for number in found.tolist()]
    return [
        Neighbour(distance, record.source, pictures.concepts[record.concept].name)
        for distance, record in zip(distances.tolist(), records, strict=True)
    ]


def _thumbnail(picture: npt.NDArray[np.uint8]) -> torch.Tensor:
    rows, columns = (np.flatnonzero((picture[..., 3] > 127).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return torch.zeros(4 * _SIDE * _SIDE)
    seen = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32) / 255
    seen[..., :3] *= seen[..., 3:]
    cells = torch.from_numpy(seen).permute(2, 0, 1)[None]
    # Few cells are enlarged with hard edges, many are averaged.
    return F.adaptive_avg_pool2d(cells, _SIDE).flatten()
