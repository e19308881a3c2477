r"""Palettes: by name, as hex colours, or in pixray's language, such as ``red->rust\8;[black]``.

A palette is one or several sections with ``;`` between them; each gives its colours in turn:

- ``pico8``: all colours of a named palette (`PALETTES`);
- ``#1a1c2c #f4f4f4 #b13e53``: hex colours, with spaces or commas between them;
- ``[black, rust, #fc0]``: a list of colours; with a number, ``[black, rust, #fc0]\6``, that many
  steps from the first to the last;
- ``red->rust\8``: a ramp of eight steps through two or more colours, 16 without a number;
- ``rust\8``: a ramp from black to one colour.

A colour is ``#rgb``, ``#rrggbb``, ``(255+128+0)``, ``[1+0.5+0]`` or a name
(`engine.colour_names`). Case and spaces do not matter. Other than in pixray a palette cannot come
from a file or a link: what a stranger writes in a chat must not open either.
"""

import itertools
import re
from collections.abc import Mapping, Sequence

from engine.colour_names import Colour, named_colour
from engine.errors import SettingsError, quote

MIN_COLOURS = 2
MAX_COLOURS = 256
# Room for the longest list of hex colours.
MAX_LENGTH = 4000
DEFAULT_STEPS = 16

_HEX = re.compile(r"#?[0-9a-f]{6}|#[0-9a-f]{3}")
_NUMBER = r"\s*([0-9]{1,3}(?:\.[0-9]{0,6})?)\s*"
_BYTES = re.compile(rf"\({_NUMBER}\+{_NUMBER}\+{_NUMBER}\)")
_SHARES = re.compile(rf"\[{_NUMBER}\+{_NUMBER}\+{_NUMBER}\]")


def _hex_colours(text: str) -> tuple[Colour, ...]:
    return tuple(_from_hex(part) for part in text.split())


def _from_hex(text: str) -> Colour:
    digits = text.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _cube(levels: Sequence[int]) -> tuple[Colour, ...]:
    """Every mixture of a machine that has these levels of red, green and blue."""
    return tuple((red, green, blue) for red, green, blue in itertools.product(levels, repeat=3))


# Changing a colour here changes pictures that people have: it is a change of `DRAWING_VERSION`.
# Home computers had no RGB values: these are the approximations that are used most, those of Lospec
# for nes and c64, of Wikipedia for amstrad, msx and zxspectrum.
PALETTES: Mapping[str, tuple[Colour, ...]] = {
    "1bit": _hex_colours("000000 ffffff"),
    "amstrad": _cube((0x00, 0x80, 0xFF)),
    "arne16": _hex_colours(
        "000000 9d9d9d ffffff be2633 e06f8b 493c2b a46422 eb8931 f7e26b 2f484e 44891a a3ce27 "
        "1b2632 005784 31a2f2 b2dcef"
    ),
    "c64": _hex_colours(
        "000000 626262 898989 adadad ffffff 9f4e44 cb7e75 6d5412 a1683c c9d487 9ae29b 5cab5e "
        "6abfc6 887ecb 50459b a057a3"
    ),
    "cga": _hex_colours(
        "000000 0000aa 00aa00 00aaaa aa0000 aa00aa aa5500 aaaaaa 555555 5555ff 55ff55 55ffff "
        "ff5555 ff55ff ffff55 ffffff"
    ),
    "db16": _hex_colours(
        "140c1c 442434 30346d 4e4a4e 854c30 346524 d04648 757161 597dce d27d2c 8595a1 6daa2c "
        "d2aa99 6dc2ca dad45e deeed6"
    ),
    "db32": _hex_colours(
        "000000 222034 45283c 663931 8f563b df7126 d9a066 eec39a fbf236 99e550 6abe30 37946e "
        "4b692f 524b24 323c39 3f3f74 306082 5b6ee1 639bff 5fcde4 cbdbfc ffffff 9badb7 847e87 "
        "696a6a 595652 76428a ac3232 d95763 d77bba 8f974a 8a6f30"
    ),
    "ega": _cube((0x00, 0x55, 0xAA, 0xFF)),
    "endesga32": _hex_colours(
        "be4a2f d77643 ead4aa e4a672 b86f50 733e39 3e2731 a22633 e43b44 f77622 feae34 fee761 "
        "63c74d 3e8948 265c42 193c3e 124e89 0099db 2ce8f5 ffffff c0cbdc 8b9bb4 5a6988 3a4466 "
        "262b44 181425 ff0044 68386c b55088 f6757a e8b796 c28569"
    ),
    "gameboy": _hex_colours("0f380f 306230 8bac0f 9bbc0f"),
    "msx": _hex_colours(
        "000000 3eb849 74d07d 5955e0 8076f1 b95e51 65dbef db6559 ff897d ccc35e ded087 3aa241 "
        "b766b5 cccccc ffffff"
    ),
    "nes": _hex_colours(
        "000000 fcfcfc f8f8f8 bcbcbc 7c7c7c a4e4fc 3cbcfc 0078f8 0000fc b8b8f8 6888fc 0058f8 "
        "0000bc d8b8f8 9878f8 6844fc 4428bc f8b8f8 f878f8 d800cc 940084 f8a4c0 f85898 e40058 "
        "a80020 f0d0b0 f87858 f83800 a81000 fce0a8 fca044 e45c10 881400 f8d878 f8b800 ac7c00 "
        "503000 d8f878 b8f818 00b800 007800 b8f8b8 58d854 00a800 006800 b8f8d8 58f898 00a844 "
        "005800 00fcfc 00e8d8 008888 004058 f8d8f8 787878"
    ),
    "pico8": _hex_colours(
        "000000 1d2b53 7e2553 008751 ab5236 5f574f c2c3c7 fff1e8 ff004d ffa300 ffec27 00e436 "
        "29adff 83769c ff77a8 ffccaa"
    ),
    "resurrect64": _hex_colours(
        "2e222f 3e3546 625565 966c6c ab947a 694f62 7f708a 9babb2 c7dcd0 ffffff 6e2727 b33831 "
        "ea4f36 f57d4a ae2334 e83b3b fb6b1d f79617 f9c22b 7a3045 9e4539 cd683d e6904e fbb954 "
        "4c3e24 676633 a2a947 d5e04b fbff86 165a4c 239063 1ebc73 91db69 cddf6c 313638 374e4a "
        "547e64 92a984 b2ba90 0b5e65 0b8a8f 0eaf9b 30e1b9 8ff8e2 323353 484a77 4d65b4 4d9be6 "
        "8fd3ff 45293f 6b3e75 905ea9 a884f3 eaaded 753c54 a24b6f cf657f ed8099 831c5d c32454 "
        "f04f78 f68181 fca790 fdcbb0"
    ),
    "sweetie16": _hex_colours(
        "1a1c2c 5d275d b13e53 ef7d57 ffcd75 a7f070 38b764 257179 29366f 3b5dc9 41a6f6 73eff7 "
        "f4f4f4 94b0c2 566c86 333c57"
    ),
    "zxspectrum": _hex_colours(
        "000000 0000d7 d70000 d700d7 00d700 00d7d7 d7d700 d7d7d7 0000ff ff0000 ff00ff 00ff00 "
        "00ffff ffff00 ffffff"
    ),
}

PALETTE_FORMS = (
    f"{', '.join(PALETTES)}, hex colours, lists such as “[black, #fc0]” "
    "and ramps such as “red->rust\\8”"
)


def parse_palette(source: str) -> tuple[Colour, ...]:
    """The colours that a palette's text stands for, each once, in its order.

    Args:
        source: see this file's beginning.

    Returns:
        2 to 256 colours, RGB in 0…255.

    Raises:
        SettingsError: when the text cannot be read, or gives too few or too many colours.

    """
    text = source.strip().lower()
    if not text:
        raise SettingsError(f"The palette is empty; allowed are {PALETTE_FORMS}.")
    if len(text) > MAX_LENGTH:
        raise SettingsError(
            f"The palette is {len(text)} characters long; at most {MAX_LENGTH} are allowed."
        )
    colours = tuple(dict.fromkeys(itertools.chain.from_iterable(map(_section, text.split(";")))))
    if not MIN_COLOURS <= len(colours) <= MAX_COLOURS:
        raise SettingsError(
            f"The palette {quote(source.strip())} has {len(colours)} "
            f"colour{'s' * (len(colours) != 1)}; allowed are {MIN_COLOURS} to {MAX_COLOURS}."
        )
    return colours


def _section(text: str) -> Sequence[Colour]:
    section = text.strip()
    named = PALETTES.get(re.sub(r"[\s_-]", "", section))
    if named is not None:
        return named
    body, steps = _steps(section)
    if body.startswith("[") and "->" not in body:
        if not body.endswith("]"):
            raise SettingsError(f"The list {quote(section)} in the palette has no “]” at its end.")
        colours = [_colour(part) for part in body[1:-1].split(",")]
        return colours if steps is None else _ramp(colours, steps)
    parts = body.replace(",", " ").split()
    if steps is None and len(parts) > 1 and all(_HEX.fullmatch(part) for part in parts):
        return [_from_hex(part) for part in parts]
    ends = body.split("->") if "->" in body else ["black", body]
    return _ramp([_colour(end) for end in ends], DEFAULT_STEPS if steps is None else steps)


def _steps(section: str) -> tuple[str, int | None]:
    """A section without its number of steps, and that number."""
    body, backslash, number = section.partition("\\")
    if not backslash:
        return section, None
    number = number.strip()
    if not re.fullmatch(r"[0-9]{1,3}", number) or not 2 <= int(number) <= MAX_COLOURS:
        raise SettingsError(
            f"The palette's ramp {quote(section)} cannot have {quote(number)} steps; "
            f"allowed are 2 to {MAX_COLOURS}."
        )
    return body.strip(), int(number)


def _ramp(colours: Sequence[Colour], steps: int) -> list[Colour]:
    """So many colours from the first to the last, evenly, through those between them."""

    def at(step: int) -> Colour:
        # In whole numbers, so that rounding is the same everywhere.
        before, rest = divmod(step * (len(colours) - 1), steps - 1)
        after = min(before + 1, len(colours) - 1)
        red, green, blue = (
            (2 * (first * (steps - 1 - rest) + second * rest) + steps - 1) // (2 * (steps - 1))
            for first, second in zip(colours[before], colours[after], strict=True)
        )
        return red, green, blue

    return [at(step) for step in range(steps)]


def _colour(text: str) -> Colour:
    name = " ".join(text.split())
    if _HEX.fullmatch(name):
        return _from_hex(name)
    for form, most in ((_BYTES, 255), (_SHARES, 1)):
        triple = form.fullmatch(name)
        if triple is not None and all(float(part) <= most for part in triple.groups()):
            red, green, blue = (int(float(part) * 255 / most + 0.5) for part in triple.groups())
            return red, green, blue
    named = named_colour(name)
    if named is not None:
        return named
    raise SettingsError(
        f"The palette cannot have {quote(name)}; allowed are {PALETTE_FORMS}, "
        "with colours in hex or by their xkcd or CSS names."
    )
