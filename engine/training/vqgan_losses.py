"""What a reconstruction is judged by, besides its pixels: features, and an adversary."""

from __future__ import annotations

import torch
from taming.modules.discriminator.model import NLayerDiscriminator, weights_init
from torch import nn
from torch.nn import functional as F

from engine.perceptors.pixelclip import WEIGHTS, ResidualBlock, unpack


class PerceptualLoss(nn.Module):
    """Distance in the features of pixelclip's image tower, as LPIPS measures it in VGG's.

    (Zhang et al. 2018, without the learnt weights of channels: unit-length features after each
    residual block, squared differences, mean over places and pictures.)
    """

    def __init__(self) -> None:
        super().__init__()
        self._tower, _ = unpack(WEIGHTS.read_bytes())
        self._tower.requires_grad_(requires_grad=False)

    def forward(self, pictures: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """The distance of two batches [n, 3, h, w] in 0..1."""
        with torch.no_grad():
            wanted = self._features(others)
        found = self._features(pictures)
        distances = [(a - b).square().sum(dim=1).mean() for a, b in zip(found, wanted, strict=True)]
        return torch.stack(distances).mean()

    def _features(self, pictures: torch.Tensor) -> list[torch.Tensor]:
        features, kept = pictures * 2 - 1, []
        for stage in self._tower.stages:
            features = stage(features)
            if isinstance(stage, ResidualBlock):
                kept.append(F.normalize(features.float(), dim=1))
        return kept


class Adversary(nn.Module):
    """The paper's patch discriminator (Isola et al. 2017): taming's own, on 64 × 64 pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.discriminator = NLayerDiscriminator(ndf=32, n_layers=2).apply(weights_init)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """How real each patch of [n, 3, h, w] pictures in 0..1 looks: [n, 1, patches, patches]."""
        realness: torch.Tensor = self.discriminator(pictures * 2 - 1)
        return realness.float()

    def loss(self, real: torch.Tensor, redrawn: torch.Tensor) -> torch.Tensor:
        """The hinge loss of telling the real from the redrawn (Lim and Ye 2017)."""
        return (F.relu(1 - self(real)).mean() + F.relu(1 + self(redrawn)).mean()) / 2


def adaptive_weight(
    reconstruction: torch.Tensor, adversarial: torch.Tensor, last: torch.Tensor
) -> torch.Tensor:
    """The adversarial loss's weight that gives both losses equal gradients in the last layer.

    (Esser et al. 2021, equation 7.)
    """
    (wanted,) = torch.autograd.grad(reconstruction, last, retain_graph=True)
    (found,) = torch.autograd.grad(adversarial, last, retain_graph=True)
    weight: torch.Tensor = (wanted.norm() / (found.norm() + 1e-4)).clamp(max=1e4)
    return weight
