"""Quick imports of what is large."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Import without looking for garbage meanwhile.

    What is imported stays. Looking through it again and again, the more there is of it, takes a
    twentieth of the time that torch or discord.py need to come.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
