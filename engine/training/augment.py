"""Everything that a half-finished drawing can look like, made from clean pictures, in batches.

All functions take and return [n, c, h, w] tensors in 0..1 and draw their randomness from the given
generator, so that a batch is known by its seed. They run on the tensors' own device.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

VIEW_SIZE = 64
_CELLS = (16, 20, 24, 32, 40, 48)


def uniform(
    generator: torch.Generator, *shape: int, low: float = 0.0, high: float = 1.0
) -> torch.Tensor:
    """Uniform numbers between `low` and `high` on the generator's device."""
    numbers = torch.rand(*shape, generator=generator, device=generator.device)
    return numbers * (high - low) + low


def pixelate_cut_out(rgba: torch.Tensor, factor: int) -> torch.Tensor:
    """Redraw premultiplied RGBA pictures in cells of `factor` pixels, with hard edges."""
    cells = F.avg_pool2d(rgba, factor)
    alpha = cells[:, 3:]
    opaque = (alpha > 0.4).to(rgba.dtype)
    cells = torch.cat((cells[:, :3] / alpha.clamp_min(1e-3) * opaque, opaque), dim=1).clamp(0, 1)
    return F.interpolate(cells, scale_factor=factor, mode="nearest")


def ink(rgba: torch.Tensor) -> torch.Tensor:
    """Redraw premultiplied RGBA pictures with dark lines, two pixels wide, along every edge.

    Some sets draw with an outline and most do not; a name must not depend on it.
    """
    highest = F.max_pool2d(rgba, 3, 1, 1)
    lowest = -F.max_pool2d(-rgba, 3, 1, 1)
    lines = ((highest - lowest).amax(dim=1, keepdim=True) > 0.25).to(rgba.dtype)
    return torch.cat((rgba[:, :3] * (1 - lines), torch.maximum(rgba[:, 3:], lines)), dim=1)


def place(
    rgba: torch.Tensor,
    scale: torch.Tensor,
    shift: torch.Tensor,
    generator: torch.Generator,
    turn: float = 0.25,
    tilt: float = 0.12,
) -> torch.Tensor:
    """Put premultiplied RGBA pictures into views of 64 × 64: scaled, shifted, turned and tilted.

    Args:
        rgba: [n, 4, h, w], transparent outside.
        scale: [n], side of the picture in views (1 fills the view).
        shift: [n, 2], its centre, in half views from the middle.
        generator: source of the turns, the tilts and the mirroring.
        turn: standard deviation of the rotation, in radians.
        tilt: standard deviation of the perspective terms.

    """
    n, device = len(rgba), rgba.device
    angle = torch.randn(n, generator=generator, device=device) * turn
    aspect = torch.exp(torch.randn(n, generator=generator, device=device) * 0.08)
    mirror = torch.where(uniform(generator, n) < 0.3, -1.0, 1.0)
    perspective = torch.randn(n, 2, generator=generator, device=device) * tilt
    axis = (torch.arange(VIEW_SIZE, device=device) * 2 + 1) / VIEW_SIZE - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    # From a place in the view back to a place in the picture.
    x = (x - shift[:, 0, None, None]) / (scale * aspect)[:, None, None]
    y = (y - shift[:, 1, None, None]) / (scale / aspect)[:, None, None]
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    x, y = cosine * x + sine * y, cosine * y - sine * x
    depth = (1 + perspective[:, 0, None, None] * x + perspective[:, 1, None, None] * y).clamp_min(
        0.4
    )
    grid = torch.stack((mirror[:, None, None] * x / depth, y / depth), dim=-1)
    # What shrinks by much is averaged first, or thin lines would vanish between the samples.
    halved = F.avg_pool2d(rgba, 2)
    small = scale < 0.55
    placed = torch.empty(n, rgba.shape[1], VIEW_SIZE, VIEW_SIZE, device=device)
    for chosen, source in ((small, halved), (~small, rgba)):
        if chosen.any():
            placed[chosen] = F.grid_sample(source[chosen], grid[chosen], align_corners=False)
    return placed


def over(foreground: torch.Tensor, background: torch.Tensor) -> torch.Tensor:
    """Premultiplied RGBA over RGB (Porter and Duff, 1984)."""
    return foreground[:, :3] + (1 - foreground[:, 3:]) * background


def backgrounds(n: int, generator: torch.Generator) -> torch.Tensor:
    """Plain, shaded and noisy backgrounds in random colours: [n, 3, 64, 64]."""
    device = generator.device
    first, second = uniform(generator, 2, n, 3, 1, 1)
    # Half the plain ones are near white, gray or black, as people's pictures are.
    grey = uniform(generator, n, 1, 1, 1) + (first - 0.5) * 0.12
    pale = uniform(generator, n, 1, 1, 1) < 0.4
    first = torch.where(pale, grey, first)
    plain = first.expand(n, 3, VIEW_SIZE, VIEW_SIZE)

    axis = torch.linspace(-0.5, 0.5, VIEW_SIZE, device=device)
    angle = uniform(generator, n, 1, 1, high=2 * math.pi)
    ramp = (angle.cos() * axis[None, None, :] + angle.sin() * axis[None, :, None] + 0.5).clamp(0, 1)
    shaded = first + ramp[:, None] * (second - first)

    coarse = F.interpolate(uniform(generator, n, 3, 6, 6), size=VIEW_SIZE, mode="bilinear")
    cells = F.interpolate(uniform(generator, n, 3, 16, 16), size=VIEW_SIZE, mode="nearest")
    noise = first + 0.2 * torch.randn(
        n, 3, VIEW_SIZE, VIEW_SIZE, generator=generator, device=device
    )
    kind = uniform(generator, n)[:, None, None, None]
    blended = torch.where(kind < 0.45, plain, shaded)
    blended = torch.where(kind > 0.75, coarse, blended)
    blended = torch.where(kind > 0.88, cells, blended)
    return torch.where(kind > 0.94, noise, blended).clamp(0, 1)


def contrasting(background: torch.Tensor, foreground: torch.Tensor) -> torch.Tensor:
    """Shift by ½ the backgrounds that would hide their picture, whose mean colour is alike."""
    alpha = foreground[:, 3:].sum(dim=(2, 3)).clamp_min(1.0)
    shown = foreground[:, :3].sum(dim=(2, 3)) / alpha
    behind = background.mean(dim=(2, 3))
    alike = (shown - behind).abs().amax(dim=1) < 0.22
    lighter = torch.where(behind > 0.5, -0.5, 0.5)[:, :, None, None]
    return torch.where(alike[:, None, None, None], (background + lighter).clamp(0, 1), background)


def degrade(views: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """What drawing and viewing do to a picture: light, blur, blots, cells, few levels and noise.

    Each but the first happens to a share of the batch. Hue is not touched: colour words must stay
    true.
    """
    n, device = len(views), views.device
    contrast = 1 + torch.randn(n, 1, 1, 1, generator=generator, device=device) * 0.12
    light = torch.randn(n, 1, 1, 1, generator=generator, device=device) * 0.05
    views = ((views - 0.5) * contrast + 0.5 + light).clamp(0, 1)

    def some(share: float) -> torch.Tensor:
        return (uniform(generator, n) < share).nonzero().flatten()

    for reach, share in ((1, 0.2), (2, 0.08)):
        rows = some(share)
        side = 2 * reach + 1
        views[rows] = F.avg_pool2d(views[rows], side, 1, reach, count_include_pad=False)
    rows = some(0.15)
    blots = uniform(generator, len(rows), 3, 8, 8, low=-0.15, high=0.15)
    views[rows] += F.interpolate(blots, size=VIEW_SIZE, mode="bilinear")
    for number, rows in enumerate(some(0.4).tensor_split(len(_CELLS))):
        if len(rows):
            cells = F.adaptive_avg_pool2d(views[rows], _CELLS[number])
            views[rows] = F.interpolate(cells, size=VIEW_SIZE, mode="nearest")
    rows = some(0.12)
    levels = torch.randint(3, 7, (len(rows), 1, 1, 1), generator=generator, device=device)
    views[rows] = (views[rows] * levels).round() / levels
    rows = some(0.3)
    strength = uniform(generator, len(rows), 1, 1, 1, high=0.12)
    grain = torch.randn(views[rows].shape, generator=generator, device=device)
    views[rows] += grain * strength
    return views.clamp(0, 1)
