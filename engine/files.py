"""Files that are there whole or not at all."""

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

# How the names of files end that are still being written.
UNFINISHED = ".part"


def write_atomically(path: Path, data: bytes, parts: Path | None = None) -> None:
    """Write a file so that no reader ever sees half of it, also after a power cut.

    Blocks; makes the folder if it is missing. Raises `OSError` as the disk does, and leaves no
    temporary file behind then. A process that is killed meanwhile leaves one; whoever gives a
    folder for them can have it swept (`sweep_parts`).

    Args:
        path: where it goes.
        data: what is in it.
        parts: where the temporary file lies, on the same disk; beside the file if None.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = parts or path.parent
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}"
    # Unlike those of `tempfile`, which are the owner's alone, it gets the usual permissions.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            # Held until it is in its place, so that nobody takes it for one that was left behind.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def sweep_parts(folder: Path) -> None:
    """Delete the temporary files that killed processes have left in a folder.

    One that is being written, by whichever process, is held by it and stays.
    """
    for path in folder.glob(f".*{UNFINISHED}"):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            path.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
