"""Ways from one picture to another through what a drawer makes it of."""

from collections.abc import Callable, Sequence

import torch

from engine.drawers.base import Drawer

# Takes a drawer to a share, 0…1, of the way.
Path = Callable[[float], None]

# Vectors whose angle has no larger sine are as good as parallel; without length they have none.
_STRAIGHT = 1e-3
_TINY = 1e-12


def slerp(
    first: torch.Tensor, last: torch.Tensor, share: float, axes: Sequence[int] | None = None
) -> torch.Tensor:
    """Spherical interpolation: from one vector to another along the arc (Shoemake 1985).

    On the straight line numbers that have nothing to do with each other cancel out: half-way
    between two random vectors is one of 0.7 of their length, which a drawer shows as a dull
    picture. On the arc the length changes evenly (Sampling Generative Networks, White 2016).

    Args:
        first: any numbers.
        last: as many.
        share: 0…1; at both ends the result is the vector itself, to the bit.
        axes: those that a vector lies along; all, if left out. Where two are nearly parallel, or
            one is nothing, the straight line is taken.

    """
    along = tuple(range(first.dim())) if axes is None else tuple(axes)
    squares = first.square().sum(along, keepdim=True), last.square().sum(along, keepdim=True)
    lengths = squares[0].sqrt() * squares[1].sqrt()
    cosine = (first * last).sum(along, keepdim=True) / lengths.clamp(min=_TINY)
    angle = torch.acos(cosine.clamp(-1, 1))
    sine = torch.sin(angle)
    straight = (sine < _STRAIGHT) | (lengths < _TINY)
    left = torch.where(straight, 1 - share, torch.sin((1 - share) * angle) / sine)
    right = torch.where(straight, share, torch.sin(share * angle) / sine)
    return left * first + right * last


def path_of_tensors(drawer: Drawer, other: Drawer) -> Path:
    """The arc of every tensor from a drawer to another one of the same kind and sizes.

    In a map of latents ``[1, d, rows, columns]`` each is a vector of its own, so that what both
    pictures have at the same place stays as it is.
    """
    own = _tensors(drawer)
    firsts = [tensor.detach().clone() for tensor in own]
    lasts = [tensor.detach().clone() for tensor in _tensors(other)]

    @torch.no_grad()
    def go(share: float) -> None:
        for tensor, first, last in zip(own, firsts, lasts, strict=True):
            axes = (1,) if tensor.dim() == 4 else None
            tensor.copy_(slerp(first, last, share, axes))

    return go


def with_exact_ends(drawer: Drawer, other: Drawer, between: Path) -> Path:
    """The same path, on whose ends the drawer is what the two of them are now, to the bit."""
    own = _tensors(drawer)
    ends = {
        0.0: [tensor.detach().clone() for tensor in own],
        1.0: [tensor.detach().clone() for tensor in _tensors(other)],
    }

    @torch.no_grad()
    def go(share: float) -> None:
        if share not in ends:
            between(share)
            return
        for tensor, end in zip(own, ends[share], strict=True):
            tensor.copy_(end)

    return go


def _tensors(drawer: Drawer) -> list[torch.Tensor]:
    return [*drawer.parameters, *drawer.constants]
