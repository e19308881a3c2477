"""The menus on messages: “Pixel info”, “Start from this picture” and “Take its palette”."""

import io
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

import discord
import msgspec
from discord import app_commands

from bot.errors import Refusal
from bot.info import job_info
from bot.intake import fetch_picture
from bot.jobs import Job, State
from bot.label import no_picture
from bot.texts import code_block, harmless, one_line
from bot.views.asking import AskForm
from bot.workshop.orders import Colours, Palette
from engine.palettes import MAX_COLOURS, MIN_COLOURS

if TYPE_CHECKING:
    from bot.app import PixelBot

_FOOTER = re.compile(r"pixel #([0-9]{1,18})\b")
# Of a picture's children so many are asked for.
# The palette of a stranger's picture is made of so few colours as a palette should have.
_FEW_COLOURS = 16
_LONGEST_NAME = 60

_NO_PICTURE_OF_OURS = "This message shows no picture of mine."
_NO_PICTURE = "There is no picture in this message."
_SEVERAL = (
    "This message shows several pictures; take out the one that you mean, or use /show with its "
    "number ({})."
)


@app_commands.context_menu(name="Pixel info")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def pixel_info(
    interaction: discord.Interaction["PixelBot"], message: discord.Message
) -> None:
    """Say what is known about the pictures that a message shows."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    jobs = await _jobs_of(interaction, message)
    if not jobs:
        raise Refusal(_NO_PICTURE_OF_OURS)
    await interaction.edit_original_response(
        embeds=[await job_info(interaction, job, beside=len(jobs)) for job in jobs]
    )


@app_commands.context_menu(name="Start from this picture")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def start_from_this(
    interaction: discord.Interaction["PixelBot"], message: discord.Message
) -> None:
    """Open the form with the message's picture to start from."""
    job, attachment = await _picture_of(interaction, message)
    await AskForm.open(interaction, job, relation="start", start=attachment)


@app_commands.context_menu(name="Take its palette")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def take_its_palette(
    interaction: discord.Interaction["PixelBot"], message: discord.Message
) -> None:
    """Show the colours of the message's picture, to draw with them or to keep them."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    bot = interaction.client
    job, attachment = await _picture_of(interaction, message)
    if job is not None:
        assert job.native is not None
        png = await bot.pictures.read(job.native)
        if png is None:
            raise Refusal(no_picture(job))
        name = f"pixel {job.id}"
        order = Palette(png, MAX_COLOURS, name)
    else:
        assert attachment is not None
        name = one_line(PurePath(attachment.filename).stem)[:_LONGEST_NAME] or "palette"
        order = Palette(await fetch_picture(interaction, attachment), _FEW_COLOURS, name)
    made = await bot.workshop.make(order)
    if made is None:
        raise Refusal("No palette could be made of this picture.")
    found = msgspec.msgpack.decode(made, type=Colours)
    await interaction.edit_original_response(
        embed=_palette_embed(found, name),
        attachments=[
            discord.File(
                io.BytesIO(found.swatches),
                "palette.png",
                description=" ".join(f"#{colour}" for colour in found.colours)[:1000],
            ),
            discord.File(io.BytesIO(found.gpl), "palette.gpl"),
            discord.File(io.BytesIO(found.hex), "palette.hex"),
        ],
    )


async def _jobs_of(
    interaction: discord.Interaction["PixelBot"], message: discord.Message
) -> list[Job]:
    """The jobs that a message of the bot's shows, whether it was sent for them or brings them."""
    bot = interaction.client
    jobs = await bot.store.shown_by(message.id)
    if not jobs and bot.user is not None and message.author.id == bot.user.id:
        footers = [_FOOTER.match(embed.footer.text or "") for embed in message.embeds]
        found = [await bot.store.get(int(footer[1])) for footer in footers if footer is not None]
        jobs = [job for job in found if job is not None]
    return [job for job in jobs if job.deleted_at is None]


async def _picture_of(
    interaction: discord.Interaction["PixelBot"], message: discord.Message
) -> tuple[Job, None] | tuple[None, discord.Attachment]:
    """The one picture that a message shows: a finished one of ours, or its first attachment.

    Raises:
        Refusal: when it shows several of ours, or none at all.

    """
    jobs = [job for job in await _jobs_of(interaction, message) if job.state is State.DONE]
    if len(jobs) > 1:
        raise Refusal(_SEVERAL.format(", ".join(str(job.id) for job in jobs)))
    if jobs:
        return jobs[0], None
    for attachment in message.attachments:
        if (attachment.content_type or "").startswith("image/"):
            return None, attachment
    raise Refusal(_NO_PICTURE)


def _palette_embed(found: Colours, name: str) -> discord.Embed:
    count = len(found.colours)
    embed = discord.Embed(
        title=f"{count} colours" if count > 1 else "One colour",
        colour=discord.Colour(int(found.colours[0], 16)),
    )
    values = " ".join(f"#{colour}" for colour in found.colours)
    if count < MIN_COLOURS:
        use = f"{code_block(values, 100)}\nA palette to draw with needs two colours or more."
    else:
        setting = f'--palette "{values}"'
        use = f"Behind a prompt:\n{code_block(setting, 3000)}"
    embed.description = f"of {harmless(name, 200)}, the most used first.\n{use}"
    return embed
