"""`/pixel`: ask for a picture."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.completion import (
    chosen_job,
    is_too_long,
    listed_choices,
    palette_choices,
    preset_choices,
    prompt_choices,
    setting_choices,
)
from bot.errors import Refusal
from bot.intake import ask
from bot.options import choices, describe, whole_number_range

if TYPE_CHECKING:
    from bot.app import PixelBot

_COLORS = whole_number_range("colors")
_ITERATIONS = whole_number_range("iterations")
_STROKES = whole_number_range("strokes")


@app_commands.command(description="Draw a picture from your words.")
@app_commands.describe(
    prompt="What to draw. Any setting may follow: a castle --palette nes --tile",
    preset=describe("preset"),
    drawer=describe("drawer"),
    aspect=describe("aspect"),
    quality=describe("quality"),
    palette=describe("palette"),
    colors=describe("colors"),
    pixel_size=describe("pixel_size"),
    pixel_type=describe("pixel_type"),
    transparent=describe("transparent"),
    tile=describe("tile"),
    symmetry=describe("symmetry"),
    seed=describe("seed"),
    iterations=describe("iterations"),
    image=describe("init_image"),
    outline="Start from this line drawing: its lines stay, the areas between are coloured in.",
    target=describe("target_image"),
    mask=describe("mask"),
    spot_prompts=describe("spot_prompts"),
    spot_off_prompts=describe("spot_off_prompts"),
    strokes=describe("strokes"),
    perceptors=describe("perceptors"),
    vqgan_model=describe("vqgan_model"),
)
@app_commands.choices(
    drawer=choices("drawer"),
    aspect=choices("aspect"),
    quality=choices("quality"),
    pixel_type=choices("pixel_type"),
    symmetry=choices("symmetry"),
)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def pixel(
    interaction: discord.Interaction["PixelBot"],
    prompt: str,
    preset: str | None = None,
    drawer: str | None = None,
    aspect: str | None = None,
    quality: str | None = None,
    palette: str | None = None,
    colors: app_commands.Range[int, _COLORS[0], _COLORS[1]] | None = None,
    pixel_size: str | None = None,
    pixel_type: str | None = None,
    transparent: bool | None = None,
    tile: bool | None = None,
    symmetry: str | None = None,
    seed: str | None = None,
    iterations: app_commands.Range[int, _ITERATIONS[0], _ITERATIONS[1]] | None = None,
    image: discord.Attachment | None = None,
    outline: discord.Attachment | None = None,
    target: discord.Attachment | None = None,
    mask: discord.Attachment | None = None,
    spot_prompts: str | None = None,
    spot_off_prompts: str | None = None,
    strokes: app_commands.Range[int, _STROKES[0], _STROKES[1]] | None = None,
    perceptors: str | None = None,
    vqgan_model: str | None = None,
) -> None:
    """Queue a picture; refusals are answered by the command tree."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    if image is not None and outline is not None:
        raise Refusal("image and outline are both a picture to start from; give only one of them.")
    await ask(
        interaction,
        await _meant(interaction, prompt),
        {
            "preset": preset,
            "drawer": drawer,
            "aspect": aspect,
            "quality": quality,
            "palette": palette,
            "colors": colors,
            "pixel_size": pixel_size,
            "pixel_type": pixel_type,
            "transparent": transparent,
            "tile": tile,
            "symmetry": symmetry,
            "seed": seed,
            "iterations": iterations,
            "outline": True if outline is not None else None,
            "spot_prompts": spot_prompts,
            "spot_off_prompts": spot_off_prompts,
            "strokes": strokes,
            "perceptors": perceptors,
            "vqgan_model": vqgan_model,
        },
        attachments={"init_image": image or outline, "target_image": target, "mask": mask},
    )


async def _meant(interaction: discord.Interaction["PixelBot"], prompt: str) -> str:
    """The prompt, or the former one that was offered by its job's number."""
    job_id = chosen_job(prompt)
    job = await interaction.client.store.get(job_id) if job_id is not None else None
    if job is None or job.user_id != interaction.user.id or not is_too_long(job.prompt):
        return prompt
    return job.prompt


@pixel.autocomplete("prompt")
async def complete_prompt(
    interaction: discord.Interaction["PixelBot"], typed: str
) -> list[app_commands.Choice[str]]:
    """Offer to complete a setting, or else what the same person asked for before."""
    bot = interaction.client
    return setting_choices(typed, bot.config.listed) or prompt_choices(
        typed, await bot.store.former_prompts(interaction.user.id)
    )


@pixel.autocomplete("preset")
async def complete_preset(
    _interaction: discord.Interaction["PixelBot"], typed: str
) -> list[app_commands.Choice[str]]:
    """Offer the presets, and what they bring."""
    return preset_choices(typed)


@pixel.autocomplete("palette")
async def complete_palette(
    _interaction: discord.Interaction["PixelBot"], typed: str
) -> list[app_commands.Choice[str]]:
    """Offer the named palettes."""
    return palette_choices(typed)


@pixel.autocomplete("perceptors")
async def complete_perceptors(
    interaction: discord.Interaction["PixelBot"], typed: str
) -> list[app_commands.Choice[str]]:
    """Offer what the operator has listed."""
    return listed_choices(typed, interaction.client.config.perceptors)


@pixel.autocomplete("vqgan_model")
async def complete_vqgan_model(
    interaction: discord.Interaction["PixelBot"], typed: str
) -> list[app_commands.Choice[str]]:
    """Offer what the operator has listed."""
    return listed_choices(typed, interaction.client.config.vqgan_models)
