"""Leafing through pictures, newest first: nine on a sheet, or one at a time.

Nothing is remembered: a control's id says whose pictures are meant and beside which job they lie,
and the words that were searched stand in the footer of the message, which is the bot's own.
"""

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import discord

from bot.access import channels_to_see, may_see
from bot.errors import Refusal, answer_error
from bot.jobs import Job
from bot.label import message_link, prompt_of
from bot.logs import about_job
from bot.pictures import fit
from bot.store import Excerpt, Wanted
from bot.texts import alt_text, harmless, one_line
from bot.views.base import JOB
from bot.views.showing import Page, choices, picture_page

if TYPE_CHECKING:
    from bot.app import PixelBot

# Whose pictures are meant; the last two are those of one person, as far as they may be seen.
Of = Literal["mine", "channel", "server", "favourites", "by", "by-here"]
Way = Literal["older", "newer"]

ON_A_SHEET = 9

_TITLES: dict[Of, str] = {
    "mine": "Your pictures",
    "channel": "Pictures of this channel",
    "server": "Pictures of this server",
    "favourites": "Your favourites",
    "by": "Somebody's pictures",
    "by-here": "Somebody's pictures in this channel",
}
_NONE_YET: dict[Of, str] = {
    "mine": "You have no pictures yet; /pixel draws one.",
    "channel": "No picture was finished in this channel yet; /pixel draws one.",
    "server": "No picture was finished in this server yet; /pixel draws one.",
    "favourites": "You have no favourites yet among the pictures that you may see here.",
    "by": "They have no pictures in this server that I could show you here.",
    "by-here": "They have no pictures in this channel.",
}
_SEARCHED = "Searched for: "
_PROMPT_LIMIT = 90
_COLOUR = discord.Colour(0x5865F2)


def wanted(
    interaction: discord.Interaction["PixelBot"], of: Of, *, by: int | None, words: str
) -> Wanted:
    """What is looked for, for whoever clicked or typed and where they did."""
    here = set() if interaction.channel_id is None else {interaction.channel_id}
    viewer = interaction.user.id
    match of:
        case "mine":
            return Wanted(viewer, by=viewer, words=words)
        case "channel":
            return Wanted(viewer, here, words=words)
        case "server":
            return Wanted(viewer, channels_to_see(interaction), words=words)
        case "favourites":
            return Wanted(viewer, channels_to_see(interaction), favourites=True, words=words)
        case "by":
            return Wanted(viewer, channels_to_see(interaction), by=by, words=words)
        case "by-here":
            return Wanted(viewer, here, by=by, words=words)


async def sheet_page(
    interaction: discord.Interaction["PixelBot"],
    of: Of,
    *,
    by: int | None = None,
    words: str = "",
    edge: int | None = None,
    way: Way = "older",
) -> Page:
    """Nine pictures on one sheet.

    Args:
        interaction: who looks, and where.
        of: whose pictures.
        by: whom `of` means, if it is one person.
        words: what the prompts hold.
        edge: the job that they begin beside; None for the newest.
        way: to which side of it they lie.

    Raises:
        Refusal: when there are none.

    """
    bot = interaction.client
    search = wanted(interaction, of, by=by, words=words)
    found = await bot.store.excerpt(search, edge=edge, direction=way, limit=ON_A_SHEET)
    if not found.jobs and edge is not None:
        # Those that were there are deleted by now.
        found = await bot.store.excerpt(search, edge=None, direction="older", limit=ON_A_SHEET)
    if not found.jobs:
        raise Refusal(
            f"No prompt among these pictures holds “{harmless(words, 100)}”."
            if words
            else _NONE_YET[of]
        )
    jobs = found.jobs
    lines = [_line(job, of) for job in jobs]
    if of in ("by", "by-here"):
        lines.insert(0, f"by <@{jobs[0].user_id}>")
    embed = discord.Embed(title=_TITLES[of], description="\n".join(lines), colour=_COLOUR)
    if words:
        embed.set_footer(text=f"{_SEARCHED}{words}")
    view = discord.ui.View(timeout=None)
    view.add_item(OpenSelect(of, jobs[0].id, jobs))
    if found.newer:
        view.add_item(NewerButton(of, jobs[0].id))
    if found.older:
        view.add_item(OlderButton(of, jobs[-1].id))
    png = await bot.sheets.contact_sheet(jobs)
    png = await fit(png, interaction.filesize_limit) if png is not None else None
    if png is None:
        embed.add_field(name="Sheet", value="It could not be made; open the pictures one by one.")
        return Page(embed, view, [])
    shown = "; ".join(f"#{job.id} {one_line(job.prompt)}" for job in jobs)
    file = discord.File(
        io.BytesIO(png),
        "pictures.png",
        spoiler=any(job.spoiler for job in jobs),
        description=alt_text(shown),
    )
    return Page(embed, view, [file])


async def single_page(
    interaction: discord.Interaction["PixelBot"], of: Of, found: Excerpt, *, words: str
) -> Page:
    """One of the pictures, with its buttons, and those that lead to the others."""
    (job,) = found.jobs
    page = await picture_page(interaction, job)
    if words:
        page.embed.set_footer(text=f"{page.embed.footer.text} · {_SEARCHED}{words}")
    page.buttons.add_item(SheetButton(of, job.id))
    if found.newer:
        page.buttons.add_item(PreviousButton(of, job.id))
    if found.older:
        page.buttons.add_item(NextButton(of, job.id))
    return page


class _Control(discord.ui.DynamicItem[Any], template=r"pixel:none"):
    """Something that leads from one page to another; its id is ``pixel:<action>:<of>:<job>``."""

    action: ClassVar[str]

    def __init__(self, item: discord.ui.Item[Any], of: Of, job_id: int) -> None:
        super().__init__(item)
        self.of: Of = of
        self.job_id = job_id

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Turn the page, or say why not."""
        with about_job(self.job_id):
            try:
                interaction.client.admission.check_entry(interaction.user.id)
                by = await self._by(interaction)
                await interaction.response.defer()
                page = await self.turn(interaction, by, _words(interaction.message))
                await page.send(interaction)
            except Exception as error:  # noqa: BLE001 - discord.py would leave the person alone
                await answer_error(interaction, error)

    async def turn(
        self, interaction: discord.Interaction["PixelBot"], by: int | None, words: str
    ) -> Page:
        """The page that it leads to."""
        raise NotImplementedError

    async def _by(self, interaction: discord.Interaction["PixelBot"]) -> int | None:
        """Whose pictures these are, if they are one person's: the job is theirs, too."""
        if self.of in ("channel", "server", "favourites"):
            return None
        job = await interaction.client.store.get(self.job_id)
        if job is None or (self.of != "mine" and not may_see(interaction, job)):
            raise Refusal("This picture is not in my records any more; begin with /history.")
        if self.of == "mine" and job.user_id != interaction.user.id:
            raise Refusal("These are somebody else's pictures; /history shows yours.")
        return job.user_id


class _LeafButton(_Control, template=r"pixel:none"):
    """Leads to what lies beside a job."""

    label: ClassVar[str]
    emoji: ClassVar[str]
    row: ClassVar[int | None] = None

    def __init__(self, of: Of, job_id: int) -> None:
        super().__init__(
            discord.ui.Button(
                label=self.label,
                emoji=self.emoji,
                custom_id=f"pixel:{self.action}:{of}:{job_id}",
                row=self.row,
            ),
            of,
            job_id,
        )

    @classmethod
    async def from_custom_id(
        cls,
        _interaction: discord.Interaction[Any],
        _item: discord.ui.Item[Any],
        match: re.Match[str],
        /,
    ) -> Self:
        """Make the button again from its id."""
        return cls(_of(match), int(match["job"]))


_ID = rf"(?P<of>{'|'.join(get_args(Of))}):{JOB}"


class OlderButton(_LeafButton, template=rf"pixel:older:{_ID}"):
    """Leads to the next older sheet."""

    action = "older"
    label = "Older"
    emoji = "▶️"

    async def turn(
        self, interaction: discord.Interaction["PixelBot"], by: int | None, words: str
    ) -> Page:
        """The sheet."""
        return await sheet_page(interaction, self.of, by=by, words=words, edge=self.job_id)


class NewerButton(_LeafButton, template=rf"pixel:newer:{_ID}"):
    """Leads to the next newer sheet."""

    action = "newer"
    label = "Newer"
    emoji = "◀️"

    async def turn(
        self, interaction: discord.Interaction["PixelBot"], by: int | None, words: str
    ) -> Page:
        """The sheet."""
        return await sheet_page(
            interaction, self.of, by=by, words=words, edge=self.job_id, way="newer"
        )


class SheetButton(_LeafButton, template=rf"pixel:sheet:{_ID}"):
    """Leads from one picture back to a sheet, which begins with it."""

    action = "sheet"
    label = "Back to the sheet"
    emoji = "🖼️"
    # Below the picture's own buttons, however many they are.
    row = 4

    async def turn(
        self, interaction: discord.Interaction["PixelBot"], by: int | None, words: str
    ) -> Page:
        """The sheet."""
        return await sheet_page(interaction, self.of, by=by, words=words, edge=self.job_id + 1)


class _StepButton(_LeafButton, template=r"pixel:none"):
    """Leads from one picture to the one beside it."""

    way: ClassVar[Way]
    row = 4

    async def turn(
        self, interaction: discord.Interaction["PixelBot"], by: int | None, words: str
    ) -> Page:
        """The picture."""
        found = await interaction.client.store.excerpt(
            wanted(interaction, self.of, by=by, words=words),
            edge=self.job_id,
            direction=self.way,
            limit=1,
        )
        if not found.jobs:
            raise Refusal("That picture is not there any more.")
        return await single_page(interaction, self.of, found, words=words)


class NextButton(_StepButton, template=rf"pixel:next:{_ID}"):
    """Leads to the next older picture."""

    action = "next"
    label = "Older"
    emoji = "▶️"
    way = "older"


class PreviousButton(_StepButton, template=rf"pixel:previous:{_ID}"):
    """Leads to the next newer picture."""

    action = "previous"
    label = "Newer"
    emoji = "◀️"
    way = "newer"


class OpenSelect(_Control, template=rf"pixel:open:{_ID}"):
    """The pictures of a sheet; the one that is chosen takes its place."""

    action = "open"

    def __init__(self, of: Of, job_id: int, jobs: Sequence[Job] = ()) -> None:
        super().__init__(
            discord.ui.Select(
                custom_id=f"pixel:open:{of}:{job_id}",
                placeholder="Open a picture …",
                options=choices(jobs),
            ),
            of,
            job_id,
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
        return cls(_of(match), int(match["job"]))

    async def turn(
        self, interaction: discord.Interaction["PixelBot"], by: int | None, words: str
    ) -> Page:
        """The picture that was chosen, if it still is among those that are meant."""
        job_id = int(self.item.values[0])
        found = await interaction.client.store.excerpt(
            wanted(interaction, self.of, by=by, words=words),
            edge=job_id + 1,
            direction="older",
            limit=1,
        )
        if not found.jobs or found.jobs[0].id != job_id:
            raise Refusal(f"There is no picture #{job_id} that I could show you here.")
        return await single_page(interaction, self.of, found, words=words)


CONTROLS = (OlderButton, NewerButton, SheetButton, NextButton, PreviousButton, OpenSelect)


def _line(job: Job, of: Of) -> str:
    """A picture in the list above its sheet."""
    line = f"{message_link(job)} {prompt_of(job, _PROMPT_LIMIT)}"
    if of in ("channel", "server", "favourites"):
        line += f" · <@{job.user_id}>"
    return f"{line} · <t:{int(job.finished_at or job.asked_at)}:R>"


def _words(message: discord.Message | None) -> str:
    """What was searched, as the message says."""
    for embed in message.embeds if message is not None else ():
        _, searched, words = (embed.footer.text or "").partition(_SEARCHED)
        if searched:
            return words
    return ""


def _of(match: re.Match[str]) -> Of:
    of: Of = match["of"]  # type: ignore[assignment] # the template takes nothing else
    return of
