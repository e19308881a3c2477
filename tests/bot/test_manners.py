"""Nobody is pinged, every picture has a text, what concerns one person is shown to them alone."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord
from simcord import HttpLogEntry

from bot.starboard import favourited
from tests.bot.helpers import png
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, labels, simulated

HOSTILE = "@everyone @here <@1> <@&2> <#3> **x** [y](https://example.com) ||z|| `c` \u202eevil"
# What Discord would make a mention or a link of in a prompt.
MENTION = re.compile(r"@(?:everyone|here)|(?<!\\)<[@#]|\]\(https://example")


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


def spoken(entry: HttpLogEntry) -> Iterator[dict[str, Any]]:
    """The messages in a request: as such, or as the answer to an interaction."""
    body = entry.json
    if not isinstance(body, dict):
        return
    for message in (body, body.get("data")):
        if isinstance(message, dict) and ({"content", "embeds"} & set(message)):
            yield message


def words(message: dict[str, Any]) -> str:
    """What is shown of a message in which Discord looks for mentions and links."""
    texts = [message.get("content") or ""]
    for embed in message.get("embeds") or []:
        texts += [embed.get("title") or "", embed.get("description") or ""]
        texts += [field["value"] for field in embed.get("fields", [])]
    return "\n".join(texts)


async def everything(server: Server, engine: ScriptedEngine) -> set[str]:
    """Have the bot send every kind of message about a hostile prompt; the commands it took."""
    store, guild = server.bot.store, server.guild
    best = guild.create_text_channel("best")
    role = guild.create_role("admins", permissions=discord.Permissions(manage_guild=True))
    admin = guild.add_member(server.env.create_user("admin"), roles=[role])
    await store.set_preference("guild", guild.id, "starboard", best.id)
    await store.set_preference("guild", guild.id, "stars", 1)
    await store.set_preference("guild", guild.id, "words", [HOSTILE[:50]])

    async def typed(person: simcord.MemberActor, name: str, **options: object) -> None:
        assert (await person.slash(server.channel, name, **options)).response is not None

    job_id = await server.ask(HOSTILE)
    await engine.has(job_id)
    waiting = [await server.ask(HOSTILE) for _ in range(2)]
    await typed(server.bob, "queue")
    engine.progress(job_id, 20)
    await server.shown(job_id, lambda message: message.attachments)
    engine.finish(job_id)
    message = await server.finished(job_id)
    await server.bob.click(message, label="Reroll")
    await server.bob.click(message, label="Again")
    await engine.has(waiting[0])
    engine.fail(waiting[0], f"No: {HOSTILE}")
    await server.shown(waiting[0], lambda message: "Again" in labels(message))
    await server.alice.click(server.message(waiting[1]), label="Cancel")
    menus = ("Pixel info", "Start from this picture", "Take its palette")
    for menu in menus:
        await server.bob.context_menu(server.channel, menu, message)
    await typed(server.alice, "history")
    await typed(server.bob, "show", id=job_id)
    await typed(server.alice, "family", id=job_id)
    await typed(server.alice, "pixel", prompt=f"{HOSTILE} --palette {HOSTILE}")
    await typed(server.alice, "settings", palette=HOSTILE)
    await typed(server.alice, "settings", reset=HOSTILE)
    shown = await server.alice.slash(server.channel, "pixel-more")
    await server.alice.submit_modal(shown, {"prompt": "x", "settings": HOSTILE})
    async with store._transaction():
        await store._write("INSERT INTO favourites VALUES (?, ?, 0)", (server.bob.id, job_id))
    await favourited(server.bot, await server.job(job_id))
    assert best.history()
    await typed(server.alice, "privacy")
    setup = await admin.slash(server.channel, "setup")
    for _ in range(6):
        assert setup.response is not None
        setup = await admin.click(setup.response.message, label="Next")
    await store.set_preference("guild", guild.id, "word_rule", "refuse")
    await typed(server.alice, "pixel", prompt=HOSTILE)
    forget = await server.alice.slash(server.channel, "forget")
    assert forget.response is not None
    await server.alice.click(forget.response.message, label="Delete everything")
    return {
        *menus,
        *("pixel", "pixel-more", "queue", "history", "show", "family"),
        *("settings", "setup", "privacy", "forget"),
    }


async def test_no_message_of_any_kind_pings_anybody(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine, easels=1, running_per_user=1) as server:
        used = await everything(server, engine)
        # What the owner types is not a stranger's text.
        missing = {command.name for command in server.bot.tree.get_commands()} - used - {"admin"}
        assert not missing, "this test has to use every command"
        messages = [
            (entry, message) for entry in server.env.http_requests for message in spoken(entry)
        ]
        assert len(messages) > 30
        for entry, message in messages:
            about = f"{entry.method} {entry.path} {json.dumps(message)}"
            assert message.get("allowed_mentions") == {"parse": []}, about
            shown = re.sub(r"```.*?```", "", words(message), flags=re.DOTALL)
            for known in re.findall(r"<[@#]&?\d{6,}>", shown):
                shown = shown.replace(known, "")
            assert not MENTION.search(shown), about
            assert "\u202e" not in shown, about


async def test_every_picture_has_its_prompt_as_alt_text(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, easels=1, running_per_user=1) as server:
        await everything(server, engine)
        pictures = [
            attachment
            for entry in server.env.http_requests
            for message in [entry.json, *spoken(entry)]
            if isinstance(message, dict)
            for attachment in message.get("attachments") or []
            if attachment.get("filename", "").endswith((".png", ".gif", ".webp"))
        ]
        assert len(pictures) >= 4
        for picture in pictures:
            text = picture.get("description", "")
            assert text, picture
            # A sheet of several says which they are.
            assert "@everyone @here" in text or not picture["filename"].startswith("pixel-")


async def test_what_concerns_one_person_is_shown_to_them_alone(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, easels=1, running_per_user=1) as server:
        await everything(server, engine)
        answers = [
            entry.json
            for entry in server.env.http_requests
            if entry.path.endswith("/callback") and isinstance(entry.json, dict)
        ]
        # New messages, and “is thinking”; the others change what is there, or open a form.
        begun = [answer for answer in answers if answer["type"] in (4, 5)]
        assert len(begun) > 10
        ephemeral = discord.MessageFlags.ephemeral.flag
        openly = [one for one in begun if not one.get("data", {}).get("flags", 0) & ephemeral]
        assert len(openly) == 1, "nothing but /show is for everybody"


async def test_automods_refusal_is_told_kindly(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        server.env.inject_error("POST", "/channels/*/messages", status=400, code=200000)
        job_id = await server.ask("something rude")
        await server.shown(job_id, lambda _: True)
        assert "this server's AutoMod does not let me repeat" in server.text(job_id)
        engine.finish(job_id, png())
        await server.finished(job_id)
        assert "this server's AutoMod does not let me repeat" in server.text(job_id)
