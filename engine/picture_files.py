"""The pictures that settings name, read from this machine."""

from pathlib import Path

from engine.images import read_picture_file
from engine.settings import Settings, picture_names


def read_pictures(settings: Settings) -> dict[str, bytes]:
    """The PNG for each file that settings name; raises `PictureError` for the first bad one."""
    return {name: read_picture_file(Path(name)).png for name in picture_names(settings)}
