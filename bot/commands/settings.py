"""`/settings`: what one's own pictures are drawn with where that is left open."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.commands.pixel import complete_palette, complete_preset
from bot.errors import Refusal
from bot.options import choices, describe
from bot.preferences import PREFERENCE, PREFERENCES, check_together, read_preference
from bot.rules import Rules, source
from bot.texts import harmless
from engine.errors import quote

if TYPE_CHECKING:
    from bot.app import PixelBot

_OWN = tuple(preference for preference in PREFERENCES if "user" in preference.scopes)
_EVERYTHING = "everything"
_VALUE_LIMIT = 500
_ORDER = (
    "The nearest counts: yours, then this channel's, then this server's. "
    "What you type in /pixel counts most."
)


@app_commands.command(
    description="See and change what your pictures are like where you leave it open."
)
@app_commands.describe(
    preset=describe("preset"),
    palette=describe("palette"),
    quality=describe("quality"),
    aspect=describe("aspect"),
    drawer=describe("drawer"),
    private=PREFERENCE["private"].meaning,
    reset="Take one of these back, or everything.",
)
@app_commands.choices(
    quality=choices("quality"), aspect=choices("aspect"), drawer=choices("drawer")
)
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def settings(
    interaction: discord.Interaction["PixelBot"],
    preset: str | None = None,
    palette: str | None = None,
    quality: str | None = None,
    aspect: str | None = None,
    drawer: str | None = None,
    private: bool | None = None,
    reset: str | None = None,
) -> None:
    """Change what is given, and show what holds now."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    given = {
        "preset": preset,
        "palette": palette,
        "quality": quality,
        "aspect": aspect,
        "drawer": drawer,
        "private": private,
    }
    await _change(interaction, given, reset)
    rules = await Rules.of(interaction)
    lines = []
    for preference in _OWN:
        value, scope = rules.nearest(preference.name)
        shown = "not set" if value is None else harmless(_words(value), _VALUE_LIMIT)
        lines.append(f"**{preference.name}** {shown} · *{source(scope)}*")
    embed = discord.Embed(title="Your settings", description="\n".join([*lines, "", _ORDER]))
    await interaction.edit_original_response(embed=embed)


settings.autocomplete("preset")(complete_preset)
settings.autocomplete("palette")(complete_palette)


@settings.autocomplete("reset")
async def complete_reset(
    interaction: discord.Interaction["PixelBot"], typed: str
) -> list[app_commands.Choice[str]]:
    """Offer what is set."""
    own = await interaction.client.store.preferences("user", interaction.user.id)
    names = [name for name in own if name in PREFERENCE]
    return [
        app_commands.Choice(name=name, value=name)
        for name in [*names, _EVERYTHING]
        if typed.strip().lower() in name
    ]


async def _change(
    interaction: discord.Interaction["PixelBot"], given: Mapping[str, object], reset: str | None
) -> None:
    """Take back and set; nothing if anything of it cannot be."""
    store, user_id = interaction.client.store, interaction.user.id
    own = await store.preferences("user", user_id)
    names = [preference.name for preference in _OWN]
    if reset is not None and reset not in (*names, _EVERYTHING):
        allowed = ", ".join([*names, _EVERYTHING])
        written = harmless(quote(reset), _VALUE_LIMIT)
        raise Refusal(f"reset cannot be {written}; allowed are {allowed}.")
    changes: dict[str, object] = {name: None for name in own if reset in (name, _EVERYTHING)}
    for name, value in given.items():
        if value is not None:
            changes[name] = read_preference("user", name, value)
    check_together({**own, **changes})
    for name, value in changes.items():
        await store.set_preference("user", user_id, name, value)


def _words(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
