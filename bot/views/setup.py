"""The pages of `/setup`: each has a few preferences of the server or of one channel.

The controls carry the page and the channel in their ids and nothing else; who presses them is
checked each time.
"""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import discord
from discord import ui

from bot.errors import Refusal, answer_error
from bot.intake import missing_permissions
from bot.preferences import PREFERENCE, PREFERENCES, USUAL, check_together, read_preference
from bot.store import Scope
from bot.texts import harmless
from engine.settings import OPTION

if TYPE_CHECKING:
    from bot.app import PixelBot

_FORM_ID = "pixel:setup-form"
_PATIENCE = 3600.0
_LONGEST_LINE, _LONGEST_FIELD = 300, 4000
_MOST_LISTED = 900

_TEXT_CHANNELS = [
    *(discord.ChannelType.text, discord.ChannelType.news, discord.ChannelType.forum),
    *(discord.ChannelType.voice, discord.ChannelType.stage_voice),
]
_ONE_CHANNEL = [*_TEXT_CHANNELS, discord.ChannelType.public_thread]
_BOARDS = [discord.ChannelType.text, discord.ChannelType.news]

_IN_WORDS: Mapping[tuple[str, str], str] = {
    ("spoiler", "never"): "None",
    ("spoiler", "words"): "Those with listed words",
    ("spoiler", "always"): "All",
    ("spoiler", "age"): "All, but not in age-restricted channels",
    ("word_rule", "spoiler"): "Follows the rule for spoilers",
    ("word_rule", "refuse"): "Is refused",
    ("gallery", "true"): "Anybody may see this channel's pictures",
    ("gallery", "false"): "Nobody may see this channel's pictures there",
    ("allowed", "true"): "May be asked for, whatever the server's list says",
    ("allowed", "false"): "May not be asked for, whatever the server's list says",
}


_LABELS: Mapping[str, str] = {
    "allowed": "Pictures here",
    "first_roles": "Roles that come first",
    "waiting_per_user": "Waiting pictures of one person",
    "running_per_user": "Drawn at a time for one person",
    "running_per_guild": "Drawn at a time for this server",
    "cooldown": "Seconds between two of one person",
    "spoiler": "Behind a spoiler",
    "words": "Listed words",
    "word_rule": "A prompt with a listed word",
    "stars": "People who must like a picture",
}
_BY_OPERATOR = "as whoever runs this bot has it"
_UNSET: Mapping[str, str] = {
    "channels": "everywhere",
    "roles": "everybody",
    "first_roles": "nobody",
    "waiting_per_user": _BY_OPERATOR,
    "running_per_user": _BY_OPERATOR,
    "running_per_guild": _BY_OPERATOR,
    "allowed": "as the server's list says",
    **{
        preference.name: _IN_WORDS.get(
            (preference.name, str(preference.default).lower()), str(preference.default)
        )
        for preference in PREFERENCES
        if preference.default is not None
    },
}


@dataclass(frozen=True)
class _Page:
    """What one page is about.

    Attributes:
        selects: what is chosen from lists below it.
        form: what is written in a form that a button opens; five at most.

    """

    title: str
    text: str
    scope: Scope = "guild"
    selects: tuple[str, ...] = ()
    form: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.selects + self.form


_PAGES = (
    _Page(
        "Where, and for whom",
        "Choose the channels in which pictures may be asked for and the roles that may ask, or "
        "none for all; and the roles whose pictures come first, if there are any.",
        selects=("channels", "roles", "first_roles"),
    ),
    _Page(
        "How much",
        "How many pictures this server lets one person have. What is left open is as whoever runs "
        "this bot has it.",
        form=("waiting_per_user", "running_per_user", "running_per_guild", "cooldown"),
    ),
    _Page(
        "Spoilers and words",
        "Words count whole, whatever their case and accents.",
        selects=("spoiler",),
        form=("words", "word_rule"),
    ),
    _Page(
        "What is usual",
        "What pictures are like where people leave it open. What a channel or a person has set "
        "for themselves counts more.",
        form=USUAL,
    ),
    _Page(
        "Starboard",
        "Pictures that many people like are posted once more in a channel of their own.",
        selects=("starboard",),
        form=("stars",),
    ),
    _Page(
        "One channel",
        "What is special in one channel; the list below leads to others.",
        scope="channel",
        selects=("allowed", "gallery"),
        form=USUAL,
    ),
)
_RESULT = len(_PAGES)


@dataclass(frozen=True)
class SetupPage:
    """A page ready to be sent."""

    embed: discord.Embed
    view: ui.View


async def first_page(interaction: discord.Interaction["PixelBot"]) -> SetupPage:
    """Where setting up begins."""
    assert interaction.channel_id is not None
    return await _show(interaction, 0, interaction.channel_id)


class PageButton(
    ui.DynamicItem[ui.Button[ui.View]],
    template=r"pixel:setup:(?P<page>[0-6]):(?P<channel>[0-9]{1,20})",
):
    """Leads to another page."""

    def __init__(self, page: int, channel_id: int, label: str = "Page") -> None:
        super().__init__(
            ui.Button(label=label, custom_id=f"pixel:setup:{page}:{channel_id}"), row=4
        )
        self._page, self._channel_id = page, channel_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make the button again from its id."""
        return cls(int(match["page"]), int(match["channel"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Turn the page."""
        try:
            _check_rights(interaction)
            await _turn(interaction, self._page, self._channel_id)
        except Exception as error:  # noqa: BLE001 - discord.py would log it and leave the person alone
            await answer_error(interaction, error)


class FormButton(
    ui.DynamicItem[ui.Button[ui.View]],
    template=r"pixel:setup-write:(?P<page>[0-5]):(?P<channel>[0-9]{1,20})",
):
    """Opens the form of a page."""

    def __init__(self, page: int, channel_id: int) -> None:
        super().__init__(
            ui.Button(
                label="Write …",
                style=discord.ButtonStyle.primary,
                custom_id=f"pixel:setup-write:{page}:{channel_id}",
            ),
            row=4,
        )
        self._page, self._channel_id = page, channel_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make the button again from its id."""
        return cls(int(match["page"]), int(match["channel"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Open it, filled in with what is set."""
        try:
            _check_rights(interaction)
            scope, scope_id = _scope(interaction, self._page, self._channel_id)
            values = await interaction.client.store.preferences(scope, scope_id)
            form = SetupForm(interaction, self._page, self._channel_id, values)
            await interaction.response.send_modal(form)
        except Exception as error:  # noqa: BLE001 - discord.py would log it and leave the person alone
            await answer_error(interaction, error)


class SetupSelect(
    ui.DynamicItem[ui.Item[ui.View]],
    template=r"pixel:setup-set:(?P<name>[a-z_]+):(?P<page>[0-5]):(?P<channel>[0-9]{1,20})",
):
    """A list from which a preference is chosen; “channel” chooses which channel is set up."""

    def __init__(self, item: ui.Item[Any], name: str, page: int, channel_id: int) -> None:
        super().__init__(item)
        self._name, self._page, self._channel_id = name, page, channel_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make the list again from its id; what is in it is in the message."""
        return cls(item, match["name"], int(match["page"]), int(match["channel"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Keep what was chosen."""
        try:
            _check_rights(interaction)
            data: Mapping[str, Any] = interaction.data or {}
            chosen = data["values"]
            _check_list(self._page, self._name)
            if self._name == "channel":
                self._channel_id = int(chosen[0])
                _scope(interaction, self._page, self._channel_id)
            else:
                value = _chosen(self._name, chosen)
                await _keep(interaction, self._page, self._channel_id, {self._name: value})
            await _turn(interaction, self._page, self._channel_id)
        except Exception as error:  # noqa: BLE001 - discord.py would log it and leave the person alone
            await answer_error(interaction, error)


BUTTONS = (PageButton, FormButton, SetupSelect)


class SetupForm(ui.Modal):
    """What is written on a page."""

    def __init__(
        self,
        interaction: discord.Interaction["PixelBot"],
        page: int,
        channel_id: int,
        values: Mapping[str, object],
    ) -> None:
        super().__init__(
            title=_PAGES[page].title,
            custom_id=f"{_FORM_ID}:{secrets.token_hex(8)}",
            timeout=_PATIENCE,
        )
        interaction.client.forms[self.custom_id] = self
        self._page, self._channel_id = page, channel_id
        self._fields = {name: _field(name, values.get(name)) for name in _PAGES[page].form}
        for name, item in self._fields.items():
            meaning = PREFERENCE[name].meaning
            self.add_item(ui.Label(text=_label(name), description=meaning, component=item))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Keep what is written, or say why not and give it back."""
        try:
            _check_rights(interaction)
            values = {name: self._written(name) for name in self._fields}
            await _keep(interaction, self._page, self._channel_id, values)
            await _turn(interaction, self._page, self._channel_id)
        except Exception as error:  # noqa: BLE001 - discord.py would log it and leave the person alone
            written = "\n".join(str(self._written(name) or "") for name in self._fields)
            await answer_error(interaction, error, written=written)

    def _written(self, name: str) -> object:
        field = self._fields[name]
        if isinstance(field, ui.TextInput):
            return field.value.strip() or None
        return next(iter(field.values), None)


def _field(name: str, value: object) -> ui.TextInput[SetupForm] | ui.Select[SetupForm]:
    choices = _choices(name)
    if choices:
        return ui.Select(
            custom_id=name,
            placeholder="As usual",
            options=[
                discord.SelectOption(label=label, value=choice, default=choice == value)
                for choice, label in choices
            ],
            min_values=0,
            required=False,
        )
    long = PREFERENCE[name].kind == "words"
    default = "\n".join(map(str, value)) if isinstance(value, list) else value
    return ui.TextInput(
        custom_id=name,
        style=discord.TextStyle.paragraph if long else discord.TextStyle.short,
        default=None if default is None else str(default),
        placeholder=PREFERENCE[name].allowed[:100],
        max_length=_LONGEST_FIELD if long else _LONGEST_LINE,
        required=False,
    )


def _choices(name: str) -> list[tuple[str, str]]:
    """What a preference may be, and how that is called; empty for what is written."""
    preference = PREFERENCE[name]
    match preference.kind:
        case "setting":
            values: Sequence[str] = OPTION[name].choices
        case "flag":
            values = ("true", "false")
        case _:
            values = preference.choices
    return [(value, _IN_WORDS.get((name, value), value)) for value in values]


def _chosen(name: str, values: Sequence[str]) -> object:
    """What a list's values, as Discord sends them, say; None if nothing was chosen."""
    match PREFERENCE[name].kind:
        case "channels" | "roles":
            return [int(value) for value in values] or None
        case "channel":
            return int(values[0]) if values else None
        case _:
            return values[0] if values else None


def _check_rights(interaction: discord.Interaction["PixelBot"]) -> None:
    interaction.client.admission.check_entry(interaction.user.id)
    if interaction.guild is None or not interaction.permissions.manage_guild:
        raise Refusal("Only those who may manage this server can set it up.")


def _check_list(number: int, name: str) -> None:
    """Make sure that a page has such a list."""
    page = _PAGES[number]
    if name not in page.selects and not (name == "channel" and page.scope == "channel"):
        raise Refusal("There is no such list on this page; open /setup once more.")


def _scope(
    interaction: discord.Interaction["PixelBot"], page: int, channel_id: int
) -> tuple[Scope, int]:
    """Whose preferences a page shows; a channel must be one of this server's."""
    assert interaction.guild is not None
    if page == _RESULT or _PAGES[page].scope == "guild":
        return "guild", interaction.guild.id
    if interaction.guild.get_channel_or_thread(channel_id) is None:
        raise Refusal("I do not see this channel; let me view it, or choose another one.")
    return "channel", channel_id


async def _keep(
    interaction: discord.Interaction["PixelBot"],
    page: int,
    channel_id: int,
    values: Mapping[str, object],
) -> None:
    """Set what a page's list or form says; nothing if anything of it cannot be."""
    bot = interaction.client
    scope, scope_id = _scope(interaction, page, channel_id)
    caps = {
        preference.name: getattr(bot.config, preference.name)
        for preference in PREFERENCES
        if preference.capped
    }
    checked = {
        name: None if value is None else read_preference(scope, name, value, caps=caps)
        for name, value in values.items()
    }
    check_together({**await bot.store.preferences(scope, scope_id), **checked})
    for name, value in checked.items():
        await bot.store.set_preference(scope, scope_id, name, value)
    # More may run than before.
    bot.dispatcher.wake()


async def _turn(interaction: discord.Interaction["PixelBot"], page: int, channel_id: int) -> None:
    shown = await _show(interaction, page, channel_id)
    await interaction.response.edit_message(embed=shown.embed, view=shown.view)


async def _show(
    interaction: discord.Interaction["PixelBot"], number: int, channel_id: int
) -> SetupPage:
    assert interaction.guild is not None
    store, guild = interaction.client.store, interaction.guild
    view = ui.View(timeout=None)
    if number == _RESULT:
        embed = await _result(interaction, channel_id)
    else:
        page = _PAGES[number]
        scope, scope_id = _scope(interaction, number, channel_id)
        values = await store.preferences(scope, scope_id)
        lines = [page.text, ""]
        if scope == "channel":
            lines.append(f"<#{channel_id}>")
            view.add_item(_channel_picker(number, channel_id))
        lines += [_line(name, values.get(name)) for name in page.names]
        embed = discord.Embed(description="\n".join(lines))
        embed.title = f"{number + 1} of {_RESULT + 1} · {page.title}"
        if lacking := _lacking(guild, _concerned(page, values, channel_id)):
            embed.add_field(name="What I lack", value=lacking, inline=False)
        for name in page.selects:
            view.add_item(_select(guild, name, values.get(name), number, channel_id))
    if number > 0:
        view.add_item(PageButton(number - 1, channel_id, "Back"))
    if number < _RESULT:
        view.add_item(PageButton(number + 1, channel_id, "Next"))
        if _PAGES[number].form:
            view.add_item(FormButton(number, channel_id))
    return SetupPage(embed, view)


async def _result(interaction: discord.Interaction["PixelBot"], channel_id: int) -> discord.Embed:
    """Everything that is set, and what the bot lacks to do it."""
    assert interaction.guild is not None
    store, guild = interaction.client.store, interaction.guild
    values = await store.preferences("guild", guild.id)
    names = [name for page in _PAGES if page.scope == "guild" for name in page.names]
    lines = [_line(name, values[name]) for name in names if name in values]
    lines.append("Everything else is as usual." if lines else "Everything is as usual.")
    known = [channel.id for channel in (*guild.channels, *guild.threads)]
    special = await store.preferences_of("channel", known)
    for one, own in special.items():
        lines += ["", f"<#{one}>"]
        lines += [_line(name, own[name]) for name in _PAGES[-1].names if name in own]
    embed = discord.Embed(description="\n".join(lines)[:_LONGEST_FIELD])
    embed.title = f"{_RESULT + 1} of {_RESULT + 1} · That is set"
    where = dict.fromkeys(
        one for page in _PAGES for one in _concerned(page, values, channel_id)
    ) | dict.fromkeys(special)
    lacking = _lacking(guild, where) or "Nothing: I can show pictures wherever you want them."
    embed.add_field(name="What I lack", value=lacking, inline=False)
    return embed


def _concerned(page: _Page, values: Mapping[str, object], channel_id: int) -> list[int]:
    """The channels in which the bot will have to post by what a page says."""
    concerned: list[int] = []
    for name in page.selects:
        value = values.get(name)
        match PREFERENCE[name].kind:
            case "channels":
                concerned += value if isinstance(value, list) else [channel_id]
            case "channel" if isinstance(value, int):
                concerned.append(value)
    return [channel_id] if page.scope == "channel" else concerned


def _lacking(guild: discord.Guild, channel_ids: Sequence[int] | Mapping[int, None]) -> str:
    """What the bot may not do in some channels, a line for each; empty if all is well."""
    lines = []
    for channel_id in channel_ids:
        channel = guild.get_channel_or_thread(channel_id)
        if channel is None:
            lines.append(f"<#{channel_id}>: I do not see this channel.")
            continue
        granted = channel.permissions_for(guild.me)
        in_thread = isinstance(channel, discord.Thread)
        missing = missing_permissions(granted, in_thread=in_thread, finding=True)
        if missing:
            lines.append(f"<#{channel_id}>: {', '.join(missing)}")
    return "\n".join(lines)[:_MOST_LISTED]


def _channel_picker(page: int, channel_id: int) -> SetupSelect:
    item = ui.ChannelSelect[ui.View](
        custom_id=f"pixel:setup-set:channel:{page}:{channel_id}",
        channel_types=_ONE_CHANNEL,
        placeholder="Which channel",
        default_values=[_default(channel_id, discord.SelectDefaultValueType.channel)],
    )
    return SetupSelect(item, "channel", page, channel_id)


def _select(
    guild: discord.Guild, name: str, value: object, page: int, channel_id: int
) -> SetupSelect:
    preference = PREFERENCE[name]
    custom_id = f"pixel:setup-set:{name}:{page}:{channel_id}"
    # Discord refuses lists that begin with what is not there any more.
    chosen = list(_ids(value))
    item: ui.Item[ui.View]
    match preference.kind:
        case "channels" | "channel":
            several = preference.kind == "channels"
            item = ui.ChannelSelect(
                custom_id=custom_id,
                channel_types=_TEXT_CHANNELS if several else _BOARDS,
                placeholder=preference.meaning,
                min_values=0,
                max_values=25 if several else 1,
                default_values=[
                    _default(one, discord.SelectDefaultValueType.channel)
                    for one in chosen
                    if guild.get_channel(one) is not None
                ],
            )
        case "roles":
            item = ui.RoleSelect(
                custom_id=custom_id,
                placeholder=preference.meaning,
                min_values=0,
                max_values=25,
                default_values=[
                    _default(one, discord.SelectDefaultValueType.role)
                    for one in chosen
                    if guild.get_role(one) is not None
                ],
            )
        case _:
            item = ui.Select(
                custom_id=custom_id,
                placeholder=preference.meaning,
                min_values=0,
                options=[
                    discord.SelectOption(
                        label=label, value=choice, default=choice == _as_choice(value)
                    )
                    for choice, label in _choices(name)
                ],
            )
    return SetupSelect(item, name, page, channel_id)


def _default(snowflake: int, kind: discord.SelectDefaultValueType) -> discord.SelectDefaultValue:
    return discord.SelectDefaultValue(id=snowflake, type=kind)


def _ids(value: object) -> Iterator[int]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, int):
            yield one


def _as_choice(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _label(name: str) -> str:
    return _LABELS.get(name, name.capitalize())


def _line(name: str, value: object) -> str:
    """A preference and what it is set to, for people."""
    preference = PREFERENCE[name]
    if value is None:
        return f"**{_label(name)}** {_UNSET.get(name, 'not set')}"
    match preference.kind:
        case "channels":
            shown = " ".join(f"<#{one}>" for one in _ids(value))
        case "channel":
            shown = f"<#{value}>"
        case "roles":
            shown = " ".join(f"<@&{one}>" for one in _ids(value))
        case "words" if isinstance(value, list):
            shown = f"||{harmless(', '.join(map(str, value)), _LONGEST_LINE)}||"
        case _:
            choice = str(_as_choice(value))
            shown = harmless(_IN_WORDS.get((name, choice), choice), _LONGEST_LINE)
    return f"**{_label(name)}** {shown}"
