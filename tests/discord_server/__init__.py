"""A small Discord on this machine's loopback, as a process of its own.

The simulation replaces discord.py's network; here discord.py itself speaks, to a server that
outlives the bot: rate limits, lost answers, slow and refused uploads, a dropped gateway and a
killed bot are real. `python -m tests.discord_server` starts it and prints where it is, as JSON;
`control.py` documents how it is told what to do, and `client.py` does that from a test.
"""
