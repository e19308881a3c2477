"""Thumbnails and time-lapses, made when somebody first looks, and kept beside the picture."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.darkroom.room import Darkroom, DarkroomError, evenly
from bot.darkroom.tasks import Copy
from bot.gallery import sizes
from bot.jobs import Job
from bot.pictures import THUMBNAIL, Pictures

# A visitor does not wait for ever.
_MOST_WAITING = 128
# Of a longer drawing so many frames are shown, evenly taken.
_MOST_FRAMES = 48


class Busy(RuntimeError):
    """Too many copies are being made already."""


class Copies:
    """What makes them, each once, in a darkroom of its own, so that the bot is not kept waiting."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._making: dict[tuple[int, str], asyncio.Task[bytes | None]] = {}
        self._darkroom = Darkroom()

    async def close(self) -> None:
        """End what is being made."""
        tasks = [*self._making.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def make(self, job: Job, name: str) -> bytes | None:
        """A picture's `THUMBNAIL` or `TIME_LAPSE`, or None when it cannot be made.

        Raises:
            Busy: when it would have to wait for too many others.

        """
        task = self._making.get((job.id, name))
        if task is None:
            if len(self._making) >= _MOST_WAITING:
                raise Busy
            task = asyncio.create_task(self._make(job, name), name=f"{name} of job {job.id}")
            self._making[job.id, name] = task
            task.add_done_callback(lambda _: self._making.pop((job.id, name)))
        # Whoever goes away leaves it to those who came later.
        return await asyncio.shield(task)

    async def _make(self, job: Job, name: str) -> bytes | None:
        assert job.picture is not None
        path = await self._pictures.find(job.picture)
        if path is None:
            return None
        try:
            if name == THUMBNAIL:
                return await self._copy(job, [path], sizes.thumbnail(job))
            frames = await self._pictures.frames(job.id)
            shown = evenly(frames, _MOST_FRAMES)
            return await self._copy(job, [*shown, path], sizes.moving(job)) if frames else None
        except DarkroomError:
            return None

    async def _copy(self, job: Job, paths: Sequence[Path | str], size: sizes.Size) -> bytes:
        crisp = sizes.is_pixel_art(job)
        task = Copy(tuple(map(str, paths)), (size.width, size.height), crisp)
        return await self._darkroom.make(task)
