"""Whether bot and engine stay as large as they are: real ones, on the loopback's Discord.

    python -m tests.soak --minutes 60 [--pause 4]

A few people ask for pictures, press buttons, leaf through what there is and cancel, all the time.
Meanwhile memory, open files, threads and tasks are counted. Of what was counted after a warm-up,
the trend is told with its confidence, and whether each is flat. Ends with 1 if something grows, or
if the engine was restarted.
"""

import argparse
import asyncio
import contextlib
import math
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import aiohttp

from bot.health import address_path
from tests.bot.helpers import png
from tests.discord_server.client import BotProcess, DiscordServer, custom_ids, until

_USERS = 6
# Of the bot's log, shown where it does not answer.
_LAST_LINES = 60
_WAITING = 6
# No more is asked for while so many wait: what is counted is a bot that keeps up.
_MOST_WAITING = 3
_SAMPLE_SECONDS = 2.0
# What comes first is not counted: models are loaded, caches are filled.
_WARM_UP = 0.3
# Samples that follow each other are alike, so that means of so many stretches are compared.
_STRETCHES = 12
# Student's t for 95 %, with so many stretches less two.
_T = 2.228
# No more than this an hour is called flat.
_FLAT_MB, _FLAT_COUNT = 10.0, 2.0

_ACTS = {
    "ask": 8,
    "ask with a picture": 1,
    "click": 4,
    "history": 2,
    "queue": 1,
    "complete": 2,
    "cancel": 1,
}
_BUTTONS = ("info", "time-lapse", "favourite", "upscale", "palette", "reroll", "variations")
_PROMPTS = ("a red apple", "a lighthouse at dusk", "a fox in the snow", "a castle on a hill")
_KINDS: tuple[dict[str, object], ...] = (
    {},
    {"palette": "pico8"},
    {"drawer": "fft"},
    {"drawer": "line_sketch"},
    {"aspect": "square"},
)


@dataclass(frozen=True)
class Trend:
    """How much something grows in an hour.

    Attributes:
        begin, end: where the line through what was counted begins and ends.
        slope: what it grows in an hour.
        error: by how much that may be wrong, with 95 % confidence.

    """

    begin: float
    end: float
    slope: float
    error: float

    def verdict(self, allowed: float) -> str:
        """Whether it grows by more than is allowed."""
        if self.slope - self.error > allowed:
            return "grows"
        return "flat" if self.slope + self.error <= allowed else "not certain: run it longer"


def trend(times: Sequence[float], values: Sequence[float]) -> Trend:
    """The line of least squares through the means of stretches; times in seconds."""
    size = len(times) // _STRETCHES
    if size == 0:
        raise ValueError(f"{len(times)} samples are too few for a trend; {_STRETCHES} are needed")
    used = range(len(times) - size * _STRETCHES, len(times), size)
    x = [statistics.fmean(times[i : i + size]) / 3600 for i in used]
    y = [statistics.fmean(values[i : i + size]) for i in used]
    slope, intercept = statistics.linear_regression(x, y)
    left = sum((b - intercept - slope * a) ** 2 for a, b in zip(x, y, strict=True))
    spread = sum((a - statistics.fmean(x)) ** 2 for a in x)
    error = _T * math.sqrt(left / (_STRETCHES - 2) / spread)
    return Trend(intercept + slope * x[0], intercept + slope * x[-1], slope, error)


@dataclass
class Sample:
    """What was counted at one moment, by whose and what it is."""

    at: float
    engine: int
    counts: dict[str, float]


def counts_of(process: int) -> dict[str, float]:
    """Memory in MB, open files and threads, as the kernel has them."""
    status = Path(f"/proc/{process}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    return {
        "memory, MB": int(fields["VmRSS"].split()[0]) / 1024,
        "open files": sum(1 for _ in Path(f"/proc/{process}/fd").iterdir()),
        "threads": int(fields["Threads"]),
    }


def engine_of(bot: int) -> int | None:
    """The engine that a bot has started."""
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, IndexError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == bot and b"engine\0--snapshots" in (folder / "cmdline").read_bytes():
                return int(folder.name)
    return None


class Soak:
    """A bot that is kept busy, and looked at."""

    def __init__(self, discord: DiscordServer, bot: BotProcess, data: Path, seed: int) -> None:
        self.discord = discord
        self.bot = bot
        self.data = data
        self.chance = random.Random(seed)
        self.samples: list[Sample] = []
        self.done: Counter[str] = Counter()
        self.waiting = 0.0

    async def live(self, pause: float) -> None:
        """Do what people do, for ever; each thing once to begin with."""
        await self._ask({})
        await until(self.discord.shown)
        for act in (*_ACTS, *_BUTTONS):
            await self._do(act)
        while True:
            await self._do(self.chance.choices(list(_ACTS), list(_ACTS.values()))[0])
            await asyncio.sleep(self.chance.expovariate(1 / pause))

    async def look(self) -> None:
        """Count, for ever."""
        async with aiohttp.ClientSession() as client:
            while True:
                engine = engine_of(self.bot.process.pid)
                if engine is not None:
                    counts = {f"bot: {n}": v for n, v in counts_of(self.bot.process.pid).items()}
                    counts |= {f"engine: {n}": v for n, v in counts_of(engine).items()}
                    address = address_path(self.data).read_text()
                    async with client.get(f"{address}/metrics") as answer:
                        told = dict(
                            line.rsplit(" ", 1) for line in (await answer.text()).splitlines()
                        )
                    counts["bot: tasks"] = float(told["pixel_tasks"])
                    self.waiting = float(told["pixel_queue_length"])
                    self.samples.append(Sample(time.monotonic(), engine, counts))
                await asyncio.sleep(_SAMPLE_SECONDS)

    async def _do(self, act: str) -> None:
        user, channel = self.chance.choice(self.discord.users), self.discord.channels[0]
        number = None
        match act:
            case "ask" | "ask with a picture":
                if self.waiting > _MOST_WAITING:
                    return
                options = dict(self.chance.choice(_KINDS))
                if act == "ask with a picture":
                    options = {"image": png((64, 36), noise=True)}
                number = await self._ask(options)
            case "history" | "queue":
                number = await self.discord.slash_as(user, channel, act)
            case "complete":
                await self.discord.complete("pixel", "prompt", "a")
            case "click":
                number = await self._click(user, self.chance.choice(_BUTTONS))
            case button:
                number = await self._click(user, button)
        if number is None:
            return
        try:
            await self.discord.interaction(number)
        except aiohttp.ClientResponseError as error:
            said = "\n".join(self.bot.log[-_LAST_LINES:])
            raise RuntimeError(f"nothing was answered to “{act}”; the bot wrote\n{said}") from error
        self.done[act] += 1

    async def _ask(self, options: dict[str, object]) -> str:
        options = {"prompt": self.chance.choice(_PROMPTS), "quality": "draft"} | options
        user = self.chance.choice(self.discord.users)
        return await self.discord.slash_as(user, self.discord.channels[0], "pixel", **options)

    async def _click(self, user: str, button: str) -> str | None:
        drawing = button in ("reroll", "variations")
        if drawing and self.waiting > _MOST_WAITING:
            return None
        messages = (await self.discord.messages())[-30:]
        able = [m for m in messages if any(f":{button}:" in one for one in custom_ids(m))]
        if not able:
            return None
        try:
            return await self.discord.click(self.chance.choice(able), button, user)
        except aiohttp.ClientResponseError as error:
            # It went away before it was clicked.
            if error.status == HTTPStatus.GONE:
                return None
            raise


def table(samples: Sequence[Sample]) -> tuple[str, bool]:
    """What became of each count, and whether any of them grows."""
    begin = samples[0].at
    warm = [s for s in samples if s.at >= begin + _WARM_UP * (samples[-1].at - begin)]
    lines = [
        "| Of | after the warm-up | at the end | in an hour | |",
        "| --- | --- | --- | --- | --- |",
    ]
    grows = False
    for name in samples[-1].counts:
        found = trend([s.at - begin for s in warm], [s.counts[name] for s in warm])
        allowed = _FLAT_MB if "MB" in name else _FLAT_COUNT
        verdict = found.verdict(allowed)
        grows = grows or verdict == "grows"
        lines.append(
            f"| {name} | {found.begin:.1f} | {found.end:.1f} "
            f"| {found.slope:+.1f} ± {found.error:.1f} | {verdict} |"
        )
    return "\n".join(lines), grows


async def soak(minutes: float, pause: float, seed: int) -> bool:
    """Run it; returns whether all is well."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        settings = {"edit_interval": 4.0, "waiting_per_user": _WAITING}
        async with (
            DiscordServer.running(users=_USERS) as discord,
            discord.bot(data, **settings) as bot,
        ):
            await discord.connected()
            run = Soak(discord, bot, data, seed)
            begin = time.monotonic()
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(run.live(pause)), group.create_task(run.look())]
                for minute in range(1, math.ceil(minutes) + 1):
                    await asyncio.sleep(min(60.0, 60 * minutes - 60 * (minute - 1)))
                    counts = run.samples[-1].counts
                    shown = ", ".join(f"{name} {value:.0f}" for name, value in counts.items())
                    sys.stdout.write(f"{minute} min: {shown}; load {os.getloadavg()[0]:.1f}\n")
                    sys.stdout.flush()
                for task in tasks:
                    task.cancel()
            pictures = len(await discord.shown())
            seconds = time.monotonic() - begin
        restarts = len({sample.engine for sample in run.samples}) - 1
    lines, grows = table(run.samples)
    acted = ", ".join(f"{name} {count}" for name, count in sorted(run.done.items()))
    sys.stdout.write(
        f"\n{seconds / 60:.0f} minutes, {len(run.samples)} samples; {acted}; {pictures} messages "
        f"with finished pictures; the engine was restarted {restarts} times; "
        f"load at the end {os.getloadavg()[0]:.1f}\n\n{lines}\n"
    )
    return not grows and restarts == 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--pause", type=float, default=4.0, help="mean seconds between two acts")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    return 0 if asyncio.run(soak(**vars(asked))) else 1


if __name__ == "__main__":
    sys.exit(main())
