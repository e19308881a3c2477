"""Run the bot as it is, against another Discord.

python -m tests.discord_server.bot API GATEWAY
"""

import sys

from engine.importing import importing

with importing():
    import discord.gateway
    import discord.http
    import yarl

    from bot.runner import run


def main() -> int:
    """Run it; returns the exit code."""
    discord.http.Route.BASE, gateway = sys.argv[1:]
    # Where a session that cannot be resumed is begun anew.
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
    return run()


if __name__ == "__main__":
    sys.exit(main())
