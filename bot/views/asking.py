"""The form in which a picture is asked for: the prompt, and room for every setting."""

import secrets
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot.errors import Refusal, answer_error
from bot.intake import ask, check_permissions, check_size
from bot.jobs import Job, Relation
from bot.label import no_picture
from bot.options import changes_of
from bot.prompt_options import read_lines, write_line
from bot.translations import phrase
from engine.settings import OPTION

if TYPE_CHECKING:
    from bot.app import PixelBot

# Chosen from lists; everything else is written.
_CHOSEN = ("aspect", "quality")

# Begins the id of this form, and of every form.
FORM_ID = "pixel:ask:"
_OURS = "pixel:"
# What Discord takes in a text field.
_LONGEST_FIELD = 4000
# So long somebody may think about what to write, in seconds.
_PATIENCE = 3600.0


class AskForm(ui.Modal):
    """Asks for a picture; queues it when it is sent. Answer an interaction with it by `open`.

    Args:
        interaction: what it answers; it is in the language of whoever that is from.
        job: what is filled in: its prompt and its settings but for the seed. The new picture
            becomes its child, and starts from the same picture unless another one is attached.
        relation: how the new picture is made from `job`; with “start” it starts from the picture
            that `job` has become, which is finished.
        start: a stranger's picture to start from, unless another one is attached. It is fetched
            when the form is sent: its link lives longer than the form.

    Raises:
        Refusal: when the settings of `job` are more than a form has room for, or `start` is too
            large.

    """

    def __init__(
        self,
        interaction: discord.Interaction["PixelBot"],
        job: Job | None = None,
        *,
        relation: Relation = "remix",
        start: discord.Attachment | None = None,
    ) -> None:
        if start is not None:
            check_size(start)
        say = partial(phrase, interaction.locale)
        super().__init__(
            title=say("labels", "Draw a picture")
            if job is None or relation == "start"
            else f"{say('labels', 'Remix')} #{job.id}",
            custom_id=f"{FORM_ID}{secrets.token_hex(8)}",
            timeout=_PATIENCE,
        )
        interaction.client.forms[self.custom_id] = self
        self._parent = job.id if job is not None else None
        self._relation: Relation = relation
        self._start = start
        given = changes_of(job.asked) if job is not None else {}
        if relation == "start":
            # The picture is no line drawing any more.
            given.pop("outline", None)
        lines = "\n".join(
            write_line(name, value) for name, value in given.items() if name not in _CHOSEN
        )
        if len(lines) > _LONGEST_FIELD:
            raise Refusal("This picture has more settings than a form has room for.")
        self._prompt = ui.TextInput[AskForm](
            custom_id="prompt",
            style=discord.TextStyle.paragraph,
            default=job.prompt if job is not None else None,
            placeholder="a lighthouse at dusk",
            max_length=_LONGEST_FIELD,
            # A picture can be asked for without words, by `dream` or by an attachment.
            required=False,
        )
        self._lists = {name: _list(name, given.get(name), interaction.locale) for name in _CHOSEN}
        self._settings = ui.TextInput[AskForm](
            custom_id="settings",
            style=discord.TextStyle.paragraph,
            default=lines or None,
            placeholder="palette pico8\npixel_size 64x36\ntile",
            max_length=_LONGEST_FIELD,
            required=False,
        )
        self._image = ui.FileUpload[AskForm](custom_id="image", required=False)
        self.add_item(ui.Label(text=say("labels", "Prompt"), component=self._prompt))
        for name, component in self._lists.items():
            self.add_item(ui.Label(text=say("labels", name.capitalize()), component=component))
        self.add_item(
            ui.Label(
                text=say("labels", "Settings"),
                description=say(
                    "descriptions", "One a line: its name, and a value unless it is true."
                ),
                component=self._settings,
            )
        )
        chosen = say("descriptions", "The one that you chose, unless you attach another one here.")
        self.add_item(
            ui.Label(
                text=say("labels", "Start from this picture"),
                description=chosen if start is not None or relation == "start" else None,
                component=self._image,
            )
        )

    @classmethod
    async def open(
        cls,
        interaction: discord.Interaction["PixelBot"],
        job: Job | None = None,
        *,
        relation: Relation = "remix",
        start: discord.Attachment | None = None,
    ) -> None:
        """Answer an interaction with a form; the arguments are those of the class.

        It must be the first answer: nothing may be deferred before.

        Raises:
            Refusal: as the class does, and where no picture could be shown.

        """
        check_permissions(interaction)
        await interaction.response.send_modal(cls(interaction, job, relation=relation, start=start))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Queue what is written, or say why not and give it back."""
        try:
            await self._queue(interaction)
        except Exception as error:  # noqa: BLE001 - discord.py would log it and leave the person alone
            written = f"{self._prompt.value}\n{self._settings.value}"
            await answer_error(interaction, error, written=written)

    async def _queue(self, interaction: discord.Interaction["PixelBot"]) -> None:
        # The form may have been open for an hour.
        interaction.client.admission.check_entry(interaction.user.id)
        await interaction.response.defer(ephemeral=True, thinking=True)
        parent = None
        if self._parent is not None:
            parent = await interaction.client.store.get(self._parent)
            if parent is None or parent.deleted_at is not None:
                raise Refusal("The picture that this was to be made from is not there any more.")
        image = next(iter(self._image.values), self._start)
        stored = {}
        if image is None and parent is not None and self._relation == "start":
            stored["init_image"] = await _finished_picture(interaction.client, parent)
        await ask(
            interaction,
            self._prompt.value,
            {name: next(iter(item.values), None) for name, item in self._lists.items()},
            lines=read_lines(self._settings.value),
            attachments={"init_image": image},
            stored=stored,
            parent=parent,
            relation=self._relation if parent is not None else None,
        )


async def _finished_picture(bot: "PixelBot", job: Job) -> str:
    """A finished picture, kept as one to start from; returns its name."""
    png = await bot.pictures.read(job.picture) if job.picture is not None else None
    if png is None:
        raise Refusal(no_picture(job))
    async with bot.decoding:
        return await bot.pictures.save_init((await bot.engine.read_picture(png)).png)


async def answer_lost_form(interaction: discord.Interaction["PixelBot"]) -> None:
    """Give back what was written in a form that is not known any more, if it was one.

    Forms do not outlive the process that opened them; what they were about went with it.
    """
    data: Mapping[str, Any] = interaction.data or {}
    form_id = str(data.get("custom_id", ""))
    if interaction.type is not discord.InteractionType.modal_submit or not form_id.startswith(
        _OURS
    ):
        return
    form = interaction.client.forms.get(form_id)
    if (form is None or form.is_finished()) and not interaction.response.is_done():
        lost = Refusal("I have forgotten what this form was about; open it once more, please.")
        await answer_error(interaction, lost, written="\n".join(_texts(data["components"])))


def _texts(components: list[Mapping[str, Any]]) -> Iterator[str]:
    """What was written in the text fields below labels, in their order."""
    for label in components:
        value = label.get("component", {}).get("value")
        if isinstance(value, str):
            yield value


def _list(name: str, chosen: object, locale: discord.Locale) -> ui.Select[AskForm]:
    """A list of a setting's values, of which one is chosen or none."""
    return ui.Select(
        custom_id=name,
        placeholder=phrase(locale, "descriptions", "As usual, or as the preset has it"),
        options=[
            discord.SelectOption(
                label=phrase(locale, "choices", value), value=value, default=value == chosen
            )
            for value in OPTION[name].choices
        ],
        min_values=0,
        required=False,
    )
