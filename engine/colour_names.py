"""Names of single colours: those of the xkcd survey, of CSS, of matplotlib, and pixray's own."""

import functools
import re
from collections.abc import Mapping
from importlib import resources

from PIL import ImageColor

Colour = tuple[int, int, int]

# pixray's lights of old one-colour screens.
_SCREENS: Mapping[str, Colour] = {
    "pixel_green": (112, 255, 135),
    "pixel_orange": (255, 204, 51),
    "pixel_blue": (112, 135, 255),
    "pixel_red": (255, 135, 112),
    "pixel_grayscale": (255, 255, 255),
}

# matplotlib's letters, and the ten colours of Tableau that it also knows as C0 to C9.
_LETTERS: Mapping[str, Colour] = {
    "b": (0, 0, 255),
    "g": (0, 128, 0),
    "r": (255, 0, 0),
    "c": (0, 191, 191),
    "m": (191, 0, 191),
    "y": (191, 191, 0),
    "k": (0, 0, 0),
    "w": (255, 255, 255),
}
_TABLEAU: Mapping[str, Colour] = {
    "tab:blue": (31, 119, 180),
    "tab:orange": (255, 127, 14),
    "tab:green": (44, 160, 44),
    "tab:red": (214, 39, 40),
    "tab:purple": (148, 103, 189),
    "tab:brown": (140, 86, 75),
    "tab:pink": (227, 119, 194),
    "tab:gray": (127, 127, 127),
    "tab:olive": (188, 189, 34),
    "tab:cyan": (23, 190, 207),
}
_GREY = re.compile(r"0?\.[0-9]{1,6}|[01]\.0{0,6}")


def named_colour(name: str) -> Colour | None:
    """The colour of a name in lower case, or None: xkcd's before CSS's, as in pixray.

    After ``mat:`` the name is not one of xkcd's: ``mat:green`` is CSS's green. A number from 0.0 to
    1.0 is a grey.
    """
    plain = name.removeprefix("mat:").strip()
    if plain == name and name in _xkcd_colours():
        return _xkcd_colours()[name]
    if plain in ImageColor.colormap:
        red, green, blue, *_ = ImageColor.getrgb(plain)
        return red, green, blue
    if _GREY.fullmatch(plain):
        return (round(float(plain) * 255),) * 3
    if re.fullmatch(r"c[0-9]", plain):
        return list(_TABLEAU.values())[int(plain[1])]
    return _SCREENS.get(plain) or _LETTERS.get(plain) or _TABLEAU.get(plain.replace("grey", "gray"))


@functools.cache
def _xkcd_colours() -> Mapping[str, Colour]:
    # The survey of 2010 (https://xkcd.com/color/rgb.txt), placed in the public domain.
    text = (resources.files("engine") / "xkcd_colours.txt").read_text("utf-8")
    lines = (line.split(" ", 1) for line in text.splitlines())
    return {name: ImageColor.getrgb(value)[:3] for value, name in lines}
