"""`/pixel`: ask for a picture."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.intake import check_permissions, enqueue, store_init_image
from bot.options import (
    choices,
    describe,
    palette_names,
    settings_from_options,
    whole_number_range,
)

if TYPE_CHECKING:
    from bot.app import PixelBot

_ITERATIONS = whole_number_range("iterations")
_COLORS = whole_number_range("colors")


@app_commands.command(description="Draw a picture from your words.")
@app_commands.describe(
    prompt=describe("prompts"),
    drawer=describe("drawer"),
    preset=describe("preset"),
    aspect=describe("aspect"),
    quality=describe("quality"),
    iterations=describe("iterations"),
    palette=describe("palette"),
    colors=describe("colors"),
    transparent=describe("transparent"),
    symmetry=describe("symmetry"),
    seed=describe("seed"),
    image="Start from this picture.",
)
@app_commands.choices(
    drawer=choices("drawer"),
    preset=choices("preset"),
    aspect=choices("aspect"),
    quality=choices("quality"),
    symmetry=choices("symmetry"),
)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def pixel(
    interaction: discord.Interaction["PixelBot"],
    prompt: str,
    drawer: str | None = None,
    preset: str | None = None,
    aspect: str | None = None,
    quality: str | None = None,
    iterations: app_commands.Range[int, _ITERATIONS[0], _ITERATIONS[1]] | None = None,
    palette: str | None = None,
    colors: app_commands.Range[int, _COLORS[0], _COLORS[1]] | None = None,
    transparent: bool | None = None,
    symmetry: str | None = None,
    seed: str | None = None,
    image: discord.Attachment | None = None,
) -> None:
    """Queue a picture; refusals are answered by the command tree."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    check_permissions(interaction)
    options = {
        "prompts": prompt,
        "drawer": drawer,
        "preset": preset,
        "aspect": aspect,
        "quality": quality,
        "iterations": iterations,
        "palette": palette,
        "colors": colors,
        "transparent": transparent,
        "symmetry": symmetry,
        "seed": seed,
    }
    settings = settings_from_options(options, has_image=image is not None)
    init_image = await store_init_image(interaction.client, image) if image is not None else None
    await enqueue(interaction, settings, init_image=init_image)


@pixel.autocomplete("palette")
async def complete_palette(
    interaction: discord.Interaction["PixelBot"], typed: str
) -> list[app_commands.Choice[str]]:
    """Offer the named palettes that go with what is typed so far."""
    del interaction
    return [app_commands.Choice(name=name, value=name) for name in palette_names(typed)]
