"""The judge's tower: another architecture than pixelclip's, for evaluation only, in no loss.

What a drawing was optimised for cannot say whether it can be recognised. The judge can: it shares
neither layers, nor seed, nor training pictures with the tower that draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from engine.perceptors.pixelclip import WIDTH, TransformerLayer
from engine.training import checkpoints, image_tower

if TYPE_CHECKING:
    from pathlib import Path

_FINE = 8


@dataclass(frozen=True)
class JudgeShape:
    """Sizes of the judge; the defaults make 3.1 million parameters, 149 MFLOP a view.

    `stem` are the channels at 32² and 16²; `widths` those of the tokens at 8² and 4², with
    `layers` and `heads` each.
    """

    stem: tuple[int, int] = (24, 48)
    widths: tuple[int, int] = (128, 256)
    layers: tuple[int, int] = (2, 3)
    heads: tuple[int, int] = (4, 8)


RECIPE = image_tower.Recipe(steps=6_000, rate=1e-3, twice=False, seed=1)
"""Clean batches, each seen once; another seed than the towers that ship."""


class JudgeTower(nn.Module):
    """A view to an embedding: [n, 3, 64, 64] RGB in 0..1 → [n, 384], not normalised.

    A convolutional stem (Xiao et al. 2021, "Early Convolutions Help Transformers See Better"), two
    stages of transformer layers, with 2 × 2 tokens merged between them (Swin: Liu et al. 2021), and
    the mean over the tokens.
    """

    def __init__(self, shape: JudgeShape | None = None) -> None:
        super().__init__()
        shape = shape or JudgeShape()
        fine, coarse = shape.widths
        stem: list[nn.Module] = []
        before = 3
        for channels in (*shape.stem, fine):
            convolution = nn.Conv2d(before, channels, 3, stride=2, padding=1, bias=False)
            stem += [convolution, nn.BatchNorm2d(channels), nn.SiLU()]
            before = channels
        self.stem = nn.Sequential(*stem)
        self.positions = nn.Parameter(0.02 * torch.randn(_FINE * _FINE, fine))
        self.fine, self.coarse = (
            nn.ModuleList(TransformerLayer(width, heads) for _ in range(layers))
            for width, heads, layers in zip(shape.widths, shape.heads, shape.layers, strict=True)
        )
        self.merge = nn.Linear(4 * fine, coarse)
        self.norm = nn.LayerNorm(coarse)
        self.project = nn.Linear(coarse, WIDTH)

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """Embed the views."""
        features = self.stem((views * 2 - 1).contiguous(memory_format=torch.channels_last))
        tokens = features.flatten(2).transpose(1, 2) + self.positions
        tokens = self._through(self.fine, tokens)
        squares = tokens.transpose(1, 2).reshape(len(tokens), -1, _FINE, _FINE)
        tokens = self.merge(F.pixel_unshuffle(squares, 2).flatten(2).transpose(1, 2))
        tokens = self._through(self.coarse, tokens)
        embedding: torch.Tensor = self.project(self.norm(tokens).mean(dim=1))
        return embedding

    @staticmethod
    def _through(layers: nn.ModuleList, tokens: torch.Tensor) -> torch.Tensor:
        present = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        # The fused kernel is a third slower here: its backward pass is not made for short rows.
        with sdpa_kernel(SDPBackend.MATH):
            for layer in layers:
                tokens = layer(tokens, present)
        return tokens


def load(path: Path, shape: JudgeShape | None = None) -> JudgeTower:
    """The tower of a saved run: its averaged weights.

    Raises:
        FileNotFoundError: the run has not saved a state yet.

    """
    tower = JudgeTower(shape)
    tower.load_state_dict(checkpoints.load_saved(path)["average"])
    return tower.eval()
