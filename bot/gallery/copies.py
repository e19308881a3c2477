"""Thumbnails and time-lapses, made when somebody first looks, and kept beside the picture."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.gallery import sizes
from bot.jobs import Job
from bot.pictures import THUMBNAIL, Pictures

log = logging.getLogger(__name__)

# The bot's engine wants the processors too, and a visitor does not wait for ever.
_AT_ONCE = 2
_MOST_WAITING = 128
_WALL_SECONDS = 30.0
# Of a longer drawing so many frames are shown, evenly taken.
_MOST_FRAMES = 48

# What a process needs to start, and nothing else that this one knows; numpy needs no threads.
_PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}


class Busy(RuntimeError):
    """Too many copies are being made already."""


class Copies:
    """What makes them: a process for each, few at a time, each copy once."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._making: dict[tuple[int, str], asyncio.Task[bytes | None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

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
            return await self._run(job, [path], sizes.thumbnail(job))
        frames = await self._pictures.frames(job.id)
        return await self._run(job, [*_evenly(frames), path], sizes.moving(job)) if frames else None

    async def _run(self, job: Job, paths: Sequence[Path], size: sizes.Size) -> bytes | None:
        # The middle of a cell has its colour, whatever the cell's size.
        resampling = "nearest" if sizes.is_pixel_art(job) else "smooth"
        async with self._places:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot.gallery.worker"),
                *(str(size.width), str(size.height), resampling, *map(str, paths)),
                env=_ENVIRONMENT
                | {name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                async with asyncio.timeout(_WALL_SECONDS):
                    output, complaint = await process.communicate()
            except TimeoutError:
                output, complaint = b"", b"it took too long"
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode != 0 or not output:
            log.warning("job %d: no copy for the gallery: %s", job.id, complaint.decode().strip())
            return None
        return output


def _evenly(frames: Sequence[Path]) -> Sequence[Path]:
    if len(frames) <= _MOST_FRAMES:
        return frames
    last = _MOST_FRAMES - 1
    return [frames[round(i * (len(frames) - 1) / last)] for i in range(_MOST_FRAMES)]
