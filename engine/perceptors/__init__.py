"""What judges a picture, by name: the small `pixelclip`, or any model that open_clip can load."""

import torch

from engine.perceptors.base import Perceptor
from engine.settings import CLIP_QUALITIES, PIXELCLIP

__all__ = ["Perceptor", "auto_perceptors", "load_perceptor"]


def load_perceptor(name: str, device: torch.device) -> Perceptor:
    """Load a perceptor's weights from this machine; raises `errors.PerceptorError`."""
    # Each import brings what only that kind of model needs; open_clip's takes six seconds.
    if name == PIXELCLIP:
        from engine.perceptors.pixelclip import PixelClip

        return PixelClip(device=device)
    from engine.perceptors.clip import ClipPerceptor

    return ClipPerceptor(name, device=device)


def auto_perceptors(quality: str, device: str) -> tuple[str, ...]:
    """What `perceptors=auto` stands for: the quality's table on a GPU that has its weights."""
    names = CLIP_QUALITIES[quality].perceptors
    if device == "cuda":
        from engine.models import is_at_hand

        if all(is_at_hand(name) for name in names):
            return names
    return (PIXELCLIP,)
