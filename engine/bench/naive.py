"""The loop that notebooks of this kind run, written anew to measure what the engine replaces.

A picture of canvas size is rendered; each cutout is made by itself, pooled to the perceptor's size,
warped, jittered in colour and given noise; the perceptor is open_clip's own module in float32; one
picture is drawn at a time (VQGAN-CLIP, Crowson et al. 2022; pixray's cutouts pool and tilt).
"""

import math
from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from PIL import Image

from engine.adam import Adam, Group
from engine.losses import spherical_distance
from engine.settings import Settings

# A canvas as large as pixray's for a wide picture.
_CANVAS = (384, 216)
# Of 0.01, 0.03, 0.05 and 0.1 the one with which cells reach the same score soonest.
_RATE = 0.1
# As torch has them.
_BETAS = (0.9, 0.999)


class Picture(Protocol):
    """What a loop like this needs of a picture; every `engine.drawers.Drawer` has it."""

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The leaves that are improved."""

    def grid(self) -> torch.Tensor:
        """``[layers, 3 or 4, rows, columns]``, RGB first, in 0…1; the first layer is shown."""


class NaiveCells:
    """Cells whose colours are the parameters themselves, from uniform noise, kept in 0…1.

    Args:
        columns: of the grid.
        rows: of the grid.
        generator: of the noise.

    """

    def __init__(self, columns: int, rows: int, generator: torch.Generator) -> None:
        self._cells = torch.rand(1, 3, rows, columns, generator=generator).requires_grad_()

    @property
    def parameters(self) -> list[torch.Tensor]:
        """The colours ``[1, 3, rows, columns]``."""
        return [self._cells]

    def grid(self) -> torch.Tensor:
        """The colours, those that left 0…1 brought back."""
        with torch.no_grad():
            return self._cells.clamp_(0, 1)

    def native(self) -> Image.Image:
        """The picture at one pixel a cell."""
        pixels = (self.grid()[0].detach() * 255).round().to(torch.uint8)
        return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


class NaiveLoop:
    """One step after another of one picture.

    Args:
        drawer: what is drawn.
        settings: resolved; `num_cuts` is used.
        embed: views ``[n, 3, size, size]``, RGB in 0…1 → ``[n, d]``.
        size: side of a view in pixels.
        target: ``[1, d]``, unit length.

    """

    def __init__(
        self,
        drawer: Picture,
        settings: Settings,
        embed: Callable[[torch.Tensor], torch.Tensor],
        size: int,
        target: torch.Tensor,
    ) -> None:
        assert settings.num_cuts is not None
        self._drawer, self._cuts = drawer, settings.num_cuts
        self._embed, self._size, self._target = embed, size, target
        self._optimizer = Adam([Group(drawer.parameters, _RATE)], betas=_BETAS)

    def step(self) -> None:
        """Render, cut, judge, go back, and improve."""
        canvas = self._canvas()
        views = torch.cat([self._cutout(canvas) for _ in range(self._cuts)])
        said = F.normalize(self._embed(views.clamp(0, 1)), dim=1)
        torch.autograd.backward(spherical_distance(said, self._target).mean())
        self._optimizer.step()

    def _canvas(self) -> torch.Tensor:
        """The picture ``[1, 3, height, width]``: strokes as they are, cells as large squares."""
        grid = self._drawer.grid()[:1, :3]
        return F.interpolate(grid, size=_CANVAS[::-1], mode="nearest")

    def _cutout(self, canvas: torch.Tensor) -> torch.Tensor:
        height, width = canvas.shape[2:]
        side = int(min(height, width) * (0.5 + 0.5 * torch.rand(()).item()))
        top = int((height - side) * torch.rand(()).item())
        left = int((width - side) * torch.rand(()).item())
        part = canvas[:, :, top : top + side, left : left + side]
        size = (self._size, self._size)
        pooled = (F.adaptive_avg_pool2d(part, size) + F.adaptive_max_pool2d(part, size)) / 2
        return _jittered(_tilted(pooled))


def _tilted(view: torch.Tensor) -> torch.Tensor:
    """A view in perspective, turned a little."""
    size = view.shape[-1]
    angle, tilt_x, tilt_y = (0.2 * (2 * torch.rand(3) - 1)).tolist()
    steps = torch.linspace(-1, 1, size, device=view.device)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    depth = 1 + tilt_x * x + tilt_y * y
    across = (math.cos(angle) * x - math.sin(angle) * y) / depth
    down = (math.sin(angle) * x + math.cos(angle) * y) / depth
    places = torch.stack([across, down], 2)[None]
    return F.grid_sample(view, places, align_corners=False)


def _jittered(view: torch.Tensor) -> torch.Tensor:
    """A view in other colours, with white noise."""
    brightness, contrast, saturation = (1 + 0.1 * (2 * torch.rand(3) - 1)).tolist()
    view = brightness * view
    view = contrast * view + (1 - contrast) * view.mean()
    grey = view.mean(1, keepdim=True)
    view = saturation * view + (1 - saturation) * grey
    return view + 0.1 * torch.rand(()).item() * torch.randn_like(view)
