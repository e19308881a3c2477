"""`pixel db backup` and `pixel db check`: a copy of the database, and whether one is sound."""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.folder import MIGRATIONS, database_path
from bot.store.copying import copy_database, flaws, migrations_of, pictures_of
from engine.files import UNFINISHED


class BackupError(RuntimeError):
    """There is no copy, or nothing to check; the message is for the operator."""


@dataclass(frozen=True)
class Report:
    """What is known of a database.

    Attributes:
        problems: what is wrong with it, as sentences; none if it is sound.
        version: its newest migration.
        outdated: whether migrations are missing that the bot applies when it starts.
        missing: pictures whose files are not there, and how many there should be; None where
            that was not looked for.

    """

    problems: list[str]
    version: str
    outdated: bool
    missing: tuple[int, int] | None = None


def back_up(data: Path, target: Path) -> int:
    """Copy the database of a data directory, in which a bot may be at work; returns the bytes.

    The copy is there whole and sound, or not at all.

    Raises:
        BackupError: when it cannot be made, or is not sound.

    """
    source = _existing(database_path(data))
    if target.exists():
        raise BackupError(f"{target} is there already, and a backup replaces nothing.")
    try:
        with _temporary(target) as temporary:
            copy_database(source, temporary)
            if problems := list(flaws(temporary)):
                raise BackupError(
                    f"The database {source} is damaged ({problems[0]}), and so would be its copy; "
                    "“pixel db check” says everything that is wrong with it."
                )
            _flush(temporary)
            _publish(temporary, target)
            _flush(target.parent)
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied to {target}: {error}.") from None
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}.") from None
    return target.stat().st_size


def check(path: Path) -> Report:
    """Look for damage in a database, or in that of a data directory, also for missing pictures.

    Raises:
        BackupError: when there is none, or it is of another program, or of a newer version.

    """
    data = path if path.is_dir() else None
    path = _existing(database_path(path) if data is not None else path)
    known = sorted(migration.stem for migration in MIGRATIONS.glob("*.sql"))
    try:
        applied = migrations_of(path)
        if not applied:
            raise BackupError(f"{path} is not a database of the bot's.")
        if unknown := set(applied) - set(known):
            raise BackupError(
                f"{path} is the database of a newer version of the bot ({max(unknown)}); "
                "check it with that."
            )
        problems = list(flaws(path))
        outdated = applied != known
        missing = None
        if data is not None and not outdated:
            there = [(data / picture).is_file() for _, picture in pictures_of(path)]
            missing = there.count(False), len(there)
    except sqlite3.Error as error:
        # Not even its first page, or not one of its tables, can be read.
        return Report([f"{error}"], "unknown", outdated=False)
    return Report(problems, applied[-1], outdated, missing)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise BackupError(f"There is no database {path}.")
    return path


@contextlib.contextmanager
def _temporary(target: Path) -> Iterator[Path]:
    """An empty file beside another one, for its owner alone, which is gone at the end."""
    path = target.with_name(f".{target.name}.{secrets.token_hex(4)}{UNFINISHED}")
    # Prompts and people's ids are nobody else's business.
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)


def _publish(temporary: Path, target: Path) -> None:
    """Give a file its name, unless that is taken."""
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        raise BackupError(f"{target} is there already, and a backup replaces nothing.") from None
    except OSError:
        # Such as on a stick or a share, where a file has one name only.
        if target.exists():
            raise
        temporary.rename(target)


def _flush(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
