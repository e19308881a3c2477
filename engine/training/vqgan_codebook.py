"""The codebook follows the latents: moving averages, and new places for codes that died."""

from __future__ import annotations

import torch
from torch import nn


class CodebookAverages(nn.Module):
    """Each code as the moving average of the latents that chose it.

    (van den Oord et al. 2017, appendix A.1.) It follows the encoder faster than the gradient of
    taming's codebook loss does. A code that is chosen too seldom is put onto a random latent of
    the batch (Jukebox, Dhariwal et al. 2020, section 3.1); so the first batch, which no code fits,
    fills the codebook with its own latents.
    """

    uses: torch.Tensor
    sums: torch.Tensor

    def __init__(self, codebook: torch.Tensor, decay: float = 0.98) -> None:
        super().__init__()
        self._decay = decay
        self.register_buffer("uses", torch.zeros(len(codebook), device=codebook.device))
        self.register_buffer("sums", torch.zeros_like(codebook))

    @torch.no_grad()
    def update(
        self,
        codebook: torch.Tensor,
        latents: torch.Tensor,
        chosen: torch.Tensor,
        generator: torch.Generator | None,
    ) -> None:
        """Move the codes towards the latents that chose them.

        Args:
            codebook: [codes, d], changed in place.
            latents: [n, d] of one batch.
            chosen: [n] number of each one's code.
            generator: source of new places; None lets dead codes lie.

        """
        latents = latents.to(codebook.dtype)
        uses = torch.bincount(chosen, minlength=len(codebook)).to(codebook.dtype)
        sums = torch.zeros_like(codebook).index_add_(0, chosen, latents)
        self.uses.lerp_(uses, 1 - self._decay)
        self.sums.lerp_(sums, 1 - self._decay)
        if generator is not None:
            # Dead is what is chosen less than a tenth as often as the average code.
            fair = len(latents) / len(codebook)
            dead = (self.uses < fair / 10).nonzero().flatten()
            places = torch.randint(
                len(latents), (len(dead),), generator=generator, device=generator.device
            ).to(latents.device)
            self.uses[dead] = fair
            self.sums[dead] = latents[places] * fair
        codebook.copy_(self.sums / self.uses.clamp_min(1e-6)[:, None])


def perplexity(uses: torch.Tensor) -> float:
    """How many codes are in use, as if equally often: e to the entropy of [codes] counts."""
    shares = uses[uses > 0] / uses.sum()
    return float((-(shares * shares.log()).sum()).exp())
