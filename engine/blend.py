"""The two ends of a walk from one picture to another, as settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.errors import PictureError
from engine.images import read_picture_file
from engine.recipe import Recipe, draw_again, read_recipe_file
from engine.settings import (
    MAX_SEED,
    PICTURE,
    Settings,
    make_settings,
    picture_names,
    series,
)

# What else than a prompt says what to draw; a prompt as partner stands for it.
_ASIDE = (
    *("labels", "dream", "image_prompts", "target_image", "target_weight"),
    *("mask", "spot_prompts", "spot_off_prompts"),
)
# What is drawn and what from; all else of two settings is how.
_WHAT = (
    *("prompts", "seed", "vector_prompts", *_ASIDE),
    *("start", "init_image", "init_noise", "init_weight", "outline", "dither"),
)

_SHAPES = ("aspect", "size", "pixel_size", "preset")
_NOTHING = "nothing"
# What must be meant as a file.
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"})


def partner_settings(settings: Settings, partner: Settings | None = None) -> Settings | None:
    """What lies at the other end of a walk, drawn in the same way: drawer, sizes, steps.

    A prompt is drawn with the same seed, so that both grow from the same noise, or, where the words
    are the same, with the next one. A picture is not improved but taken as it is.

    Args:
        settings: of the first picture, resolved.
        partner: of another drawing, resolved; what `blend_with` says if it is left out.

    Returns:
        Resolved settings, or None if there is no walk.

    """
    if partner is not None:
        return _changed(settings, {name: getattr(partner, name) for name in _WHAT})
    if settings.blend_with is None:
        return None
    assert settings.seed is not None
    plain = {name: getattr(Settings(""), name) for name in _ASIDE}
    if settings.blend_with.startswith(PICTURE):
        return as_it_is(_changed(settings, plain), settings.blend_with.removeprefix(PICTURE))
    again = settings.prompts == settings.blend_with
    seed = (settings.seed + 1) % (MAX_SEED + 1) if again else settings.seed
    return _changed(settings, {**plain, "prompts": settings.blend_with, "seed": seed})


def as_it_is(settings: Settings, picture: str) -> Settings:
    """The settings that show a picture of this name without improving it."""
    begun = {"start": "auto", "init_noise": None, "init_image": picture, "outline": False}
    return _changed(settings, {**begun, "prompts": "", "iterations": 0})


@dataclass(frozen=True)
class Blend:
    """What to draw for a walk.

    Attributes:
        settings: of the picture that is drawn, or shown as it is.
        partner: what was drawn before, for `engine.protocol.Draw`; None if `blend_with` says all.
        backwards: whether the walk's first end is the partner.

    """

    settings: Settings
    partner: Settings | None = None
    backwards: bool = False


def plan(first: str, last: str, given: Mapping[str, object], frames: int | None) -> Blend:
    """What to draw for a walk from one end to the other.

    Each end is a prompt, a picture's file, or a PNG that says how it was drawn: that one is drawn
    again, unless it needs another picture, and else taken as the picture it is.

    Args:
        first: where the walk begins; if it says how it was drawn, the other is drawn so too.
        last: where it ends.
        given: how to draw, which wins.
        frames: how many; by default as many as the settings say.

    Raises:
        SettingsError: for what is not possible.
        PictureError: for a file that cannot be read.

    """
    begin, end = _end(first), _end(last)
    backwards = isinstance(begin, Path) and not isinstance(end, Path)
    if backwards:
        # It is the drawing that says how; the picture is only put into its form.
        begin, end = end, begin
    how = {**given, "blend_frames": frames}
    partner = None
    match end:
        case Recipe(settings=settings):
            partner = settings
            how["blend_with"] = settings.prompts or settings.labels
        case Path():
            how["blend_with"] = f"{PICTURE}{end}"
        case _:
            how["blend_with"] = end
    match begin:
        case Recipe():
            settings = draw_again(begin, how)
        case Path():
            shaped = any(how.get(name) is not None for name in _SHAPES)
            shape = {} if shaped else {"aspect": "retain"}
            # Nothing says what to draw, since nothing is drawn.
            own = {"prompts": _NOTHING, "init_image": str(begin), **shape}
            settings = make_settings({**how, **own})
            settings = msgspec.structs.replace(settings, prompts="", iterations=0)
        case _:
            settings = make_settings({**how, "prompts": begin})
    (settings,) = series(settings, 1)
    return Blend(settings, partner, backwards)


def _end(text: str) -> str | Path | Recipe:
    """A prompt; a picture's file; or how such a one was drawn."""
    path = Path(text)
    try:
        there = path.is_file()
    except (OSError, ValueError):
        # No file can have such a name.
        there = False
    if not there and path.suffix.lower() not in _SUFFIXES:
        return text
    try:
        recipe = read_recipe_file(path)
    except PictureError:
        # Whatever else it is, it may be a picture; if not, this says so.
        read_picture_file(path)
        return path
    settings = msgspec.structs.replace(recipe.settings, blend_with=None, blend_frames=None)
    return path if picture_names(settings) else Recipe(settings, recipe.provenance)


def _changed(settings: Settings, changes: dict[str, object]) -> Settings:
    changed = msgspec.structs.replace(settings, **changes, blend_with=None, blend_frames=None)
    if changed.init_image is None and changed.target_image is None:
        # There is nothing left whose style could be taken.
        changed = msgspec.structs.replace(changed, style_weight=0.0)
    return changed
