"""What can be asked of a picture besides its prompts: each loss by itself, and those that are on.

A picture is ``[4, rows, columns]``: RGB premultiplied by alpha, and alpha. Each loss is 0 for a
picture that has nothing left to be asked (`saturation_loss` has no such end), does not depend on
how many cells or pixels the picture has, and is scaled so that a weight of 1 is a clear pull beside
a prompt and 10 a strong one. All have finite gradients, for a flat picture too.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F

from engine.drawers.quantize import to_oklab
from engine.palettes import parse_palette
from engine.settings import Settings

# A loss of a picture's layers `[layers, 4, rows, columns]`: the whole picture first, its subject
# last.
Loss = Callable[[torch.Tensor], torch.Tensor]

_SMOOTHNESS, _SATURATION, _SYMMETRY, _PALETTE, _BORDER = 0.03, 0.5, 5.0, 1.5, 4.0

# Differences below this, of colours in 0…1, are rounded off: there the losses are parabolas.
_SMALL = 0.01
# How much of the shorter side is border on each side.
_BORDER_SHARE = 1 / 12
# Where there is less than this the colour cannot be told.
_FAINT = 1e-3


def weighted_losses(settings: Settings, device: torch.device) -> Sequence[tuple[float, Loss]]:
    """The losses that resolved settings ask for, with their weights."""
    standing, wraps = settings.transparent or bool(settings.layers), settings.tile
    losses: list[tuple[float, Loss]] = [
        (
            settings.smoothness_weight,
            lambda layers: smoothness_loss(layers[0], wraps=wraps),
        ),
        (settings.saturation_weight, lambda layers: saturation_loss(layers[0])),
        (settings.symmetry_weight, lambda layers: symmetry_loss(layers[0])),
        (settings.edge_weight, lambda layers: border_loss(layers, standing=standing)),
    ]
    if settings.palette_weight > 0:
        named = parse_palette(settings.palette or "")
        palette = torch.tensor(named, dtype=torch.float32, device=device) / 255
        losses.append((settings.palette_weight, lambda layers: palette_loss(layers[0], palette)))
    return [(weight, loss) for weight, loss in losses if weight > 0]


def smoothness_loss(picture: torch.Tensor, *, wraps: bool = False) -> torch.Tensor:
    """Total variation (Rudin, Osher & Fatemi 1992): how much edge there is, by contrast; a scalar.

    The length of a gradient, RGBA together, summed over the picture in units of its shorter side:
    an edge counts by its length and its contrast, and specks by all of theirs.

    Args:
        picture: premultiplied RGBA.
        wraps: whether the picture goes on from each border at the opposite one.

    """
    rows, columns = picture.shape[1:]
    mode = "circular" if wraps else "replicate"
    after = F.pad(picture[None], (0, 1, 0, 1), mode=mode)[0]
    across = after[:, :-1, 1:] - picture
    down = after[:, 1:, :-1] - picture
    steepness = (across.square() + down.square()).sum(0)
    return _SMOOTHNESS * min(rows, columns) * _length(steepness).mean()


def saturation_loss(picture: torch.Tensor) -> torch.Tensor:
    """Minus the colourfulness M3 of Hasler & Süsstrunk (2003), in 0…1 RGB; a scalar.

    It grows with the spread of the colours on the axes red–green and yellow–blue, and a little with
    their distance from grey. What is clear has no colour and does not count.
    """
    colours, share = _colours(picture)
    red, green, blue = colours
    axes = torch.stack([red - green, (red + green) / 2 - blue])
    mean = (axes * share).sum(1)
    spread = ((axes - mean[:, None]).square() * share).sum(1)
    return -_SATURATION * (_length(spread.sum()) + 0.3 * _length(mean.square().sum()))


def symmetry_loss(picture: torch.Tensor) -> torch.Tensor:
    """Mean squared difference from the mirror image, left to right (pixray's SymmetryLoss)."""
    return _SYMMETRY * (picture - picture.flip(2)).square().mean()


def palette_loss(picture: torch.Tensor, palette: torch.Tensor) -> torch.Tensor:
    """Mean distance in RGB to the palette's colour that looks nearest (pixray's PaletteLoss).

    Args:
        picture: premultiplied RGBA; what is clear does not count.
        palette: ``[colours, 3]`` in 0…1.

    """
    colours, share = _colours(picture)
    with torch.no_grad():
        cells = to_oklab(colours.T).float()
        nearest = palette[torch.cdist(cells, to_oklab(palette).float()).argmin(1)].T
    return _PALETTE * (_length((colours - nearest).square().sum(0)) * share).sum()


def border_loss(layers: torch.Tensor, *, standing: bool) -> torch.Tensor:
    """How far the picture is from ending before its border; a scalar.

    pixray's EdgeLoss asks for a colour that one names. Here the border of the whole picture should
    be plain, in any colour, and that of a free-standing subject clear.

    Args:
        layers: ``[layers, 4, rows, columns]``, premultiplied RGBA.
        standing: whether the last one is free-standing.

    """
    rows, columns = layers.shape[2:]
    width = max(1, round(_BORDER_SHARE * min(rows, columns)))
    below, right = max(width, rows - width), max(width, columns - width)
    middle = layers[:, :, width:below]
    sides = torch.cat([middle[..., :width], middle[..., right:]], 3)
    strips = (layers[:, :, :width], sides, layers[:, :, below:])
    borders = torch.cat([strip.flatten(2) for strip in strips], 2)
    loss = (borders[0] - borders[0].mean(1, keepdim=True)).square().mean()
    if standing:
        loss = loss + borders[-1].square().mean()
    return _BORDER * loss


def _colours(picture: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """RGB ``[3, n]`` of all that is there, and the share ``[n]`` of each in it, together 1."""
    alpha = picture[3:].flatten(1).clamp(min=_FAINT)
    share = alpha[0].detach()
    return picture[:3].flatten(1) / alpha, share / share.sum()


def _length(squares: torch.Tensor) -> torch.Tensor:
    """The root of squared lengths, whose gradient is 0 where they are."""
    return (squares + _SMALL**2).sqrt() - _SMALL
