"""Run the bot until it is told to end, and say in one sentence why it cannot."""

import asyncio
import contextlib
import errno
import logging
import os
import signal
import sqlite3
import sys

import aiohttp
import discord

from bot.app import open_bot
from bot.config import PREFIX, Config, ConfigError, read_config
from bot.folder import FolderInUse, NewerDatabase
from bot.gallery.errors import GalleryClosed
from bot.logs import set_up
from bot.web import AddressInUse, make_app, serving

log = logging.getLogger(__name__)

_HOW_TO_GET_ONE = (
    "get one from the Discord developer portal (https://discord.com/developers/applications, "
    "your application, Bot, Reset Token)"
)


def run() -> int:
    """Run the bot as the environment says; returns the process's exit code."""
    try:
        config = read_config()
    except ConfigError as error:
        _complain(str(error))
        return os.EX_CONFIG
    if config.token is None:
        _complain(f"{PREFIX}TOKEN is not set; {_HOW_TO_GET_ONE} and put it there.")
        return os.EX_CONFIG
    token = config.token.reveal()
    set_up(config.log_level, config.log_format, token)
    # The bot does not speak, and tells of its migrations itself.
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    logging.getLogger("yoyo").setLevel(logging.WARNING)
    try:
        asyncio.run(_run(config, token))
    except discord.LoginFailure:
        _complain(f"Discord does not accept the token in {PREFIX}TOKEN; {_HOW_TO_GET_ONE}.")
        return os.EX_CONFIG
    except aiohttp.ClientConnectionError as error:
        _complain(f"Discord cannot be reached: {error}.")
        return os.EX_TEMPFAIL
    except (FolderInUse, AddressInUse, GalleryClosed) as error:
        _complain(str(error))
        return os.EX_TEMPFAIL
    except NewerDatabase as error:
        _complain(str(error))
        return os.EX_CONFIG
    except sqlite3.OperationalError as error:
        # Only at the start: later on, whoever needs the database waits for it.
        _complain(f"The database in {config.data} cannot be used now: {error}.")
        return os.EX_TEMPFAIL
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        _complain(f"There is no room left in {config.data}; make some, and start the bot again.")
        return os.EX_TEMPFAIL
    except (KeyboardInterrupt, asyncio.CancelledError):
        log.info("ended at once, as asked twice")
    return 0


async def _run(config: Config, token: str) -> None:
    """Run the bot until it is told to end; told once more, it ends at once."""
    told_to_end = _told_to_end()
    async with contextlib.AsyncExitStack() as stack:
        bot = await stack.enter_async_context(open_bot(config))
        where = (config.http.host, config.http.port)
        await stack.enter_async_context(serving(make_app(bot), *where, config.data))
        if config.gallery is not None:
            # It brings its templates' language along, which few bots need.
            from bot.gallery.server import serve_gallery

            where = (config.gallery.host, config.gallery.port)
            await stack.enter_async_context(serve_gallery(config.data, *where))
        connection = asyncio.create_task(bot.start(token), name="connection to Discord")
        told = asyncio.create_task(told_to_end.wait(), name="signals")
        try:
            await asyncio.wait((connection, told), return_when=asyncio.FIRST_COMPLETED)
            if connection.done():
                # It ends by itself only when it cannot go on.
                connection.result()
                return
            await bot.stop()
            log.info("ended as asked")
        finally:
            for task in (connection, told):
                task.cancel()
            await asyncio.gather(connection, told, return_exceptions=True)


def _told_to_end() -> asyncio.Event:
    """Set when the process gets its first SIGTERM (`docker stop`) or SIGINT (Ctrl-C).

    The second one cancels the present task.
    """
    task = asyncio.current_task()
    assert task is not None
    told = asyncio.Event()

    def hear() -> None:
        if told.is_set():
            task.cancel()
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, hear)
    return told


def _complain(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
