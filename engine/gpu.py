"""The little that is asked of CUDA itself: copies beside the work, events, and graphs.

All work is in the order of one stream, but for what warms up and captures a graph, which has a
stream of its own. The host runs ahead of the device by at most `AHEAD` ticks, and writes a buffer
again only when what it last held has been copied.
"""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import torch

from engine.errors import EngineError, quote
from engine.stopwatch import unheard

AHEAD = 2
"""How many ticks the host may be ahead of the device: as long as a cancel may be late."""

GRAPHS = "PIXEL_CUDA_GRAPHS"

# Numbers of host and device lie at multiples of so many, which kernels read at once.
_ALIGNED = 4
_FIRST_ROOM, _BUFFERS = 2**16, 2


def graphs_wanted() -> bool:
    """Whether steps may be captured as CUDA graphs, as the environment says.

    Raises:
        EngineError: it says something else than “auto” or “off”.

    """
    asked = os.environ.get(GRAPHS, "auto")
    if asked not in {"auto", "off"}:
        raise EngineError(f"{GRAPHS} cannot be {quote(asked)}; allowed are auto and off.")
    return asked == "auto"


class Fetched(Protocol):
    """Tensors on their way to the host."""

    def ready(self) -> bool:
        """Whether they have come."""

    def tensors(self) -> Sequence[torch.Tensor]:
        """The tensors on the host, once they have come."""


class Here:
    """Tensors that are on the host already."""

    def __init__(self, tensors: Sequence[torch.Tensor]) -> None:
        self._tensors = tensors

    def ready(self) -> bool:
        """They are."""
        return True

    def tensors(self) -> Sequence[torch.Tensor]:
        """The tensors."""
        return self._tensors


class _Coming:
    """Tensors that are being copied; their event says when that is done."""

    def __init__(self, tensors: Sequence[torch.Tensor], event: Any) -> None:  # noqa: ANN401
        self._tensors, self._event = tensors, event

    def ready(self) -> bool:
        """Whether the copies are done."""
        done: bool = self._event.query()
        return done

    def tensors(self) -> Sequence[torch.Tensor]:
        """The copies, waited for."""
        self._event.synchronize()
        return self._tensors


@contextlib.contextmanager
def _deterministic() -> Iterator[None]:
    """With kernels of cuDNN that give the same bytes twice, chosen without a trial of others."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        yield


class Gpu:
    """A CUDA device.

    Args:
        device: which.
        cuda: `torch.cuda`, or what takes its place.
        pinned: makes host memory that can be copied from while the host goes on.

    """

    def __init__(
        self,
        device: torch.device,
        cuda: Any = torch.cuda,  # noqa: ANN401 - a module, or a stand-in for it
        pinned: Callable[[tuple[int, ...], torch.dtype], torch.Tensor] | None = None,
    ) -> None:
        self.device = device
        self._cuda, self._pinned = cuda, pinned or _pinned
        self._stream = cuda.Stream()
        self._pool = cuda.graph_pool_handle()
        self._ticks: deque[Any] = deque()
        self._room = _Room(_FIRST_ROOM, self._pinned, cuda.Event, device)

    def place(self, groups: Sequence[Sequence[torch.Tensor]]) -> list[torch.Tensor]:
        """Float tensors of the host on the device, by one copy that nothing waits for.

        What comes back is for each group one row of numbers, for `cut`. They stay what they are
        until the next call, in the order of the stream.
        """
        needed = sum(room_of(group) for group in groups)
        if needed > self._room.size:
            size = max(_FIRST_ROOM, 2 * needed)
            self._room = _Room(size, self._pinned, self._cuda.Event, self.device)
        return self._room.place(groups)

    def fetch(self, tensors: Sequence[torch.Tensor]) -> Fetched:
        """Tensors of the device as they are now, on their way to the host."""
        copies = []
        for tensor in tensors:
            copy = self._pinned(tuple(tensor.shape), tensor.dtype)
            copies.append(copy.copy_(tensor.detach(), non_blocking=True))
        event = self._cuda.Event()
        event.record()
        return _Coming(copies, event)

    def begin_tick(self) -> None:
        """Wait until the device is no more than `AHEAD` ticks behind."""
        while len(self._ticks) >= AHEAD:
            self._ticks.popleft().synchronize()

    def end_tick(self) -> None:
        """Note that all of a tick has been asked of the device."""
        event = self._cuda.Event()
        event.record()
        self._ticks.append(event)

    def warm_up(self, work: Callable[[], None]) -> None:
        """Work that is done now, where it will be captured, so that libraries are set up for it."""
        current = self._cuda.current_stream()
        self._stream.wait_stream(current)
        with _deterministic(), self._cuda.stream(self._stream):
            work()
        current.wait_stream(self._stream)

    def work(self, work: Callable[[], None]) -> None:
        """Work that is done now."""
        with _deterministic():
            work()

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:
        """Work as a CUDA graph, which is not done now; what is returned does it.

        All graphs share the memory of what they only need meanwhile: none leaves anything there
        that another one, or the host, reads later.
        """
        graph = self._cuda.CUDAGraph()
        try:
            with (
                _deterministic(),
                unheard(),
                self._cuda.graph(
                    graph,
                    pool=self._pool,
                    stream=self._stream,
                    # Other threads may go on with what they do.
                    capture_error_mode="thread_local",
                ),
            ):
                work()
        except Exception:
            self._take_new_pool()
            raise
        replay: Callable[[], None] = graph.replay
        return replay

    def free(self) -> None:
        """Give memory back that nothing uses, once all graphs are gone."""
        self._take_new_pool()
        self._cuda.empty_cache()

    def _take_new_pool(self) -> None:
        """A pool that was used, and that no graph uses any more, is not taken for another one."""
        self._pool = self._cuda.graph_pool_handle()


class _Room:
    """Room for the numbers of a tick: pinned buffers in turn, and one on the device."""

    def __init__(
        self,
        size: int,
        pinned: Callable[[tuple[int, ...], torch.dtype], torch.Tensor],
        event: Callable[[], Any],
        device: torch.device,
    ) -> None:
        self.size = size
        self._event = event
        # Each with the event that says that it has been copied, once it has been used.
        self._buffers: deque[tuple[torch.Tensor, Any]] = deque(
            (pinned((size,), torch.float32), None) for _ in range(_BUFFERS)
        )
        self._device = torch.empty(size, device=device)

    def place(self, groups: Sequence[Sequence[torch.Tensor]]) -> list[torch.Tensor]:
        """As `Gpu.place`, for what fits."""
        buffer, copied = self._buffers.popleft()
        if copied is not None:
            copied.synchronize()
        rows, end = [], 0
        for group in groups:
            begin, end = end, end + room_of(group)
            for part, tensor in zip(cut(buffer[begin:end], group), group, strict=True):
                part.copy_(tensor)
            rows.append(self._device[begin:end])
        self._device[:end].copy_(buffer[:end], non_blocking=True)
        copied = self._event()
        copied.record()
        self._buffers.append((buffer, copied))
        return rows


def room_of(tensors: Sequence[torch.Tensor]) -> int:
    """How many numbers a row has that some tensors are cut from."""
    return sum(_aligned(tensor.numel()) for tensor in tensors)


def cut(row: torch.Tensor, like: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Parts of a row of numbers, in the shapes of some tensors."""
    parts, end = [], 0
    for tensor in like:
        begin, end = end, end + _aligned(tensor.numel())
        parts.append(row[begin : begin + tensor.numel()].view(tensor.shape))
    return parts


def _aligned(count: int) -> int:
    return -(-count // _ALIGNED) * _ALIGNED


def _pinned(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    return torch.empty(shape, dtype=dtype, pin_memory=True)
