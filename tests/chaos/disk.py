"""A disk that can be full: a small file system of its own where that may be mounted.

Where it may not, a limit on the size of the bot's files stands for it: the kernel refuses every
write beyond it, with EFBIG instead of ENOSPC.
"""

import contextlib
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_SIZE = "160m"
_CHUNKS = (1 << 20, 1 << 12, 1)
_SOME_FILES = ("mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "pixel-chaos")
# As root, or as somebody who may be root in a room of their own.
_NAMESPACES = (
    ("unshare", "--mount"),
    ("unshare", "--user", "--map-root-user", "--mount"),
)


def own_namespace(folder: Path) -> Sequence[str]:
    """The command before a command that may mount something that nobody else sees.

    Empty where there is none. What is mounted goes when the last process in there ends.
    """
    for namespace in _NAMESPACES:
        if shutil.which(namespace[0]) is None:
            break
        tried = subprocess.run(
            [*namespace, *_SOME_FILES, str(folder)], capture_output=True, check=False
        )
        if tried.returncode == 0:
            return namespace
    return ()


class Disk:
    """Where the bot's data lies.

    Args:
        folder: for it.
        own: whether a file system may be mounted there, in a namespace of this process.

    """

    def __init__(self, folder: Path, *, own: bool) -> None:
        self.own = own
        self._ballast = folder / "ballast"
        folder.mkdir(parents=True, exist_ok=True)
        if own:
            subprocess.run([*_SOME_FILES, str(folder)], check=True)

    def fill(self, processes: Iterable[int]) -> None:
        """Leave room for nothing; `processes` are those that write there."""
        if not self.own:
            _limit_files(processes, 0)
            return
        with self._ballast.open("wb", buffering=0) as file:
            for size in _CHUNKS:
                try:
                    while file.write(b"\0" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self, processes: Iterable[int]) -> None:
        """Give the room back."""
        if self.own:
            self._ballast.unlink()
        else:
            _limit_files(processes, resource.RLIM_INFINITY)

    def __str__(self) -> str:
        if self.own:
            return f"a file system of its own ({_SIZE}), filled to the last byte"
        return "a limit on the size of files, as nothing may be mounted here"


def _limit_files(processes: Iterable[int], size: int) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def supported() -> bool:
    """Whether processes can be looked at and limited from outside here."""
    return sys.platform == "linux"
