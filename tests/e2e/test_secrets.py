"""The token of a bot that runs for real: what its engine, its log and its folder hold of it."""

from pathlib import Path

import pytest

from tests.discord_server.client import TOKEN, DiscordServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


def children(process_id: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    listed = Path(f"/proc/{process_id}/task/{process_id}/children").read_text()
    own = [int(child) for child in listed.split()]
    return own + [grandchild for child in own for grandchild in children(child)]


def told(process_id: int) -> tuple[bytes, bytes]:
    """The command line and the environment with which a process was started."""
    folder = Path(f"/proc/{process_id}")
    return (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()


def files_of(folder: Path) -> dict[str, bytes]:
    """What lies in a folder, by names."""
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def test_the_token_is_in_no_child_no_log_and_no_file(tmp_path: Path) -> None:
    async with (
        DiscordServer.running() as discord,
        discord.bot(tmp_path, log_level="DEBUG") as bot,
    ):
        await discord.connected()
        assert TOKEN.encode() in told(bot.process.pid)[1]
        await discord.slash("pixel", prompt="a red apple", quality="draft", iterations=2)
        await discord.finished()
        started = [told(child) for child in children(bot.process.pid)]
        assert any(b"engine" in command for command, _ in started)
        for command, environment in started:
            assert b"PATH=" in environment
            assert TOKEN.encode() not in command + environment
        assert any("discord.gateway" in line for line in bot.log)
        assert not any(TOKEN in line for line in bot.log)
        files = files_of(tmp_path)
        assert {"final.png", "pixel.db"} <= files.keys()
        for name, content in files.items():
            assert TOKEN.encode() not in content, name
