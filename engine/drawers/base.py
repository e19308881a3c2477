"""What a drawer is: parameters that become a picture."""

from typing import Protocol

import torch
from PIL import Image


class Drawer(Protocol):
    """A picture as parameters to optimise."""

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The leaves that the optimiser improves, always in the same order."""

    def grid(self) -> torch.Tensor:
        """The cells ``[layers, 4, rows, columns]``: RGB premultiplied by alpha, and alpha.

        The first layer is the whole picture. A second one is its subject, free-standing.
        """

    def native(self) -> Image.Image:
        """The picture at its native size, one pixel a cell."""

    def enlarged(self, size: tuple[int, int]) -> Image.Image:
        """The picture at the output size (width, height) in pixels."""
