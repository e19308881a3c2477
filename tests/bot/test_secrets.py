"""The token is in the bot's memory and nowhere else: no log, traceback, child process or text."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from bot import cli, logs, runner
from bot.config import Config, ConfigError, read_config
from bot.workshop.client import Workshop
from bot.workshop.orders import Sheet
from engine import images
from engine.errors import PictureError

TOKEN = "MTA0NzEx.G1vErY.s3cr3t-t0k3n_of-th3-b0t"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("PIXEL_TOKEN", "DISCORD_TOKEN", "pixel_token", "SOME_OTHER_SECRET"):
        monkeypatch.setenv(name, TOKEN)


@pytest.fixture
def teller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Instead of Python, a program that tells its environment."""
    program = tmp_path / "tell"
    program.write_text("#!/bin/sh\nenv\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(program))


def test_it_is_in_no_text_of_the_settings() -> None:
    config = read_config()
    assert config.token is not None
    assert config.token.reveal() == TOKEN
    asdict = msgspec.structs.asdict(config)
    for text in (repr(config), str(config), repr(config.token), str(config.token), str(asdict)):
        assert TOKEN not in text
    for write in (msgspec.json.encode, msgspec.to_builtins):
        with pytest.raises(TypeError):
            write(config)


def test_it_is_not_told_when_another_setting_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIXEL_EASELS", "many")
    with pytest.raises(ConfigError) as error:
        read_config()
    assert TOKEN not in str(error.value)
    assert runner.run() == os.EX_CONFIG
    said = capsys.readouterr().err
    assert "PIXEL_EASELS cannot be “many”" in said
    assert TOKEN not in said


async def test_the_workshop_s_processes_do_not_know_it(teller: None) -> None:
    told = await Workshop().make(Sheet(()))
    assert told is not None
    assert b"PATH=" in told
    assert TOKEN.encode() not in told


def test_the_process_that_decodes_does_not_know_it(
    teller: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "_REFUSED", 0)
    with pytest.raises(PictureError) as told:
        images.read_picture(b"a picture")
    assert "PATH=" in str(told.value)
    assert TOKEN not in str(told.value)


@pytest.mark.parametrize("given", ["{}", " {}\n", "{}\r"])
def test_the_log_hides_what_discord_gets(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden: list[str] = []

    async def end(_config: Config, token: str) -> None:
        hidden.append(token)

    monkeypatch.setenv("PIXEL_TOKEN", given.format(TOKEN))
    monkeypatch.setattr(runner, "set_up", lambda *arguments: hidden.append(arguments[2]))
    monkeypatch.setattr(runner, "_run", end)
    assert runner.run() == 0
    assert hidden == [TOKEN, TOKEN]


@pytest.mark.parametrize("blank", ["", "  ", "\n"])
def test_a_token_of_nothing_is_none(
    blank: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("pixel_token")
    monkeypatch.setenv("PIXEL_TOKEN", blank)
    monkeypatch.setattr(logs, "set_up", None)
    assert runner.run() == os.EX_CONFIG
    assert "PIXEL_TOKEN is not set" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["import bot.cli as c; c.main()", "import bot.runner as r; r.run()"]
)
def test_a_traceback_that_nobody_expected_shows_no_variables(command: str, tmp_path: Path) -> None:
    assert cli.app.pretty_exceptions_show_locals is False
    (tmp_path / "file").write_text("no folder")
    done = subprocess.run(
        [sys.executable, "-c", command, "run"],
        env={**os.environ, "PIXEL_DATA": str(tmp_path / "file"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert TOKEN not in done.stdout + done.stderr
