"""`/family`: what a picture was made from, and what was made from it."""

import io
from functools import partial
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.access import find, may_see
from bot.commands.show import complete_id
from bot.jobs import Job
from bot.label import message_link
from bot.pictures import fit
from bot.sheets import Family
from bot.texts import alt_text, harmless
from bot.views.showing import MOST_CHOICES, Page, ShowSelect

if TYPE_CHECKING:
    from bot.app import PixelBot

_PROMPT_LIMIT = 300


@app_commands.command(description="See what a picture was made from, and what was made from it.")
@app_commands.describe(job_id="The number below the picture.")
@app_commands.rename(job_id="id")
@app_commands.guild_only()
@app_commands.allowed_installs(guilds=True, users=False)
async def family(
    interaction: discord.Interaction["PixelBot"],
    job_id: app_commands.Range[int, 1, 2**53 - 1],
) -> None:
    """Show the tree as one sheet, with a list to look at one of its pictures."""
    job = await find(interaction, job_id)
    await interaction.response.defer(ephemeral=True, thinking=True)
    bot = interaction.client
    found = await bot.sheets.family(
        job,
        await bot.store.ancestors(job.id),
        await bot.store.descendants(job.id),
        partial(may_see, interaction),
    )
    await (await _page(interaction, job, found)).send(interaction)


family.autocomplete("job_id")(complete_id)


async def _page(interaction: discord.Interaction["PixelBot"], job: Job, found: Family) -> Page:
    lines = [f"{message_link(job)} {harmless(job.prompt, _PROMPT_LIMIT)}"]
    if len(found.jobs) == 1:
        lines.append("It stands alone: it was made from no other picture, and none from it.")
    if found.more:
        lines.append("The family is larger: these are its nearest.")
    embed = discord.Embed(title=f"The family of #{job.id}", description="\n".join(lines))
    view = discord.ui.View(timeout=None)
    view.add_item(ShowSelect(job.id, _nearest(job, found)))
    png = found.png
    png = await fit(png, interaction.filesize_limit) if png is not None else None
    if png is None:
        embed.add_field(name="Sheet", value="It could not be made; open the pictures one by one.")
        return Page(embed, view, [])
    told = ", ".join(f"#{kin.id} {kin.relation or ''}".strip() for kin in found.jobs)
    file = discord.File(io.BytesIO(png), f"family-{job.id}.png", description=alt_text(told))
    return Page(embed, view, [file])


def _nearest(job: Job, found: Family) -> list[Job]:
    """As many as a list has room for, by their numbers; the picture itself is among them."""
    near = sorted(found.jobs, key=lambda kin: abs(kin.id - job.id))[:MOST_CHOICES]
    return sorted(near, key=lambda kin: kin.id)
