"""From training states to the file that ships, and what was lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.files import write_atomically
from engine.guess import first_guess
from engine.perceptors.pixelclip import ImageShape, TextShape, pack
from engine.training import guess, guess_batches, image_tower, text_tower

if TYPE_CHECKING:
    from pathlib import Path


def export(image_state: Path, text_state: Path, target: Path) -> None:
    """Write the averaged image tower and the text tower of two runs to one safetensors file.

    Raises:
        FileNotFoundError: one of the runs has not saved a state yet.

    """
    image_shape, text_shape = ImageShape(), TextShape()
    image = image_tower.load(image_state, image_shape)
    text = text_tower.load(text_state, text_shape)
    write_atomically(target, pack(image, text, (image_shape, text_shape)))


def export_guess(state: Path, target: Path) -> None:
    """Write the averaged generator of a run, to draw in `guess_batches.DRAWN` styles.

    Raises:
        FileNotFoundError: the run has not saved a state yet.

    """
    write_atomically(target, first_guess.pack(guess.load(state), guess_batches.DRAWN))
