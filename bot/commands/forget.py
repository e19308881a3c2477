"""`/forget`: delete everything that is kept of whoever types it."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.errors import Refusal
from bot.views.forget import ForgetButton

if TYPE_CHECKING:
    from bot.app import PixelBot


@app_commands.command(description="Delete everything that I keep about you, pictures included.")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def forget(interaction: discord.Interaction["PixelBot"]) -> None:
    """Say what would be deleted, and ask once more."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    held = await interaction.client.store.holdings(interaction.user.id)
    if not (held.pictures or held.favourites or held.preferences):
        raise Refusal("I keep nothing about you.")
    text = (
        "This deletes, for ever:\n"
        f"- your pictures, wherever they were drawn: {held.pictures}, with their messages, prompts "
        "and files, and what you attached\n"
        f"- your favourites: {held.favourites}\n"
        f"- your settings: {held.preferences}\n"
        "What others made from your pictures is theirs and stays."
    )
    view = discord.ui.View(timeout=None).add_item(ForgetButton(interaction.user.id))
    await interaction.edit_original_response(content=text, view=view)
