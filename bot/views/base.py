"""What every button has in common: a job's number in its id, and one way to refuse."""

import re
from typing import TYPE_CHECKING, Any, ClassVar, Self

import discord

from bot.access import may_moderate, may_use
from bot.errors import Refusal, answer_error
from bot.jobs import Job
from bot.logs import about_job

if TYPE_CHECKING:
    from bot.app import PixelBot


# How a control's id names a job: in the digits of this world's keyboards, and no more of them than
# `bot.jobs.MAX_JOB_ID` has.
JOB = "(?P<job>[0-9]{1,16})"


class JobButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"pixel:none"):
    """A button for one job; a subclass names its action, its look, and what it does.

    Its id is ``pixel:<action>:<job>``; discord.py makes the button anew from that when it is
    pressed, in whichever process.
    """

    action: ClassVar[str]
    label: ClassVar[str]
    emoji: ClassVar[str | None]
    style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init__(
        self,
        job_id: int,
        *,
        row: int | None = None,
        label: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(
            discord.ui.Button(
                label=label or self.label,
                emoji=self.emoji,
                style=self.style,
                custom_id=f"pixel:{self.action}:{job_id}",
                row=row,
                disabled=disabled,
            )
        )
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        _item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Make the button again from its id."""
        return cls(int(match["job"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do what the button says, or say why not."""
        with about_job(self.job_id):
            try:
                interaction.client.admission.check_entry(interaction.user.id)
                await self.press(interaction, await self._job(interaction))
            except Exception as error:  # noqa: BLE001 - discord.py would leave the person alone
                await answer_error(interaction, error)

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """What the button does."""
        raise NotImplementedError

    async def _job(self, interaction: discord.Interaction["PixelBot"]) -> Job:
        return await find_job(interaction, self.job_id)


async def find_job(interaction: discord.Interaction["PixelBot"], job_id: int) -> Job:
    """The row of a job as it is now.

    Raises:
        Refusal: one and the same when it is gone and when it is nothing to whoever pressed; or
            that its picture was deleted.

    """
    job = await interaction.client.store.get(job_id)
    if job is None or not may_use(interaction, job):
        raise Refusal("This picture is not in my records any more.")
    if job.deleted_at is not None:
        raise Refusal("This picture was deleted.")
    return job


def check_owner(interaction: discord.Interaction["PixelBot"], job: Job, deed: str) -> None:
    """Make sure that whoever pressed may do that: whoever asked for the picture, or a moderator.

    A moderator of where it was made, that is, not of where it was brought to.

    Raises:
        Refusal: naming the `deed`.

    """
    if interaction.user.id != job.user_id and not may_moderate(interaction, job):
        raise Refusal(
            "Only whoever asked for this picture, or a moderator who may manage messages, "
            f"can {deed} it."
        )


def check_finished(job: Job) -> str:
    """Make sure that there is a picture; returns its path.

    Raises:
        Refusal: when it is not finished.

    """
    if job.picture is None:
        raise Refusal("This picture is not finished.")
    return job.picture
