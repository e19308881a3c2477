"""The buttons below a picture: Reroll, Again, Cancel."""

from typing import TYPE_CHECKING

import discord

from bot.errors import Refusal, say
from bot.intake import check_permissions, enqueue
from bot.jobs import Job, State
from bot.options import without_seed
from bot.views.base import JobButton

if TYPE_CHECKING:
    from bot.app import PixelBot


class RerollButton(JobButton, template=r"pixel:reroll:(?P<job>\d{1,18})"):
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


class AgainButton(JobButton, template=r"pixel:again:(?P<job>\d{1,18})"):
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


class CancelButton(JobButton, template=r"pixel:cancel:(?P<job>\d{1,18})"):
    """Stops this job, waiting or running; for its owner and for moderators."""

    action = "cancel"
    label = "Cancel"
    emoji = "🛑"
    style = discord.ButtonStyle.danger

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Cancel it, if it may be."""
        owner = interaction.user.id == job.user_id
        if not owner and not interaction.permissions.manage_messages:
            raise Refusal(
                "Only whoever asked for this picture, or a moderator who may manage messages, "
                "can cancel it."
            )
        await interaction.response.defer(ephemeral=True, thinking=True)
        if not await interaction.client.dispatcher.cancel(job.id):
            raise Refusal("This picture is not waiting or being drawn any more.")
        await say(interaction, f"#{job.id} is cancelled.")


BUTTONS = (RerollButton, AgainButton, CancelButton)


def job_buttons(job: Job) -> discord.ui.View:
    """The buttons that make sense in a job's present state."""
    view = discord.ui.View(timeout=None)
    match job.state:
        case State.QUEUED | State.RUNNING:
            view.add_item(CancelButton(job.id))
        case State.DONE:
            view.add_item(RerollButton(job.id))
            view.add_item(AgainButton(job.id))
        case State.FAILED | State.CANCELLED:
            view.add_item(AgainButton(job.id))
    return view
