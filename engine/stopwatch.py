"""Where the time of a step goes: named spans in the code, which cost nothing unless one listens."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_listening: "Stopwatch | None" = None


class Stopwatch:
    """Adds up the seconds of spans by their names while it listens.

    Args:
        clock: seconds.
        settle: waits until what was begun is done; a GPU works while Python goes on.

    """

    def __init__(
        self,
        clock: Callable[[], float] = time.perf_counter,
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._clock, self._settle = clock, settle

    def now(self) -> float:
        """The clock, when all that was begun is done."""
        self._settle()
        return self._clock()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Listen to every `span` of the process."""
        global _listening
        _listening = self
        try:
            yield
        finally:
            _listening = None


@contextmanager
def unheard() -> Iterator[None]:
    """No `span` in it counts: what is done there is only noted down, and is done later."""
    global _listening
    before, _listening = _listening, None
    try:
        yield
    finally:
        _listening = before


@contextmanager
def span(name: str) -> Iterator[None]:
    """What happens in it counts under this name."""
    watch = _listening
    if watch is None:
        yield
        return
    began = watch.now()
    yield
    watch.seconds[name] += watch.now() - began
