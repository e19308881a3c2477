"""The buttons below a picture: those that draw, and how all of them are arranged."""

from typing import TYPE_CHECKING, Any

import discord

from bot.errors import Refusal, say
from bot.intake import check_permissions, enqueue
from bot.jobs import Job, State
from bot.options import without_seed
from bot.views.asking import AskForm
from bot.views.base import JOB, JobButton, check_owner
from bot.views.groups import (
    CancelGroupButton,
    DeleteGroupButton,
    ReallyDeleteGroupButton,
    TakeButton,
    VariationsButton,
)
from bot.views.keeping import (
    DeleteButton,
    FavouriteButton,
    InfoButton,
    ReallyDeleteButton,
    favourite_label,
)
from bot.views.making import ExportButton, TimeLapseButton, UpscaleButton
from bot.views.recolouring import PaletteButton, PaletteSelect, PostPaletteButton

if TYPE_CHECKING:
    from bot.app import PixelBot


class RerollButton(JobButton, template=rf"pixel:reroll:{JOB}"):
    """The same settings with a new seed; the picture belongs to whoever presses it."""

    action = "reroll"
    label = "Reroll"
    emoji = "🎲"
    style = discord.ButtonStyle.primary

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Queue it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        check_permissions(interaction)
        await enqueue(
            interaction,
            without_seed(job.asked),
            init_image=job.init_image,
            parent=job,
            relation="reroll",
        )


class AgainButton(JobButton, template=rf"pixel:again:{JOB}"):
    """The very same picture, from its seed and the settings as the engine resolved them."""

    action = "again"
    label = "Again"
    emoji = "🔁"
    style = discord.ButtonStyle.secondary

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Queue it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        check_permissions(interaction)
        await enqueue(
            interaction, job.asked, init_image=job.init_image, parent=job, relation="again"
        )


class CancelButton(JobButton, template=rf"pixel:cancel:{JOB}"):
    """Stops this job, waiting or running; for its owner and for moderators."""

    action = "cancel"
    label = "Cancel"
    emoji = "🛑"
    style = discord.ButtonStyle.danger

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Cancel it, if it may be."""
        check_owner(interaction, job, "cancel")
        await interaction.response.defer(ephemeral=True, thinking=True)
        if not await interaction.client.dispatcher.cancel(job.id):
            raise Refusal("This picture is not waiting or being drawn any more.")
        await say(interaction, f"#{job.id} is cancelled.")


class RemixButton(JobButton, template=rf"pixel:remix:{JOB}"):
    """The prompt and the settings in a form, to be changed."""

    action = "remix"
    label = "Remix"
    emoji = "✏️"

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Open it, which must be the first answer."""
        await AskForm.open(interaction, job)


BUTTONS: tuple[type[discord.ui.DynamicItem[Any]], ...] = (
    *(RerollButton, VariationsButton, RemixButton, AgainButton, CancelButton),
    *(UpscaleButton, TimeLapseButton, ExportButton, InfoButton),
    *(PaletteButton, PaletteSelect, PostPaletteButton),
    *(FavouriteButton, DeleteButton, ReallyDeleteButton),
    *(TakeButton, CancelGroupButton, DeleteGroupButton, ReallyDeleteGroupButton),
)


def job_buttons(job: Job, favourites: int = 0) -> discord.ui.View:
    """The buttons that make sense in a job's present state.

    Of a finished picture the first row draws others, the second makes something of it, and the
    third is about itself.
    """
    view = discord.ui.View(timeout=None)
    match job.state:
        case State.QUEUED | State.RUNNING if job.cancelling:
            view.add_item(CancelButton(job.id, label="Cancelling", disabled=True))
        case State.QUEUED | State.RUNNING:
            view.add_item(CancelButton(job.id))
        case State.DONE:
            for row, kinds in enumerate(_FINISHED):
                for kind in kinds:
                    view.add_item(kind(job.id, row=row))
            view.add_item(FavouriteButton(job.id, row=2, label=favourite_label(favourites)))
            view.add_item(AgainButton(job.id, row=2))
            view.add_item(DeleteButton(job.id, row=2))
        case State.FAILED | State.CANCELLED:
            view.add_item(AgainButton(job.id))
            view.add_item(RemixButton(job.id))
            view.add_item(DeleteButton(job.id))
    return view


_FINISHED: tuple[tuple[type[JobButton], ...], ...] = (
    (RerollButton, VariationsButton, RemixButton, UpscaleButton),
    (TimeLapseButton, PaletteButton, ExportButton, InfoButton),
)
