"""From training states to the file that ships, and what was lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.perceptors.pixelclip import ImageShape, TextShape, TextTower, pack
from engine.training import checkpoints, image_tower

if TYPE_CHECKING:
    from pathlib import Path


def export(image_state: Path, text_state: Path, target: Path) -> None:
    """Write the averaged image tower and the text tower of two runs to one safetensors file.

    Raises:
        FileNotFoundError: one of the runs has not saved a state yet.

    """
    states = {path: checkpoints.load(path) for path in (image_state, text_state)}
    image, text = states[image_state], states[text_state]
    if image is None or text is None:
        message = f"There is no training state at {image_state if image is None else text_state}."
        raise FileNotFoundError(message)
    image_shape, text_shape = ImageShape(), TextShape()
    text_tower = TextTower(text_shape)
    text_tower.load_state_dict(text["tower"])
    folded = image_tower.fold(image["average"], image_shape)
    checkpoints.write_atomically(pack(folded, text_tower, (image_shape, text_shape)), target)
