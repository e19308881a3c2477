"""`/pixel`: ask for a picture."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.intake import check_permissions, enqueue, store_init_image
from bot.options import choices, describe, settings_from_options, whole_number_range

if TYPE_CHECKING:
    from bot.app import PixelBot

_ITERATIONS = whole_number_range("iterations")


@app_commands.command(description="Draw a picture from your words.")
@app_commands.describe(
    prompt=describe("prompts"),
    aspect=describe("aspect"),
    quality=describe("quality"),
    iterations=describe("iterations"),
    seed=describe("seed"),
    image="Start from this picture.",
)
@app_commands.choices(aspect=choices("aspect"), quality=choices("quality"))
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def pixel(
    interaction: discord.Interaction["PixelBot"],
    prompt: str,
    aspect: str | None = None,
    quality: str | None = None,
    iterations: app_commands.Range[int, _ITERATIONS[0], _ITERATIONS[1]] | None = None,
    seed: str | None = None,
    image: discord.Attachment | None = None,
) -> None:
    """Queue a picture; refusals are answered by the command tree."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    check_permissions(interaction)
    options = {
        "prompts": prompt,
        "aspect": aspect,
        "quality": quality,
        "iterations": iterations,
        "seed": seed,
    }
    settings = settings_from_options(options, has_image=image is not None)
    init_image = await store_init_image(interaction.client, image) if image is not None else None
    await enqueue(interaction, settings, init_image=init_image)
