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


Order = Copy | Sheet | Tree | Palette
