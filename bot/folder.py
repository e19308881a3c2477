"""The data directory: what lies where, its lock, and its database brought up to date."""

import contextlib
import fcntl
import os
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from bot.store.copying import migrations_of
from engine.files import sweep_parts

MIGRATIONS = Path(__file__).parent.parent / "migrations"


class FolderInUse(RuntimeError):
    """Another bot works in this data directory."""


class NewerDatabase(RuntimeError):
    """The database has been brought further up to date than this version of the bot knows."""


def database_path(data: Path) -> Path:
    """Where the database lies."""
    return data / "pixel.db"


@contextlib.contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the data directory for this process, and make it if it is missing.

    The kernel drops the lock when the process ends, however it ends; none of its children has it.

    Raises:
        FolderInUse: when another process holds it; says which one.

    """
    data.mkdir(parents=True, exist_ok=True)
    file = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderInUse(
                f"Another bot works in {data.resolve()}{_holder(file)}; "
                "end it, or choose another data directory."
            ) from None
        # Only for the sentence above; what the file holds locks nothing.
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)
        # Half-written files of a killed bot.
        sweep_parts(data)
        yield
    finally:
        os.close(file)


def upgrade(data: Path) -> list[str]:
    """Apply the migrations that are missing, each whole or not at all; returns their names.

    Blocks. The caller holds the folder (`locked`), so a lock of yoyo's own that is still in the
    database was left behind by a killed process, and is broken.

    Raises:
        NewerDatabase: when migrations were applied that are not known here; none is applied then.

    """
    path = database_path(data).resolve()
    names = sorted(each.stem for each in MIGRATIONS.glob("*.sql"))
    if path.exists() and migrations_of(path) == names:
        return []
    # Mostly there is nothing to do, and this import would take a twentieth of the bot's start.
    from yoyo import get_backend, read_migrations

    known = read_migrations(str(MIGRATIONS))
    with get_backend(f"sqlite:///{quote(str(path))}") as backend:
        backend.break_lock()
        with backend.lock():
            applied = set(backend.get_applied_migration_hashes())
            if unknown := applied - {migration.hash for migration in known}:
                raise NewerDatabase(
                    f"The database in {data.resolve()} is that of a newer version of the bot "
                    f"(migrations that this one does not know: {len(unknown)}); update the bot, "
                    "or restore a backup from before."
                )
            missing = [migration for migration in known if migration.hash not in applied]
            for migration in missing:
                # yoyo's own way notes that a migration is applied in a transaction of its own:
                # killed in between, it would apply it once more.
                with backend.transaction():
                    for statement in _statements(Path(migration.path).read_text()):
                        backend.connection.execute(statement)
                    backend.mark_one(migration)
            return [migration.id for migration in missing]


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, each of which ends where a line ends."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    yield statement


def _holder(lock: int) -> str:
    """Who holds a lock, as far as its file says; on this machine, or another that shares it."""
    words = os.pread(lock, 300, 0).decode(errors="replace").split()
    match words:
        case [pid, host] if host == socket.gethostname():
            return f" (process {pid})"
        case [pid, host]:
            return f" (process {pid} on {host})"
        case _:
            # It has only just begun.
            return ""
