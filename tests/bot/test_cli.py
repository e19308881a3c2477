"""The command line: what it offers, and the sentences with which it gives up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.folder import locked

ROOT = Path(__file__).parent.parent.parent


def pixel(
    *arguments: str, module: str = "bot.cli", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, with no setting but those given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIXEL_")}
    code = f"import sys; sys.argv[0] = 'pixel'; from {module} import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env={**kept, **environment, "NO_COLOR": "1", "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_command() -> None:
    done = pixel("--help")
    assert done.returncode == 0
    for command in (
        *("run", "demo", "gallery", "db", "chaos", "health"),
        *("draw", "settings", "models"),
    ):
        assert f" {command} " in done.stdout


def test_without_a_token_one_sentence_says_what_to_set_and_where_to_get_it() -> None:
    done = pixel("run")
    assert done.returncode == 78
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "PIXEL_TOKEN" in done.stderr
    assert "discord.com/developers/applications" in done.stderr


def test_python_m_bot_is_the_same() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIXEL_")}
    done = subprocess.run(
        [sys.executable, "-m", "bot"],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 78
    assert "PIXEL_TOKEN" in done.stderr


def test_a_setting_that_cannot_work_is_named() -> None:
    done = pixel("run", PIXEL_TOKEN="x", PIXEL_EASELS="none")
    assert done.returncode == 78
    assert "PIXEL_EASELS" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_bot_in_the_same_folder_is_told_so(tmp_path: Path) -> None:
    with locked(tmp_path):
        done = pixel("run", PIXEL_TOKEN="x", PIXEL_DATA=str(tmp_path))
    assert done.returncode == 75
    assert done.stderr.count("\n") == 1
    assert "Another bot works in" in done.stderr


def test_a_database_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "pixel.db").mkdir()
    done = pixel("run", PIXEL_TOKEN="x", PIXEL_DATA=str(tmp_path))
    assert done.returncode == 75
    assert done.stderr.count("\n") == 1
    assert f"The database in {tmp_path} cannot be used now: " in done.stderr


def test_a_disk_that_is_full_at_the_start_is_one_sentence(tmp_path: Path) -> None:
    full = (
        "import sys, engine.files\n"
        "def fsync(_): raise OSError(28, 'No space left on device')\n"
        "engine.files.os.fsync = fsync\n"
        "from bot.runner import run\n"
        "sys.exit(run())"
    )
    environment = {**os.environ, "PIXEL_TOKEN": "x", "PIXEL_DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", full],
        cwd=ROOT,
        env=environment | {"PIXEL_HTTP": "127.0.0.1:0", "PIXEL_LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 75
    sentence = f"There is no room left in {tmp_path}; make some, and start the bot again."
    assert done.stderr == f"{sentence}\n"


def test_the_database_is_upgraded_once(tmp_path: Path) -> None:
    first = pixel("db", "upgrade", "--data", str(tmp_path))
    # Without the option it is the configured folder.
    second = pixel("db", "upgrade", PIXEL_DATA=str(tmp_path))
    assert first.stdout == "Applied: 0001_jobs, 0002_community, 0003_keeping.\n"
    assert second.stdout == "The database is up to date.\n"
    assert first.returncode == second.returncode == 0


def test_the_database_of_a_running_bot_is_left_alone(tmp_path: Path) -> None:
    with locked(tmp_path):
        done = pixel("db", "upgrade", "--data", str(tmp_path))
    assert done.returncode == 75
    assert "Another bot works in" in done.stderr


def test_health_tells_when_no_bot_runs(tmp_path: Path) -> None:
    done = pixel("health", PIXEL_DATA=str(tmp_path))
    assert done.returncode == 1
    assert "No bot runs in" in done.stderr


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("run", 78),
        ("gallery", 78),
        ("db upgrade", 78),
        ("db check", 78),
        ("db backup copy.db", 78),
        # Docker takes 0 and 1 alone.
        ("health", 1),
    ],
)
def test_every_command_says_which_setting_cannot_work(command: str, code: int) -> None:
    done = pixel(*command.split(), PIXEL_EASELS="many")
    assert done.returncode == code
    assert done.stderr == (
        "PIXEL_EASELS cannot be “many”; allowed are whole numbers from 1 to 64.\n"
    )


def test_the_demo_says_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "simcord.py").write_text("raise ImportError('not installed')")
    done = pixel("demo", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "uv run --extra demo pixel demo" in done.stderr
    assert "Traceback" not in done.stderr
