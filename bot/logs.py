"""The log: one line an event on stderr, for people or as JSON; a line about a job carries its id.

Whatever works for a job does so inside `about_job`. So every line that is written meanwhile carries
the job's number, those of discord.py and of the engine's client too.
"""

import contextlib
import json
import logging
import re
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal, TextIO

LogFormat = Literal["text", "json"]

_job: ContextVar[int | None] = ContextVar("job", default=None)

_TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(about)s%(message)s"
_HIDDEN = "[hidden]"
# An interaction's token, in the address that its answer goes to, lets anybody answer for the bot
# for fifteen minutes.
_INTERACTION_TOKEN = re.compile(r"(/(?:webhooks|interactions)/\d+/)[\w.~%-]+")


@contextlib.contextmanager
def about_job(job_id: int | None) -> Iterator[None]:
    """Say that everything that is logged in here, and in tasks begun in here, is about a job."""
    token = _job.set(job_id)
    try:
        yield
    finally:
        _job.reset(token)


def set_up(level: str, log_format: LogFormat, secret: str, stream: TextIO = sys.stderr) -> None:
    """Send all logging to a stream.

    Args:
        level: the least serious messages that are written.
        log_format: lines for people, or an object of JSON a line.
        secret: the bot's token, which is written nowhere, wherever it comes from.
        stream: where the lines go.

    """
    handler = _Handler(stream, secret)
    handler.setFormatter(_JsonLine() if log_format == "json" else TextLine(_TEXT, "%F %T"))
    root = logging.getLogger()
    root.setLevel(level)
    root.addHandler(handler)


class _Handler(logging.StreamHandler[TextIO]):
    def __init__(self, stream: TextIO, secret: str) -> None:
        super().__init__(stream)
        self._secret = secret

    def format(self, record: logging.LogRecord) -> str:
        """The whole line, a traceback included, without secrets."""
        line = super().format(record).replace(self._secret, _HIDDEN)
        return _INTERACTION_TOKEN.sub(rf"\g<1>{_HIDDEN}", line)


class TextLine(logging.Formatter):
    """A line for people; where its format says ``%(about)s``, the job that it is about."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line, with ``[job 7]`` where it is about one."""
        job_id = _job.get()
        record.about = "" if job_id is None else f"[job {job_id}] "
        return super().formatMessage(record)


class _JsonLine(logging.Formatter):
    """``{"time": …, "level": …, "logger": …, "message": …, "job": …, "error": …}``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; `job` and `error`, a traceback, are there where there is one."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (job_id := _job.get()) is not None:
            line["job"] = job_id
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
