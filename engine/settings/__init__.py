"""The settings of a drawing: one table of options, checked input, and the resolved whole.

Everyone who asks for a picture (slash command, command line, Python) builds the same `Settings`
through `make_settings`; `resolve` fills in what was left open. The names are those of clipit and
pixray.
"""

from engine.settings.defaults import (
    BLEND_FRAMES,
    CLIP_QUALITIES,
    DRAWER_DEFAULTS,
    GUESS_COLORS,
    PIXELCLIP,
    PIXELCLIP_QUALITIES,
    DrawerDefaults,
    Quality,
)
from engine.settings.make import make_settings, to_given
from engine.settings.options import (
    MAX_BATCHES,
    MAX_SEED,
    OPTION,
    OPTIONS,
    PICTURE,
    Kind,
    Option,
    find_option,
)
from engine.settings.pictures import picture_names, with_names
from engine.settings.readers import seed_from, split_weight
from engine.settings.record import Settings
from engine.settings.resolve import (
    DRAWING_VERSION,
    MAX_CHOICES,
    resolve,
    series,
)

__all__ = [
    "BLEND_FRAMES",
    "CLIP_QUALITIES",
    "DRAWER_DEFAULTS",
    "DRAWING_VERSION",
    "GUESS_COLORS",
    "MAX_BATCHES",
    "MAX_CHOICES",
    "MAX_SEED",
    "OPTION",
    "OPTIONS",
    "PICTURE",
    "PIXELCLIP",
    "PIXELCLIP_QUALITIES",
    "DrawerDefaults",
    "Kind",
    "Option",
    "Quality",
    "Settings",
    "find_option",
    "make_settings",
    "picture_names",
    "resolve",
    "seed_from",
    "series",
    "split_weight",
    "to_given",
    "with_names",
]
