"""A picture in other colours: each becomes the one of a palette that looks most like it.

Distances are those of Oklab (Björn Ottosson, "A perceptual color space for image processing",
2020), as where the engine chooses from a palette.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]

_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
# So many colours are compared at a time: at most 256 distances each.
_AT_ONCE = 65536


def recolour(image: Image.Image, palette: Sequence[tuple[int, int, int]]) -> Image.Image:
    """The same picture in a palette's colours, as opaque and clear as it was.

    Args:
        image: RGB or RGBA.
        palette: RGB in 0…255, at least one.

    """
    pixels = np.array(image)
    packed = pixels[..., :3].astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    found, where = np.unique(packed, return_inverse=True)
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], 1).astype(np.uint8)
    choices = np.array(palette, np.uint8)
    nearest = np.concatenate(
        [
            _nearest(colours[start : start + _AT_ONCE], choices)
            for start in range(0, len(colours), _AT_ONCE)
        ]
    )
    pixels[..., :3] = choices[nearest][where.reshape(packed.shape)]
    return Image.fromarray(pixels)


def _nearest(colours: NDArray[np.uint8], choices: NDArray[np.uint8]) -> NDArray[np.intp]:
    """For each colour the number of the choice that looks most like it."""
    ours, theirs = _oklab(colours), _oklab(choices)
    # |a − b|² without |a|², which is the same for all choices.
    apart: Floats = (theirs**2).sum(1) - 2 * ours @ theirs.T
    nearest: NDArray[np.intp] = apart.argmin(axis=1)
    return nearest


def _oklab(colours: NDArray[np.uint8]) -> Floats:
    """From sRGB ``[n, 3]`` in 0…255 to Oklab ``[n, 3]``."""
    rgb = colours / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    lab: Floats = np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T
    return lab
