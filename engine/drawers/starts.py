"""The picture that a drawing starts from: made from an init image, and fitted to what is drawn."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from engine.drawers.base import Start

# How far from a border a seamless start is mixed with the opposite border, as a share of the side.
_MIXED = 0.25


def start_from_image(image: Image.Image, columns: int, rows: int, *, clear: bool) -> Start:
    """A picture averaged to the size of a start.

    Args:
        image: RGB or RGBA, of any size.
        columns: width of the start in pixels.
        rows: height of the start in pixels.
        clear: whether its transparent parts stay so; they are white otherwise.

    """
    rgba = image.convert("RGBA")
    if not clear:
        rgba = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    # Pillow weighs colours by their alpha when it averages them.
    small = rgba.resize((columns, rows), Image.Resampling.BOX)
    cells = torch.from_numpy(np.asarray(small, dtype=np.float32) / 255).permute(2, 0, 1)
    return Start(torch.cat([cells[:3] * cells[3:], cells[3:]]))


def fitted(start: Start, *, layers: bool, transparent: bool) -> Start:
    """A start with as many layers as the picture has."""
    if layers or start.background is None:
        return start
    if transparent:
        return Start(start.subject, repeats=start.repeats)
    alpha = start.subject[3:]
    whole = start.subject[:3] + (1 - alpha) * start.background
    return Start(torch.cat([whole, torch.ones_like(alpha)]), repeats=start.repeats)


def seamless(start: Start) -> Start:
    """A start that repeats in x and y: opposite borders are mixed until they are the same."""
    if start.repeats:
        return start

    def repeating(layer: torch.Tensor) -> torch.Tensor:
        for axis in (1, 2):
            size = layer.shape[axis]
            place = torch.arange(size) + 0.5
            border = torch.minimum(place, size - place) / (_MIXED * size)
            share = (1 + torch.cos(math.pi * border.clamp(max=1))) / 4
            share = share[:, None] if axis == 1 else share
            layer = (1 - share) * layer + share * layer.flip(axis)
        return layer

    background = None if start.background is None else repeating(start.background)
    return Start(repeating(start.subject), background)


def unpremultiplied(subject: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """RGB ``[3, rows, columns]`` and alpha ``[1, rows, columns]`` of premultiplied cells.

    Where nothing is, the colour is that of what is near, should the subject grow there.
    """
    filled = subject
    for size in (3, 9, 27):
        near = F.avg_pool2d(subject, size, stride=1, padding=size // 2)
        filled = torch.where(filled[3:] > 0, filled, near)
    filled = torch.where(filled[3:] > 0, filled, subject.mean((1, 2), keepdim=True))
    return (filled[:3] / filled[3:].clamp(min=1e-6)).clamp(0, 1), subject[3:]


def seen_colours(start: Start) -> tuple[torch.Tensor, torch.Tensor]:
    """All colours of a start ``[n, 3]``, and how much of each is to be seen ``[n]``, 0…1."""
    picture, alpha = unpremultiplied(start.subject)
    cells, weights = picture.flatten(1).T, alpha.flatten()
    if start.background is not None:
        cells = torch.cat([cells, start.background.flatten(1).T])
        weights = torch.cat([weights, 1 - weights])
    return cells, weights
