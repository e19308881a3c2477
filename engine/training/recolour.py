"""Colour words that are true: a picture is given the colour that its caption names."""

from __future__ import annotations

import torch

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.86, 0.12, 0.14),
    "orange": (0.96, 0.52, 0.10),
    "yellow": (0.97, 0.85, 0.16),
    "green": (0.18, 0.64, 0.26),
    "blue": (0.15, 0.36, 0.86),
    "purple": (0.52, 0.22, 0.72),
    "pink": (0.97, 0.52, 0.72),
    "brown": (0.48, 0.29, 0.15),
    "black": (0.09, 0.09, 0.10),
    "white": (0.95, 0.95, 0.95),
    "gray": (0.53, 0.54, 0.56),
}
"""The eleven basic colour terms (Berlin and Kay, 1969) and an RGB prototype of each in 0..1."""

_HUE_BINS = 12
_LUMA = (0.299, 0.587, 0.114)


def prototypes() -> torch.Tensor:
    """The prototypes of `COLOURS` as [11, 3] RGB."""
    return torch.tensor(list(COLOURS.values()))


def hue_and_saturation(rgb: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """HSV hue in 0..1 and chroma in 0..1 of [n, 3, h, w] RGB, each [n, h, w]."""
    highest, which = rgb.max(dim=1)
    chroma = highest - rgb.min(dim=1).values
    red, green, blue = rgb.unbind(1)
    divisor = chroma.clamp_min(1e-6)
    hue = torch.where(
        which == 0,
        (green - blue) / divisor % 6,
        torch.where(which == 1, (blue - red) / divisor + 2, (red - green) / divisor + 4),
    )
    return hue / 6, chroma


def recolour(rgba: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Give each picture's main colour to `target`, light and shade kept.

    Args:
        rgba: [n, 4, h, w] straight-alpha pictures in 0..1.
        target: [n, 3] RGB.

    Returns:
        [n, 4, h, w]. Only what has the picture's main hue changes (the leaf of an apple stays
        green), unless the picture has little colour of its own: then all of it does.

    """
    rgb, alpha = rgba[:, :3], rgba[:, 3]
    hue, chroma = hue_and_saturation(rgb)
    weight = chroma * alpha
    bins = (hue * _HUE_BINS).long().clamp(0, _HUE_BINS - 1)
    histogram = torch.zeros(len(rgba), _HUE_BINS, device=rgba.device)
    histogram.scatter_add_(1, bins.flatten(1), weight.flatten(1))
    main = (histogram.argmax(dim=1) + 0.5) / _HUE_BINS
    distance = (hue - main[:, None, None] + 0.5) % 1 - 0.5
    near = (1.6 - distance.abs() * _HUE_BINS).clamp(0, 1) * (chroma * 4).clamp(0, 1)
    # Few coloured pixels (a panda), or a main hue that covers little: everything takes the colour.
    area = alpha.flatten(1).sum(1).clamp_min(1e-6)
    share = (near * alpha).flatten(1).sum(1) / area
    change = torch.where((share > 0.3)[:, None, None], near, torch.ones_like(near))

    luma = torch.einsum("nchw,c->nhw", rgb, torch.tensor(_LUMA, device=rgba.device))
    mass = (change * alpha).flatten(1).sum(1).clamp_min(1e-6)
    middle = (luma * change * alpha).flatten(1).sum(1) / mass
    shade = 0.75 * (luma - middle[:, None, None])[:, None]
    colour = target[:, :, None, None]
    painted = torch.where(shade > 0, colour + shade * (1 - colour), colour * (1 + shade))
    mixed = rgb + change[:, None] * (painted - rgb)
    return torch.cat((mixed.clamp(0, 1), rgba[:, 3:]), dim=1)
