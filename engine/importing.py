"""Quick imports of what is large."""

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Import without looking for garbage, neither now nor later among what is there by then.

    What is imported stays. Looking through it takes a twentieth of the time that torch or
    discord.py need to come, and afterwards a pause each time that all of the memory is looked at.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
