"""Vector strokes: what they are, how they are drawn differentiably, and their SVG."""

import os

import torch

from engine.strokes import diffvg, raster
from engine.strokes.curves import TOLERANCE, Strokes
from engine.strokes.svg import to_svg

__all__ = ["Strokes", "render", "to_svg"]

# For comparison only; what is drawn with another value is not the same to the byte.
BACKEND = "PIXEL_STROKES"


def render(strokes: Strokes, width: int, height: int, tolerance: float = TOLERANCE) -> torch.Tensor:
    """Strokes over nothing, as `engine.strokes.raster.render`, or by diffvg where that is asked.

    Raises:
        EngineError: the environment asks for diffvg, and it is not installed.

    """
    if os.environ.get(BACKEND) == "diffvg":
        return diffvg.render(strokes, width, height)
    return raster.render(strokes, width, height, tolerance)
