"""Variations: four pictures that share a message, and the buttons below it."""

from typing import TYPE_CHECKING

import discord

from bot.deleting import delete_pictures
from bot.errors import Refusal, say
from bot.intake import check_permissions, enqueue
from bot.jobs import Group, Job, State
from bot.label import message_link
from bot.options import without_seed
from bot.views.base import JOB, JobButton, check_finished, check_owner
from bot.views.keeping import ask_to_delete

if TYPE_CHECKING:
    from bot.app import PixelBot

VARIATIONS = 4


class VariationsButton(JobButton, template=rf"pixel:variations:{JOB}"):
    """The same settings with four new seeds, in one message; they belong to whoever presses it."""

    action = "variations"
    label = "Variations"
    emoji = "✨"

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Queue them."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        check_permissions(interaction)
        await enqueue(
            interaction,
            without_seed(job.asked),
            init_image=job.init_image,
            parent=job,
            relation="variation",
            count=VARIATIONS,
        )


class TakeButton(JobButton, template=rf"pixel:take:{JOB}"):
    """Takes one picture out of its group into a message of its own, as it is."""

    action = "take"
    label = "U"
    emoji = None

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Post it, or tell where it is."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        check_finished(job)
        check_permissions(interaction)
        bot = interaction.client
        if await bot.store.take_out(job):
            taken = await bot.store.get(job.id)
            assert taken is not None
            bot.reporter.notify(taken, urgent=True)
            await say(interaction, f"#{job.id} gets a message of its own.")
        else:
            await say(interaction, f"It has a message of its own already: {message_link(job)}")


class CancelGroupButton(JobButton, template=rf"pixel:cancel-group:{JOB}"):
    """Stops all pictures of a job's group; for their owner and for moderators."""

    action = "cancel-group"
    label = "Cancel all"
    emoji = "🛑"
    style = discord.ButtonStyle.danger

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Cancel those that are not finished."""
        check_owner(interaction, job, "cancel")
        await interaction.response.defer(ephemeral=True, thinking=True)
        bot = interaction.client
        group = await _group(interaction, job)
        cancelled = [
            other.id
            for other in group.jobs
            if not other.state.final and await bot.dispatcher.cancel(other.id)
        ]
        if not cancelled:
            raise Refusal("None of these pictures is waiting or being drawn any more.")
        await say(interaction, f"{', '.join(f'#{number}' for number in cancelled)}: cancelled.")


class DeleteGroupButton(JobButton, template=rf"pixel:delete-group:{JOB}"):
    """Asks whether all pictures of a job's group are to be deleted."""

    action = "delete-group"
    label = "Delete all"
    emoji = "🗑️"

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Ask."""
        check_owner(interaction, job, "delete")
        group = await _group(interaction, job)
        if not group.final:
            raise Refusal("These pictures are not finished; cancel them first.")
        what = ", ".join(f"#{other.id}" for other in group.jobs)
        await ask_to_delete(interaction, what, ReallyDeleteGroupButton(job.id))


class ReallyDeleteGroupButton(JobButton, template=rf"pixel:really-delete-group:{JOB}"):
    """Deletes them."""

    action = "really-delete-group"
    label = "Delete all for good"
    emoji = "🗑️"
    style = discord.ButtonStyle.danger

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Delete them, and say so instead of the question."""
        check_owner(interaction, job, "delete")
        await interaction.response.defer()
        group = await _group(interaction, job)
        await delete_pictures(interaction.client, [j for j in group.jobs if j.state.final])
        await interaction.edit_original_response(content="They are deleted.", view=None)


def group_buttons(group: Group) -> discord.ui.View:
    """One button for each picture, and one for all; they name the group by one of its jobs."""
    view = discord.ui.View(timeout=None)
    for number, job in enumerate(group.jobs, start=1):
        unfinished = job.state is not State.DONE
        view.add_item(TakeButton(job.id, label=f"U{number}", disabled=unfinished))
    running = [job for job in group.jobs if not job.state.final]
    if group.final:
        view.add_item(DeleteGroupButton(group.first.id))
    elif all(job.cancelling for job in running):
        view.add_item(CancelGroupButton(group.first.id, label="Cancelling", disabled=True))
    else:
        view.add_item(CancelGroupButton(group.first.id))
    return view


async def _group(interaction: discord.Interaction["PixelBot"], job: Job) -> Group:
    group = None
    if job.group_id is not None:
        group = await interaction.client.store.group(job.group_id)
    if group is None:
        raise Refusal("These pictures were deleted.")
    return group
