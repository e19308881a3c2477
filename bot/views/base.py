"""What every button has in common: a job's number in its id, and one way to refuse."""

import re
from typing import TYPE_CHECKING, Any, ClassVar, Self

import discord

from bot.errors import Refusal, answer_error
from bot.jobs import Job
from bot.logs import about_job

if TYPE_CHECKING:
    from bot.app import PixelBot


class JobButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=r"pixel:none"):
    """A button for one job; a subclass names its action, its look, and what it does.

    Its id is ``pixel:<action>:<job>``; discord.py makes the button anew from that when it is
    pressed, in whichever process.
    """

    action: ClassVar[str]
    label: ClassVar[str]
    emoji: ClassVar[str]
    style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init__(self, job_id: int) -> None:
        super().__init__(
            discord.ui.Button(
                label=self.label,
                emoji=self.emoji,
                style=self.style,
                custom_id=f"pixel:{self.action}:{job_id}",
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
        job = await interaction.client.store.get(self.job_id)
        if job is None:
            raise Refusal("This picture is not in my records any more.")
        return job
