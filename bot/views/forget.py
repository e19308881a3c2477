"""The button that deletes everything of whoever presses it."""

import re
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from bot.errors import Refusal, answer_error
from bot.store import Forgotten

if TYPE_CHECKING:
    from bot.app import PixelBot


class ForgetButton(
    ui.DynamicItem[ui.Button[ui.View]], template=r"pixel:forget:(?P<user>[0-9]{1,20})"
):
    """Deletes what is kept of one person; its id names them, and nobody else may press it."""

    def __init__(self, user_id: int) -> None:
        super().__init__(
            ui.Button(
                label="Delete everything",
                style=discord.ButtonStyle.danger,
                custom_id=f"pixel:forget:{user_id}",
            )
        )
        self._user_id = user_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make the button again from its id."""
        return cls(int(match["user"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Delete it, or say why not."""
        try:
            await self._press(interaction)
        except Exception as error:  # noqa: BLE001 - discord.py would log it and leave the person alone
            await answer_error(interaction, error)

    async def _press(self, interaction: discord.Interaction["PixelBot"]) -> None:
        if interaction.user.id != self._user_id:
            raise Refusal("This is somebody else's button; type /forget for your own.")
        interaction.client.admission.check_presence()
        await interaction.response.edit_message(
            content="I am deleting everything; with many pictures that takes a while.", view=None
        )
        forgotten = await interaction.client.forgetter.forget(interaction.user.id)
        await interaction.edit_original_response(content=_result(forgotten))


BUTTONS = (ForgetButton,)


def _result(forgotten: Forgotten) -> str:
    pictures = "1 picture is" if forgotten.pictures == 1 else f"{forgotten.pictures} pictures are"
    done = f"Done: {pictures} deleted, and everything else that I kept about you."
    match forgotten.unreachable:
        case 0:
            return done
        case 1:
            left = "1 message is where I may not delete it"
        case several:
            left = f"{several} messages are where I may not delete them"
    return f"{done} {left} (any more); the moderators there can."
