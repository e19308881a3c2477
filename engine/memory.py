"""What drawing needs of the memory.

Too much is refused beforehand, and a job that ran out of it is drawn again smaller.
"""

import contextlib
import os
import resource
from collections.abc import Callable
from pathlib import Path

import msgspec
import torch

from engine.asks import Answer
from engine.settings import MAX_BATCHES, Settings

_GIB = 2**30
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
# Drawers whose own work grows with the canvas, and not only that of their judges.
_CANVAS = frozenset({"vqgan", "fft"})
_SMALLEST_SIDE = 64


class TooLarge(MemoryError):
    """A drawing that can never fit into the memory; its message is a sentence for people."""


def ran_out(error: BaseException) -> bool:
    """Whether an error says that there was not enough memory."""
    # A processor's allocator raises a plain RuntimeError.
    refused = isinstance(error, RuntimeError) and "allocate memory" in str(error)
    return refused or isinstance(error, torch.OutOfMemoryError | MemoryError)


def capacity(device: torch.device) -> int:
    """How many bytes a process may use at all: of the GPU, or of this machine or its container."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        limits.append(soft)
    # Without a container there is no such file, or it says “max”.
    with contextlib.suppress(OSError, ValueError):
        limits.append(int(_CGROUP_LIMIT.read_text()))
    return min(limits)


def kept_for_view(judge: Callable[[torch.Tensor], Answer], side: int, device: torch.device) -> int:
    """How many bytes a judge keeps of each view until the backward pass.

    Whatever does not grow with the number of views, such as weights, is not counted.

    Args:
        judge: takes views ``[n, 3, side, side]``.
        side: of a view, in pixels.
        device: where it judges.

    """
    # A single view may be joined by another, for the sake of its rounding.
    two, four = (_kept(judge, torch.zeros(n, 3, side, side, device=device)) for n in (2, 4))
    return (four - two) // 2


def smaller(settings: Settings) -> tuple[Settings, str] | None:
    """The same drawing in about half the memory, and what is different, for people.

    The views of a step are judged in two halves, so that as many are judged. Where the canvas
    itself takes much it gets half its sides. None if nothing can be saved.

    Args:
        settings: resolved; the smaller ones are to be resolved again.

    """
    assert settings.num_cuts is not None
    assert settings.size is not None
    changes: dict[str, object] = {}
    said: list[str] = []
    if settings.num_cuts > 1 and settings.batches < MAX_BATCHES:
        changes["num_cuts"] = -(-settings.num_cuts // 2)
        changes["batches"] = min(MAX_BATCHES, 2 * settings.batches)
        said.append(f"its {settings.num_cuts} views a step are judged in two halves")
    width, height = settings.size
    if settings.drawer in _CANVAS and min(width, height) >= 2 * _SMALLEST_SIDE:
        changes["size"] = width // 2, height // 2
        said.append("it is drawn at half its size")
    if not changes:
        return None
    sentence = f"It did not fit into the memory, so {' and '.join(said)}."
    return msgspec.structs.replace(settings, **changes), sentence


def check_fits(needed: int, available: int, settings: Settings) -> None:
    """Raise `TooLarge` for a job that can never fit."""
    if needed > available:
        raise TooLarge(
            f"This picture needs about {needed / _GIB:.1f} GiB of memory for its "
            f"{settings.num_cuts} views a step, and this machine has {available / _GIB:.1f} GiB; "
            "lower num_cuts or the quality."
        )


def _kept(judge: Callable[[torch.Tensor], Answer], views: torch.Tensor) -> int:
    storages: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda kept: kept):
        # The answer holds what was noted, so that no address is used twice.
        answer = judge(views.requires_grad_())
    del answer
    return sum(storages.values())
