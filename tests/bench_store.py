"""How quickly the database answers when it is large.

    python -m tests.bench_store [--pictures 1000000] [--waiting 10000]

A community of three servers is made up, with so many finished pictures and waiting jobs; then the
store's own methods are called as commands call them, each some hundred times with different people,
places and words. Ends with 1 when a 95th percentile is above its limit.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.folder import database_path, upgrade
from bot.jobs import NewJob
from bot.pace import Pace
from bot.places import Places
from bot.store import Caps, Store, Wanted
from bot.store.database import to_json
from engine.settings import make_settings, resolve

GUILDS, CHANNELS, PEOPLE = 3, 50, 20_000
# Asked for by one person who is a favourite of nobody and likes much.
FAVOURITES = 1000
CAPS = Caps(per_user=2, per_guild=4)
EASELS = 4
PAGE = 9

QUEUE_MS, FINDING_MS = 10.0, 50.0

_COMMON = "a cat fox castle lighthouse river forest dragon city ship tower garden moon star bridge"
_STYLES = ("at dusk", "in the rain", "made of glass", "by night", "with a red roof", "in winter")
# In all of them, in many, in some, in few, in none.
SEARCHES = ("art", "castle", "lighthouse rain", "li", "babuda", "gl star", "zebra")


@dataclass
class Figures:
    """The times of one kind of question, in milliseconds, and what it may take.

    Attributes:
        times: by the clock.
        worked: of those how much the process worked; the rest waited for the disk or for others.

    """

    name: str
    limit: float
    times: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)

    @contextlib.contextmanager
    def measured(self) -> Iterator[None]:
        begin, begin_worked = time.perf_counter(), time.process_time()
        yield
        self.times.append(1000 * (time.perf_counter() - begin))
        self.worked.append(1000 * (time.process_time() - begin_worked))

    @property
    def p95(self) -> float:
        return _p95(self.times)

    def line(self) -> str:
        return (
            f"| {self.name} | {statistics.median(self.times):.2f} | {self.p95:.2f} "
            f"| {max(self.times):.2f} | {_p95(self.worked):.2f} | {self.limit:g} |"
        )


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def prompts(chance: random.Random) -> Iterator[str]:
    """What people ask for; “art” is in all of it."""
    nouns = _COMMON.split()
    names = ["".join(chance.choices(("ba", "lu", "mi", "ko", "da"), k=4)) for _ in range(5000)]
    while True:
        words = chance.sample(nouns, 2)
        yield f"art of {' and '.join(words)} {chance.choice(_STYLES)} for {chance.choice(names)}"


def fill(path: Path, pictures: int, waiting: int, seed: int) -> None:
    """Put all of it into a database, without asking the store for each."""
    chance = random.Random(seed)
    texts = prompts(chance)
    asked = make_settings({"prompts": "PROMPT"})
    asked_json, resolved_json = to_json(asked), to_json(resolve(asked))
    provenance = '{"drawing_version":1,"device":"cpu","dtype":"float32","weights":{"a":"b"}}'

    def finished() -> Iterator[tuple[object, ...]]:
        for number in range(1, pictures + 1):
            guild = 1 + number % GUILDS
            # Few channels and few people have most of it.
            channel = 100 * guild + min(int(chance.expovariate(0.15)), CHANNELS - 1)
            user = min(int(chance.paretovariate(0.35)), PEOPLE)
            text = next(texts)
            yield (
                *(user, guild, channel, 10**17 + number, float(number), "posted"),
                asked_json.replace("PROMPT", text),
                resolved_json.replace("PROMPT", text),
                *(provenance, number, "done", 1, number // 100),
                *(float(number), number + 2.0, number + 9.0, 7.0, "a.png", "b.png", 0.3),
            )

    def queued() -> Iterator[tuple[object, ...]]:
        turns = itertools.count()
        for number in range(waiting):
            # Half of it is one server's, of people who have many in the queue.
            guild = 1 if number % 2 else 2 + number % 4 // 2
            user = 50_000 * guild + number % 50
            yield (
                *(user, guild, 100 * guild, 10**18 + number, 1.0, "open"),
                asked_json.replace("PROMPT", next(texts)),
                *(None, None, number, "queued", 0, pictures // 100 + next(turns) // 200),
                *(float(pictures), None, None, None, None, None, None),
            )

    with contextlib.closing(sqlite3.connect(path)) as database:
        # Indexes and triggers are made afterwards, all at once.
        later = database.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'jobs' AND sql NOTNULL"
            " AND type IN ('index', 'trigger')"
        ).fetchall()
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        for kind, name, _ in later:
            database.execute(f"DROP {kind} {name}")
        names = (
            "user_id, guild_id, channel_id, message_id, message_at, report, asked, resolved,"
            " provenance, seed, state, attempt, round, asked_at, started_at, finished_at,"
            " drawing_seconds, picture, native, score"
        )
        marks = ", ".join("?" * len(names.split(",")))
        statement = f"INSERT INTO jobs ({names}) VALUES ({marks})"  # noqa: S608 - constants
        database.executemany(statement, finished())
        database.executemany(statement, queued())
        for _, _, sql in later:
            database.execute(sql)
        database.execute("INSERT INTO words (words) VALUES ('rebuild')")
        liked = chance.sample(range(1, pictures + 1), min(FAVOURITES, pictures))
        database.executemany("INSERT INTO favourites VALUES (1, ?, 0)", ((job,) for job in liked))
        database.executemany(
            "INSERT INTO preferences VALUES ('channel', ?, 'gallery', 'true')",
            ((100 + channel,) for channel in range(5)),
        )
        database.commit()


class Bench:
    """Asks the store, and keeps how long it took."""

    def __init__(self, store: Store, pictures: int, seed: int, times: int) -> None:
        self.store = store
        self.pictures = pictures
        self.times = times
        self.chance = random.Random(seed)
        self.figures: list[Figures] = []

    async def ask(self, name: str, limit: float, question: Callable[[], Awaitable[object]]) -> None:
        """Ask one thing many times; the first few only warm up."""
        figures = Figures(name, limit)
        for _ in range(5):
            await question()
        for _ in range(self.times):
            with figures.measured():
                await question()
        self.figures.append(figures)
        sys.stdout.write(f"{figures.line()}\n")
        sys.stdout.flush()

    async def queue(self) -> None:
        """Who is next, and what those that wait are told."""
        store = self.store
        waiting = await store.waiting(100_000)
        places = Places(
            store,
            easels=lambda: EASELS,
            caps=CAPS,
            pace=Pace(),
            frames={},
            clock=lambda: self.pictures + 30.0,
        )

        async def add() -> None:
            new = NewJob(
                user_id=self.chance.randrange(10**6),
                guild_id=self.chance.randint(1, GUILDS),
                channel_id=100,
                settings=make_settings({"prompts": f"art of zebra {self.chance.random()}"}),
                seed=1,
            )
            await store.add_job(new, waiting_per_user=1000)

        async def position() -> None:
            await store.count_before(self.chance.choice(waiting))

        async def eta() -> None:
            places._played_at = 0.0
            await places.of(self.chance.choice(waiting))

        async def told() -> None:
            await places.of(self.chance.choice(waiting[:100]))

        async def claim() -> None:
            job = await store.claim(CAPS)
            assert job is not None
            claimed.append(job)

        claimed: list = []
        await self.ask("put a job into the queue", QUEUE_MS, add)
        await self.ask("position of one that waits", QUEUE_MS, position)
        await self.ask("its waiting time, the queue played through anew", QUEUE_MS, eta)
        await self.ask("its waiting time, within a second", QUEUE_MS, told)
        figures = Figures("hand out the next", QUEUE_MS)
        for number in range(self.times):
            with figures.measured():
                await claim()
            # Servers and people come to their caps, and are passed over.
            if len(claimed) == EASELS - 1:
                job = claimed.pop(number % len(claimed))
                await store.finish(job, picture="a", native="b", drawing_seconds=1)
        self.figures.append(figures)
        sys.stdout.write(f"{figures.line()}\n")

    async def finding(self) -> None:
        """/history, /show, the gallery page."""
        store, chance = self.store, self.chance

        def wanted(of: str, words: str = "") -> Wanted:
            guild = chance.randint(1, GUILDS)
            channels = [100 * guild + number for number in range(CHANNELS)]
            # Whoever has many pictures looks at them more often.
            viewer = min(int(chance.paretovariate(0.35)), PEOPLE)
            other = min(int(chance.paretovariate(0.35)), PEOPLE)
            match of:
                case "mine":
                    return Wanted(viewer, by=viewer, words=words)
                case "channel":
                    return Wanted(viewer, {chance.choice(channels)}, words=words)
                case "server":
                    return Wanted(viewer, channels, words=words)
                case "by":
                    return Wanted(viewer, channels, by=other, words=words)
                case _:
                    return Wanted(1, channels, favourites=True, words=words)

        def page(of: str, words: tuple[str, ...] = ("",)) -> Callable[[], Awaitable[object]]:
            async def ask() -> object:
                edge = chance.choice((None, chance.randint(1, self.pictures)))
                direction = "older" if edge is None else chance.choice(("older", "newer"))
                what = wanted(of, chance.choice(words))
                return await store.excerpt(what, edge=edge, direction=direction, limit=PAGE)

            return ask

        for of in ("mine", "channel", "server", "by", "favourites"):
            await self.ask(f"/history of {of}", FINDING_MS, page(of))
        for of in ("mine", "channel", "server", "by", "favourites"):
            await self.ask(f"/history of {of}, with words", FINDING_MS, page(of, SEARCHES))
        await self.ask(
            "/history of server, the word of every prompt", FINDING_MS, page("server", ("art",))
        )

        async def show() -> None:
            assert await store.get(chance.randint(1, self.pictures)) is not None

        async def offer() -> None:
            await store.own_pictures(min(int(chance.paretovariate(0.35)), PEOPLE))

        async def former() -> None:
            await store.former_prompts(min(int(chance.paretovariate(0.35)), PEOPLE))

        async def gallery() -> None:
            await store.gallery_page(before=chance.randint(1, self.pictures), limit=24)

        async def gallery_search() -> None:
            before = chance.choice((None, chance.randint(1, self.pictures)))
            await store.gallery_search(chance.choice(SEARCHES), before=before, limit=24)

        await self.ask("/show", FINDING_MS, show)
        await self.ask("/show, the pictures that are offered", FINDING_MS, offer)
        await self.ask("/pixel, the former prompts that are offered", FINDING_MS, former)
        await self.ask("the gallery page", FINDING_MS, gallery)
        await self.ask("the gallery page, with words", FINDING_MS, gallery_search)


async def measure(data: Path, pictures: int, waiting: int, times: int, seed: int) -> list[Figures]:
    """Make it all and ask everything."""
    upgrade(data)
    begin = time.perf_counter()
    fill(database_path(data), pictures, waiting, seed)
    size = database_path(data).stat().st_size
    sys.stdout.write(
        f"{pictures:,} pictures and {waiting:,} waiting jobs, {size / 1e9:.2f} GB, "
        f"made in {time.perf_counter() - begin:.0f} s; load {os.getloadavg()[0]:.1f}\n\n"
        "| Question | median, ms | p95 | longest | p95 of work | p95 at most |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
    )
    async with Store.open(database_path(data), lambda: pictures + 30.0) as store:
        bench = Bench(store, pictures, seed, times)
        await bench.queue()
        await bench.finding()
    sys.stdout.write(f"\nload at the end {os.getloadavg()[0]:.1f}\n")
    return bench.figures


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1_000_000)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=300, help="how often each is asked")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = asyncio.run(measure(Path(folder), **vars(asked)))
    slow = [one for one in figures if one.p95 > one.limit]
    sys.stdout.write(f"{len(figures) - len(slow)} within their limit, {len(slow)} not\n")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
