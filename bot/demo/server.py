"""The demo's simulated Discord: a server with one channel, somebody who says hello, and you."""

import contextlib
from collections.abc import AsyncIterator

import simcord
from simcord.backend.cdn import CDN_BASE

from bot.app import PixelBot
from bot.demo import avatars
from bot.demo.simulation import Simulation, set_clock

_WELCOME = """\
Welcome to the garden! 🌱 Whatever you can put into words, **pixel** draws here.
Type `/pixel`, press Enter, and say what you want to see: *a red apple*, *a blue fish*, \
*a yellow flower --preset sprite*. With `quality` set to **draft** it is quicker.
The buttons below a picture draw others like it, change it or keep it. `/queue` shows what is \
being drawn, `/history` what you have drawn, `/family` what was made from what; this server is \
yours, so `/setup` is too."""

# The simulation waits until a command has done its work; on a busy machine an uploaded picture
# takes seconds to be decoded.
_SETTLE_SECONDS = 30.0
_DEFAULT_AVATARS = 6


@contextlib.asynccontextmanager
async def simulated_server(bot: PixelBot) -> AsyncIterator[Simulation]:
    """Connect an open bot to a Discord of its own, and open the page that shows its channel."""
    async with simcord.run(
        bot, shard_count=1, check_errors=False, settle_timeout=_SETTLE_SECONDS
    ) as env:
        # simcord listens in there and takes every refusal for a command that failed, which the page
        # then keeps in the visitor's hands; without its ears the bot answers as ever.
        vars(bot.tree).pop("on_error", None)
        # People first: until the clock is set their ids are the same at each start, so that
        # /history finds the pictures of a former demo in the same data directory.
        you = env.create_user("you", avatar="visitor")
        mira = env.create_user("mira", avatar="cat")
        # From here on ids are as unique as Discord's own, and no message of a former demo is
        # mistaken for one of this.
        await set_clock(env)

        guild = env.create_guild("pixel-garden", owner=you)
        channel = guild.create_text_channel("art", topic="Type /pixel and watch it being drawn.")
        visitor = guild.add_member(you)
        host = guild.add_member(mira)
        assert bot.user is not None
        await bot.user.edit(username="pixel")
        # Whatever the data directory remembers of registered commands, this Discord is new.
        await bot.tree.sync()
        await host.send(channel, _WELCOME)

        faces = {
            f"avatars/{you.id}/{you.avatar}": avatars.VISITOR,
            f"avatars/{mira.id}/{mira.avatar}": avatars.CAT,
            f"embed/avatars/{(bot.user.id >> 22) % _DEFAULT_AVATARS}": avatars.FLOWER,
        }
        async with env.preview(
            channel,
            viewers=[visitor],
            layout="channel",
            assets={
                f"{CDN_BASE}/{path}.png": ("avatar.png", avatars.draw(pixels))
                for path, pixels in faces.items()
            },
        ) as preview:
            yield Simulation(env, preview, {person.id: person.name for person in (you, mira)})
