"""What holds for one person in one channel: the nearest of what people and servers have set."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

import discord
import msgspec

from bot.errors import Refusal
from bot.preferences import ALWAYS, LISTED, NEVER, PREFERENCE, REFUSE, USUAL, plain, read_preference
from bot.store import Limits, Scope, Store
from bot.texts import harmless
from engine.errors import SettingsError
from engine.settings import OPTIONS, Settings, make_settings, picture_names

if TYPE_CHECKING:
    from bot.app import PixelBot

# Whose words an option holds.
_TEXTS = tuple(option for option in OPTIONS if option.kind in {"prompts", "labels", "blend"})
# Scripts that put no space between words: in them a listed word is found anywhere.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)

_T = TypeVar("_T")


@dataclass(frozen=True)
class Rules:
    """What a person, a channel and a server have set, the nearest first.

    Attributes:
        layers: each with its scope. A thread comes before its channel.
        channel_ids: the channel, and the one it is a thread of.
        age_restricted: whether Discord shows the channel to adults only.
        role_ids: the person's roles in the server.

    """

    layers: tuple[tuple[Scope, Mapping[str, object]], ...]
    channel_ids: tuple[int, ...]
    age_restricted: bool
    role_ids: frozenset[int] = frozenset()

    @classmethod
    async def of(cls, interaction: discord.Interaction["PixelBot"]) -> Self:
        """Those for whoever typed or clicked, where they did."""
        assert interaction.guild_id is not None
        assert interaction.channel_id is not None
        channel = interaction.channel
        channel_ids = [interaction.channel_id]
        if isinstance(channel, discord.Thread):
            channel_ids.append(channel.parent_id)
        store = interaction.client.store
        layers = [await _layer(store, "user", interaction.user.id)]
        layers += [await _layer(store, "channel", channel_id) for channel_id in channel_ids]
        layers.append(await _layer(store, "guild", interaction.guild_id))
        member = interaction.user
        roles = member.roles if isinstance(member, discord.Member) else []
        return cls(
            tuple(layers),
            tuple(channel_ids),
            is_age_restricted(channel),
            frozenset(role.id for role in roles),
        )

    def nearest(self, name: str) -> tuple[object, Scope | None]:
        """A value, and who has set it; nobody, where it is as usual."""
        for scope, values in self.layers:
            if name in values:
                return values[name], scope
        return PREFERENCE[name].default, None

    def usual(self, given: Mapping[str, object]) -> Settings | None:
        """The settings that stand for what is left out, or None where nobody has set any.

        Of two that contradict each other the nearer one counts. A preset that is `given` stands
        for the one that is set.
        """
        fitting: dict[str, object] = {}
        for _, values in self.layers:
            for name in USUAL:
                if name not in values or name in fitting:
                    continue
                if name == "preset" and given.get("preset") is not None:
                    continue
                try:
                    make_settings({"prompts": "x", **fitting, name: values[name]})
                except SettingsError:
                    continue
                fitting[name] = values[name]
        if not fitting:
            return None
        settings = make_settings({"prompts": "x", **fitting})
        # What to draw is never left to a preference.
        return msgspec.structs.replace(settings, prompts="")

    def check(self, settings: Settings) -> None:
        """Make sure that a picture may be asked for here, by this person, in these words.

        Raises:
            Refusal: saying what this server has decided.

        """
        self._check_channel()
        self._check_roles()
        if self._one("word_rule", str) == REFUSE and (word := self._listed_word(settings)):
            raise Refusal(
                f"This server does not want pictures of “{harmless(word, 100)}”; "
                "please ask for something else."
            )

    def hides(self, settings: Settings) -> bool:
        """Whether a picture is posted behind a spoiler here."""
        match self._one("spoiler", str):
            case policy if policy == NEVER:
                return False
            case policy if policy == ALWAYS:
                return True
            case policy if policy == LISTED:
                return self._listed_word(settings) is not None
            case _:
                return not self.age_restricted

    @property
    def limits(self) -> Limits:
        """How much one person may ask for here."""
        waiting, _ = self.nearest("waiting_per_user")
        first = self._one("first_roles", list, [])
        return Limits(
            waiting=waiting if isinstance(waiting, int) else None,
            cooldown=self._one("cooldown", int),
            yields=bool(first) and self.role_ids.isdisjoint(first),
        )

    def _check_channel(self) -> None:
        allowed, scope = self.nearest("allowed")
        listed = self._one("channels", list, [])
        if scope is None:
            allowed = not listed or any(channel in listed for channel in self.channel_ids)
        if allowed:
            return
        where = f"; they are in {_all_of('<#{}>', listed)}" if listed else ""
        raise Refusal(f"No pictures are drawn in this channel{where}.")

    def _check_roles(self) -> None:
        wanted = self._one("roles", list, [])
        if wanted and self.role_ids.isdisjoint(wanted):
            raise Refusal(
                f"In this server only some roles may ask for pictures: {_all_of('<@&{}>', wanted)}."
            )

    def _listed_word(self, settings: Settings) -> str | None:
        """The first listed word that is in what is asked for."""
        words = self._one("words", list, [])
        texts = [plain(text) for text in _texts_of(settings)]
        for word in words:
            pattern = _whole_word(plain(str(word)))
            if any(pattern.search(text) for text in texts):
                return str(word)
        return None

    def _one(self, name: str, kind: type[_T], default: _T | None = None) -> _T:
        value, _ = self.nearest(name)
        if not isinstance(value, kind):
            value = default
        assert isinstance(value, kind)
        return value


def is_age_restricted(channel: object) -> bool:
    """Whether Discord shows a channel, or that of a thread, to adults only."""
    restricted = (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.Thread)
    return isinstance(channel, restricted) and channel.is_nsfw()


def source(scope: Scope | None) -> str:
    """Who has set something, in words."""
    return {"user": "yours", "channel": "this channel's", "guild": "this server's"}.get(
        scope or "", "as usual"
    )


async def _layer(store: Store, scope: Scope, scope_id: int) -> tuple[Scope, Mapping[str, object]]:
    """What was set and may still be: presets and palettes come and go with updates."""
    kept = {}
    for name, value in (await store.preferences(scope, scope_id)).items():
        try:
            kept[name] = read_preference(scope, name, value)
        except SettingsError:
            continue
    return scope, kept


def _texts_of(settings: Settings) -> Iterator[str]:
    for option in _TEXTS:
        text = getattr(settings, option.name)
        if text and not picture_names(settings, option):
            yield text


def _whole_word(word: str) -> re.Pattern[str]:
    before = "" if _UNSPACED.match(word[0]) else r"(?<!\w)"
    after = "" if _UNSPACED.match(word[-1]) else r"(?!\w)"
    return re.compile(before + re.escape(word) + after)


def _all_of(form: str, ids: list[int]) -> str:
    return ", ".join(form.format(one) for one in ids)
