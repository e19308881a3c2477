"""The frames on the way from one picture to another (Sampling Generative Networks, White 2016).

Not the pictures are mixed but what they are made of: regions of cells change their outlines,
strokes move, latents go along an arc, and every frame is drawn from them as any picture is.
"""

from engine.drawers import Drawer, path_between
from engine.png import encode_png

# Halved until the frames fit, but not below this.
_SMALLEST_SIDE = 32


class Walk:
    """The frames from one drawer's picture to another's, drawn one at a time.

    Args:
        first: which picture it begins with; between two frames it is as it was.
        last: which picture it ends with.
        frames: how many, both ends included; 2 or more.
        size: width and height of the frames in pixels.
        at_most: bytes that they may have together. If they have more, they are drawn again in half
            the size.

    """

    def __init__(
        self, first: Drawer, last: Drawer, frames: int, size: tuple[int, int], at_most: int
    ) -> None:
        self._drawer, self._count, self._size, self._at_most = first, frames, size, at_most
        self._path = path_between(first, last)
        self._frames: list[bytes] = []

    @property
    def done(self) -> bool:
        """Whether all frames are there."""
        return len(self._frames) == self._count

    @property
    def frames(self) -> tuple[bytes, ...]:
        """The frames so far, as PNGs."""
        return tuple(self._frames)

    def step(self) -> None:
        """Draw the next frame."""
        self._path(len(self._frames) / (self._count - 1))
        self._frames.append(encode_png(self._drawer.enlarged(self._size)))
        self._path(0.0)
        if sum(map(len, self._frames)) > self._at_most and min(self._size) > _SMALLEST_SIDE:
            width, height = self._size
            self._size = max(1, width // 2), max(1, height // 2)
            self._frames.clear()
