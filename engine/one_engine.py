"""One engine a folder of snapshots: it holds a lock there, and a former one is ended.

The file `lock` in the folder holds the process id of whoever holds it.
"""

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_LOCK = "lock"
_WIDTH = 20
_LOOK_SECONDS = 0.05


class FolderInUse(RuntimeError):
    """Another engine works with these snapshots."""


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Hold the folder for this process; the kernel lets go of it however the process ends.

    Raises:
        FolderInUse: when another process holds it.

    """
    descriptor = _open_lock(folder)
    try:
        if not _taken(descriptor):
            raise FolderInUse(f"another engine works with the snapshots in {folder}")
        # Over what is there, so that a full disk has room for it.
        os.pwrite(descriptor, f"{os.getpid():<{_WIDTH}}".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def end_former(folder: Path, patience: float) -> int | None:
    """Wait for the engine that a former client left in the folder, and kill it if need be.

    An engine ends by itself when its client is gone, unless it is frozen or stuck. Blocks.

    Args:
        folder: of the snapshots.
        patience: seconds that it may take.

    Returns:
        The process id of the engine that had to be killed, or None.

    """
    descriptor = _open_lock(folder)
    try:
        if _taken_within(descriptor, patience):
            return None
        written = os.pread(descriptor, _WIDTH, 0).strip()
        # Nothing is written in the moment between taking the lock and saying who did.
        if not written.isdigit():
            return None
        process_id = int(written)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGKILL)
        _taken_within(descriptor, patience)
        return process_id
    finally:
        os.close(descriptor)


def _open_lock(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _taken_within(descriptor: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not _taken(descriptor):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
