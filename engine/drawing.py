"""Pictures in this process: settings in, frames out, without a bot or a queue."""

from collections.abc import Generator, Mapping, Sequence

from engine.errors import EngineError
from engine.picture_files import read_pictures
from engine.protocol import Done, Draw, Failed, JobEvent, Progress, Started
from engine.settings import Settings
from engine.studio import Studio

JOB = "drawing"


def draw(
    settings: Settings,
    pictures: Mapping[str, bytes] | None = None,
    *,
    studio: Studio | None = None,
) -> Generator[Started | Progress | Done]:
    """Draw one picture step by step; the last event is `Done`.

    Args:
        settings: from `engine.settings.make_settings`.
        pictures: a PNG as `engine.images.read_picture` returns it for each picture that the
            settings name; if left out, the files of these names are read.
        studio: an idle one to use again; its perceptors are loaded only once. While it draws,
            the picture can be looked at as `studio.look(JOB)`.

    Raises:
        EngineError: when the picture cannot be drawn, with the reason as a sentence.
        PictureError: when a picture cannot be read.

    """
    if pictures is None:
        pictures = read_pictures(settings)
    yield from draw_together({JOB: settings}, pictures, studio=studio)


def draw_together(
    asked: Mapping[str, Settings],
    pictures: Mapping[str, bytes] | None = None,
    *,
    studio: Studio | None = None,
) -> Generator[Started | Progress | Done]:
    """Draw several pictures side by side, each as if it were alone, in less time than in a row.

    Args:
        asked: settings by the job's name, which each event bears.
        pictures: a PNG for each picture that any of them names.
        studio: as for `draw`.

    Raises:
        EngineError: when one of them cannot be drawn, with the reason as a sentence.

    """
    sent = dict(pictures or {})
    jobs = [Draw(job, settings, sent) for job, settings in asked.items()]
    yield from draw_jobs(jobs, studio=studio)


def draw_jobs(
    jobs: Sequence[Draw], *, studio: Studio | None = None
) -> Generator[Started | Progress | Done]:
    """Draw jobs side by side, as `draw_together` does; raises `EngineError`."""
    studio = studio or Studio()
    for job in jobs:
        yield from _checked(studio.add(job))
    while not studio.idle:
        for event in studio.tick():
            yield from _checked(event)


def _checked(event: JobEvent) -> Generator[Started | Progress | Done]:
    if isinstance(event, Failed):
        raise EngineError(event.sentence)
    if isinstance(event, Started | Progress | Done):
        yield event
