"""What a perceptor is: something that puts texts and views of a picture into one space."""

from collections.abc import Sequence
from typing import Protocol

import torch


class Perceptor(Protocol):
    """An image–text model, frozen, that judges how well views fit texts (CLIP, Radford 2021).

    Attributes:
        name: the name it is asked for by.
        view_size: side of the square views it takes, in pixels.
        weights_hash: identifies its weights; part of what a picture's bytes depend on.
        dtype: what it is computed in, by torch's name; another part.
        alike: whether what it says of a view, and the view's gradient, are the same bytes however
            many views it sees together; if not, the views of each job pass by themselves.

    """

    @property
    def name(self) -> str:
        """The name it is asked for by."""

    @property
    def view_size(self) -> int:
        """Side of the square views it takes, in pixels."""

    @property
    def weights_hash(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of its weights."""

    @property
    def dtype(self) -> str:
        """What it is computed in, by torch's name: "float32" or "bfloat16"."""

    @property
    def alike(self) -> bool:
        """Whether a view's bytes do not depend on how many others there are."""

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Texts → ``[n, d]``, unit length, fp32."""

    def encode_views(self, views: torch.Tensor) -> torch.Tensor:
        """Views ``[n, 3, size, size]``, RGB in 0…1 → ``[n, d]``, unit length, differentiable."""

    def layers(self, views: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What each of its stages answers to views ``[n, 3, size, size]``, differentiable.

        From the first stage to the last, each ``[n, channels, height, width]`` of its own sizes,
        fp32; a transformer's tokens lie where their patches do, and its class token is left out.
        """
