"""Thumbnails and time-lapses, made when somebody first looks, and kept beside the picture."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.gallery import sizes
from bot.jobs import Job
from bot.pictures import THUMBNAIL, Pictures
from bot.workshop.client import Workshop
from bot.workshop.orders import Copy, Resampling

_MOST_WAITING = 128
# Of a longer drawing so many frames are shown, evenly taken.
_MOST_FRAMES = 48


class Busy(RuntimeError):
    """Too many copies are being made already."""


class Copies:
    """What has them made, each copy once."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._workshop = Workshop()
        self._making: dict[tuple[int, str], asyncio.Task[bytes | None]] = {}

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
        if name == THUMBNAIL:
            return await self._order(job, [path], sizes.thumbnail(job))
        frames = await self._pictures.frames(job.id)
        if not frames:
            return None
        return await self._order(job, [*_evenly(frames), path], sizes.moving(job))

    async def _order(self, job: Job, paths: Sequence[Path], size: sizes.Size) -> bytes | None:
        # The middle of a cell has its colour, whatever the cell's size.
        resampling: Resampling = "nearest" if sizes.is_pixel_art(job) else "smooth"
        order = Copy(tuple(map(str, paths)), (size.width, size.height), resampling)
        return await self._workshop.make(order, f"job {job.id}")


def _evenly(frames: Sequence[Path]) -> Sequence[Path]:
    if len(frames) <= _MOST_FRAMES:
        return frames
    last = _MOST_FRAMES - 1
    return [frames[round(i * (len(frames) - 1) / last)] for i in range(_MOST_FRAMES)]
