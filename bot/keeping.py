"""Room on the disk: old frames and pictures are removed by the operator's rules.

Rows stay, so that a picture can be drawn again from its seed. What anybody has among their
favourites, what is on a starboard, and what waits or is being drawn is never touched.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from bot import metrics
from bot.jobs import Kept
from bot.pictures import Pictures
from bot.store import Spare, Store

log = logging.getLogger(__name__)

_DAY_SECONDS = 24 * 60 * 60
_PERIOD_SECONDS = 60 * 60
# How often it is looked whether the quota is used up in between, which costs nothing.
_LOOK_SECONDS = 15.0
# Removed is a little more than has to be, so that the next frame does not use the quota up again.
_ROOM = 0.05
# Jobs at once: one flush to the disk for all of them.
_BATCH = 64
# A picture that somebody gave may be older than its job's row.
_GRACE_SECONDS = 60 * 60

_FOREVER = float("inf")


@dataclass(frozen=True)
class Rules:
    """What the operator has set; None for no limit.

    Attributes:
        quota: bytes that all pictures together may take.
        frames_days: how long frames are kept.
        pictures_days: how long pictures are kept, and what they started from.

    """

    quota: int | None = None
    frames_days: float | None = None
    pictures_days: float | None = None


class Keeper:
    """Looks after the room that pictures take, at the start, each hour, and when it is used up.

    Args:
        store: what was drawn.
        pictures: the files.
        rules: how much of them may be there.
        clock: seconds since 1970, as of the files.

    """

    def __init__(
        self, store: Store, pictures: Pictures, rules: Rules, *, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._pictures = pictures
        self._clock = clock
        self.rules = rules
        self._task: asyncio.Task[None] | None = None
        # What there was when it was measured, and how much had been written by then.
        self._measured: tuple[int, int] | None = None

    @property
    def used(self) -> int | None:
        """About how many bytes the pictures take; None before that was measured."""
        if self._measured is None:
            return None
        there, written = self._measured
        return there + self._pictures.written - written

    def start(self) -> None:
        """Begin to look after it."""
        self._task = asyncio.create_task(self._run(), name="keeper")

    async def close(self) -> None:
        """Stop; what was begun is finished after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def tidy(self) -> None:
        """Remove what is to go by the rules, and measure what is left."""
        await self._finish_begun()
        while left_over := await self._store.let_go_left_over(_BATCH):
            await self._remove(left_over, "nothing")
        await self._pictures.sweep()
        await self._drop_attachments(before=-_FOREVER)
        now, rules = self._clock(), self.rules
        if rules.frames_days is not None:
            await self._drop("picture", before=now - rules.frames_days * _DAY_SECONDS)
        if rules.pictures_days is not None:
            before = now - rules.pictures_days * _DAY_SECONDS
            await self._drop("picture", before=before)
            await self._drop("nothing", before=before)
            await self._drop_attachments(before=before)
        await self._measure()
        if rules.quota is not None and (self.used or 0) > rules.quota:
            await self._make_room(rules.quota)

    async def _run(self) -> None:
        while True:
            try:
                await self.tidy()
            except Exception:
                log.exception("the pictures' room could not be looked after")
            await self._wait()

    async def _wait(self) -> None:
        """Wait for an hour, or until the quota is used up; not if it was when this began."""
        quota = self.rules.quota
        in_vain = quota is None or self.used is None or self.used > quota
        loop = asyncio.get_running_loop()
        end = loop.time() + _PERIOD_SECONDS
        while loop.time() < end:
            await asyncio.sleep(_LOOK_SECONDS)
            if quota is not None and not in_vain and (self.used or 0) > quota:
                return

    async def _measure(self) -> None:
        written = self._pictures.written
        self._measured = await self._pictures.usage(), written

    async def _make_room(self, quota: int) -> None:
        """Remove the oldest until a little less is left than may be: frames, then pictures.

        What people gave goes last: everything else can be drawn again.
        """
        assert self.used is not None
        goal = int(quota * (1 - _ROOM))
        freed = 0
        for kept in ("picture", "nothing"):
            if self.used - freed > goal:
                freed += await self._drop(kept, need=self.used - freed - goal)
        if self.used - freed > goal:
            await self._drop_attachments(before=_FOREVER, need=self.used - freed - goal)
        await self._measure()
        log.info("the quota was used up; pictures now take %d of %d bytes", self.used, quota)
        if self.used > quota:
            log.warning(
                "pictures take %d bytes more than PIXEL_QUOTA allows, and what is left may not be "
                "removed: favourites, and what is being drawn",
                self.used - quota,
            )

    async def _drop(self, kept: Kept, *, before: float = _FOREVER, need: int | None = None) -> int:
        """Keep no more than that of old pictures, the oldest first; returns the bytes.

        Args:
            kept: only the picture, of those with frames; or nothing, of those without.
            before: they were finished before this.
            need: how many bytes are enough, or None for all of them.

        """
        freed = 0
        last: Spare | None = None
        while need is None or freed < need:
            spare = await self._store.spare(kept, before=before, after=last, limit=_BATCH)
            if not spare:
                break
            last = spare[-1]
            sizes: dict[int, int] = {}
            for job in spare:
                if need is None or freed + sum(sizes.values()) < need:
                    sizes[job.job_id] = await self._pictures.size(
                        job.job_id, frames_only=kept == "picture"
                    )
            gone = await self._store.let_go(sizes, kept)
            await self._remove(gone, kept)
            freed += sum(sizes[job_id] for job_id in gone)
            metrics.REMOVED.labels("frames" if kept == "picture" else "picture").inc(len(gone))
        if freed:
            what = "the frames" if kept == "picture" else "pictures"
            log.info("%s of old jobs are removed: %d bytes", what, freed)
        return freed

    async def _drop_attachments(self, *, before: float, need: int | None = None) -> None:
        """Remove pictures that people gave and no job needs any more, the oldest first."""
        freed = 0
        given = await self._pictures.inits(self._clock() - _GRACE_SECONDS)
        for start in range(0, len(given), _BATCH):
            batch = given[start : start + _BATCH]
            spare = await self._store.spare_attachments(
                [init.name for init in batch], before=before
            )
            for init in batch:
                if init.name in spare and (need is None or freed < need):
                    await self._pictures.remove_init(init.name)
                    metrics.REMOVED.labels("attachment").inc()
                    freed += init.size

    async def _finish_begun(self) -> None:
        """Remove what a former process, or a disk that failed, left of what was to go."""
        last = 0
        while begun := await self._store.untidied(after=last, limit=_BATCH):
            last = max(begun)
            for kept in set(begun.values()):
                await self._remove([job for job, left in begun.items() if left == kept], kept)

    async def _remove(self, job_ids: list[int], kept: Kept) -> None:
        """Remove the files of jobs of which that much is kept; the next time, if it fails."""
        removed = []
        for job_id in job_ids:
            try:
                if kept == "picture":
                    await self._pictures.remove_frames(job_id)
                elif kept == "nothing":
                    await self._pictures.remove(job_id)
            except OSError as error:
                log.warning("files of job %d could not be removed: %s", job_id, error)
            else:
                removed.append(job_id)
        await self._store.set_tidied(removed)
