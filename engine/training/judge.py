"""The judge's verdict: at which place it puts a drawing's own prompt among all hundred.

A figure of the judge means little alone, because the judge errs too. What it says of real icons of
the unseen style, which artists drew for the same words, is the figure to hold it against.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from engine.perceptors.pixelclip import VIEW_SIZE
from engine.training import judge_tower, teacher
from engine.training.drawing_prompts import PROMPTS
from engine.training.evaluate import UNSEEN_STYLE, embed_views, on_paper
from engine.training.evaluate import views_of as plain_views
from engine.training.real_icons import ICON_OF

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from torch import nn

    from engine.training.data import Pictures

    Redraw = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Verdict:
    """The rank, from 1 on, of each picture's own prompt among all hundred."""

    ranks: dict[str, int]

    @property
    def mean(self) -> float:
        """The mean rank; chance would be 50.5."""
        return sum(self.ranks.values()) / len(self.ranks)

    def within(self, rank: int) -> float:
        """Share of the pictures, in percent, whose prompt has this rank or a better one."""
        return 100 * sum(own <= rank for own in self.ranks.values()) / len(self.ranks)

    def __str__(self) -> str:
        """The figures, and of how many pictures."""
        return (
            f"mean rank {self.mean:.1f}, first {self.within(1):.0f} %, "
            f"within five {self.within(5):.0f} %  ({len(self.ranks)} pictures)"
        )


class Judge:
    """A tower that no drawing was optimised for, and its vectors of the hundred prompts.

    Args:
        tower: [n, 3, 64, 64] views → [n, d].
        texts: [100, d] of unit length, in the order of `PROMPTS`.

    """

    def __init__(self, tower: nn.Module, texts: torch.Tensor) -> None:
        self._tower, self._texts = tower.eval(), texts

    def ranks(self, pictures: Mapping[str, Image.Image]) -> Verdict:
        """Judge pictures, each given by its prompt.

        Raises:
            KeyError: a prompt is not one of the hundred.

        """
        found = {}
        for prompt, picture in pictures.items():
            if prompt not in PROMPTS:
                message = f"{prompt!r} is not one of the hundred prompts."
                raise KeyError(message)
            agreement = self._texts @ embed_views(self._tower, views_of(picture)).mean(dim=0)
            own = agreement[PROMPTS.index(prompt)]
            found[prompt] = 1 + int((agreement > own).sum())
        return Verdict(found)

    def calibration(self, pictures: Pictures, redrawn: Redraw | None = None) -> Verdict:
        """Judge the real icons that the unseen style has for the prompts.

        Args:
            pictures: with the icons.
            redrawn: what becomes of a plain view of each before it is judged, if anything.

        """
        row_of = {
            pictures.concepts[pictures.records[index].concept].name: index
            for index in reversed(pictures.indices_of(UNSEEN_STYLE))
        }
        rows = {prompt: row_of[name] for prompt, name in ICON_OF.items() if name in row_of}
        if redrawn is None:
            icons = {p: Image.fromarray(pictures.pixels[row]) for p, row in rows.items()}
        else:
            seen = redrawn(plain_views(pictures, list(rows.values())))
            pixels = (seen.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
            icons = {p: Image.fromarray(view) for p, view in zip(rows, pixels, strict=True)}
        return self.ranks(icons)


def load(root: Path, run: str = "judge") -> Judge:
    """The judge of a saved run under `root`, with the teacher's vectors of the prompts.

    Raises:
        FileNotFoundError: the run has not saved a state yet, or the captions were not embedded.

    """
    texts = teacher.cached(PROMPTS, root / "prompts.npy", "prompts")
    mean = torch.from_numpy(np.load(root / "captions.npy")).float().mean(dim=0)
    return Judge(judge_tower.load(root / "runs" / f"{run}.pt"), teacher.centre(texts, mean))


def views_of(picture: Image.Image) -> torch.Tensor:
    """How the judge sees a picture of any size: [k, 3, 64, 64] RGB in 0..1.

    What is transparent shows near-white paper, and has a margin of it. One that is not square is
    seen whole, with paper around it, and in three square parts along its longer side.
    """
    pixels = np.asarray(picture.convert("RGBA"), dtype=np.float32) / 255
    rgba = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    # Cells keep their hard edges when the picture is then reduced to a view.
    enlarged = math.ceil(128 / min(rgba.shape[2:]))
    rgba = rgba.repeat_interleave(enlarged, dim=2).repeat_interleave(enlarged, dim=3)
    height, width = rgba.shape[2:]
    shorter, longer = min(height, width), max(height, width)
    parts = [_square(rgba)]
    if shorter < longer:
        axis = 2 if height > width else 3
        starts = (0, (longer - shorter) // 2, longer - shorter)
        parts += [rgba.narrow(axis, start, shorter) for start in starts]
    return torch.cat([_view(part) for part in parts])


def _square(rgba: torch.Tensor) -> torch.Tensor:
    """With transparent bars beside its shorter side."""
    height, width = rgba.shape[2:]
    side = max(height, width)
    left, top = (side - width) // 2, (side - height) // 2
    bars = (left, side - width - left, top, side - height - top)
    return F.pad(rgba, bars)


def _view(rgba: torch.Tensor) -> torch.Tensor:
    if rgba[:, 3].min() < 1:
        return on_paper(rgba)
    return F.interpolate(rgba[:, :3], size=VIEW_SIZE, mode="bilinear", antialias=True)
