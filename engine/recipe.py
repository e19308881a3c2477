"""How a picture was drawn, written into the picture: its settings, and what else its bytes need.

A finished PNG carries an international text with the keyword ``pixel:settings``. It is JSON:

    {"settings": {"prompts": "a red apple", "seed": 7, …}, "provenance": {"drawing_version": 2, …}}

The settings are what `engine.settings.make_settings` takes; the provenance is that of
`engine.protocol.Provenance`. Nothing in it tells who asked, where, or on which machine, and of a
picture that the drawing started from it holds the SHA-256 alone.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from engine.errors import PictureError, SettingsError
from engine.png import read_png_text
from engine.protocol import Provenance
from engine.settings import (
    DRAWING_VERSION,
    OPTIONS,
    Settings,
    make_settings,
    picture_names,
    to_given,
    with_names,
)

KEYWORD = "pixel:settings"
# A finished picture has at most 2048 pixels a side, and flat cells: it is far smaller.
MAX_BYTES = 32 * 1024 * 1024


class Recipe(msgspec.Struct, frozen=True):
    """What to ask for to get a picture again, and what has to be equal besides.

    Attributes:
        settings: as `engine.settings.resolve` gives them, less what it works out of others.
            For a picture stands the SHA-256 of the PNG that the drawing was given.
        provenance: of the drawing.

    """

    settings: Settings
    provenance: Provenance

    def differences(self, other: "Recipe") -> tuple[str, ...]:
        """Why the other one gives a like of this picture, in words; nothing if it is the same.

        Nothing as well if other settings were asked for: then another picture is wanted.
        """
        before, now = self.provenance, other.provenance
        asked, other_asked = (
            with_names(recipe.settings, "a picture".format) for recipe in (self, other)
        )
        if asked != other_asked:
            return ()
        differs = {
            f"another {option.name.replace('_', ' ')}": getattr(self.settings, option.name)
            != getattr(other.settings, option.name)
            for option in OPTIONS
        }
        differs |= {
            "another drawing version": before.drawing_version != now.drawing_version,
            "other weights": before.weights != now.weights,
            "another class of machine": (before.device, before.dtype) != (now.device, now.dtype),
        }
        return tuple(what for what, is_so in differs.items() if is_so)


class _Written(msgspec.Struct, frozen=True):
    """The text as it is stored."""

    settings: dict[str, object]
    provenance: Provenance


class _Version(msgspec.Struct, frozen=True):
    drawing_version: int


class _Versioned(msgspec.Struct, frozen=True):
    """As much of the text as any version must be able to read."""

    provenance: _Version


def make_recipe(
    settings: Settings, provenance: Provenance, pictures: Mapping[str, bytes] | None = None
) -> Recipe:
    """The recipe of a drawing.

    Args:
        settings: resolved.
        provenance: as in `engine.protocol.Started`.
        pictures: the PNG for each picture that the settings name; a name without its picture is
            a mistake, and a KeyError.

    """
    known = pictures or {}
    public = with_names(settings, lambda name: hashlib.sha256(known[name]).hexdigest())
    return Recipe(make_settings(to_given(public)), provenance)


def draw_again(recipe: Recipe, given: Mapping[str, object]) -> Settings:
    """The settings to draw a picture again, in which everything that is given wins.

    Raises:
        SettingsError: when what is given is not possible, or when the drawing took something from
            other pictures and those are not given again.

    """
    missing = [
        option.name
        for option in OPTIONS
        if picture_names(recipe.settings, option) and given.get(option.name) is None
    ]
    if missing:
        names, files = " and ".join(missing), "that file" if len(missing) == 1 else "those files"
        raise SettingsError(
            f"It was drawn with {names}, which the picture does not hold; "
            f"give {files} as {names} again."
        )
    return make_settings(given, recipe.settings)


def write_recipe(recipe: Recipe) -> dict[str, str]:
    """The texts for `engine.png.encode_png`; equal recipes give equal texts."""
    written = _Written(to_given(recipe.settings), recipe.provenance)
    return {KEYWORD: msgspec.json.encode(written, order="deterministic").decode()}


def read_recipe(data: bytes) -> Recipe:
    """The recipe in a PNG, checked like anything else that people ask for.

    Raises:
        PictureError: when it is no PNG, carries no recipe, one that cannot be read, one with
            settings that are not possible, or that of a newer drawing version.

    """
    text = read_png_text(data, KEYWORD)
    if text is None:
        raise PictureError(
            "The picture does not say how it was drawn; a PNG that was finished by pixel does, "
            "unless something has removed it."
        )
    try:
        version = msgspec.json.decode(text, type=_Versioned).provenance.drawing_version
        if version > DRAWING_VERSION:
            raise PictureError(
                f"The picture was drawn by a newer pixel (drawing version {version}, "
                f"here {DRAWING_VERSION}); update this one to draw it again."
            )
        written = msgspec.json.decode(text, type=_Written)
        return Recipe(make_settings(written.settings), written.provenance)
    except SettingsError as error:
        raise PictureError(f"The picture's settings are not possible: {error}") from None
    # Lists within lists without end are too much for whoever reads or quotes them.
    except (msgspec.MsgspecError, RecursionError):
        raise PictureError(
            f"The picture's text “{KEYWORD}” cannot be read; it was not written by pixel, "
            "or was changed since."
        ) from None


def read_recipe_file(path: Path) -> Recipe:
    """The recipe in a file on this machine; raises `PictureError` as `read_recipe` does."""
    try:
        with path.open("rb") as file:
            # One byte more than is allowed tells that it is too large.
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PictureError(f"The picture {path} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BYTES:
        raise PictureError(
            f"The picture {path} is larger than the {MAX_BYTES // 2**20} MiB that are allowed."
        )
    return read_recipe(data)
