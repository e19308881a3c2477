"""`python -m bot` is `pixel run`."""

import sys

from bot.runner import run

if __name__ == "__main__":
    sys.exit(run())
