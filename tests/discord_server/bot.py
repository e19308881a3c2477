"""Run the bot as it is, against another Discord: ``python -m tests.discord_server.bot API``."""

import sys

import discord.http

from bot.runner import run

if __name__ == "__main__":
    discord.http.Route.BASE = sys.argv[1]
    sys.exit(run())
