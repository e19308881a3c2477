"""What a drawer is: parameters that become a picture; and the picture that it may start from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from PIL import Image

from engine.adam import Adam


@dataclass(frozen=True)
class Start:
    """A picture to start from, of the size that `engine.drawers.grid_size` names.

    Attributes:
        subject: ``[4, rows, columns]``: RGB premultiplied by alpha, and alpha, in 0…1.
        background: ``[3, rows, columns]``: RGB in 0…1 of what lies behind the subject, or None.
        repeats: whether it is seamless in x and y wherever the drawing has to be.

    """

    subject: torch.Tensor
    background: torch.Tensor | None = None
    repeats: bool = False


@dataclass(frozen=True)
class Moment:
    """What a picture takes from the host in one step, apart from its parameters.

    Attributes:
        hard: whether its choices are hard.
        temperature: of soft choices, a scalar; None without choices.
        noise: what is added to the numbers that choose, a tensor a layer; nothing for no noise.
        stored: instead of it, a number in 0…1 a layer, which part of noise that is stored on the
            device is added.
        strength: what stored noise is multiplied by, a scalar.

    """

    hard: bool = False
    temperature: torch.Tensor | None = None
    noise: tuple[torch.Tensor, ...] = ()
    stored: tuple[torch.Tensor, ...] = ()
    strength: torch.Tensor | None = None


@dataclass(frozen=True)
class Shown:
    """A picture on its way from where it is drawn to a file.

    Attributes:
        pixels: ``[height, width, channels]``, uint8, RGB or RGBA, on the drawer's device.
        finish: what is left to be done on the host, by any thread; None for nothing.

    """

    pixels: torch.Tensor
    finish: Callable[[Image.Image], Image.Image] | None = None

    def image(self, pixels: torch.Tensor | None = None) -> Image.Image:
        """The finished picture.

        Args:
            pixels: on the host, if they have been brought there.

        """
        there = (self.pixels if pixels is None else pixels).cpu().numpy()
        return self.finished(Image.fromarray(np.ascontiguousarray(there)))

    def finished(self, image: Image.Image) -> Image.Image:
        """The picture of its pixels, with what is left done."""
        return image if self.finish is None else self.finish(image)


def as_pixels(picture: torch.Tensor) -> torch.Tensor:
    """A picture ``[channels, height, width]`` in 0…1 as `Shown` has it."""
    return (picture * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0)


class Showing:
    """Pictures of a drawer, made at once."""

    def shown(self, size: tuple[int, int] | None = None) -> Shown:
        """As `Drawer.shown`."""
        raise NotImplementedError

    def native(self) -> Image.Image:
        """The picture at its native size: one pixel a cell, or as large as the views see it."""
        return self.shown().image()

    def enlarged(self, size: tuple[int, int]) -> Image.Image:
        """The picture at the output size (width, height) in pixels."""
        return self.shown(size).image()


class Drawer(Protocol):
    """A picture as parameters to optimise.

    Attributes:
        steady: whether the work of a step is the same for any values of the parameters, so that it
            can be captured as a CUDA graph.
        guess_weight: how strongly it is kept near a first guess, as `init_weight` keeps it near an
            init image.

    """

    steady: bool
    guess_weight: float

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The leaves that the optimiser improves, always in the same order."""

    @property
    def constants(self) -> list[torch.Tensor]:
        """What the picture is made of besides, always in the same order; saved and resumed."""

    def moment(
        self, progress: float, randomness: torch.Generator | None = None, *, stored: bool = False
    ) -> Moment:
        """What `grid` takes from the host, drawn there.

        Args:
            progress: the share of the run that is done, 0…1: a choice that is soft at first and
                hard at the end is as hard as it should be then.
            randomness: the stream of such a choice's noise; without it there is none.
            stored: whether the noise is a part of what is stored on the device.

        """

    def grid(self, moment: Moment | None = None) -> torch.Tensor:
        """What views sample ``[layers, 4, rows, columns]``: RGB premultiplied by alpha, and alpha.

        The first layer is the whole picture. A second one is its subject, free-standing.

        Args:
            moment: of the same drawing; by default that of the beginning, without noise.

        """

    def reference(self) -> torch.Tensor:
        """What it started from, in the shape of `grid`: what it may be asked to stay near."""

    def optimizer(self, learning_rate: float, rule: str) -> Adam:
        """A new optimiser of the parameters, whose groups may have rates of their own.

        Args:
            learning_rate: of the parameters that the drawer's rates are told of.
            rule: one of `engine.adam.RULES`.

        """

    def shown(self, size: tuple[int, int] | None = None) -> Shown:
        """The picture at the output size (width, height) in pixels, or at its native size.

        It is worked out on the device, and stays what it is now.
        """

    def native(self) -> Image.Image:
        """The picture at its native size: one pixel a cell, or as large as the views see it."""

    def enlarged(self, size: tuple[int, int]) -> Image.Image:
        """The picture at the output size (width, height) in pixels."""

    def svg(self, size: tuple[int, int]) -> str | None:
        """The picture as an SVG of a size (width, height) in pixels, if it is made of shapes."""
