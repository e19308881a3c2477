"""How torch shares the processors and the memory with everything else on the machine."""

import ctypes
import os
import sys
from contextlib import suppress

# Of glibc's malloc.h, for mallopt.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_NEVER, _AT_A_TIME = 2**31 - 1, 256 * 2**20


def wait_politely() -> None:
    """Let idle OpenMP threads sleep instead of spin; must come before the import of torch.

    Where the cores are busy with something else, a step waits for threads that the spinning ones
    keep from running: on two cores beside one busy process a small drawing took five times longer.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def keep_memory() -> None:
    """Let glibc keep the memory that torch frees, for the next tensor; elsewhere it does nothing.

    A large tensor is otherwise mapped anew each time, and each of its pages costs a fault when it
    is first written. What a step has taken at most stays with the process.
    """
    if not sys.platform.startswith("linux"):
        return
    # Another C library may not have it.
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        for what, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, _NEVER), (_TOP_PAD, _AT_A_TIME)):
            mallopt(what, value)
