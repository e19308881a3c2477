"""What judges a picture, by name: the small `pixelclip`, or any model that open_clip can load."""

import torch

from engine.errors import PerceptorError, quote
from engine.models import check_name, is_at_hand
from engine.perceptors.base import Perceptor
from engine.settings import CLIP_QUALITIES, PIXELCLIP

__all__ = ["Perceptor", "auto_perceptors", "load_perceptor"]


def load_perceptor(name: str, device: torch.device) -> Perceptor:
    """Load a perceptor's weights from this machine; raises `errors.PerceptorError`."""
    # Each import brings what only that kind of model needs; open_clip's takes six seconds.
    if name == PIXELCLIP:
        from engine.perceptors.pixelclip import PixelClip

        return PixelClip(device=device)
    check_name(name)
    if not is_at_hand(name):
        raise PerceptorError(
            f"The weights of {quote(name)} are not on this machine; "
            f"its operator can bring them with “pixel models pull {name}”."
        )
    from engine.perceptors.clip import ClipPerceptor

    return ClipPerceptor(name, device=device)


def auto_perceptors(quality: str, device: str) -> tuple[str, ...]:
    """What `perceptors=auto` stands for: the quality's table on a GPU that has its weights."""
    names = CLIP_QUALITIES[quality].perceptors
    if device == "cuda" and all(is_at_hand(name) for name in names):
        return names
    return (PIXELCLIP,)
