"""`/history`: leaf through pictures, one's own or those of others."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.errors import Refusal
from bot.texts import one_line
from bot.views.history import Of, sheet_page

if TYPE_CHECKING:
    from bot.app import PixelBot

_OF = ("mine", "channel", "server", "favourites")


@app_commands.command(description="Leaf through pictures: yours, this channel's or this server's.")
@app_commands.describe(
    of="Whose pictures; yours if you say nothing.",
    by="Only those of this member.",
    search="Words that the prompt holds.",
)
@app_commands.choices(of=[app_commands.Choice(name=name, value=name) for name in _OF])
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def history(
    interaction: discord.Interaction["PixelBot"],
    of: str | None = None,
    by: discord.User | None = None,
    search: app_commands.Range[str, 1, 100] | None = None,
) -> None:
    """Show the newest of them on a sheet, with a list to open one and buttons to the others."""
    await interaction.response.defer(ephemeral=True, thinking=True)
    page = await sheet_page(
        interaction,
        _meant(of, by is not None),
        by=by.id if by is not None else None,
        words=one_line(search or ""),
    )
    await page.send(interaction)


def _meant(of: str | None, by_somebody: bool) -> Of:
    match of, by_somebody:
        case (("server" | None), True):
            return "by"
        case "channel", True:
            return "by-here"
        case _, True:
            raise Refusal(f"“by” does not go with “{of}”; choose server or channel.")
        case "channel", False:
            return "channel"
        case "server", False:
            return "server"
        case "favourites", False:
            return "favourites"
        case _:
            return "mine"
