"""What the tests of the bot's parts share: a store on a real database, and a clock to turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.folder import database_path, upgrade
from bot.store import Store
from tests.bot.helpers import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store(tmp_path: Path, clock: Clock) -> AsyncIterator[Store]:
    upgrade(tmp_path)
    async with Store.open(database_path(tmp_path), clock) as store:
        yield store
