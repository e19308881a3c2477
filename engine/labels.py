"""The thousand classes of ImageNet (Russakovsky et al. 2015), by the names of torchvision."""

from functools import cache
from pathlib import Path

from engine.errors import SettingsError, quote

_FILE = Path(__file__).with_name("imagenet_classes.txt")


@cache
def class_names() -> tuple[str, ...]:
    """All names, in the order of a classifier's answers."""
    return tuple(_FILE.read_text().splitlines())


def find_class(name: str) -> int:
    """The number of a class, 0…999, whatever its name's capitals.

    Raises:
        SettingsError: with some names that are near, when there is no such class.

    """
    wanted = " ".join(name.lower().split())
    names = [known.lower() for known in class_names()]
    if wanted in names:
        return names.index(wanted)
    words = set(wanted.split())
    near = [known for known in class_names() if words & set(known.lower().split())][:5]
    hint = f"near it are {', '.join(near)}" if near else "allowed are those of ImageNet"
    raise SettingsError(f"No classifier knows the label {quote(name)}; {hint}.")
