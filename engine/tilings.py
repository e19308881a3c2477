"""The shapes of a picture's cells: one prototile each, repeated over the whole picture.

The types are those of pixray's pixel drawer. Its shapes overlap, or leave gaps at the border; these
are the same shapes as exact tilings: every point of a picture lies in one cell. Lengths are in
pitches, the distances between neighbouring columns and rows of cells; y runs down.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class Tiling:
    """How the cells of a picture lie.

    Attributes:
        corners: of a cell, relative to the upper left corner of its place (column, row). Where two
            cells touch they share whole edges.
        shift: how far even rows are moved left, and odd rows right.
        flips: whether every other cell, like the squares of a chessboard, stands on its head.
        margins: what is cut off at the left, top, right and bottom, so that cells cover the border.
        origin: the left and upper border of a picture that repeats: there a mirror image of the
            tiling is the tiling again.
        aspect: width / height of a place whose cell looks as it should.
        mirrors: the axes in which a tiling that repeats is its own mirror image.

    """

    corners: tuple[Point, ...]
    shift: float = 0.0
    flips: bool = False
    margins: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    origin: Point = (0.0, 0.0)
    aspect: float = 1.0
    mirrors: str = "xy"

    def steps(self, wraps: tuple[bool, bool]) -> tuple[int, int]:
        """What the numbers of columns and rows must be multiples of where the picture repeats."""
        return (
            2 if wraps[0] and self.flips else 1,
            2 if wraps[1] and (self.flips or self.shift) else 1,
        )

    def grid(
        self, columns: float, rows: float, wraps: tuple[bool, bool], most: int
    ) -> tuple[int, int]:
        """About as many cells as a grid of squares has, each as wide and high as it should be."""
        stretch = self.aspect**0.5
        across, down = self.steps(wraps)
        return (
            _multiple(columns / stretch, across, most),
            _multiple(rows * stretch, down, most),
        )


def wrapping(symmetry: str, *, tile: bool) -> tuple[bool, bool]:
    """Whether a picture's cells go on, in x and in y, from one border at the opposite one.

    They do in a picture that is a tile. They do as well where it is mirrored: a cell that one
    border cuts in half is its own mirror image at the other.
    """
    return tile or "x" in symmetry, tile or "y" in symmetry


def _multiple(number: float, step: int, most: int) -> int:
    return min(most - most % step, max(4, step * round(number / step)))


_BRICK_SHIFT = 0.25

# The upper border of a stitch, from its left side to its middle: an arm with a round end, and the
# notch that the point of the stitch above fills.
_KNIT_ARM: tuple[Point, ...] = (
    *((0, -0.26), (0.05, -0.38), (0.11, -0.43), (0.18, -0.42), (0.24, -0.32), (0.5, 0.34)),
)


def _stitch() -> tuple[Point, ...]:
    """A V whose upper border, moved down by a row, is its lower border."""
    upper = _KNIT_ARM + tuple((1 - x, y) for x, y in reversed(_KNIT_ARM[:-1]))
    return upper + tuple((x, y + 1) for x, y in reversed(upper))


TILINGS: Mapping[str, Tiling] = {
    "rect": Tiling(((0, 0), (1, 0), (1, 1), (0, 1))),
    "rectshift": Tiling(
        ((0, 0), (0.5, 0), (1, 0), (1, 1), (0.5, 1), (0, 1)),
        shift=_BRICK_SHIFT,
        margins=(_BRICK_SHIFT, 0, _BRICK_SHIFT, 0),
        origin=(_BRICK_SHIFT, 0.5),
    ),
    "hex": Tiling(
        ((0.5, -1 / 6), (1, 1 / 6), (1, 5 / 6), (0.5, 7 / 6), (0, 5 / 6), (0, 1 / 6)),
        shift=_BRICK_SHIFT,
        margins=(_BRICK_SHIFT, 1 / 6, _BRICK_SHIFT, 1 / 6),
        origin=(_BRICK_SHIFT, 0.5),
        aspect=2 / 3**0.5,
    ),
    "tri": Tiling(
        ((0.5, 0), (1.5, 1), (-0.5, 1)),
        flips=True,
        margins=(0.5, 0, 0.5, 0),
        origin=(0.5, 0),
        aspect=1 / 3**0.5,
    ),
    "diamond": Tiling(
        ((0.5, -0.5), (1, 0.5), (0.5, 1.5), (0, 0.5)),
        shift=_BRICK_SHIFT,
        margins=(_BRICK_SHIFT, 0.5, _BRICK_SHIFT, 0.5),
        origin=(_BRICK_SHIFT, 0.5),
        aspect=2.0,
    ),
    "knit": Tiling(_stitch(), margins=(0, 0.34, 0, 0.43), mirrors="x"),
}
