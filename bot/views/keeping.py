"""The buttons about a picture itself: Info, Favourite, Delete."""

from typing import TYPE_CHECKING

import discord

from bot.deleting import delete_pictures
from bot.errors import Refusal
from bot.info import job_info
from bot.jobs import Job
from bot.starboard import favourited
from bot.views.base import JOB, JobButton, check_finished, check_owner

if TYPE_CHECKING:
    from bot.app import PixelBot


class InfoButton(JobButton, template=rf"pixel:info:{JOB}"):
    """Everything that is known of a picture, for whoever presses it alone."""

    action = "info"
    label = "Info"
    emoji = "ℹ️"

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Show it."""
        embed = await job_info(interaction, job)
        await interaction.response.send_message(embed=embed, ephemeral=True)


class FavouriteButton(JobButton, template=rf"pixel:favourite:{JOB}"):
    """Makes a picture a favourite of whoever presses it, or takes that back; shows of how many."""

    action = "favourite"
    label = "Favourite"
    emoji = "⭐"

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Count them, and show it on this message's button."""
        check_finished(job)
        store = interaction.client.store
        await store.toggle_favourite(interaction.user.id, job)
        assert interaction.message is not None
        view = discord.ui.View.from_message(interaction.message, timeout=None)
        for item in view.children:
            if isinstance(item, discord.ui.Button) and item.custom_id == self.custom_id:
                item.label = favourite_label(await store.count_favourites(job.id))
        # Its buttons are answered by their ids: nothing must be remembered of this view.
        view.stop()
        await interaction.response.edit_message(view=view)
        await favourited(interaction.client, job)


def favourite_label(people: int) -> str:
    """What the button says when a picture is a favourite of so many."""
    return f"Favourite · {people}" if people else "Favourite"


class DeleteButton(JobButton, template=rf"pixel:delete:{JOB}"):
    """Asks whether a picture is to be deleted; for its owner and for moderators."""

    action = "delete"
    label = "Delete"
    emoji = "🗑️"

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Ask."""
        check_owner(interaction, job, "delete")
        if not job.state.final:
            raise Refusal("This picture is not finished; cancel it first.")
        await ask_to_delete(interaction, f"#{job.id}", ReallyDeleteButton(job.id))


class ReallyDeleteButton(JobButton, template=rf"pixel:really-delete:{JOB}"):
    """Deletes it."""

    action = "really-delete"
    label = "Delete for good"
    emoji = "🗑️"
    style = discord.ButtonStyle.danger

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Delete it, and say so instead of the question."""
        check_owner(interaction, job, "delete")
        await interaction.response.defer()
        await delete_pictures(interaction.client, [job])
        await interaction.edit_original_response(content=f"#{job.id} is deleted.", view=None)


async def ask_to_delete(
    interaction: discord.Interaction["PixelBot"], what: str, button: JobButton
) -> None:
    """Ask whoever pressed Delete once more."""
    view = discord.ui.View(timeout=None)
    view.add_item(button)
    await interaction.response.send_message(
        f"Delete {what} for good? The files, the message, and what was made of it and posted "
        "will be gone for everyone.",
        view=view,
        ephemeral=True,
    )
