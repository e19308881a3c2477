"""Every setting of the bot, read from the environment (`PIXEL_…`) and from `.env`."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
from dotenv import dotenv_values
from msgspec import Meta, inspect

from bot.logs import LogFormat
from engine.errors import quote

PREFIX = "PIXEL_"
_FILE = Path(".env")
_LAST_PORT = 65535
_ROOM = re.compile(r"(\d{1,18}(?:\.\d*)?)\s*(?:([KMGTP]?)(I?)B)?", re.ASCII | re.IGNORECASE)


class ConfigError(ValueError):
    """Settings that cannot work; a line for each says which, and what is allowed."""


class Secret:
    """A text that no printing or logging of its surroundings shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text."""
        return self._text


class Address(str):
    """Where something is served; port 0 is any free one."""

    __slots__ = ("host", "port")
    host: str
    port: int

    def __new__(cls, text: str) -> Self:
        """Read it from a text such as ``127.0.0.1:8781`` or ``[::1]:8781``.

        Raises:
            ValueError: for any other text.

        """
        host, _, port = text.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or int(port) > _LAST_PORT:
            raise ValueError("an address is host:port, such as 127.0.0.1:8781")
        address = super().__new__(cls, text)
        address.host, address.port = host.strip("[]"), int(port)
        return address


class Room(int):
    """Bytes on a disk."""

    def __new__(cls, text: str) -> Self:
        """Read them from a text such as ``20GB`` (by 1000) or ``1.5 GiB`` (by 1024).

        Raises:
            ValueError: for any other text, and for no bytes at all.

        """
        written = _ROOM.fullmatch(text)
        if written is not None:
            number, unit, binary = written.groups("")
            thousand = 1024 if binary else 1000
            size = int(float(number) * thousand ** " KMGTP".index(unit.upper() or " "))
            if size > 0:
                return super().__new__(cls, size)
        raise ValueError("it is a number of bytes above 0, or one with a unit, such as 20GB")


Count = Annotated[int, Meta(ge=1)]


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The bot's settings; the descriptions below are the README's table."""

    token: Annotated[
        Secret | None, Meta(description="The bot's token from the Discord developer portal.")
    ] = None
    data: Annotated[
        Path, Meta(description="Folder for the database, the pictures and the snapshots.")
    ] = Path("data")
    easels: Annotated[
        Annotated[int, Meta(ge=1, le=64)] | None,
        Meta(
            description="How many pictures are drawn at the same time; "
            "if it is not said, 2 on a CPU and 8 on a GPU."
        ),
    ] = None
    waiting_per_user: Annotated[
        Count, Meta(description="How many pictures of one person may wait in the queue.")
    ] = 20
    running_per_user: Annotated[
        Count, Meta(description="How many pictures of one person are drawn at the same time.")
    ] = 2
    running_per_guild: Annotated[
        Count, Meta(description="How many pictures of one server are drawn at the same time.")
    ] = 4
    edit_interval: Annotated[
        float,
        Meta(
            gt=0,
            le=3600,
            description="Seconds between two progress edits of one message; "
            "a channel sees at most four times as many.",
        ),
    ] = 4.0
    sync_commands: Annotated[
        bool,
        Meta(
            description="Whether to register the slash commands at start, when they have changed."
        ),
    ] = True
    guilds: Annotated[
        tuple[int, ...],
        Meta(
            description="Ids of servers, separated by commas, that get the slash commands "
            "directly, instead of all servers."
        ),
    ] = ()
    perceptors: Annotated[
        tuple[str, ...],
        Meta(
            description="What people may choose to judge their pictures, separated by commas: "
            "`pixelclip`, or models that have been pulled."
        ),
    ] = ("pixelclip",)
    vqgan_models: Annotated[
        tuple[str, ...],
        Meta(
            description="The VQGANs that people may choose, separated by commas: `mini`, or "
            "models that have been pulled."
        ),
    ] = ("mini",)
    quota: Annotated[
        Room | None,
        Meta(
            description="How much room frames and pictures may take on the disk, such as "
            "`20GB`; no limit if unset."
        ),
    ] = None
    keep_frames_days: Annotated[
        Count | None,
        Meta(
            description="After how many days the frames of time-lapses are removed; never if unset."
        ),
    ] = None
    keep_pictures_days: Annotated[
        Count | None,
        Meta(
            description="After how many days pictures are removed, and what they started from; "
            "never if unset."
        ),
    ] = None
    gallery: Annotated[
        Address | None,
        Meta(
            description="Where the gallery page is served beside the bot, as host:port, such as "
            "`127.0.0.1:8781`; nowhere if unset."
        ),
    ] = None
    http: Annotated[
        Address,
        Meta(
            description="Where `/healthz` and `/metrics` are served, as host:port; port 0 is any "
            "free one."
        ),
    ] = Address("127.0.0.1:8780")
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Meta(description="The least serious messages that are logged."),
    ] = "INFO"
    log_format: Annotated[
        LogFormat, Meta(description="`text` for people, or `json`: one object a line.")
    ] = "text"

    @property
    def listed(self) -> dict[str, tuple[str, ...]]:
        """The models that people may choose, by the settings that name them."""
        return {"perceptors": self.perceptors, "vqgan_model": self.vqgan_models}


def read_config() -> Config:
    """The settings of the environment, and of the file `.env` where the environment says nothing.

    A variable that is empty counts as one that is not there.

    Raises:
        ConfigError: when some of them cannot work.

    """
    try:
        filed = dotenv_values(_FILE)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The file {_FILE} cannot be read: {error}.") from None
    given = {name.upper(): text for name, text in (filed | os.environ).items()}
    read: dict[str, Any] = {}
    problems: list[str] = []
    for setting in _SETTINGS:
        variable = _variable(setting)
        text = (given.get(variable) or "").strip()
        if not text:
            continue
        try:
            one = msgspec.convert(
                {setting.name: _prepared(setting, text)}, Config, strict=False, dec_hook=_made
            )
        except msgspec.ValidationError as error:
            allowed = _allowed(setting) or error.__cause__
            problems.append(f"{variable} cannot be {quote(text)}; {allowed}.")
        else:
            read[setting.name] = getattr(one, setting.name)
    if problems:
        raise ConfigError("\n".join(problems))
    return Config(**read)


def settings_table() -> str:
    """Every environment variable as a Markdown table, for the README."""
    rows = ["| Variable | Default | Meaning |", "| --- | --- | --- |"]
    rows += [
        f"| `{_variable(setting)}` | {_shown(setting.default)} | {_meaning(setting)} |"
        for setting in _SETTINGS
    ]
    return "\n".join(rows)


_CONFIG = inspect.type_info(Config)
assert isinstance(_CONFIG, inspect.StructType)
_SETTINGS = _CONFIG.fields


def _variable(setting: inspect.Field) -> str:
    return f"{PREFIX}{setting.name.upper()}"


def _meaning(setting: inspect.Field) -> str:
    assert isinstance(setting.type, inspect.Metadata)
    assert setting.type.extra_json_schema is not None
    meaning: str = setting.type.extra_json_schema["description"]
    return meaning


def _kind(setting: inspect.Field) -> inspect.Type:
    """What a setting is, if it is set."""
    kind = setting.type
    if isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        kind = next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return kind


def _prepared(setting: inspect.Field, text: str) -> object:
    """A variable's text as msgspec takes it."""
    match _kind(setting):
        case inspect.VarTupleType():
            return text.replace(",", " ").split()
        case inspect.LiteralType(values=choices):
            return next((one for one in choices if str(one).lower() == text.lower()), text)
        case _:
            return text


def _made(kind: Callable[[object], object], value: object) -> object:
    """What msgspec does not know itself; such a type says what is wrong with a text."""
    return kind(value)


def _allowed(setting: inspect.Field) -> str | None:
    """What a setting may be, as the end of a sentence; None if its type has said it."""
    match _kind(setting):
        case inspect.BoolType():
            return "allowed are true and false"
        case inspect.IntType(ge=least, le=None):
            return f"allowed are whole numbers from {least}"
        case inspect.IntType(ge=least, le=most):
            return f"allowed are whole numbers from {least} to {most}"
        case inspect.FloatType(gt=least, le=most):
            return f"allowed are numbers above {least:g}, up to {most:g}"
        case inspect.VarTupleType(item_type=inspect.IntType()):
            return "allowed are whole numbers, separated by commas"
        case inspect.LiteralType(values=choices):
            return f"allowed are {', '.join(map(str, choices))}"
        case _:
            return None


def _shown(default: object) -> str:
    match default:
        case None | ():
            return ""
        case str():
            return f"`{default}`"
        case tuple():
            return f"`{','.join(map(str, default))}`"
        case _:
            return f"`{str(default).lower()}`"
