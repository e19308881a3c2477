"""What a process of the workshop is told to make; it comes on its stdin, in MessagePack."""

from typing import Literal

import msgspec

Resampling = Literal["nearest", "smooth"]


class Copy(msgspec.Struct, frozen=True, tag=True):
    """Pictures at another size: one becomes a PNG, several a time-lapse in WebP.

    Attributes:
        pictures: paths of PNGs of our own engine.
        size: width and height in pixels.
        resampling: how.

    """

    pictures: tuple[str, ...]
    size: tuple[int, int]
    resampling: Resampling


class Tile(msgspec.Struct, frozen=True):
    """A picture on a sheet.

    Attributes:
        picture: the path of a PNG of our own engine; None where it is not to be seen.
        title: such as “#12”.
        note: what is said beside the title.
        instead: what is said in the picture's place if it is not to be seen.

    """

    picture: str | None
    title: str
    note: str = ""
    instead: str = ""


class Sheet(msgspec.Struct, frozen=True, tag=True):
    """Pictures in rows, in their order; becomes a PNG."""

    tiles: tuple[Tile, ...]


class Kin(msgspec.Struct, frozen=True):
    """A picture of a family, and those that were made from it."""

    tile: Tile
    framed: bool = False
    children: tuple["Kin", ...] = ()


class Tree(msgspec.Struct, frozen=True, tag=True):
    """A family from its eldest on; becomes a PNG."""

    root: Kin


class Palette(msgspec.Struct, frozen=True, tag=True):
    """The colours of a picture; become `Colours` in MessagePack.

    Attributes:
        png: of our own engine, or what its decoder has made of a stranger's picture.
        most: with so many colours they are taken as they are, with more they are reduced.
        name: what drawing programs call the palette.

    """

    png: bytes
    most: int
    name: str


class Colours(msgspec.Struct, frozen=True):
    """A palette: its colours as ``rrggbb``, most used first, and the files that hold it."""

    colours: tuple[str, ...]
    swatches: bytes
    gpl: bytes
    hex: bytes


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


class Recolouring(msgspec.Struct, frozen=True, tag=True):
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


Order = Copy | Sheet | Tree | Palette | Enlarge | TimeLapse | Walk | Recolouring | Export
