"""A picture in a few colours that keep apart what lies between them: by a pattern, or by errors.

Colours are mixed in sRGB, as a view mixes cells, and compared in Oklab, as they look.
"""

import torch

from engine.drawers.quantize import to_oklab

# Bayer's matrix of 4 × 4 thresholds, 0…15 (Bayer 1973).
_BAYER = torch.tensor([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
# How much of the error counts for the next colour of a mixture: less leaves smoother patterns.
_STRENGTH = 0.6
_LUMA = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)

# How much of a cell's error its neighbours take: right, lower left, below, lower right.
_RIGHT, _LOWER_LEFT, _BELOW, _LOWER_RIGHT = 7 / 16, 3 / 16, 5 / 16, 1 / 16


def dithered(picture: torch.Tensor, palette: torch.Tensor, method: str) -> torch.Tensor:
    """A picture ``[3, rows, columns]`` in the colours of a palette ``[colours, 3]``, both in 0…1.

    Args:
        picture: RGB.
        palette: RGB.
        method: ``bayer`` or ``floyd``.

    """
    cells, colours = picture.permute(1, 2, 0).double().cpu(), palette.double().cpu()
    choice = _by_pattern(cells, colours) if method == "bayer" else _by_errors(cells, colours)
    return palette[choice.to(palette.device)].permute(2, 0, 1)


def _by_pattern(cells: torch.Tensor, palette: torch.Tensor) -> torch.Tensor:
    """Pattern dithering, for any palette (Knoll, US patent 6,606,166 of 1999): ``[rows, columns]``.

    For each cell sixteen colours are chosen that are its colour on average. From the darkest to the
    lightest, each has its place in Bayer's matrix.
    """
    error = torch.zeros_like(cells)
    mixture = []
    for _ in range(_BAYER.numel()):
        choice = _nearest(cells + _STRENGTH * error, palette)
        error += cells - palette[choice]
        mixture.append(choice)
    candidates = torch.stack(mixture)
    order = (palette @ _LUMA)[candidates].argsort(dim=0, stable=True)
    rows, columns, _ = cells.shape
    places = _BAYER.repeat(-(-rows // 4), -(-columns // 4))[:rows, :columns]
    return candidates.gather(0, order.gather(0, places[None]))[0]


def _by_errors(cells: torch.Tensor, palette: torch.Tensor) -> torch.Tensor:
    """Error diffusion (Floyd & Steinberg 1976): ``[rows, columns]``.

    Cells with the same column + 2 · row do not depend on each other, and are chosen together.
    """
    rows, columns, _ = cells.shape
    # One row below and a column at each side take the errors that leave the picture.
    wanted = torch.zeros(rows + 1, columns + 2, 3, dtype=torch.float64)
    wanted[:rows, 1:-1] = cells
    chosen = torch.zeros(rows, columns, dtype=torch.long)
    for diagonal in range(columns + 2 * rows - 2):
        row = torch.arange(max(0, (diagonal - columns) // 2 + 1), min(rows, diagonal // 2 + 1))
        column = diagonal - 2 * row
        choice = _nearest(wanted[row, column + 1], palette)
        chosen[row, column] = choice
        error = wanted[row, column + 1] - palette[choice]
        wanted[row, column + 2] += _RIGHT * error
        wanted[row + 1, column] += _LOWER_LEFT * error
        wanted[row + 1, column + 1] += _BELOW * error
        wanted[row + 1, column + 2] += _LOWER_RIGHT * error
    return chosen


def _nearest(colours: torch.Tensor, palette: torch.Tensor) -> torch.Tensor:
    """The number of the nearest colour of a palette, for colours ``[..., 3]``."""
    flat = to_oklab(colours.reshape(-1, 3).clamp(0, 1))
    return torch.cdist(flat, to_oklab(palette)).argmin(1).view(colours.shape[:-1])
