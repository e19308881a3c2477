"""`/pixel-more`: ask for a picture in a form, which has room for every setting."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.views.asking import AskForm

if TYPE_CHECKING:
    from bot.app import PixelBot


@app_commands.command(name="pixel-more", description="Draw a picture, with every setting there is.")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def pixel_more(interaction: discord.Interaction["PixelBot"]) -> None:
    """Open the form; what was written is queued when it is sent."""
    await AskForm.open(interaction)
