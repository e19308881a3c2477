"""How long it takes to start, from cold processes: `python -m tests.bench_starting [--times 5]`.

The help of the command; a bot until Discord has taken it for connected (the loopback's Discord);
an engine until it is ready; and from then the default drawing until its first frame and its last.
"""

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from engine.client import LocalEngine
from engine.protocol import Done, Progress, Ready
from engine.settings import make_settings
from tests.bot.helpers import until
from tests.discord_server.client import DiscordServer

_PROMPT = "a lighthouse at dusk"


async def measure(times: int) -> dict[str, list[float]]:
    """Seconds of each thing, so many times."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for number in range(times):
        begin = time.perf_counter()
        subprocess.run(  # noqa: ASYNC221 - nothing else runs
            [sys.executable, "-c", "from bot.cli import main; main()", "--help"],
            check=True,
            capture_output=True,
        )
        seconds["pixel --help"].append(time.perf_counter() - begin)
        with tempfile.TemporaryDirectory() as folder:
            seconds["bot, connected"].append(await _bot(Path(folder)))
            seconds["bot in a folder that it knows, connected"].append(await _bot(Path(folder)))
        with tempfile.TemporaryDirectory() as folder:
            for what, took in (await _engine(Path(folder), number)).items():
                seconds[what].append(took)
    return seconds


async def _bot(data: Path) -> float:
    async with DiscordServer.running() as discord:
        begin = time.perf_counter()
        # Its engine starts beside it, as it does for people.
        async with discord.bot(data) as bot:
            await discord.connected()
            seconds = time.perf_counter() - begin
            bot.signal(signal.SIGTERM)
            await bot.ended()
            return seconds


async def _engine(snapshots: Path, seed: int) -> dict[str, float]:
    engine = LocalEngine(snapshots)
    begin = time.perf_counter()
    await engine.start()
    await until(lambda: isinstance(engine.ready, Ready), seconds=120)
    ready = time.perf_counter()
    seconds = {"engine, ready": ready - begin}
    try:
        settings = make_settings({"prompts": _PROMPT, "seed": seed})
        async for event in engine.draw("a", settings):
            if isinstance(event, Progress):
                seconds.setdefault("then its first frame", time.perf_counter() - ready)
            if isinstance(event, Done):
                seconds["then the picture"] = time.perf_counter() - ready
    finally:
        await engine.close()
    return seconds


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    seconds = asyncio.run(measure(parser.parse_args().times))
    sys.stdout.write(f"load {os.getloadavg()[0]:.1f}; seconds\n\n")
    sys.stdout.write("| What | least | median | most |\n| --- | ---: | ---: | ---: |\n")
    for what, took in seconds.items():
        middle = statistics.median(took)
        sys.stdout.write(f"| {what} | {min(took):.2f} | {middle:.2f} | {max(took):.2f} |\n")


if __name__ == "__main__":
    main()
