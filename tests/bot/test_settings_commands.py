"""/settings shows and changes one's own; /setup walks those who manage a server through theirs."""

from pathlib import Path

import discord
import pytest
import simcord

from bot.app import open_bot
from bot.views.setup import FormButton, PageButton
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, config, connected, simulated


async def settings(server: Server, **options: object) -> simcord.ResponseMessage:
    result = await server.alice.slash(server.channel, "settings", **options)
    assert result.response is not None
    assert result.response.ephemeral
    return result.response


def text(response: simcord.ResponseMessage | discord.Message) -> str:
    return response.embeds[0].description or ""


def lacking(response: simcord.ResponseMessage) -> str | None:
    return next((field.value for field in response.embeds[0].fields), None)


def admin(server: Server, **permissions: bool) -> simcord.MemberActor:
    role = server.guild.create_role(
        "admins", permissions=discord.Permissions(manage_guild=True, **permissions)
    )
    return server.guild.add_member(server.env.create_user("admin"), roles=[role])


class Walk:
    """An admin who sets the server up, page by page."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.admin = admin(server)

    async def start(self) -> "Walk":
        result = await self.admin.slash(self.server.channel, "setup")
        assert result.response is not None
        assert result.response.ephemeral
        self.message = result.response
        return self

    def ids(self) -> list[str]:
        return [part["custom_id"] for row in self.message.components for part in row["components"]]

    def _id(self, beginning: str) -> str:
        return next(one for one in self.ids() if one.startswith(beginning))

    async def press(self, label: str, times: int = 1) -> None:
        for _ in range(times):
            self._shown(await self.admin.click(self.message.message, label=label))

    async def choose(self, name: str, *values: object) -> simcord.InteractionResult:
        custom_id = self._id(f"pixel:setup-set:{name}:")
        result = await self.admin.select(self.message.message, values, custom_id=custom_id)
        return self._shown(result)

    async def write(self, **values: object) -> simcord.InteractionResult:
        shown = await self.admin.click(self.message.message, label="Write …")
        return await self.admin.submit_modal(shown, values)

    def _shown(self, result: simcord.InteractionResult) -> simcord.InteractionResult:
        """The page is edited in place."""
        assert result.response is not None
        assert result.response.id == self.message.id, result.response.content
        self.message = result.response
        return result

    async def set_values(self) -> dict[str, object]:
        return await self.server.bot.store.preferences("guild", self.server.guild.id)


async def test_own_settings_are_shown_set_and_taken_back(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        store = server.bot.store
        await store.set_preference("channel", server.channel.id, "quality", "draft")
        await store.set_preference("guild", server.guild.id, "aspect", "square")
        shown = text(await settings(server, preset="sprite", private=True))
        assert "**preset** sprite · *yours*" in shown
        assert "**quality** draft · *this channel's*" in shown
        assert "**aspect** square · *this server's*" in shown
        assert "**drawer** not set · *as usual*" in shown
        assert "**private** yes · *yours*" in shown
        assert await store.preferences("user", server.alice.id) == {
            "preset": "sprite",
            "private": True,
        }
        assert "**preset** not set" in text(await settings(server, reset="preset"))
        await settings(server, quality="best", reset="everything")
        assert await store.preferences("user", server.alice.id) == {"quality": "best"}
        assert await store.preferences("user", server.bob.id) == {}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"palette": "nope"}, "cannot have “nope”"),
        ({"preset": "nope"}, "allowed are sprite"),
        ({"reset": "cooldown"}, "allowed are preset, palette"),
        ({"drawer": "line_sketch", "palette": "nes"}, "palette"),
    ],
)
async def test_own_settings_that_cannot_be_are_refused_and_nothing_is_kept(
    tmp_path: Path, options: dict[str, object], sentence: str
) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        assert sentence in (await settings(server, **options)).content
        assert await server.bot.store.preferences("user", server.alice.id) == {}


async def test_own_settings_are_completed(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        await settings(server, palette="nes")

        async def offered(option: str, typed: str) -> list[str]:
            choices = await server.alice.autocomplete(server.channel, "settings", option, typed)
            return [choice["value"] for choice in choices]

        assert await offered("palette", "endes") == ["endesga32"]
        assert await offered("preset", "spr") == ["sprite"]
        assert await offered("reset", "") == ["palette", "everything"]


async def test_only_those_who_manage_the_server_set_it_up(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        (command,) = [one for one in server.bot.tree.get_commands() if one.name == "setup"]
        assert command.default_permissions == discord.Permissions(manage_guild=True)
        assert "setup" not in server.bob.available_commands(server.channel)
        # As in a message that got out: every control looks at who presses it.
        channel = server.bot.get_partial_messageable(server.channel.id)
        view = discord.ui.View(timeout=None)
        for control in (PageButton(1, 0, "Next"), FormButton(1, 0)):
            view.add_item(control)
        custom_id = "pixel:setup-set:spoiler:2:0"
        view.add_item(
            discord.ui.Select(
                custom_id=custom_id, options=[discord.SelectOption(label="All", value="always")]
            )
        )
        message = await channel.send(view=view)
        for result in (
            await server.bob.click(message, label="Next"),
            await server.bob.click(message, label="Write …"),
            await server.bob.select(message, ["always"], custom_id=custom_id),
        ):
            assert result.response is not None
            assert result.response.ephemeral
            assert "Only those who may manage this server" in result.response.content
        assert await server.bot.store.preferences("guild", server.guild.id) == {}


async def test_channels_and_roles_are_chosen_from_lists(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        other = server.guild.create_text_channel("other")
        artists = server.guild.create_role("artists")
        walk = await Walk(server).start()
        assert "**Channels** everywhere" in text(walk.message)
        await walk.choose("channels", other, server.channel)
        await walk.choose("roles", artists)
        assert f"**Channels** <#{server.channel.id}> <#{other.id}>" in text(walk.message)
        assert await walk.set_values() == {
            "channels": sorted([server.channel.id, other.id]),
            "roles": [artists.id],
        }
        (defaults, *_) = [
            part["default_values"]
            for row in walk.message.components
            for part in row["components"]
            if "default_values" in part
        ]
        assert {int(one["id"]) for one in defaults} == {server.channel.id, other.id}
        await walk.choose("channels")
        await walk.choose("roles")
        assert await walk.set_values() == {}


async def test_numbers_and_words_are_written_in_forms(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        walk = await Walk(server).start()
        await walk.press("Next")
        await walk.write(waiting_per_user="5", running_per_user="1", cooldown="30")
        assert await walk.set_values() == {
            "waiting_per_user": 5,
            "running_per_user": 1,
            "cooldown": 30,
        }
        assert "**Waiting pictures of one person** 5" in text(walk.message)
        assert "**Drawn at a time for this server** as whoever runs this bot has it" in text(
            walk.message
        )
        await walk.press("Next")
        await walk.choose("spoiler", "always")
        await walk.write(words="rude, very rude\nRüde", word_rule=["refuse"])
        values = await walk.set_values()
        assert values["words"] == ["rude", "very rude"]
        assert (values["spoiler"], values["word_rule"]) == ("always", "refuse")
        assert "**Listed words** ||rude, very rude||" in text(walk.message)
        await walk.press("Next")
        await walk.write(preset=["sprite"], palette="nes")
        assert (await walk.set_values())["preset"] == "sprite"


async def test_a_form_is_filled_in_and_what_is_emptied_is_taken_back(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        walk = await Walk(server).start()
        await walk.press("Next", 2)
        await walk.write(words="rude\nworse")
        shown = await walk.admin.click(walk.message.message, label="Write …")
        assert shown.modal is not None
        parts = [label["component"] for label in shown.modal["components"]]
        assert parts[0]["value"] == "rude\nworse"
        await walk.admin.submit_modal(shown, {"words": ""})
        assert "words" not in await walk.set_values()


@pytest.mark.parametrize(
    ("page", "written", "sentence"),
    [
        (1, {"cooldown": "soon"}, "cooldown cannot be “soon”"),
        (1, {"waiting_per_user": "21"}, "whoever runs this bot allows at most 20"),
        (3, {"palette": "nope"}, "cannot have “nope”"),
        (3, {"drawer": ["line_sketch"], "palette": "nes"}, "palette"),
    ],
)
async def test_what_cannot_be_is_refused_given_back_and_not_kept(
    tmp_path: Path, page: int, written: dict[str, object], sentence: str
) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        walk = await Walk(server).start()
        await walk.press("Next", page)
        result = await walk.write(**written)
        assert result.response is not None
        assert result.response.ephemeral
        assert sentence in result.response.content
        assert "This is what you wrote" in result.response.content
        assert await walk.set_values() == {}


async def test_the_starboard_is_a_channel_and_a_number(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        best = server.guild.create_text_channel("best")
        walk = await Walk(server).start()
        await walk.press("Next", 4)
        await walk.choose("starboard", best)
        await walk.write(stars="2")
        assert await walk.set_values() == {"starboard": best.id, "stars": 2}


async def test_one_channel_is_set_up_by_itself(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        other = server.guild.create_text_channel("other")
        walk = await Walk(server).start()
        await walk.press("Next", 5)
        assert f"<#{server.channel.id}>" in text(walk.message)
        await walk.choose("gallery", "true")
        await walk.choose("channel", other)
        assert f"<#{other.id}>" in text(walk.message)
        await walk.choose("allowed", "false")
        await walk.write(quality=["draft"])
        store = server.bot.store
        assert await store.preferences("channel", server.channel.id) == {"gallery": True}
        assert await store.preferences("channel", other.id) == {
            "allowed": False,
            "quality": "draft",
        }
        await walk.press("Next")
        assert "**Gallery** Anybody may see this channel's pictures" in text(walk.message)
        assert f"<#{other.id}>\n**Pictures here** May not be asked for" in text(walk.message)


async def test_a_channel_of_another_server_cannot_be_set_up(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        elsewhere = server.env.create_guild("Elsewhere").create_text_channel("far")
        walk = await Walk(server).start()
        await walk.press("Next", 5)
        channel = server.bot.get_partial_messageable(server.channel.id)
        forged = discord.ui.View(timeout=None).add_item(PageButton(5, elsewhere.id, "Forged"))
        result = await walk.admin.click(await channel.send(view=forged), label="Forged")
        assert result.response is not None
        assert "I do not see this channel" in result.response.content


async def test_what_the_bot_lacks_in_the_chosen_channels_is_told(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        assert server.bot.user is not None
        mute = server.guild.create_text_channel(
            "mute",
            overwrites={
                server.bot.user: discord.PermissionOverwrite(
                    attach_files=False, embed_links=False, read_message_history=False
                )
            },
        )
        walk = await Walk(server).start()
        assert lacking(walk.message) is None
        await walk.choose("channels", mute, server.channel)
        assert (
            lacking(walk.message)
            == f"<#{mute.id}>: Attach Files, Embed Links, Read Message History"
        )
        await walk.press("Next", 4)
        await walk.choose("starboard", mute)
        assert (
            lacking(walk.message)
            == f"<#{mute.id}>: Attach Files, Embed Links, Read Message History"
        )
        await walk.press("Next", 2)
        assert (
            lacking(walk.message)
            == f"<#{mute.id}>: Attach Files, Embed Links, Read Message History"
        )
        await walk.press("Back", 2)
        await walk.choose("starboard")
        await walk.press("Back", 4)
        await walk.choose("channels")
        await walk.press("Next", 6)
        assert "wherever you want them" in (lacking(walk.message) or "")


async def test_the_pages_go_on_after_a_restart(tmp_path: Path) -> None:
    async with (
        open_bot(config(tmp_path), engine=ScriptedEngine()) as bot,
        connected(bot) as server,
        open_bot(config(tmp_path / "another"), engine=ScriptedEngine()) as successor,
    ):
        walk = await Walk(server).start()
        await server.restart(successor)
        await walk.press("Next")
        await walk.write(cooldown="7")
        assert await walk.set_values() == {"cooldown": 7}
