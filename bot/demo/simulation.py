"""A running simulated Discord, kept up to date with the clock and with what the bot does."""

import asyncio
import logging
from datetime import UTC, datetime

import simcord
from simcord.preview import Preview

log = logging.getLogger(__name__)

_CLOCK_SECONDS = 1.0


class Simulation:
    """A simulated Discord and the page that shows it.

    Attributes:
        people: the members' names by their ids.
        operation: held while something is done that simcord allows one at a time.

    """

    def __init__(self, env: simcord.Env, preview: Preview, people: dict[int, str]) -> None:
        self.preview = preview
        self.people = people
        self.operation = asyncio.Lock()
        self._env = env
        self._published = 0

    @property
    def has_news(self) -> bool:
        """Whether the bot has done something that the page does not show."""
        return len(self._env.http_requests) > self._published

    async def publish(self) -> None:
        """Show what the bot has done; `operation` is held."""
        await self.set_clock()
        done = len(self._env.http_requests)
        if done == self._published:
            return
        try:
            await self.preview.refresh()
        except TimeoutError as error:
            log.warning("the page could not be brought up to date: %s", error)
        else:
            self._published = done

    async def set_clock(self) -> None:
        """Let the clock catch up; `operation` is held."""
        await set_clock(self._env)


async def set_clock(env: simcord.Env) -> None:
    """Let a simulation's clock, which stands still by itself, catch up with the real one."""
    behind = (datetime.now(UTC) - env.now()).total_seconds()
    if behind >= _CLOCK_SECONDS:
        await env.advance_time(behind)
