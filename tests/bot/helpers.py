"""Jobs, a clock and pictures for the tests of the bot's parts."""

import asyncio
import dataclasses
import inspect
import io
import os
from collections.abc import Callable

from PIL import Image

from bot.jobs import Job, NewJob
from bot.store import Caps, Store
from engine.protocol import Provenance
from engine.settings import make_settings, resolve

ALICE, BOB, CAROL = 1, 2, 3
GUILD, CHANNEL = 10, 20
NO_CAPS = Caps(per_user=1000, per_guild=1000)
PROVENANCE = Provenance(drawing_version=1, device="cpu", dtype="float32", weights={"a": "b"})


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def new_job(user: int = ALICE, prompt: str = "a red apple", **changes: object) -> NewJob:
    new = NewJob(user, GUILD, CHANNEL, make_settings({"prompts": prompt}), seed=7)
    return dataclasses.replace(new, **changes)


async def add(store: Store, user: int = ALICE, **changes: object) -> Job:
    return await store.add_job(new_job(user, **changes), waiting_per_user=1000)


async def claim(store: Store, caps: Caps = NO_CAPS) -> Job:
    job = await store.claim(caps)
    assert job is not None
    return job


async def done(store: Store, user: int = ALICE, seconds: float = 8.0) -> Job:
    """A finished job of somebody who has nothing else in the queue."""
    await add(store, user)
    job = await claim(store)
    await store.record_start(job, resolve(job.settings), PROVENANCE, 0)
    await store.finish(job, picture="final.png", native="native.png", drawing_seconds=seconds)
    finished = await store.get(job.id)
    assert finished is not None
    return finished


def png(size: tuple[int, int] = (8, 8), mode: str = "RGB", *, noise: bool = False) -> bytes:
    pixels = os.urandom(size[0] * size[1] * len(mode)) if noise else None
    image = Image.frombytes(mode, size, pixels) if pixels else Image.new(mode, size, "red")
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()


async def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until something, which may have to be awaited itself, has become true."""
    async with asyncio.timeout(seconds):
        while True:
            value = condition()
            if await value if inspect.isawaitable(value) else value:
                return
            await asyncio.sleep(0.01)
