"""Leafing through one's own pictures, newest first."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import discord

from bot.errors import Refusal
from bot.jobs import Job, State
from bot.label import covered, label, message_link
from bot.pictures import fit
from bot.texts import alt_text
from bot.views.base import JobButton
from bot.views.buttons import AgainButton, RerollButton

if TYPE_CHECKING:
    from bot.app import PixelBot


class _PageButton(JobButton, template=r"pixel:page:none"):
    """Leads to the page of another picture; its id names that picture, not the present one."""

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Show that picture instead."""
        if interaction.user.id != job.user_id:
            raise Refusal("These are somebody else's pictures; /history shows yours.")
        await interaction.response.defer()
        page = await history_page(interaction, job)
        await interaction.edit_original_response(
            embed=page.embed, view=page.buttons, attachments=page.files
        )


class NewerButton(_PageButton, template=r"pixel:newer:(?P<job>\d{1,18})"):
    """Leads to the next newer picture."""

    action = "newer"
    label = "Newer"
    emoji = "◀️"


class OlderButton(_PageButton, template=r"pixel:older:(?P<job>\d{1,18})"):
    """Leads to the next older picture."""

    action = "older"
    label = "Older"
    emoji = "▶️"


BUTTONS = (NewerButton, OlderButton)


@dataclass(frozen=True)
class Page:
    """One picture of somebody's history, ready to be sent."""

    embed: discord.Embed
    buttons: discord.ui.View
    files: list[discord.File]


async def history_page(interaction: discord.Interaction["PixelBot"], job: Job) -> Page:
    """The page that shows a finished picture of whoever asked for it."""
    assert job.state is State.DONE
    assert job.picture is not None
    bot = interaction.client
    beside = await bot.store.neighbours(job)
    parent = await bot.store.get(job.parent_id) if job.parent_id is not None else None
    embed = label(job, parent=parent)
    embed.set_footer(text=f"pixel #{job.id} · {beside.number} of {beside.total}")
    embed.timestamp = datetime.fromtimestamp(job.asked_at, UTC)
    if job.message_id is not None:
        embed.add_field(name="Message", value=message_link(job))

    view = discord.ui.View(timeout=None)
    if beside.newer is not None:
        view.add_item(NewerButton(beside.newer))
    if beside.older is not None:
        view.add_item(OlderButton(beside.older))
    view.add_item(RerollButton(job.id))
    view.add_item(AgainButton(job.id))

    png = await bot.pictures.read(job.picture)
    png = await fit(png, interaction.filesize_limit) if png is not None else None
    if png is None:
        embed.add_field(name="Picture", value="Its file is not there any more.", inline=False)
        return Page(embed, view, [])
    file = discord.File(
        io.BytesIO(png), covered(f"pixel-{job.id}.png", job), description=alt_text(job.prompt)
    )
    return Page(embed, view, [file])
