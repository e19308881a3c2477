"""The generator that ships, and how its picture fits any grid, seed and set of prompts."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from torch import nn
from torch.nn import functional as F

from engine.drawers.base import Start
from engine.errors import PerceptorError
from engine.guess.generator import LAYERS, SIDE, Generator, GuessShape, integrate
from engine.lanes import in_lanes
from engine.models import SHIPPED
from engine.models.shipped import metadata, read_weights
from engine.perceptors.dtype import best_dtype
from engine.streams import stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

WEIGHTS = SHIPPED / "guess.safetensors"

# On a processor guesses are made in so many parts, each by a core of its own; how many there are
# decides on their bytes, so that it does not follow the processor.
_PARTS = 2

# Less than this share of the picture is no subject.
_NOTHING = 0.02
# A subject is stretched by no more than this factor; what lies behind it fills any grid.
_STRETCH = 1.25


class FirstGuess:
    """Draws pictures for text vectors of pixelclip, the same for the same seed.

    Args:
        path: of the weights; those that ship if left out.
        device: where to draw.
        dtype: what the convolutions are computed in; by default float32 on a GPU, whose group norms
            do not mix numbers, and the fastest that a processor has.

    Raises:
        PerceptorError: the weights are missing or damaged.

    """

    name = "guess"

    def __init__(
        self,
        path: Path | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype | None = None,
    ) -> None:
        file = WEIGHTS if path is None else path
        content, self.weights_hash = read_weights(file, "the first guess", PerceptorError)
        self._device = torch.device(device)
        self._model, self._styles = _unpack(content)
        self._model.to(self._device).eval().requires_grad_(requires_grad=False)
        on_cpu = self._device.type == "cpu"
        usual = best_dtype(self._device, convolutions=True) if on_cpu else torch.float32
        for module in self._model.modules():
            if isinstance(module, nn.Conv2d):
                module.to(dtype or usual)
        self._model.to(memory_format=torch.channels_last)

    def draw(
        self,
        texts: torch.Tensor,
        weights: torch.Tensor,
        seed: int,
        columns: int,
        rows: int,
        count: int = 1,
    ) -> list[Start]:
        """Pictures of a subject and what lies behind it, from noise, the styles taking turns.

        The last style draws places; a place with nothing in it is its own subject.

        Args:
            texts: ``[prompts, 384]``, what pixelclip makes of the prompts.
            weights: ``[prompts]``; negative ones push away.
            seed: of the noise.
            columns: of the grid, in cells.
            rows: of the grid, in cells.
            count: how many pictures.

        """
        generator = stream(seed, "guess")
        noise = torch.randn(count, LAYERS, SIDE, SIDE, generator=generator)
        # Each style in turn, so that among several there is always an empty place.
        styles = self._styles[torch.arange(count) % len(self._styles)]
        # Together the prompts pull as strongly as one would.
        pull = weights / weights.square().sum().sqrt()
        parts = _PARTS if self._device.type == "cpu" else 1
        drawn = torch.cat(
            _on_a_core_each(
                [
                    partial(
                        integrate,
                        self._model,
                        some.to(self._device),
                        texts.to(self._device),
                        pull.to(self._device),
                        drawn_in.to(self._device),
                    )
                    for some, drawn_in in zip(noise.chunk(parts), styles.chunk(parts), strict=True)
                ]
            )
        )
        return [_start(layers, columns, rows) for layers in (drawn / 2 + 0.5).clamp(0, 1)]


def _start(layers: torch.Tensor, columns: int, rows: int) -> Start:
    alpha = layers[3:4]
    background = _resize(layers[4:], columns, rows).clamp(0, 1)
    if alpha.mean() < _NOTHING:
        # Views of the subject alone would see nothing: where there is none, the place is it.
        return Start(torch.cat([background, torch.ones_like(background[:1])]), background)
    subject = torch.cat([torch.minimum(layers[:3], alpha), alpha])
    return Start(_fit(subject, columns, rows), background)


def _on_a_core_each(parts: Sequence[Callable[[], torch.Tensor]]) -> list[torch.Tensor]:
    """What each part comes to, with one thread for each however many there are."""
    if len(parts) > 1:
        return in_lanes(parts)
    with _one_thread():
        return [part() for part in parts]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Work on one thread: what a 1 × 1 convolution rounds depends on how many share it."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def pack(model: Generator, drawn: tuple[str, ...]) -> bytes:
    """The file of a generator in fp16, with the styles that a drawing may take."""
    tensors = {name: value.half().contiguous().cpu() for name, value in model.state_dict().items()}
    said = {
        "format": "guess 1",
        "shape": json.dumps(asdict(model.shape)),
        "drawn": json.dumps(drawn),
    }
    return save_safetensors(tensors, said)


def _unpack(content: bytes) -> tuple[Generator, torch.Tensor]:
    """The generator of a file that `pack` made, and the numbers of the styles to draw in."""
    try:
        said = metadata(content)
        read = json.loads(said["shape"])
        shape = GuessShape(
            tuple(read["channels"]), read["blocks"], read["condition"], tuple(read["styles"])
        )
        model = Generator(shape)
        tensors = {name: value.float() for name, value in load_safetensors(content).items()}
        model.load_state_dict(tensors, assign=True)
        drawn = [shape.styles.index(style) for style in json.loads(said["drawn"])]
        return model, torch.tensor(drawn)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        message = "The weights of the first guess are damaged: the file is not one of its kind."
        raise PerceptorError(message) from error


def _fit(subject: torch.Tensor, columns: int, rows: int) -> torch.Tensor:
    """A subject in the middle of the grid, its shape kept unless the grid's is much the same."""
    _, height, width = subject.shape
    across, down = columns / width, rows / height
    shared = min(across, down)
    if max(across, down) <= _STRETCH * shared:
        return _resize(subject, columns, rows)
    fitted = _resize(subject, max(1, round(width * shared)), max(1, round(height * shared)))
    left, top = columns - fitted.shape[2], rows - fitted.shape[1]
    return F.pad(fitted, (left // 2, left - left // 2, top // 2, top - top // 2))


def _resize(layer: torch.Tensor, columns: int, rows: int) -> torch.Tensor:
    """Linear interpolation of [c, h, w], averaged where it shrinks."""
    return F.interpolate(layer[None], size=(rows, columns), mode="bilinear", antialias=True)[0]
