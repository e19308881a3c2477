"""The demo's simulated Discord: a server with one channel, somebody who says hello, and you."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import simcord
from simcord.backend.cdn import CDN_BASE
from simcord.preview import Preview

from bot.app import PixelBot
from bot.demo import avatars

_WELCOME = """\
Hi, and welcome to the garden! 🌱 Whatever you can describe, **pixel** draws here.
Type `/pixel`, pick the command, and say what you want to see: *a red apple*, \
*a lighthouse at dusk*, *a blue fish*. Add `quality` **draft** if you are in a hurry.
`/queue` shows what is being drawn, `/history` what you have drawn, and the buttons below a \
picture reroll it, draw it again, or cancel it."""

# A busy machine may take seconds to decode an uploaded picture, and the simulation waits for it.
_SETTLE_SECONDS = 30.0


@dataclass(frozen=True)
class Simulation:
    """A running simulated Discord and the page that shows it.

    Attributes:
        people: the members' names by their ids.

    """

    env: simcord.Env
    preview: Preview
    people: dict[int, str]


@contextlib.asynccontextmanager
async def simulated_server(bot: PixelBot) -> AsyncIterator[Simulation]:
    """Connect an open bot to a Discord of its own, and show its channel on a page."""
    async with simcord.run(
        bot, shard_count=1, check_errors=False, settle_timeout=_SETTLE_SECONDS
    ) as env:
        # People first: until the clock is set their ids are the same at each start, so that
        # /history finds the pictures of a former demo in the same data directory.
        you = env.create_user("you", avatar="visitor")
        mira = env.create_user("mira", avatar="cat")
        # The simulation begins at a fixed date. From here on ids are as unique as Discord's own,
        # and no message of a former demo is mistaken for one of this.
        await env.advance_time(max(0.0, (datetime.now(UTC) - env.now()).total_seconds()))

        guild = env.create_guild("pixel-garden")
        channel = guild.create_text_channel("art", topic="Type /pixel and watch it being drawn.")
        visitor = guild.add_member(you)
        host = guild.add_member(mira)
        assert bot.user is not None
        await bot.user.edit(username="pixel")
        # Whatever the data directory remembers of registered commands, this Discord is new.
        await bot.tree.sync()
        await host.send(channel, _WELCOME)

        pictures = {
            f"avatars/{you.id}/{you.avatar}": avatars.VISITOR,
            f"avatars/{mira.id}/{mira.avatar}": avatars.CAT,
            f"embed/avatars/{(bot.user.id >> 22) % 6}": avatars.FLOWER,
        }
        async with env.preview(
            channel,
            viewers=[visitor],
            layout="channel",
            assets={
                f"{CDN_BASE}/{path}.png": ("avatar.png", avatars.draw(pixels))
                for path, pixels in pictures.items()
            },
        ) as preview:
            yield Simulation(env, preview, {person.id: person.name for person in (you, mira)})
