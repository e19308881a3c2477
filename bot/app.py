"""The bot: a Discord client that is given its store, engine, dispatcher and reporter.

`open_bot` builds and starts everything in order and closes it in the opposite one.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable, MutableMapping
from pathlib import Path
from weakref import WeakValueDictionary

import discord
from discord import app_commands

from bot import folder
from bot.commands import add_commands
from bot.config import Config
from bot.darkroom.room import Darkroom
from bot.dispatcher import Dispatcher
from bot.errors import answer_error
from bot.jobs import Frame
from bot.pictures import Pictures
from bot.places import Places
from bot.reporter import Reporter
from bot.store import Caps, Store
from bot.translations import FileTranslator, translated
from bot.views import buttons
from bot.views import history as history_buttons
from bot.views.asking import answer_lost_form
from engine.client import Engine, LocalEngine
from engine.files import write_atomically

log = logging.getLogger(__name__)


class PixelTree(app_commands.CommandTree["PixelBot"]):
    """The slash commands; whatever goes wrong in one is answered in one way."""

    async def on_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """Tell whoever typed the command."""
        await answer_error(interaction, error)


class PixelBot(discord.AutoShardedClient):
    """Listens to slash commands and buttons; no message is read, so no privileged intent is needed.

    Attributes:
        frames: the newest look of each job that is being drawn.
        darkroom: where pictures are made of pictures.
        places: who waits how long.
        answering: held while something is made of a picture and posted.
        decoding: held while a stranger's picture is decoded, which takes a thread and memory.
        forms: those that are open, by their ids.

    """

    def __init__(
        self,
        config: Config,
        *,
        store: Store,
        pictures: Pictures,
        engine: Engine,
        dispatcher: Dispatcher,
        reporter: Reporter,
        frames: MutableMapping[int, Frame],
        darkroom: Darkroom,
        places: Places,
    ) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            # Prompts are strangers' text.
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
        )
        self.config = config
        self.store = store
        self.pictures = pictures
        self.engine = engine
        self.dispatcher = dispatcher
        self.reporter = reporter
        self.frames = frames
        self.darkroom = darkroom
        self.places = places
        self.answering: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()
        self.decoding = asyncio.Semaphore(2)
        self.forms: WeakValueDictionary[str, discord.ui.Modal] = WeakValueDictionary()
        self.tree = PixelTree(self)
        add_commands(self.tree)
        self._shards_down: set[int] = set()

    @property
    def healthy(self) -> bool:
        """Whether commands arrive and pictures are drawn."""
        return self.is_ready() and not self._shards_down and self.engine.ready is not None

    async def setup_hook(self) -> None:
        """Make the buttons of all messages work, and register the commands if they changed."""
        self.add_dynamic_items(*buttons.BUTTONS, *history_buttons.BUTTONS)
        self.reporter.connect(self)
        await self.tree.set_translator(FileTranslator())
        if self.config.sync_commands:
            await self._sync_commands()

    async def on_interaction(self, interaction: discord.Interaction["PixelBot"]) -> None:
        """Answer forms that nobody knows any more; discord.py sees to everything else."""
        await answer_lost_form(interaction)

    async def on_shard_disconnect(self, shard_id: int) -> None:
        """Note that a part of the servers cannot be heard."""
        self._shards_down.add(shard_id)

    async def on_shard_ready(self, shard_id: int) -> None:
        """Note that it can be heard."""
        self._shards_down.discard(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Note that it can be heard again."""
        self._shards_down.discard(shard_id)

    async def _sync_commands(self) -> None:
        """Register the commands, unless Discord has the same ones from an earlier start.

        A server may have 200 commands created a day, and a restart is no reason to use them up.
        """
        commands = await translated(self.tree)
        state = json.dumps([self.application_id, self.config.guilds, commands], sort_keys=True)
        digest = hashlib.sha256(state.encode()).hexdigest().encode()
        remembered = self.config.data / "commands.sha256"
        if await asyncio.to_thread(_content, remembered) == digest:
            return
        try:
            for guild_id in self.config.guilds:
                guild = discord.Object(guild_id)
                self.tree.copy_global_to(guild=guild)
                await self.tree.sync(guild=guild)
            if not self.config.guilds:
                await self.tree.sync()
        except discord.HTTPException:
            # Those that are registered go on working, and so do all buttons.
            log.exception("the slash commands could not be registered")
            return
        await asyncio.to_thread(write_atomically, remembered, digest)
        log.info("the slash commands are registered")


@contextlib.asynccontextmanager
async def open_bot(
    config: Config, *, engine: Engine | None = None, clock: Callable[[], float] = time.time
) -> AsyncIterator[PixelBot]:
    """Build a bot that works in `config.data`, with everything running but its connection.

    Its tasks run from here on, so that pictures are drawn while Discord is out of reach; nothing
    is sent before the client has logged in.

    Args:
        config: the settings; the token is not used here.
        engine: what draws, started already and closed by whoever made it; a `LocalEngine` of its
            own if None.
        clock: seconds since 1970.

    Raises:
        bot.folder.FolderInUse: when another bot works in the data directory.

    """
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(folder.locked(config.data))
        for migration in await asyncio.to_thread(folder.upgrade, config.data):
            log.info("migration %s is applied", migration)
        store = await stack.enter_async_context(
            Store.open(folder.database_path(config.data), clock)
        )
        pictures = Pictures(config.data)
        darkroom = Darkroom()
        frames: dict[int, Frame] = {}
        caps = Caps(per_user=config.running_per_user, per_guild=config.running_per_guild)
        places = Places(store, easels=config.easels, caps=caps, frames=frames, clock=clock)
        reporter = Reporter(
            store,
            pictures,
            interval=config.edit_interval,
            clock=clock,
            places=places,
            frames=frames,
        )
        if engine is None:
            engine = LocalEngine(config.data / "snapshots")
            stack.push_async_callback(engine.close)
            await engine.start()
        dispatcher = Dispatcher(
            store,
            engine,
            pictures,
            darkroom,
            easels=config.easels,
            caps=caps,
            frames=frames,
            on_change=reporter.notify,
        )
        await dispatcher.start()
        stack.push_async_callback(dispatcher.close)
        bot = PixelBot(
            config,
            store=store,
            pictures=pictures,
            engine=engine,
            dispatcher=dispatcher,
            reporter=reporter,
            frames=frames,
            darkroom=darkroom,
            places=places,
        )
        await stack.enter_async_context(bot)
        reporter.start()
        stack.push_async_callback(reporter.close)
        yield bot


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
