"""What Prometheus is told, beside the process's own memory and processor time.

Counters and histograms are counted where things happen; what is true now is read when it is asked
for. No metric names a person, a server or a job.
"""

import asyncio
from typing import TYPE_CHECKING

from prometheus_client import (
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

if TYPE_CHECKING:
    from bot.app import PixelBot

# When each counter was made is when the process began, which is told already.
disable_created_metrics()  # type: ignore[no-untyped-call]

# From a small picture on a GPU to a long one on a processor; a wait may take hours.
_DRAWING = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
_WAITING = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14400)

WAIT_SECONDS = Histogram(
    "pixel_wait_seconds", "From asking for a picture to its place on an easel.", buckets=_WAITING
)
DRAW_SECONDS = Histogram(
    "pixel_draw_seconds", "A finished picture's time on the easel.", buckets=_DRAWING
)
FINISHED = Counter("pixel_jobs_finished", "Jobs that came to an end, by how.", ["state"])
MESSAGES = Counter("pixel_messages_sent", "Messages that show a job, newly sent.")
EDITS = Counter("pixel_message_edits", "Edits of messages that show a job.")
ERRORS = Counter(
    "pixel_errors",
    "What went wrong: command (a mistake of the bot's), message (could not be shown), "
    "settings, memory, perceptor, internal (jobs that failed), engine (it died with a job), "
    "storage (the disk or the database did not take something).",
    ["kind"],
)
REMOVED = Counter(
    "pixel_removed",
    "What was removed to save space: frames (of one picture), picture, attachment (given by "
    "somebody, needed no more).",
    ["what"],
)
ENGINE_RESTARTS = Counter("pixel_engine_restarts", "How often the engine ended and was restarted.")

_QUEUE = Gauge("pixel_queue_length", "Jobs that wait for an easel.")
_JOBS = Gauge("pixel_jobs", "Unfinished jobs by state.", ["state"])
_ROOM = Gauge("pixel_pictures_bytes", "About how much room frames and pictures take.")
_QUOTA = Gauge("pixel_pictures_quota_bytes", "How much they may take; 0 if that is not limited.")
_HEALTHY = Gauge("pixel_healthy", "1 if commands arrive and pictures are drawn, else 0.")
_TASKS = Gauge("pixel_tasks", "What the bot has under way at the same time, as asyncio counts it.")
_ENGINE_UP = Gauge("pixel_engine_up", "1 if the engine is ready, else 0.")

for _kind in (
    *("command", "message", "engine", "storage"),
    *("settings", "memory", "perceptor", "internal"),
):
    ERRORS.labels(_kind)
for _what in ("frames", "picture", "attachment"):
    REMOVED.labels(_what)
for _state in ("done", "failed", "cancelled"):
    FINISHED.labels(_state)


async def exposition(bot: "PixelBot") -> bytes:
    """Every metric as it is now, in Prometheus's text format."""
    waiting = await bot.store.count_waiting()
    running = len(await bot.store.running())
    _QUEUE.set(waiting)
    _JOBS.labels("queued").set(waiting)
    _JOBS.labels("running").set(running)
    _ROOM.set(bot.keeper.used or 0)
    _QUOTA.set(bot.keeper.rules.quota or 0)
    _HEALTHY.set(bot.problem is None)
    _TASKS.set(len(asyncio.all_tasks()))
    _ENGINE_UP.set(bot.engine.ready is not None)
    return generate_latest()
