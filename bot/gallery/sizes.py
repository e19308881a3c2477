"""How large a picture is shown: pixel art by whole factors, anything else made to fit."""

from dataclasses import dataclass

from bot.jobs import Job

# What the wall and a picture's own page have room for, in CSS pixels; phones scale the second.
WALL = (320, 256)
PAGE = (960, 720)
# On sharp screens smooth pictures have four pixels where the wall has one.
_DENSITY = 2
# More than that looks like a mistake.
_MOST_ENLARGED = 2.0
_LARGEST_MOVING = (480, 384)


@dataclass(frozen=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int


def is_pixel_art(job: Job) -> bool:
    """Whether one pixel a cell says everything, so that the browser can enlarge it sharply."""
    settings = job.settings
    return settings.pixel_size is not None and settings.pixel_type == "rect"


def shown(job: Job, room: tuple[int, int]) -> Size:
    """The size on the page, in CSS pixels."""
    if not is_pixel_art(job):
        return _fitting(_drawn(job), room, _MOST_ENLARGED)
    cells = _cells(job)
    factor = max(1, min(room[0] // cells.width, room[1] // cells.height))
    return Size(cells.width * factor, cells.height * factor)


def thumbnail(job: Job) -> Size:
    """The size of a smooth picture's smaller copy."""
    return _fitting(_drawn(job), (_DENSITY * WALL[0], _DENSITY * WALL[1]))


def moving(job: Job) -> Size:
    """The size of the time-lapse: of pixel art one pixel a cell, as of the picture itself."""
    return _cells(job) if is_pixel_art(job) else _fitting(_drawn(job), _LARGEST_MOVING)


def _cells(job: Job) -> Size:
    assert job.settings.pixel_size is not None
    return Size(*job.settings.pixel_size)


def _drawn(job: Job) -> Size:
    # A picture that is finished was started, and then its settings were resolved.
    assert job.settings.size is not None
    return Size(*job.settings.size)


def _fitting(size: Size, room: tuple[int, int], enlarged: float = 1.0) -> Size:
    """As large as there is room for, and at most so many times as large as it was drawn."""
    scale = min(enlarged, room[0] / size.width, room[1] / size.height)
    return Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))
