"""A finished picture with its label and its buttons, brought to wherever it is wanted."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import discord

from bot.access import find
from bot.errors import answer_error
from bot.jobs import Job
from bot.label import label, message_link, no_picture
from bot.logs import about_job
from bot.pictures import fit
from bot.texts import alt_text, one_line
from bot.views.base import JOB
from bot.views.buttons import job_buttons

if TYPE_CHECKING:
    from bot.app import PixelBot

# Discord's limits.
MOST_CHOICES = 25
_LONGEST_CHOICE = 100


@dataclass(frozen=True)
class Page:
    """What a message is to show."""

    embed: discord.Embed
    buttons: discord.ui.View
    files: list[discord.File]

    async def send(
        self, interaction: discord.Interaction["PixelBot"], note: str | None = None
    ) -> None:
        """Put it, with a sentence above it, into the message of a deferred interaction."""
        await interaction.edit_original_response(
            content=note, embed=self.embed, view=self.buttons, attachments=self.files
        )


async def picture_page(interaction: discord.Interaction["PixelBot"], job: Job) -> Page:
    """A finished picture; whoever is to see it may."""
    assert job.picture is not None
    bot = interaction.client
    parent = await bot.store.get(job.parent_id) if job.parent_id is not None else None
    embed = label(job, parent=parent)
    if job.message_id is not None:
        embed.add_field(name="Message", value=message_link(job))
    buttons = job_buttons(job, await bot.store.count_favourites(job.id))
    png = await bot.pictures.read(job.picture)
    png = await fit(png, interaction.filesize_limit) if png is not None else None
    if png is None:
        embed.add_field(name="Picture", value=no_picture(job), inline=False)
        return Page(embed, buttons, [])
    file = discord.File(
        io.BytesIO(png),
        f"pixel-{job.id}.png",
        spoiler=job.spoiler,
        description=alt_text(job.prompt),
    )
    return Page(embed, buttons, [file])


def choices(jobs: Sequence[Job]) -> list[discord.SelectOption]:
    """Pictures to choose from, by their numbers and prompts."""
    return [
        discord.SelectOption(
            label=f"#{job.id} {'spoiler' if job.spoiler else one_line(job.prompt)}"[
                :_LONGEST_CHOICE
            ],
            value=str(job.id),
        )
        for job in jobs[:MOST_CHOICES]
    ]


class ShowSelect(
    discord.ui.DynamicItem[discord.ui.Select[discord.ui.View]],
    template=rf"pixel:show:{JOB}",
):
    """Pictures of one family; the one that is chosen is shown to whoever chooses it."""

    def __init__(self, job_id: int, jobs: Sequence[Job] = ()) -> None:
        super().__init__(
            discord.ui.Select(
                custom_id=f"pixel:show:{job_id}",
                placeholder="Look at one of them …",
                options=choices(jobs),
            )
        )

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        _item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Make it again from its id; what was chosen comes with the interaction."""
        return cls(int(match["job"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show what was chosen, or say why not."""
        job_id = int(self.item.values[0])
        with about_job(job_id):
            try:
                interaction.client.admission.check_entry(interaction.user.id)
                job = await find(interaction, job_id)
                await interaction.response.defer(ephemeral=True, thinking=True)
                await (await picture_page(interaction, job)).send(interaction)
            except Exception as error:  # noqa: BLE001 - discord.py would leave the person alone
                await answer_error(interaction, error)
