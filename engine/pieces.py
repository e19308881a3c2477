"""Work on large tensors that rounds alike on any number of threads.

torch shares what is large out among threads. Where a thread's share ends, functions such as the
sigmoid are worked out by other code than elsewhere, and a sum is one of partial sums: both round
otherwise. Pieces too small to be shared out do not.
"""

from collections.abc import Callable

import torch

# Numbers in a piece; torch shares out what has 32,768 and more.
_PIECE = 2**14


def in_pieces(
    function: Callable[[torch.Tensor], torch.Tensor], tensor: torch.Tensor
) -> torch.Tensor:
    """A function of each number by itself, of all of them; differentiable."""
    parts = torch.split(tensor.flatten(), _PIECE)
    return torch.cat([function(part) for part in parts]).view_as(tensor)


def mean(tensor: torch.Tensor) -> torch.Tensor:
    """The mean of all numbers; a scalar."""
    parts = torch.split(tensor.flatten(), _PIECE)
    return torch.stack([part.sum() for part in parts]).sum() / tensor.numel()
