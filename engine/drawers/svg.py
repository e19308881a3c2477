"""Cells as SVG: rectangles for runs of squares, outlines for any other shape.

All cells of one colour are one path, which renderers fill without seams. Between two colours they
leave a hairline: each of the two covers a part of a pixel there, and what lies behind shines
through. So the edge is first drawn as a line in the colour that is filled first; the second colour,
over that, makes the mixture that is right. Where a picture has clear cells all this is clipped at
the outline of the others.
"""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# In pixels of the size asked for: covers every pixel that an edge goes through.
_SEAM_WIDTH = 1.5
# Middles of edges are compared as whole parts of the picture. A third, so that no middle, all of
# which are fractions with small divisors, lies where rounding could go either way.
_FINE = 2**30 / 3


def squares_svg(native: Image.Image, size: tuple[int, int]) -> str:
    """A picture of one pixel a cell as SVG of a size: a rectangle for each run of equal cells.

    The rectangles' edges are hard, as those of the picture enlarged by nearest neighbour are.
    """
    cells = np.asarray(native.convert("RGBA"))
    rows, columns, _ = cells.shape
    width, height = size
    rectangles: dict[str, list[str]] = defaultdict(list)
    for row in range(rows):
        changes = np.flatnonzero((cells[row, 1:] != cells[row, :-1]).any(1)) + 1
        for first, end in zip([0, *changes], [*changes, columns], strict=True):
            if cells[row, first, 3]:
                left, right = _number(first * width / columns), _number(end * width / columns)
                top, bottom = _number(row * height / rows), _number((row + 1) * height / rows)
                rectangles[_hex(cells[row, first])].append(
                    f"M{left} {top}H{right}V{bottom}H{left}z"
                )
    paths = (f'<path fill="{colour}" d="{"".join(d)}"/>' for colour, d in rectangles.items())
    return _document(size, paths, ' shape-rendering="crispEdges"')


def mosaic_svg(
    native: Image.Image, size: tuple[int, int], polygons: Floats, owners: Integers
) -> str:
    """A picture of one pixel a cell as SVG of a size: an outline a cell, none for a clear one.

    Args:
        native: RGB or RGBA, one pixel a cell.
        size: width and height in pixels.
        polygons: ``[n, corners, 2]``, x and y in units of the picture's width and height.
        owners: ``[n]``, the number of the cell that each belongs to.

    """
    cells = np.asarray(native.convert("RGBA")).reshape(-1, 4)[owners]
    visible = cells[:, 3] > 0
    cells, corners = cells[visible], polygons[visible]
    colours, ranks = np.unique(cells[:, :3], axis=0, return_inverse=True)
    ranks = ranks.reshape(-1)
    names = [_hex(colour) for colour in colours]
    lines: dict[int, list[str]] = defaultdict(list)
    for rank, ends in zip(*_seams(corners, ranks), strict=True):
        lines[int(rank)].append(_path(ends * size))
    outlines: dict[int, list[str]] = defaultdict(list)
    for rank, outline in zip(ranks, corners, strict=True):
        outlines[int(rank)].append(_path(outline * size) + "z")
    paths = [
        f'<path stroke="{names[rank]}" stroke-width="{_SEAM_WIDTH}" d="{"".join(d)}"/>'
        for rank, d in sorted(lines.items())
    ]
    paths += [
        f'<path fill="{names[rank]}" d="{"".join(d)}"/>' for rank, d in sorted(outlines.items())
    ]
    if not visible.all():
        whole = "".join(outline for d in outlines.values() for outline in d)
        clip = f'<clipPath id="there"><path d="{whole}"/></clipPath>'
        paths = [clip, '<g clip-path="url(#there)">', *paths, "</g>"]
    return _document(size, paths)


def _seams(corners: Floats, ranks: Integers) -> tuple[Integers, Floats]:
    """The edges between two colours, and those of one cell alone.

    Args:
        corners: ``[cells, corners, 2]`` in 0…1; cells that touch share whole edges.
        ranks: ``[cells]``, the place of each cell's colour in the order of painting.

    Returns:
        The lower rank of each edge ``[n]``, and its ends ``[n, 2, 2]``.

    """
    ends = np.stack([corners, np.roll(corners, -1, 1)], 2).reshape(-1, 2, 2)
    if len(ends) == 0:
        return ranks, ends
    # Edges never cross, so that the middle of one tells it from all others.
    middles = np.round(ends.mean(1) * _FINE).astype(np.int64)
    order = np.lexsort(middles.T)
    changes = (middles[order[1:]] != middles[order[:-1]]).any(1)
    first = np.concatenate([[0], np.flatnonzero(changes) + 1])
    sides = np.repeat(ranks, corners.shape[1])[order]
    lower, upper = np.minimum.reduceat(sides, first), np.maximum.reduceat(sides, first)
    alone = np.diff(first, append=len(ends)) == 1
    seen = alone | (lower != upper)
    return lower[seen], ends[order[first[seen]]]


def _path(points: Floats) -> str:
    """An open path through points ``[n, 2]``."""
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points)


def _number(value: float) -> str:
    """A length to a hundredth of a pixel, as short as it can be written."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _hex(colour: NDArray[np.uint8]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour[:3])


def _document(size: tuple[int, int], paths: Iterable[str], attributes: str = "") -> str:
    width, height = size
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"{attributes}>\n' + "\n".join(paths) + "\n</svg>\n"
    )
