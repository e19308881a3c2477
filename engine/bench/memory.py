"""The most memory that something took."""

import resource
import sys
from contextlib import suppress
from pathlib import Path

import torch

_PROCESS = Path("/proc/self")


def forget_peak(device: torch.device) -> None:
    """Begin to look for the peak anew, where the system can."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        # Of Linux: https://docs.kernel.org/filesystems/proc.html, clear_refs.
        with suppress(OSError):
            (_PROCESS / "clear_refs").write_text("5")


def peak_mib(device: torch.device) -> float:
    """The most since then, in MiB: of the GPU's memory, else of the whole process's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    with suppress(OSError):
        for line in (_PROCESS / "status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    # Kilobytes, but bytes on a Mac.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 1024
    )
