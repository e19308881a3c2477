"""Whether a running bot is well: a file that it touches only while it is.

`python -m bot.health` is Docker's health check; it needs nothing but the settings and the file.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Protocol

from bot.config import Config

_BEAT_SECONDS = 10.0
# Long enough for an engine that died to be up again.
_STALE_SECONDS = 90.0


class Patient(Protocol):
    """What has a health."""

    @property
    def healthy(self) -> bool:
        """Whether it does its work."""


def heartbeat_path(data: Path) -> Path:
    """The file whose age tells."""
    return data / "heartbeat"


async def keep_heartbeat(patient: Patient, data: Path) -> None:
    """Touch the file again and again, for ever, whenever all is well."""
    path = heartbeat_path(data)
    while True:
        if patient.healthy:
            await asyncio.to_thread(path.touch)
        await asyncio.sleep(_BEAT_SECONDS)


def check(data: Path) -> str | None:
    """What is wrong with the bot that works in a data directory, or None."""
    try:
        age = time.time() - heartbeat_path(data).stat().st_mtime
    except FileNotFoundError:
        return f"No bot has been well in {data} yet."
    if age > _STALE_SECONDS:
        return f"The bot in {data} has not been well for {age:.0f} s."
    return None


def main() -> int:
    """Check the bot of this environment; returns 0 if it is well, else 1."""
    problem = check(Config().data)
    if problem is not None:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
