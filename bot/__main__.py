"""`python -m bot` is `pixel run`."""

import sys

from engine.importing import importing

with importing():
    from bot.runner import run

if __name__ == "__main__":
    sys.exit(run())
