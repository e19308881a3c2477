"""Files that are there whole or not at all."""

import os
import secrets
from pathlib import Path

# How the names of files end that are still being written.
UNFINISHED = ".part"


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that no reader ever sees half of it, also after a power cut.

    Blocks; makes the folder if it is missing. Raises `OSError` as the disk does, and leaves no
    temporary file behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    # Unlike those of `tempfile`, which are the owner's alone, it gets the usual permissions.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
