"""`/show`: bring a picture and its buttons to where one is."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.access import find, may_post
from bot.completion import picture_choices
from bot.views.showing import picture_page

if TYPE_CHECKING:
    from bot.app import PixelBot

_KEPT_FROM_OTHERS = "Only you see it: not everybody here may look where it was made."


@app_commands.command(description="Show a picture with its buttons, by its number.")
@app_commands.describe(
    job_id="The number below the picture.", only_me="Whether nobody else sees it here."
)
@app_commands.rename(job_id="id")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def show(
    interaction: discord.Interaction["PixelBot"],
    job_id: app_commands.Range[int, 1, 2**53 - 1],
    only_me: bool = False,
) -> None:
    """Post it, or show it to whoever asks where not everybody may see it."""
    # The answer is for everybody or not from its beginning on, so the picture is looked up first.
    job = await find(interaction, job_id)
    posted = not only_me and may_post(interaction, job)
    await interaction.response.defer(ephemeral=not posted, thinking=True)
    page = await picture_page(interaction, job)
    await page.send(interaction, None if posted or only_me else _KEPT_FROM_OTHERS)


@show.autocomplete("job_id")
async def complete_id(
    interaction: discord.Interaction["PixelBot"], typed: int | str
) -> list[app_commands.Choice[int]]:
    """Offer one's own newest pictures."""
    offers = await interaction.client.store.own_pictures(interaction.user.id)
    return picture_choices(str(typed), offers)
