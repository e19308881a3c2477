"""The data directory: what lies where, its lock, and its database brought up to date."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from yoyo import get_backend, read_migrations

from engine.files import sweep_parts

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class FolderInUse(RuntimeError):
    """Another bot works in this data directory."""


def database_path(data: Path) -> Path:
    """Where the database lies."""
    return data / "pixel.db"


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the data directory for this process, and make it if it is missing.

    The kernel drops the lock when the process ends, however it ends.

    Raises:
        FolderInUse: when another process holds it.

    """
    data.mkdir(parents=True, exist_ok=True)
    file = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(
                f"Another bot works in {data.resolve()}; end it or set PIXEL_DATA."
            ) from None
        # Half-written files of a killed bot.
        sweep_parts(data)
        yield
    finally:
        os.close(file)


def upgrade(data: Path) -> list[str]:
    """Apply the migrations that are missing, each in one transaction; returns their names.

    Blocks. The caller holds the folder (`locked`), so a lock of yoyo's own that is still in the
    database was left behind by a killed process, and is broken.
    """
    path = database_path(data).resolve()
    with get_backend(f"sqlite:///{quote(str(path))}") as backend:
        backend.break_lock()
        with backend.lock():
            missing = backend.to_apply(read_migrations(str(MIGRATIONS)))
            backend.apply_migrations(missing)
            return [migration.id for migration in missing]
