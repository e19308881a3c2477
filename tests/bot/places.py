"""A Discord to find pictures in: servers, channels, threads, and pictures in them."""

import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import discord
import simcord
from PIL import Image

from bot.jobs import Job
from tests.bot.gallery import Painter
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, simulated

HIDDEN = discord.PermissionOverwrite(view_channel=False)
SEEN = discord.PermissionOverwrite(view_channel=True)


@dataclass
class Place:
    """A server with a channel for all, one for moderators, and another server."""

    server: Server
    painter: Painter
    secret: simcord.ChannelHandle
    elsewhere: simcord.ChannelHandle
    alice_elsewhere: simcord.MemberActor
    bob_elsewhere: simcord.MemberActor

    async def paint(
        self,
        prompt: str = "a red apple",
        by: simcord.MemberActor | None = None,
        channel: simcord.ChannelHandle | None = None,
        **how: object,
    ) -> Job:
        channel = channel or self.server.channel
        assert channel.guild is not None
        return await self.painter.paint(
            prompt,
            user=(by or self.server.alice).id,
            channel=channel.id,
            guild=channel.guild.id,
            **how,
        )

    async def history(
        self, who: simcord.MemberActor | None = None, **options: object
    ) -> simcord.ResponseMessage:
        who = who or self.server.alice
        return await answer(await who.slash(self.server.channel, "history", **options))

    async def show(
        self,
        job: Job | int,
        who: simcord.MemberActor | None = None,
        channel: simcord.ChannelHandle | None = None,
        **options: object,
    ) -> simcord.ResponseMessage:
        job_id = job if isinstance(job, int) else job.id
        result = await (who or self.server.alice).slash(
            channel or self.server.channel, "show", id=job_id, **options
        )
        assert result.response is not None
        return result.response


@contextlib.asynccontextmanager
async def a_place(tmp_path: Path) -> AsyncIterator[Place]:
    """Open it, with a bot that draws nothing by itself."""
    async with simulated(tmp_path, ScriptedEngine()) as server:
        secret = server.guild.create_text_channel(
            "secret",
            overwrites={
                server.guild.default_role: HIDDEN,
                server.guild.roles["moderators"]: SEEN,
                server.guild.me: SEEN,
            },
        )
        other = server.env.create_guild("Elsewhere")
        yield Place(
            server,
            Painter(server.bot.store, tmp_path),
            secret,
            other.create_text_channel("art"),
            other.add_member(server.alice.user),
            other.add_member(server.bob.user),
        )


async def answer(result: simcord.InteractionResult) -> simcord.ResponseMessage:
    """What only one person is shown."""
    assert result.response is not None
    assert result.response.ephemeral
    return result.response


def listed(page: simcord.ResponseMessage) -> list[int]:
    """The numbers of the pictures that can be opened, in their order."""
    options = [
        option
        for row in page.message.components
        for item in row.children
        for option in getattr(item, "options", [])
    ]
    return [int(option.value) for option in options]


def leads(page: simcord.ResponseMessage) -> list[str]:
    """The buttons of a sheet."""
    return [
        item.label
        for row in page.message.components
        for item in row.children
        if isinstance(item, discord.Button)
    ]


async def picture(page: simcord.ResponseMessage) -> Image.Image:
    (attachment,) = page.attachments
    with Image.open(io.BytesIO(await attachment.read())) as image:
        return image.convert("RGB")
