"""How well the VQGAN redraws a style that it never saw: PSNR, codes in use, a sheet to look at."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from engine.training.evaluate import UNSEEN_STYLE, views_of
from engine.training.scenes import paint_all
from engine.training.vqgan_codebook import perplexity

if TYPE_CHECKING:
    from engine.training.data import Pictures
    from engine.vqgan import VQGAN

_SEED = 1  # of the scenes: not the seed of those in the training
_SIDE = 64
_ICON = 56


def panels(pictures: Pictures) -> dict[str, torch.Tensor]:
    """The unseen style in three settings, each [n, 3, h, w] in 0..1.

    On near-white paper and in painted scenes at 64 × 64, and two side by side in a scene at
    128 × 64.
    """
    indices = pictures.indices_of(UNSEEN_STYLE)
    cut_outs = torch.from_numpy(pictures.pixels[indices]).permute(0, 3, 1, 2).float() / 255
    premultiplied = torch.cat((cut_outs[:, :3] * cut_outs[:, 3:], cut_outs[:, 3:]), dim=1)
    small = torch.nn.functional.interpolate(
        premultiplied, size=_ICON, mode="bilinear", antialias=True
    )
    margin = (_SIDE - _ICON) // 2
    icons = torch.nn.functional.pad(small, (margin,) * 4)
    painted = torch.from_numpy(paint_all(8, _SEED)).flatten(0, 1).permute(0, 3, 1, 2).float() / 255
    scenes = painted[torch.arange(len(icons)) * 7 % len(painted)]
    pairs = torch.cat((icons, icons.roll(1, dims=0)), dim=3)
    wide = torch.cat((scenes, scenes.flip(-1)), dim=3)
    return {
        "on paper, 64 × 64": views_of(pictures, indices),
        "in a scene, 64 × 64": icons[:, :3] + (1 - icons[:, 3:]) * scenes,
        "two in a scene, 128 × 64": (pairs[:, :3] + (1 - pairs[:, 3:]) * wide)[::2],
    }


@torch.inference_mode()
def redraw(model: VQGAN, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The pictures decoded from their codes, and how often each code was used: [codes]."""
    redrawn, uses = [], torch.zeros(len(model.codebook))
    for part in torch.split(pictures, 64):
        codes = model.quantise(model.encode(part))
        redrawn.append(model.decode(codes))
        chosen = torch.cdist(codes.permute(0, 2, 3, 1).flatten(0, 2), model.codebook).argmin(dim=1)
        uses += torch.bincount(chosen, minlength=len(uses))
    return torch.cat(redrawn), uses


def psnr(pictures: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Peak signal-to-noise ratio of [n, 3, h, w] pictures in 0..1, in dB: [n]."""
    return -10 * torch.log10((pictures - others).square().mean(dim=(1, 2, 3)).clamp_min(1e-10))


def evaluate(model: VQGAN, pictures: Pictures) -> str:
    """PSNR of each setting and the perplexity of the codes that it used, for people."""
    lines = []
    for title, shown in panels(pictures).items():
        redrawn, uses = redraw(model, shown)
        ratios = psnr(redrawn, shown)
        lowest = float(ratios.quantile(0.1))
        lines.append(
            f"{title:26} PSNR {float(ratios.mean()):.2f} dB (worst tenth below {lowest:.2f}), "
            f"perplexity {perplexity(uses):.0f} of {len(uses)}, "
            f"{int((uses > 0).sum())} codes in use"
        )
    return "\n".join(lines)


def contact_sheet(model: VQGAN, pictures: Pictures, each: int = 6) -> bytes:
    """`each` pictures of every setting beside what the VQGAN made of them: a PNG.

    Each pair is original | reconstruction, three pixels apart.
    """
    rows = []
    for number, shown in enumerate(panels(pictures).values()):
        # A prime stride, so that neither a kind of icon nor a scene comes up again and again.
        chosen = shown[(torch.arange(each) * 331 + 97 * number) % len(shown)]
        redrawn, _ = redraw(model, chosen)
        gap = torch.ones(*chosen.shape[:3], 3)
        pairs = torch.cat((chosen, redrawn, gap, gap), dim=3)
        columns = 2 * 6 * (_SIDE + 3) // pairs.shape[3]
        for row in torch.split(pairs, columns):
            strip = torch.cat(list(row), dim=2)
            rows.append(torch.nn.functional.pad(strip, (0, 0, 0, 6), value=1.0))
    width = max(row.shape[2] for row in rows)
    sheet = torch.cat(
        [torch.nn.functional.pad(row, (0, width - row.shape[2]), value=1.0) for row in rows], dim=1
    )
    content = io.BytesIO()
    pixels = (sheet.permute(1, 2, 0) * 255).round().numpy().astype(np.uint8)
    Image.fromarray(pixels).save(content, "PNG", optimize=True)
    return content.getvalue()
