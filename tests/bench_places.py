"""How well the waiting time is told: `python -m tests.bench_places [--gap 4] [--easels 2]`.

Mixed pictures are asked for by a few people while the real engine draws; each is told how long it
will take, and when it is finished, that is compared with how long it took.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

from bot.dispatcher import Dispatcher
from bot.folder import database_path, upgrade
from bot.jobs import Frame, NewJob
from bot.pace import Pace
from bot.pictures import Pictures
from bot.places import Places
from bot.store import Caps, Store
from bot.workshop.client import Workshop
from engine.client import LocalEngine
from engine.settings import make_settings
from tests.bot.helpers import until

CAPS = Caps(per_user=2, per_guild=4)
PEOPLE = 6
# What people ask for, the usual most often.
MIX: tuple[dict[str, object], ...] = (
    {"quality": "draft"},
    {"quality": "draft"},
    {},
    {},
    {},
    {"quality": "better"},
    {"aspect": "square"},
    {"palette": "pico8"},
    {"transparent": True, "quality": "draft"},
    {"drawer": "fft", "quality": "draft"},
    {"drawer": "clipdraw", "quality": "draft"},
)


async def measure(count: int, seed: int, gap: float, easels: int) -> list[tuple[float, float]]:
    """For each picture how long it was said to take, and how long it took, in seconds."""
    chance = random.Random(seed)
    told: dict[int, float] = {}
    finished = asyncio.Event()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        upgrade(data)
        engine = LocalEngine(data / "snapshots")
        await engine.start()
        async with Store.open(database_path(data), time.time) as store:
            frames: dict[int, Frame] = {}
            pace = Pace()
            places = Places(
                store, easels=lambda: easels, caps=CAPS, frames=frames, pace=pace, clock=time.time
            )
            dispatcher = Dispatcher(
                store,
                engine,
                Pictures(data),
                Workshop(),
                easels=lambda: easels,
                caps=CAPS,
                frames=frames,
                pace=pace,
                on_change=lambda _job, _urgent: finished.set(),
            )
            await dispatcher.start()
            await until(lambda: engine.ready is not None)
            for _ in range(count):
                new = NewJob(
                    user_id=chance.randrange(PEOPLE),
                    guild_id=1,
                    channel_id=1,
                    settings=make_settings({"prompts": "a red apple"} | chance.choice(MIX)),
                    seed=chance.randrange(2**32),
                )
                job = await store.add_job(new, waiting_per_user=count)
                place = await places.of(job)
                assert place is not None
                told[job.id] = place.seconds
                dispatcher.wake()
                await asyncio.sleep(chance.expovariate(1 / gap))
            while await store.count_waiting() or await store.running():
                finished.clear()
                await finished.wait()
            pairs = []
            for job_id, seconds in told.items():
                job = await store.get(job_id)
                assert job is not None
                assert job.finished_at is not None, job.error
                pairs.append((seconds, job.finished_at - job.asked_at))
            await dispatcher.close()
        await engine.close()
    return pairs


def median_error(pairs: list[tuple[float, float]]) -> float:
    """Of how far they were off, as shares of the time that it took, the median."""
    return statistics.median(abs(said - took) / took for said, took in pairs)


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--gap", type=float, default=2.0, help="seconds between two, on average")
    parser.add_argument("--easels", type=int, default=2)
    asked = parser.parse_args()
    pairs = asyncio.run(measure(asked.jobs, asked.seed, asked.gap, asked.easels))
    for number, (said, took) in enumerate(pairs, start=1):
        print(f"{number:3}  said {said:7.1f} s  took {took:7.1f} s  {said / took - 1:+.0%}")
    print(f"median error {median_error(pairs):.0%} over {len(pairs)} pictures")


if __name__ == "__main__":
    _main()
