"""How long a command waits for its first answer while the engine is at full load.

    python -m tests.discord_server.bench

The bot's process draws on all its easels; meanwhile people type /pixel. What is measured is the
time from the gateway's event to the interaction's callback, both in the server.
"""

import argparse
import asyncio
import os
import platform
import random
import statistics
import sys
import tempfile
from pathlib import Path

from tests.discord_server.client import DiscordServer, until

# Longer than any benchmark.
_LONG = {"prompt": "a lighthouse at dusk", "quality": "best", "iterations": 2000}


async def measure(*, commands: int, easels: int, pause: float) -> list[float]:
    """The seconds until each command's first answer.

    Args:
        commands: how many are typed.
        easels: how many pictures are drawn meanwhile.
        pause: mean seconds between two commands, which come at random.

    """
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as data:
        async with DiscordServer.running(users=easels + commands) as discord:
            # The first easels' worth of people have a picture drawn each.
            limits = {"easels": easels, "running_per_guild": easels}
            async with discord.bot(Path(data), edit_interval=4.0, **limits):
                await discord.connected()
                (channel,) = discord.channels
                artists, people = discord.users[:easels], discord.users[easels:]
                for artist in artists:
                    await discord.slash_as(artist, channel, "pixel", **_LONG)
                await until(lambda: _all_drawn(discord, easels), 600)
                asked = []
                for person in people:
                    number = await discord.slash_as(person, channel, "pixel", prompt="a red apple")
                    asked.append(number)
                    await asyncio.sleep(chance.expovariate(1 / pause))
                answered = [await discord.interaction(number) for number in asked]
                assert await _all_drawn(discord, easels), "the easels were not full to the end"
                return [interaction["seconds"] for interaction in answered]


async def _all_drawn(discord: DiscordServer, easels: int) -> bool:
    return sum("step" in str(m["embeds"]) for m in await discord.messages()) == easels


def _processor() -> str:
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{len(models)} × {models[0]}" if models else platform.processor()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commands", type=int, default=200)
    parser.add_argument("--easels", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.25, help="mean seconds between commands")
    options = vars(parser.parse_args())
    before = os.getloadavg()[0]
    seconds = sorted(asyncio.run(measure(**options)))
    marks = statistics.quantiles(seconds, n=100, method="inclusive")
    shown = ", ".join(f"p{mark} {1000 * marks[mark - 1]:.0f} ms" for mark in (50, 90, 99))
    sys.stdout.write(
        f"{_processor()}, load before the start {before:.1f}\n"
        f"{len(seconds)} commands while {options['easels']} pictures were drawn; first answer: "
        f"{shown}, at most {1000 * seconds[-1]:.0f} ms\n"
    )


if __name__ == "__main__":
    main()
