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
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

import discord
from discord import app_commands

from bot import folder, metrics
from bot.admission import Admission, Mode
from bot.commands import FOR_EVERYBODY, add_commands
from bot.config import Config
from bot.dispatcher import TOLD_OF_MOVES, Dispatcher
from bot.easels import easels
from bot.errors import Refusal, answer_error, try_to_say
from bot.forgetting import Forgetter
from bot.jobs import Frame
from bot.keeping import Keeper, Rules
from bot.pace import Pace
from bot.pictures import Pictures
from bot.places import Places
from bot.reporter import Reporter
from bot.sheets import Sheets
from bot.store import Caps, Store
from bot.translations import FileTranslator, translated
from bot.views import buttons
from bot.views import forget as forget_button
from bot.views import history as history_buttons
from bot.views import setup as setup_controls
from bot.views.asking import answer_lost_form
from bot.views.showing import ShowSelect
from bot.workshop.client import Workshop
from engine.client import Engine, LocalEngine
from engine.files import write_atomically

log = logging.getLogger(__name__)

# How many messages of waiting jobs say that the owner has paused the bot.
_TOLD_OF_MODE = 200
# Docker kills what has not ended ten seconds after it was told to.
_FAREWELL_SECONDS = 4.0


class PixelTree(app_commands.CommandTree["PixelBot"]):
    """The slash commands; whatever goes wrong in one is answered in one way."""

    async def interaction_check(self, interaction: discord.Interaction["PixelBot"], /) -> bool:
        """Whether the command may be answered at all; says why not."""
        admission = interaction.client.admission
        try:
            if interaction.command in FOR_EVERYBODY:
                admission.check_presence()
            else:
                admission.check_entry(interaction.user.id)
        except Refusal as refusal:
            # What is offered while somebody types has no room for a sentence.
            if interaction.type is not discord.InteractionType.autocomplete:
                await try_to_say(interaction, str(refusal))
            return False
        return True

    async def on_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """Tell whoever typed the command."""
        await answer_error(interaction, error)


class PixelBot(discord.AutoShardedClient):
    """Listens to slash commands and buttons; no message is read, so no privileged intent is needed.

    Attributes:
        frames: the newest look of each job that is being drawn.
        places: who waits how long.
        answering: held while something is made of a picture and posted, or one person's picture is
            decoded.
        decoding: held while a stranger's picture is decoded, which takes a thread and memory.
        starring: held while a picture is put on a starboard or taken down.
        forgetter: deletes what is kept of people.
        keeper: removes what is too old or too much.
        workshop: makes pictures of pictures.
        sheets: lays many of them out on one.
        forms: those that are open, by their ids.
        started_at: when, on the bot's clock.

    """

    def __init__(
        self,
        config: Config,
        *,
        store: Store,
        pictures: Pictures,
        engine: Engine,
        admission: Admission,
        dispatcher: Dispatcher,
        reporter: Reporter,
        frames: MutableMapping[int, Frame],
        workshop: Workshop,
        places: Places,
        keeper: Keeper,
        clock: Callable[[], float],
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
        self.admission = admission
        self.dispatcher = dispatcher
        self.reporter = reporter
        self.frames = frames
        self.workshop = workshop
        self.places = places
        self.keeper = keeper
        self.answering: WeakValueDictionary[object, asyncio.Lock] = WeakValueDictionary()
        self.decoding = asyncio.Semaphore(2)
        self.sheets = Sheets(self.workshop, pictures)
        self.starring = asyncio.Lock()
        self.forgetter = Forgetter(self)
        self.forms: WeakValueDictionary[str, discord.ui.Modal] = WeakValueDictionary()
        self.clock = clock
        self.started_at = clock()
        self.tree = PixelTree(self)
        add_commands(self.tree)
        self._shards_down: set[int] = set()

    @property
    def problem(self) -> str | None:
        """Why commands do not arrive or pictures are not drawn; None if all is well."""
        if self.admission.stopping:
            return "it is being stopped"
        if not self.is_ready():
            return "it is not connected to Discord yet"
        if self._shards_down:
            return "the connection to Discord is interrupted"
        if self.engine.ready is None:
            return "the engine is not ready"
        return None

    async def set_mode(self, mode: Mode) -> None:
        """Take jobs and hand them out, or do not; the messages of those that wait say so."""
        await self.admission.set_mode(mode)
        self.dispatcher.wake()
        await self.dispatcher.tell_waiting(_TOLD_OF_MODE)

    async def stop(self) -> None:
        """Take no more jobs, put those that are drawn aside, and let their messages say so."""
        self.admission.stopping = True
        drawn = await self.store.running()
        await self.dispatcher.close()
        waiting = await self.store.waiting(TOLD_OF_MOVES)
        await self.reporter.leave([*drawn, *waiting], _FAREWELL_SECONDS)

    async def setup_hook(self) -> None:
        """Make the buttons of all messages work, and register the commands if they changed."""
        self.add_dynamic_items(
            *buttons.BUTTONS,
            *history_buttons.CONTROLS,
            ShowSelect,
            *setup_controls.BUTTONS,
            *forget_button.BUTTONS,
        )
        self.reporter.connect(self)
        await self.forgetter.resume()
        await self.tree.set_translator(FileTranslator())
        if self.config.sync_commands:
            await self._sync_changed_commands()

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

    async def sync_commands(self) -> None:
        """Register the commands; raises `discord.HTTPException` when Discord does not take them."""
        for guild_id in self.config.guilds:
            guild = discord.Object(guild_id)
            self.tree.copy_global_to(guild=guild)
            await self.tree.sync(guild=guild)
        if not self.config.guilds:
            await self.tree.sync()
        log.info("the slash commands are registered")

    async def _sync_changed_commands(self) -> None:
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
            await self.sync_commands()
        except discord.HTTPException:
            # Those that are registered go on working, and so do all buttons.
            log.exception("the slash commands could not be registered")
            return
        await asyncio.to_thread(write_atomically, remembered, digest)


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
        bot.folder.NewerDatabase: when its database is that of a newer version.

    """
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(folder.locked(config.data))
        for migration in await asyncio.to_thread(folder.upgrade, config.data):
            log.info("migration %s is applied", migration)
        store = await stack.enter_async_context(
            Store.open(folder.database_path(config.data), clock)
        )
        admission = Admission(store)
        await admission.load()
        pictures = Pictures(config.data)
        await pictures.sweep()
        # A database that was restored from a backup does not know the numbers since then, which
        # messages and files still have.
        await store.number_from(await pictures.last_number())
        workshop = Workshop()
        frames: dict[int, Frame] = {}
        pace = Pace()
        caps = Caps(per_user=config.running_per_user, per_guild=config.running_per_guild)
        if engine is None:
            engine = LocalEngine(config.data / "snapshots", on_restart=metrics.ENGINE_RESTARTS.inc)
            stack.push_async_callback(engine.close)
            await engine.start({str(job_id) for job_id in await store.unfinished()})
        places = Places(
            store,
            easels=partial(easels, config, engine),
            caps=caps,
            frames=frames,
            pace=pace,
            clock=clock,
        )
        reporter = Reporter(
            store,
            pictures,
            interval=config.edit_interval,
            clock=clock,
            places=places,
            frames=frames,
            notice=admission.notice,
        )
        dispatcher = Dispatcher(
            store,
            engine,
            pictures,
            workshop,
            easels=partial(easels, config, engine),
            caps=caps,
            frames=frames,
            pace=pace,
            on_change=reporter.notify,
            hands_out=admission.hands_out,
        )
        await dispatcher.start()
        stack.push_async_callback(dispatcher.close)
        rules = Rules(config.quota, config.keep_frames_days, config.keep_pictures_days)
        keeper = Keeper(store, pictures, rules, clock=clock)
        bot = PixelBot(
            config,
            store=store,
            pictures=pictures,
            engine=engine,
            admission=admission,
            dispatcher=dispatcher,
            reporter=reporter,
            frames=frames,
            workshop=workshop,
            places=places,
            keeper=keeper,
            clock=clock,
        )
        await stack.enter_async_context(bot)
        stack.push_async_callback(bot.forgetter.close)
        reporter.start()
        stack.push_async_callback(reporter.close)
        keeper.start()
        stack.push_async_callback(keeper.close)
        yield bot


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
