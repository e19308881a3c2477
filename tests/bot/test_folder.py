"""One bot a data directory: whoever comes second is told who is first, and nobody leaves a lock."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.backup import back_up
from bot.demo.run import run_demo
from bot.folder import FolderInUse, locked, upgrade
from bot.gallery.server import open_gallery
from tests.bot.test_cli import ROOT, pixel

# Holds a folder, has a child that would outlive it, and says so.
_HOLDER = """
import subprocess, sys, time
from pathlib import Path
from bot.folder import locked
with locked(Path(sys.argv[1])):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    print(child.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that works in the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
        process.kill()


def test_the_second_bot_is_told_which_process_is_the_first(
    tmp_path: Path, holder: subprocess.Popen[str], capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = (
        f"Another bot works in {tmp_path} (process {holder.pid}); "
        "end it, or choose another data directory."
    )
    with pytest.raises(FolderInUse) as refusal, locked(tmp_path):
        pass
    assert str(refusal.value) == sentence
    told = pixel("run", PIXEL_TOKEN="x", PIXEL_DATA=str(tmp_path))
    assert (told.returncode, told.stderr) == (os.EX_TEMPFAIL, f"{sentence}\n")
    # The demo works in the same kind of folder.
    assert run_demo(port=0, data=tmp_path, browser=False) == os.EX_TEMPFAIL
    assert capsys.readouterr().err == f"{sentence}\n"


def test_a_killed_bot_leaves_no_lock_behind_though_its_children_live_on(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    us = rf"process {os.getpid()}\)"
    with locked(tmp_path), pytest.raises(FolderInUse, match=us), locked(tmp_path):
        pass


def test_the_first_may_be_on_another_machine(tmp_path: Path) -> None:
    with locked(tmp_path):
        for content, told in (
            ("7 elsewhere", rf"in {tmp_path} \(process 7 on elsewhere\);"),
            (f"7 {socket.gethostname()}", rf"in {tmp_path} \(process 7\);"),
            # It has not written that down yet, or somebody else has written there.
            ("", rf"in {tmp_path};"),
            ("7 8 9", rf"in {tmp_path};"),
        ):
            (tmp_path / "lock").write_text(content)
            with pytest.raises(FolderInUse, match=told), locked(tmp_path):
                pass


async def test_who_only_reads_may_work_beside_it(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    upgrade(tmp_path)
    back_up(tmp_path, tmp_path / "copy")
    async with open_gallery(tmp_path):
        assert holder.poll() is None
