"""Run the bot as it is against another Discord, with an engine that is watched more closely.

python -m tests.chaos.bot API GATEWAY

An engine that is frozen is missed after seconds instead of 20, and saves its jobs more often than
every five seconds: in a run of minutes the same happens as in one of days.
"""

import ctypes
import signal
import sys
from functools import partial

import bot.app
from engine.client import LocalEngine
from tests.discord_server.bot import main

_SILENCE_SECONDS = 6.0
_SNAPSHOT_SECONDS = 0.3
_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    # A run that is killed leaves no bot behind.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    bot.app.LocalEngine = partial(  # type: ignore[misc, assignment]
        LocalEngine,
        command=(sys.executable, "-m", "engine", "--snapshot-seconds", str(_SNAPSHOT_SECONDS)),
        silence_timeout=_SILENCE_SECONDS,
    )
    sys.exit(main())
