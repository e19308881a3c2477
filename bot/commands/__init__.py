"""The slash commands, one file each."""

from typing import TYPE_CHECKING, Any

from discord import app_commands

from bot.commands.admin import admin
from bot.commands.forget import forget
from bot.commands.history import history
from bot.commands.pixel import pixel
from bot.commands.pixel_more import pixel_more
from bot.commands.privacy import privacy
from bot.commands.queue import queue
from bot.commands.settings import settings
from bot.commands.setup import setup

if TYPE_CHECKING:
    from bot.app import PixelBot

COMMANDS: tuple[app_commands.Command[Any, ..., Any] | app_commands.Group, ...] = (
    pixel,
    pixel_more,
    history,
    queue,
    admin,
    settings,
    setup,
    privacy,
    forget,
)

# Also for those who may use nothing else any more: what is kept of them is theirs.
FOR_EVERYBODY: tuple[app_commands.Command[Any, ..., Any], ...] = (privacy, forget)


def add_commands(tree: app_commands.CommandTree["PixelBot"]) -> None:
    """Put every slash command into the tree."""
    for command in COMMANDS:
        tree.add_command(command)
