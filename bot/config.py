"""Every setting of the bot, read from the environment (`PIXEL_…`) and from `.env`."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import ByteSize, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.logs import LogFormat

PREFIX = "PIXEL_"
_LAST_PORT = 65535


class Config(BaseSettings):
    """The bot's settings; the descriptions below are the README's table."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    token: SecretStr | None = Field(
        default=None, description="The bot's token from the Discord developer portal."
    )
    data: Path = Field(
        default=Path("data"), description="Folder for the database, the pictures and the snapshots."
    )
    easels: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="How many pictures are drawn at the same time; "
        "if it is not said, 2 on a CPU and 8 on a GPU.",
    )
    waiting_per_user: int = Field(
        default=20, ge=1, description="How many pictures of one person may wait in the queue."
    )
    running_per_user: int = Field(
        default=2, ge=1, description="How many pictures of one person are drawn at the same time."
    )
    running_per_guild: int = Field(
        default=4, ge=1, description="How many pictures of one server are drawn at the same time."
    )
    edit_interval: float = Field(
        default=4.0,
        gt=0,
        description="Seconds between two progress edits of one message; "
        "a channel sees at most four times as many.",
    )
    sync_commands: bool = Field(
        default=True,
        description="Whether to register the slash commands at start, when they have changed.",
    )
    guilds: Annotated[tuple[int, ...], NoDecode] = Field(
        default=(),
        description="Ids of servers, separated by commas, that get the slash commands directly, "
        "instead of all servers.",
    )
    perceptors: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("pixelclip",),
        description="What people may choose to judge their pictures, separated by commas: "
        "`pixelclip`, or models that have been pulled.",
    )
    vqgan_models: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("mini",),
        description="The VQGANs that people may choose, separated by commas: `mini`, or models "
        "that have been pulled.",
    )
    quota: ByteSize | None = Field(
        default=None,
        ge=1,
        description="How much room frames and pictures may take on the disk, such as `20GB`; "
        "no limit if unset.",
    )
    keep_frames_days: int | None = Field(
        default=None,
        ge=1,
        description="After how many days the frames of time-lapses are removed; never if unset.",
    )
    keep_pictures_days: int | None = Field(
        default=None,
        ge=1,
        description="After how many days pictures are removed, and what they started from; never "
        "if unset.",
    )
    gallery: str | None = Field(
        default=None,
        description="Where the gallery page is served beside the bot, as host:port, such as "
        "`127.0.0.1:8781`; nowhere if unset.",
    )
    http: str = Field(
        default="127.0.0.1:8780",
        description="Where `/healthz` and `/metrics` are served, as host:port; "
        "port 0 is any free one.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least serious messages that are logged."
    )
    log_format: LogFormat = Field(
        default="text", description="`text` for people, or `json`: one object a line."
    )

    @property
    def listed(self) -> dict[str, tuple[str, ...]]:
        """The models that people may choose, by the settings that name them."""
        return {"perceptors": self.perceptors, "vqgan_model": self.vqgan_models}

    @field_validator("guilds", "perceptors", "vqgan_models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("gallery", "http")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None:
            split_address(value)
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value


def split_address(text: str) -> tuple[str, int]:
    """Host and port of an address such as ``127.0.0.1:8781`` or ``[::1]:8781``.

    Raises:
        ValueError: for anything else.

    """
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > _LAST_PORT:
        raise ValueError(f"an address is host:port, such as 127.0.0.1:8781; not {text}")
    return host.strip("[]"), int(port)


def settings_table() -> str:
    """Every environment variable as a Markdown table, for the README."""
    rows = ["| Variable | Default | Meaning |", "| --- | --- | --- |"]
    for name, field in Config.model_fields.items():
        rows.append(f"| `{PREFIX}{name.upper()}` | {_shown(field.default)} | {field.description} |")
    return "\n".join(rows)


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
