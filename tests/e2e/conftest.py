"""One real engine for all end-to-end tests: it takes seconds to start, and serves many jobs."""

import contextlib
import itertools
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator

import pytest
import pytest_asyncio

from engine.client import LocalEngine
from engine.images import Picture
from engine.protocol import JobEvent, Ready, Started
from engine.settings import Settings


class SharedEngine:
    """The session's engine under job names of its own, as each test's database counts from 1.

    Attributes:
        starts: from which step each drawing began.

    """

    _numbers = itertools.count()

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine
        self._prefix = f"test-{next(self._numbers)}"
        self.starts: list[int] = []

    @property
    def ready(self) -> Ready | None:
        return self._engine.ready

    async def start(self) -> None:
        """It runs already."""

    async def close(self) -> None:
        """It is needed by the next test."""

    async def draw(
        self, job: str, settings: Settings, pictures: dict[str, bytes] | None = None
    ) -> AsyncGenerator[JobEvent]:
        draw = self._engine.draw(f"{self._prefix}-{job}", settings, pictures)
        async with contextlib.aclosing(draw) as events:
            async for event in events:
                if isinstance(event, Started):
                    self.starts.append(event.iteration)
                yield event

    def kill(self) -> None:
        """End the engine's process as the kernel does when memory is short."""
        assert self._engine.process_id is not None
        os.kill(self._engine.process_id, signal.SIGKILL)

    async def cancel(self, job: str) -> None:
        await self._engine.cancel(f"{self._prefix}-{job}")

    async def forget(self, job: str) -> None:
        await self._engine.forget(f"{self._prefix}-{job}")

    async def read_picture(self, data: bytes) -> Picture:
        return await self._engine.read_picture(data)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_engine(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalEngine]:
    engine = LocalEngine(
        tmp_path_factory.mktemp("engine") / "snapshots",
        command=(sys.executable, "-m", "engine", "--snapshot-seconds", "0.2"),
    )
    await engine.start()
    yield engine
    await engine.close()


@pytest.fixture
def engine(session_engine: LocalEngine) -> SharedEngine:
    return SharedEngine(session_engine)
