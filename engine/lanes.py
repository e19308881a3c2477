"""Work of several jobs at once: each core takes one piece after the other, alone."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import torch

_T = TypeVar("_T")


def in_lanes(work: Iterable[Callable[[], _T]]) -> list[_T]:
    """Do independent pieces of work on as many threads as torch has; what they return, in order.

    Operations on small tensors are not worth sharing between cores, which wait for each other at
    each of them. Here each piece has a core to itself; one that is alone runs as it would.
    """
    pieces = list(work)
    threads = torch.get_num_threads()
    if len(pieces) == 1 or threads == 1:
        return [piece() for piece in pieces]
    return list(_pool(threads).map(_run, pieces))


def _run(piece: Callable[[], _T]) -> _T:
    return piece()


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    """Workers that use one core each."""
    begun = threading.Barrier(threads)

    def begin() -> None:
        # The first question takes over what was set last in any thread; only then does one's own
        # number stay.
        torch.get_num_threads()
        torch.set_num_threads(1)
        begun.wait()

    pool = ThreadPoolExecutor(threads, "lane")
    for worker in [pool.submit(begin) for _ in range(threads)]:
        worker.result()
    # What a thread sets is what later ones begin with.
    torch.set_num_threads(threads)
    return pool
