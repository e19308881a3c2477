"""`/privacy`: what is kept, for how long, and who can see it."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.privacy import PRIVACY

if TYPE_CHECKING:
    from bot.app import PixelBot


@app_commands.command(description="Read what I keep about you, for how long, and who can see it.")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def privacy(interaction: discord.Interaction["PixelBot"]) -> None:
    """Show it to whoever asks."""
    await interaction.response.send_message(
        embed=discord.Embed(title="Privacy", description=PRIVACY), ephemeral=True
    )
