"""A few colours for a picture: chosen freely, or the best ones of a palette.

Both look for colours that the picture's cells have to move least to, in Oklab (Ottosson 2020),
where distances are about as large as they look. All is computed on the CPU, in double precision.
"""

from functools import lru_cache

import torch

_ROUNDS = 20
# Of larger pictures every so manieth cell is looked at.
_CELLS = 4096
# Farther than any two colours are in Oklab, squared.
_FAR = 4.0

_TO_CONES = torch.tensor(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    dtype=torch.float64,
)
_TO_LAB = torch.tensor(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    dtype=torch.float64,
)


def to_oklab(colours: torch.Tensor) -> torch.Tensor:
    """From sRGB ``[n, 3]`` in 0…1 to Oklab ``[n, 3]``, double precision."""
    rgb = colours.double()
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_cones, to_lab = _matrices(rgb.device)
    return (linear @ to_cones).clamp(min=0).pow(1 / 3) @ to_lab


@lru_cache
def _matrices(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """From linear RGB to what the cones of an eye answer, and from there to Oklab, transposed."""
    return _TO_CONES.T.to(device), _TO_LAB.T.to(device)


def from_oklab(lab: torch.Tensor) -> torch.Tensor:
    """From Oklab ``[n, 3]`` to sRGB ``[n, 3]`` in 0…1, cut to what can be shown."""
    cones = (lab.double() @ torch.linalg.inv(_TO_LAB).T) ** 3
    linear = (cones @ torch.linalg.inv(_TO_CONES).T).clamp(0, 1)
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def choose_colours(
    cells: torch.Tensor, weights: torch.Tensor, count: int, generator: torch.Generator
) -> torch.Tensor:
    """The colours of a picture by k-means in Oklab.

    It begins with colours of the picture that are far apart (k-means++, Arthur & Vassilvitskii
    2007).

    Args:
        cells: sRGB ``[n, 3]`` in 0…1.
        weights: ``[n]``, how much each cell counts.
        count: how many colours.
        generator: the job's own stream.

    Returns:
        sRGB ``[count, 3]`` in 0…1, whole 255ths; some twice if the picture has fewer.

    """
    every = -(-len(cells) // _CELLS)
    points, mass = to_oklab(cells[::every].cpu()), weights[::every].cpu().double() + 1e-6
    centres = points[torch.multinomial(mass, 1, generator=generator)]
    missed = mass * _distances(points, centres)[:, 0]
    while len(centres) < count:
        odds = missed if missed.max() > 0 else mass
        newest = points[torch.multinomial(odds, 1, generator=generator)]
        centres = torch.cat([centres, newest])
        missed = torch.minimum(missed, mass * _distances(points, newest)[:, 0])
    for _ in range(_ROUNDS):
        nearest = _distances(points, centres).argmin(1)
        member = torch.nn.functional.one_hot(nearest, len(centres)).double() * mass[:, None]
        total = member.sum(0)[:, None]
        centres = torch.where(total > 0, member.T @ points / total.clamp(min=1e-12), centres)
    return ((from_oklab(centres) * 255).round() / 255).float()


def choose_of_palette(
    cells: torch.Tensor, weights: torch.Tensor, palette: torch.Tensor, count: int
) -> torch.Tensor:
    """The colours of a palette that fit a picture best.

    One is chosen after the other, then each again beside all others, as long as that helps
    (k-medoids, Kaufman & Rousseeuw 1990).

    Args:
        cells: sRGB ``[n, 3]`` in 0…1.
        weights: ``[n]``, how much each cell counts.
        palette: sRGB ``[colours, 3]`` in 0…1.
        count: how many colours to choose.

    Returns:
        sRGB ``[min(count, colours), 3]``, in the palette's order.

    """
    lab = to_oklab(palette.cpu())
    nearest = _distances(to_oklab(cells.cpu()), lab).argmin(1)
    usage = torch.zeros(len(lab), dtype=torch.float64)
    usage.index_add_(0, nearest, weights.cpu().double())
    between = _distances(lab, lab)

    def best_beside(chosen: list[int]) -> int:
        """The colour that, beside those chosen, leaves the least to be missed of the picture."""
        missed = between[chosen].amin(0) if chosen else torch.full_like(usage, _FAR)
        left = (torch.minimum(missed, between) * usage).sum(1)
        left[chosen] = torch.inf
        return int(left.argmin())

    chosen: list[int] = []
    while len(chosen) < min(count, len(lab)):
        chosen.append(best_beside(chosen))
    for _ in range(_ROUNDS):
        before = list(chosen)
        for place in range(len(chosen)):
            chosen[place] = best_beside(chosen[:place] + chosen[place + 1 :])
        if chosen == before:
            break
    return palette[sorted(chosen)]


def _distances(points: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """Squared distances ``[n, 3], [k, 3] → [n, k]``."""
    squares = points.square().sum(1)[:, None] + centres.square().sum(1)[None]
    return (squares - 2 * points @ centres.T).clamp(min=0)
