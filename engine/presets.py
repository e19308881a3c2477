"""Named bundles of settings: what is usually wanted together, under one name."""

from collections.abc import Mapping

# What is given by hand wins over a preset. The values are written into a job's settings when it is
# asked for, so that a picture can be drawn again after this table has changed.
PRESETS: Mapping[str, Mapping[str, object]] = {
    # A thing by itself, as a game would use it.
    "sprite": {
        "aspect": "square",
        "size": (384, 384),
        "pixel_size": (32, 32),
        "colors": 12,
        "transparent": True,
    },
    # A thing on plain ground, still clear when it is small.
    "icon": {
        "aspect": "square",
        "size": (384, 384),
        "pixel_size": (24, 24),
        "colors": 8,
        "layers": True,
    },
    # A place with something in it.
    "scene": {"aspect": "widescreen", "colors": 16, "layers": True},
    # A pattern that repeats without a seam, as wallpaper or a game's ground would.
    "tile": {
        "aspect": "square",
        "size": (384, 384),
        "pixel_size": (32, 32),
        "colors": 12,
        "layers": True,
        "tile": True,
    },
    # Someone upright.
    "portrait": {"aspect": "portrait", "colors": 16, "layers": True},
    # A few pen lines on paper, of changing width.
    "sketch": {
        "drawer": "line_sketch",
        "aspect": "square",
        "size": (384, 384),
        "min_stroke_width": 0.6,
        "max_stroke_width": 1.6,
    },
}
