"""`/history`: leaf through one's own pictures."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.errors import Refusal
from bot.views.history import history_page

if TYPE_CHECKING:
    from bot.app import PixelBot


@app_commands.command(description="Leaf through the pictures that you have asked for.")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def history(interaction: discord.Interaction["PixelBot"]) -> None:
    """Show the newest picture, with buttons to the others."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    newest = await interaction.client.store.newest_done(interaction.user.id)
    if newest is None:
        raise Refusal("You have no pictures yet; /pixel draws one.")
    page = await history_page(interaction, newest)
    await interaction.edit_original_response(
        embed=page.embed, view=page.buttons, attachments=page.files
    )
