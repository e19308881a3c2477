"""How the bot presents itself to Discord, and what it answers to buttons of lost jobs."""

from pathlib import Path
from types import SimpleNamespace

import discord
import pytest
import simcord

from bot.app import open_bot
from bot.folder import FolderInUse
from bot.views.buttons import AgainButton
from bot.views.history import OlderButton
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, config, connected, simulated


def registrations(server: Server) -> list[str]:
    return [request.path for request in server.env.http_requests if request.method == "PUT"]


async def test_it_asks_for_no_privileged_intent_and_pings_nobody(tmp_path: Path) -> None:
    async with open_bot(config(tmp_path), engine=ScriptedEngine()) as bot:
        privileged = discord.Intents.none()
        privileged.members = privileged.presences = privileged.message_content = True
        assert not bot.intents.value & privileged.value
        assert bot.allowed_mentions is not None
        assert bot.allowed_mentions.to_dict() == {"parse": []}


async def test_what_a_killed_bot_has_left_half_written_is_swept_away(tmp_path: Path) -> None:
    parts = tmp_path / "pictures/parts"
    parts.mkdir(parents=True)
    left = (parts / ".final.png.0123.part", tmp_path / ".commands.sha256.0123.part")
    for path in left:
        path.write_bytes(b"half")
    async with open_bot(config(tmp_path), engine=ScriptedEngine()):
        assert not any(path.exists() for path in left)


async def test_commands_are_registered_when_they_change_and_not_at_every_start(
    tmp_path: Path,
) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        assert len(registrations(server)) == 1
    async with simulated(tmp_path, ScriptedEngine()) as server:
        assert not registrations(server)
    (tmp_path / "commands.sha256").write_text("of other commands")
    async with simulated(tmp_path, ScriptedEngine()) as server:
        assert len(registrations(server)) == 1


async def test_commands_are_not_registered_where_that_is_not_wanted(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine(), sync_commands=False) as server:
        assert not registrations(server)


async def test_commands_can_be_registered_in_some_servers_only(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine(), guilds=(5, 6)) as server:
        paths = registrations(server)
        assert [path.split("/")[-2:] for path in paths] == [["5", "commands"], ["6", "commands"]]


async def test_a_server_that_refuses_the_commands_does_not_keep_the_bot_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def missing_access(*_: object, **__: object) -> None:
        response = SimpleNamespace(status=403, reason="Forbidden")
        raise discord.Forbidden(response, {"code": 50001, "message": "Missing Access"})

    async with open_bot(config(tmp_path), engine=ScriptedEngine()) as bot:
        monkeypatch.setattr(bot.tree, "sync", missing_access)
        async with connected(bot) as server:
            assert server.bot.is_ready()
    assert "could not be registered" in caplog.text
    async with simulated(tmp_path, ScriptedEngine()) as server:
        assert registrations(server), "it is tried again at the next start"


async def test_one_bot_works_in_a_folder(tmp_path: Path) -> None:
    async with open_bot(config(tmp_path), engine=ScriptedEngine()):
        with pytest.raises(FolderInUse):
            async with open_bot(config(tmp_path), engine=ScriptedEngine()):
                pass
    async with open_bot(config(tmp_path), engine=ScriptedEngine()):
        pass


async def test_a_button_of_a_job_that_is_not_in_the_records_says_so(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        # As in a message that an earlier bot, whose database is lost, has sent.
        view = discord.ui.View(timeout=None).add_item(AgainButton(999))
        channel = server.bot.get_partial_messageable(server.channel.id)
        message = await channel.send("A picture", view=view)
        result = await server.alice.click(message, label="Again")
        assert result.response is not None
        assert result.response.ephemeral
        assert "not in my records" in result.response.content


async def test_nobody_leafs_through_somebody_elses_pictures(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        engine.finish(job_id)
        await server.finished(job_id)
        # Pages are shown to their owner only; this is one that got out.
        view = discord.ui.View(timeout=None).add_item(OlderButton("mine", job_id))
        channel = server.bot.get_partial_messageable(server.channel.id)
        message = await channel.send("A page", view=view)
        result = await server.bob.click(message, label="Older")
        assert result.response is not None
        assert "somebody else's pictures" in result.response.content


async def test_a_mistake_of_the_bot_is_a_sentence_and_the_cause_is_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the cause")

    async with open_bot(config(tmp_path), engine=ScriptedEngine()) as bot:
        monkeypatch.setattr(bot.store, "excerpt", broken)
        async with simcord.run(bot, shard_count=1, check_errors=False) as env:
            guild = env.create_guild()
            channel = guild.create_text_channel("art")
            alice = guild.add_member(env.create_user("alice"))
            result = await alice.slash(channel, "history")
    assert result.response is not None
    assert "the cause is in the bot's log" in result.response.content
    assert "ZeroDivisionError" not in result.response.content
    assert "ZeroDivisionError: the cause" in caplog.text
