"""What becomes of jobs, told in order, while its pictures are encoded beside the drawing.

A picture is first on its way from the device, which only the thread that draws may look after, and
then on a thread that makes a PNG of it: zlib and Pillow let others work meanwhile.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from engine.gpu import Fetched
from engine.protocol import JobEvent

# So many events of one job may wait: then the drawing waits for the first of them.
_MOST = 4
_MOST_THREADS = 4

# Makes an event of tensors that have come from the device.
Told = Callable[[Sequence[torch.Tensor]], JobEvent]


class Outbox:
    """Events by job, each ready once its pictures are encoded."""

    def __init__(self) -> None:
        threads = max(1, min(_MOST_THREADS, (os.cpu_count() or 1) // 2))
        self._encoders = ThreadPoolExecutor(threads, "encoder")
        # Only of jobs of which something waits.
        self._waiting: dict[str, deque[_Parcel]] = {}

    def put(self, job: str, fetched: Fetched, told: Told) -> None:
        """Tell an event of a job once its tensors have come and it has been made of them."""
        parcels = self._waiting.setdefault(job, deque())
        parcels.append(_Parcel(fetched, told, self._encoders))

    def full(self, job: str) -> bool:
        """Whether the next event of a job should wait until one of those before it is told."""
        return len(self._waiting.get(job, ())) >= _MOST

    def next(self, job: str) -> JobEvent:
        """The first event of a job, waited for; raises what went wrong with it."""
        parcels = self._waiting[job]
        parcel = parcels.popleft()
        if not parcels:
            del self._waiting[job]
        return parcel.event()

    def ready(self, job: str) -> Iterator[JobEvent]:
        """The events of a job that nothing has to wait for; raises what went wrong with one."""
        # Those that have come can be encoded meanwhile.
        for parcel in self._waiting.get(job, ()):
            parcel.look()
        while (parcels := self._waiting.get(job)) and parcels[0].done:
            yield self.next(job)

    def waits(self, job: str) -> bool:
        """Whether there is an event of a job that is not told."""
        return job in self._waiting

    def forget(self, job: str) -> None:
        """Tell nothing more of a job."""
        for parcel in self._waiting.pop(job, ()):
            parcel.drop()


class _Parcel:
    def __init__(self, fetched: Fetched, told: Told, encoders: ThreadPoolExecutor) -> None:
        self._fetched, self._told, self._encoders = fetched, told, encoders
        self._event: Future[JobEvent] | None = None
        self.look()

    def look(self) -> None:
        """Let it be encoded if it has come."""
        if self._event is None and self._fetched.ready():
            self._encode()

    @property
    def done(self) -> bool:
        """Whether it need not be waited for."""
        return self._event is not None and self._event.done()

    def event(self) -> JobEvent:
        """The event, waited for."""
        return (self._event or self._encode()).result()

    def drop(self) -> None:
        """Do not encode it any more if that has not begun."""
        if self._event is not None:
            self._event.cancel()

    def _encode(self) -> Future[JobEvent]:
        self._event = self._encoders.submit(self._told, self._fetched.tensors())
        return self._event
