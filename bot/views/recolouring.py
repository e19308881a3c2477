"""Palette: a picture in other colours, looked at first and then posted."""

import re
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from bot.answers import made, picture_file, post_answer
from bot.errors import Refusal, answer_error
from bot.jobs import Job
from bot.label import no_picture
from bot.translations import phrase
from bot.views.asking import FORM_ID
from bot.views.base import JOB, JobButton, check_finished, find_job
from bot.workshop.orders import Recolouring
from engine.palettes import PALETTES, parse_palette

if TYPE_CHECKING:
    from bot.app import PixelBot

# What an embed's field has room for, and its marks.
_LONGEST_PALETTE = 1000
_OWN = "own colours"
_PATIENCE = 3600.0


class PaletteButton(JobButton, template=rf"pixel:palette:{JOB}"):
    """Offers palettes, to whoever presses it alone."""

    action = "palette"
    label = "Palette"
    emoji = "🎨"

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Show the list."""
        check_finished(job)
        view = ui.View(timeout=None)
        view.add_item(PaletteSelect(job.id))
        await interaction.response.send_message(
            f"#{job.id} in other colours: choose some, and look before you post it.",
            view=view,
            ephemeral=True,
        )


class PaletteSelect(ui.DynamicItem[ui.Select[ui.View]], template=rf"pixel:recolour:{JOB}"):
    """The list of palettes; shows the picture in the one that is chosen."""

    def __init__(self, job_id: int) -> None:
        options = [
            discord.SelectOption(label=name, description=f"{len(colours)} colours")
            for name, colours in PALETTES.items()
        ]
        own = discord.SelectOption(label="Other colours …", value=_OWN, emoji="✏️")
        super().__init__(
            ui.Select(
                custom_id=f"pixel:recolour:{job_id}",
                placeholder="Palette",
                options=[*options, own],
            )
        )
        self.job_id = job_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make the list again from its id."""
        return cls(int(match["job"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the picture in what was chosen, or ask for colours."""
        try:
            interaction.client.admission.check_entry(interaction.user.id)
            job = await find_job(interaction, self.job_id)
            (chosen,) = self.item.values
            if chosen == _OWN:
                await interaction.response.send_modal(PaletteForm(interaction, job.id))
                return
            await _show(interaction, job, chosen)
        except Exception as error:  # noqa: BLE001 - discord.py would log it and leave the person alone
            await answer_error(interaction, error)


class PaletteForm(ui.Modal):
    """Asks for colours in words, for a job's picture."""

    def __init__(self, interaction: discord.Interaction["PixelBot"], job_id: int) -> None:
        say = partial(phrase, interaction.locale)
        super().__init__(
            title=say("labels", "Other colours"),
            custom_id=f"{FORM_ID}{secrets.token_hex(8)}",
            timeout=_PATIENCE,
        )
        interaction.client.forms[self.custom_id] = self
        self._job_id = job_id
        self._palette = ui.TextInput[PaletteForm](
            custom_id="palette",
            placeholder="red->rust\\8   ·   #1a1c2c #f4f4f4 #b13e53",
            max_length=_LONGEST_PALETTE,
        )
        self.add_item(
            ui.Label(
                text=say("labels", "Colours"),
                description=say("descriptions", "Names, hex colours, lists or ramps."),
                component=self._palette,
            )
        )

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Show the picture in them, or say why not and give them back."""
        try:
            interaction.client.admission.check_entry(interaction.user.id)
            await _show(interaction, await find_job(interaction, self._job_id), self._palette.value)
        except Exception as error:  # noqa: BLE001 - discord.py would log it and leave the person alone
            await answer_error(interaction, error, written=self._palette.value)


class PostPaletteButton(JobButton, template=rf"pixel:post-palette:{JOB}"):
    """Posts what is being looked at; in which colours that is stands above the button."""

    action = "post-palette"
    label = "Post it"
    emoji = "📌"
    style = discord.ButtonStyle.primary

    async def press(self, interaction: discord.Interaction["PixelBot"], job: Job) -> None:
        """Make it once more, and post it."""
        assert interaction.message is not None
        shown = [field.value for embed in interaction.message.embeds for field in embed.fields]
        palette = (shown[0] or "").strip("`") if shown else ""
        parse_palette(palette)
        make = partial(_recoloured, interaction, job, palette)
        what = f"{palette} version" if palette in PALETTES else f"version in {palette}"
        await post_answer(interaction, job, what, make, ending="-recoloured.png")


async def _show(interaction: discord.Interaction["PixelBot"], job: Job, palette: str) -> None:
    """Show a picture in other colours below the list, instead of what was shown before."""
    text = " ".join(palette.split())
    parse_palette(text)
    await interaction.response.defer()
    png = await _recoloured(interaction, job, text)
    embed = discord.Embed(colour=discord.Colour.from_rgb(*parse_palette(text)[0]))
    # No text that can be read as a palette holds a backtick.
    embed.add_field(name="Palette", value=f"`{text}`")
    view = ui.View(timeout=None)
    view.add_item(PaletteSelect(job.id))
    view.add_item(PostPaletteButton(job.id))
    await interaction.edit_original_response(
        embed=embed, view=view, attachments=[picture_file(job, png, "-recoloured.png")]
    )


async def _recoloured(
    interaction: discord.Interaction["PixelBot"], job: Job, palette: str
) -> bytes:
    found = await interaction.client.pictures.find(check_finished(job))
    if found is None:
        raise Refusal(no_picture(job))
    png = await made(interaction, Recolouring(str(found), parse_palette(palette)))
    if len(png) > interaction.filesize_limit:
        raise Refusal("In these colours it would be too large to be posted here.")
    return png
