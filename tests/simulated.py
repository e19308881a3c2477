"""The whole bot on a simulated Discord, with one server, one channel and a few people."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import discord
import simcord

from bot.app import PixelBot, open_bot
from bot.config import Config
from bot.errors import is_refusal
from bot.jobs import Job
from engine.client import Engine
from tests.bot.helpers import until

# The buttons below a finished picture that is nobody's favourite.
FINISHED = (
    *("Reroll", "Variations", "Remix", "Upscale"),
    *("Time-lapse", "Palette", "Export", "Info"),
    *("Favourite", "Again", "Delete"),
)


@dataclass
class Server:
    """One server of the simulated Discord, and the bot that serves it."""

    env: simcord.Env
    bot: PixelBot
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    alice: simcord.MemberActor
    bob: simcord.MemberActor
    moderator: simcord.MemberActor

    async def ask(self, prompt: str = "a red apple", **options: object) -> int:
        """Type /pixel as Alice; returns the job's number."""
        result = await self.alice.slash(self.channel, "pixel", prompt=prompt, **options)
        assert result.response is not None
        assert result.response.ephemeral
        text = result.response.content
        assert text.startswith("Your picture is #"), text
        return int(text.removeprefix("Your picture is #").partition(".")[0])

    async def restart(self, bot: PixelBot) -> None:
        """Connect a new bot instead of the present one, as after an update."""
        await self.env.restart_bot(bot)
        self.bot = bot

    async def job(self, job_id: int) -> Job:
        job = await self.bot.store.get(job_id)
        assert job is not None
        return job

    def messages(self, job_id: int) -> list[discord.Message]:
        """The messages that show a job, oldest first."""
        return [
            message
            for message in self.channel.history()
            if message.embeds and _footer(message) == f"pixel #{job_id}"
        ]

    def message(self, job_id: int) -> discord.Message:
        return self.messages(job_id)[-1]

    def text(self, job_id: int) -> str:
        return self.message(job_id).embeds[0].description or ""

    def buttons(self, job_id: int) -> list[str]:
        return labels(self.message(job_id))

    async def shown(self, job_id: int, condition: Callable[[discord.Message], object]) -> None:
        """Wait until a job's message is there and fulfils a condition."""
        await until(lambda: self.messages(job_id) and condition(self.message(job_id)))

    async def finished(self, job_id: int) -> discord.Message:
        """Wait until a job's message shows the finished picture."""
        await self.shown(job_id, lambda message: "Reroll" in labels(message))
        return self.message(job_id)

    def requests(self, method: str) -> list[simcord.HttpLogEntry]:
        """What the bot sent about messages, edits (PATCH) or new ones (POST)."""
        return [
            request
            for request in self.env.http_requests
            if request.method == method and request.path.startswith("/channels/")
        ]


def labels(message: discord.Message | simcord.ResponseMessage) -> list[str]:
    """The buttons of a message."""
    components = message.components
    if isinstance(message, simcord.ResponseMessage):
        components = message.message.components
    return [button.label for row in components for button in row.children]


def config(data: Path, **changes: object) -> Config:
    """Settings for a test: nothing from the environment, and edits almost at once."""
    return Config(**({"data": data, "edit_interval": 0.05} | changes))


@contextlib.asynccontextmanager
async def simulated(
    data: Path, engine: Engine | None = None, *, clock: Callable[[], float] = time.time, **changes
) -> AsyncIterator[Server]:
    """Run the bot; an error that is not a person's mistake fails the test."""
    async with (
        open_bot(config(data, **changes), engine=engine, clock=clock) as bot,
        connected(bot) as server,
    ):
        yield server


@contextlib.asynccontextmanager
async def connected(bot: PixelBot) -> AsyncIterator[Server]:
    """Connect an open bot to a Discord of its own."""
    async with simcord.run(bot, shard_count=1, check_errors=False) as env:
        guild = env.create_guild("Art lovers")
        moderators = guild.create_role(
            "moderators", permissions=discord.Permissions(manage_messages=True)
        )
        yield Server(
            env,
            bot,
            guild,
            guild.create_text_channel("art"),
            guild.add_member(env.create_user("alice")),
            guild.add_member(env.create_user("bob")),
            guild.add_member(env.create_user("moderator"), roles=[moderators]),
        )
    if mistakes := [error for error in env.errors if not is_refusal(error)]:
        raise ExceptionGroup("the bot raised", mistakes)


def _footer(message: discord.Message) -> str | None:
    return message.embeds[0].footer.text
