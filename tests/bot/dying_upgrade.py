"""Upgrades that are killed: `python -m tests.bot.dying_upgrade WORK LEFT [STRIDE]`.

A copy of the folder LEFT is upgraded in WORK by child processes that are killed: first before every
single statement that SQLite runs, or each STRIDE-th, then at random moments. After each death the
database must be that of some version, whole, and the next upgrade must end where an undisturbed one
does. Prints how many deaths there were of either kind.
"""

import functools
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import yoyo
from yoyo import connections
from yoyo.backends.core.sqlite3 import SQLiteBackend

from bot.folder import database_path, locked, upgrade
from tests.bot.versions import VERSIONS, applied, content, leave_behind, problems, schema

RANDOM_DEATHS = 12


def main(work: Path, left: Path, stride: int = 1) -> None:
    whole: list[dict[str, str]] = []
    for version in VERSIONS:
        leave_behind(work / version, version)
        whole.append(schema(database_path(work / version)))
    make_quick()
    wanted = copied(left, work / "undisturbed")
    began = time.monotonic()
    upgrade(wanted)
    seconds = time.monotonic() - began
    rows = content(database_path(wanted))

    def dies(die: Callable[[], None]) -> bool:
        """Whether an upgrade was killed; what it left must be whole, and be finished."""
        data = copied(left, work / "killed")
        if not killed(data, die):
            return False
        path = database_path(data)
        if "_yoyo_migration" in raw_tables(path):
            versions = applied(path)
            assert versions == list(VERSIONS[: len(versions)])
            assert schema(path) == (whole[len(versions) - 1] if versions else {})
        with locked(data):
            upgrade(data)
        assert applied(path) == list(VERSIONS)
        assert content(path) == rows
        assert not list(problems(path))
        return True

    deaths = 0
    while dies(at_statement(deaths * stride)):
        deaths += 1
    numbers = random.Random(1)
    print(deaths, sum(dies(after(numbers.uniform(0, seconds))) for _ in range(RANDOM_DEATHS)))


def make_quick() -> None:
    """Find yoyo and the migrations once, and wait for no disk: only processes die here."""
    yoyo.read_migrations = functools.cache(yoyo.read_migrations)
    connections.get_backend_class = functools.cache(connections.get_backend_class)
    connect = SQLiteBackend.connect

    def careless(backend: SQLiteBackend, uri: object) -> sqlite3.Connection:
        connection = connect(backend, uri)
        connection.execute("PRAGMA synchronous = OFF")
        return connection

    SQLiteBackend.connect = careless


def copied(left: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(left, to)
    return to


def raw_tables(path: Path) -> set[str]:
    database = sqlite3.connect(path)
    names = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    database.close()
    return names


def killed(data: Path, die: Callable[[], None]) -> bool:
    """Upgrade a folder in a child process; returns whether it was killed there."""
    child = os.fork()
    if child == 0:
        try:
            with locked(data):
                die()
                upgrade(data)
        except BaseException:  # noqa: BLE001 - a test's child goes no further
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def at_statement(number: int) -> Callable[[], None]:
    """Die when SQLite is about to run that statement, a COMMIT among them."""

    def die() -> None:
        connect, left = SQLiteBackend.connect, [number]

        def count(_statement: str) -> None:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        def traced(backend: SQLiteBackend, uri: object) -> sqlite3.Connection:
            connection = connect(backend, uri)
            connection.set_trace_callback(count)
            return connection

        SQLiteBackend.connect = traced

    return die


def after(seconds: float) -> Callable[[], None]:
    """Die at that moment, in whatever SQLite is doing then."""

    def die() -> None:
        # The default action of this signal is the kernel's, as that of SIGKILL.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-6))

    return die


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, sys.argv[3:]))
