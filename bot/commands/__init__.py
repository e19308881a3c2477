"""The slash commands, one file each, and the menus on messages."""

from typing import TYPE_CHECKING, Any

from discord import app_commands

from bot.commands.admin import admin
from bot.commands.family import family
from bot.commands.history import history
from bot.commands.menus import pixel_info, start_from_this, take_its_palette
from bot.commands.pixel import pixel
from bot.commands.pixel_more import pixel_more
from bot.commands.queue import queue
from bot.commands.show import show

if TYPE_CHECKING:
    from bot.app import PixelBot

COMMANDS: tuple[
    app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu, ...
] = (
    pixel,
    pixel_more,
    history,
    show,
    family,
    queue,
    admin,
    pixel_info,
    start_from_this,
    take_its_palette,
)


def add_commands(tree: app_commands.CommandTree["PixelBot"]) -> None:
    """Put every command into the tree."""
    for command in COMMANDS:
        tree.add_command(command)
