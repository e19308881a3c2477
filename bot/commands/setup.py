"""`/setup`: what a server decides, for those who manage it."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.views.setup import first_page

if TYPE_CHECKING:
    from bot.app import PixelBot


@app_commands.command(description="Choose channels, roles, limits and manners for this server.")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.default_permissions(manage_guild=True)
@app_commands.checks.has_permissions(manage_guild=True)
async def setup(interaction: discord.Interaction["PixelBot"]) -> None:
    """Show the first page; its buttons lead through the others."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    page = await first_page(interaction)
    await interaction.edit_original_response(embed=page.embed, view=page.view)
