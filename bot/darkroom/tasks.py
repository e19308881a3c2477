"""What can be made of pictures; all of them are PNGs of our own engine, by their paths."""

import msgspec


class Copy(msgspec.Struct, frozen=True, tag=True):
    """One picture at another size, as a PNG; of several a time-lapse in WebP.

    Attributes:
        size: width and height in pixels.
        crisp: whether every pixel keeps its edges.

    """

    paths: tuple[str, ...]
    size: tuple[int, int]
    crisp: bool


class Enlarge(msgspec.Struct, frozen=True, tag=True):
    """A picture that is a whole number of times larger, as a PNG."""

    path: str
    factor: int
    crisp: bool


class TimeLapse(msgspec.Struct, frozen=True, tag=True):
    """A GIF of these frames, in as many bytes as there may be: if need be smaller, or with fewer.

    Attributes:
        size: the largest width and height in pixels.

    """

    paths: tuple[str, ...]
    size: tuple[int, int]
    crisp: bool
    limit: int


class Walk(msgspec.Struct, frozen=True, tag=True):
    """A GIF of the frames on the way to another picture, which are PNGs."""

    frames: tuple[bytes, ...]


class Recolour(msgspec.Struct, frozen=True, tag=True):
    """A picture in the colours of a palette, RGB in 0…255, as a PNG."""

    path: str
    palette: tuple[tuple[int, int, int], ...]


class Export(msgspec.Struct, frozen=True, tag=True):
    """Everything that there is of a picture, in one ZIP.

    Attributes:
        name: what the files are called, before what tells them apart.
        files: paths by their names in the ZIP; those that are missing are left out.
        native: the picture at one pixel a cell, whose colours become palette files.
        frames: how it grew, for the sprite sheet.
        cell: width and height of a picture in the sheet.
        text: how it was drawn.

    """

    name: str
    files: dict[str, str]
    native: str
    frames: tuple[str, ...]
    cell: tuple[int, int]
    crisp: bool
    text: str


Task = Copy | Enlarge | TimeLapse | Walk | Recolour | Export
