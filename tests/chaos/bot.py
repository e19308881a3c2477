"""Run the bot as it is against another Discord, with an engine that is watched more closely.

python -m tests.chaos.bot API GATEWAY

An engine that is frozen is missed after seconds instead of 20, and saves its jobs more often than
every five seconds: in a run of minutes the same happens as in one of days.
"""

import sys
from functools import partial

import bot.app
from engine.client import LocalEngine
from tests.discord_server.bot import main

_SILENCE_SECONDS = 6.0
_SNAPSHOT_SECONDS = 0.3

if __name__ == "__main__":
    bot.app.LocalEngine = partial(  # type: ignore[misc, assignment]
        LocalEngine,
        command=(sys.executable, "-m", "engine", "--snapshot-seconds", str(_SNAPSHOT_SECONDS)),
        silence_timeout=_SILENCE_SECONDS,
    )
    sys.exit(main())
