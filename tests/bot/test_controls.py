"""Every control of the bot, pressed by those who may not: its id is a claim, and nothing more.

Discord sends only ids that the bot has put below a message, and discord.py looks whether it has.
The tests take neither for granted: the bot posts any control that a stranger could wish for, and
what counts is who presses it, and where.
"""

import contextlib
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import discord
import pytest
import simcord

from bot.folder import database_path
from bot.jobs import Job
from bot.views.buttons import BUTTONS
from bot.views.forget import ForgetButton
from bot.views.history import CONTROLS
from bot.views.setup import BUTTONS as SETUP
from bot.views.showing import ShowSelect
from tests.bot.places import Place, a_place

# A job's control is for everybody who may see the picture, or for its owner and for moderators of
# where it was made; the others are for those who manage a server, and for one person.
For = Literal["viewers", "owner", "managers", "oneself"]


@dataclass(frozen=True)
class Case:
    """A control.

    Attributes:
        pattern: its id, with ``{job}``, ``{channel}`` or ``{user}``.
        people: whom it is for.
        choice: what is chosen, if it is a list.

    """

    pattern: str
    people: For
    choice: str | None = None


CASES = {
    "RerollButton": Case("pixel:reroll:{job}", "viewers"),
    "VariationsButton": Case("pixel:variations:{job}", "viewers"),
    "RemixButton": Case("pixel:remix:{job}", "viewers"),
    "AgainButton": Case("pixel:again:{job}", "viewers"),
    "CancelButton": Case("pixel:cancel:{job}", "owner"),
    "UpscaleButton": Case("pixel:upscale:{job}", "viewers"),
    "TimeLapseButton": Case("pixel:time-lapse:{job}", "viewers"),
    "ExportButton": Case("pixel:export:{job}", "viewers"),
    "InfoButton": Case("pixel:info:{job}", "viewers"),
    "PaletteButton": Case("pixel:palette:{job}", "viewers"),
    "PaletteSelect": Case("pixel:recolour:{job}", "viewers", "nes"),
    "PostPaletteButton": Case("pixel:post-palette:{job}", "viewers"),
    "FavouriteButton": Case("pixel:favourite:{job}", "viewers"),
    "DeleteButton": Case("pixel:delete:{job}", "owner"),
    "ReallyDeleteButton": Case("pixel:really-delete:{job}", "owner"),
    "TakeButton": Case("pixel:take:{job}", "viewers"),
    "CancelGroupButton": Case("pixel:cancel-group:{job}", "owner"),
    "DeleteGroupButton": Case("pixel:delete-group:{job}", "owner"),
    "ReallyDeleteGroupButton": Case("pixel:really-delete-group:{job}", "owner"),
    "OlderButton": Case("pixel:older:by:{job}", "viewers"),
    "NewerButton": Case("pixel:newer:by-here:{job}", "viewers"),
    "SheetButton": Case("pixel:sheet:mine:{job}", "viewers"),
    "NextButton": Case("pixel:next:by:{job}", "viewers"),
    "PreviousButton": Case("pixel:previous:mine:{job}", "viewers"),
    "OpenSelect": Case("pixel:open:channel:{job}", "viewers", "{job}"),
    "ShowSelect": Case("pixel:show:{job}", "viewers", "{job}"),
    "PageButton": Case("pixel:setup:1:{channel}", "managers"),
    "FormButton": Case("pixel:setup-write:3:{channel}", "managers"),
    "SetupSelect": Case("pixel:setup-set:spoiler:2:{channel}", "managers", "always"),
    "ForgetButton": Case("pixel:forget:{user}", "oneself"),
}
OF_JOBS = [name for name, case in CASES.items() if case.people in ("viewers", "owner")]
OF_OWNERS = [name for name, case in CASES.items() if case.people == "owner"]
OF_MANAGERS = [name for name, case in CASES.items() if case.people == "managers"]

Item = discord.ui.DynamicItem[Any]
ITEMS = [*BUTTONS, *CONTROLS, ShowSelect, *SETUP, ForgetButton]
NOTHING = ("not in my records", "There is no picture #", "somebody else's pictures")


@dataclass
class Stage:
    """Where the controls are put and pressed, and what must not change meanwhile."""

    place: Place
    data: Path

    async def press(
        self,
        who: simcord.MemberActor,
        where: simcord.ChannelHandle,
        name: str,
        *,
        footer: str | None = None,
        **numbers: int,
    ) -> simcord.InteractionResult:
        """Let the bot post a control below what `footer` says, and somebody press it."""
        return await self.try_(who, where, CASES[name], footer=footer, **numbers)

    async def try_(
        self,
        who: simcord.MemberActor,
        where: simcord.ChannelHandle,
        case: Case,
        *,
        footer: str | None = None,
        **numbers: int,
    ) -> simcord.InteractionResult:
        """The same with a control that is in no table."""
        custom_id = case.pattern.format(**numbers)
        view = discord.ui.View(timeout=None)
        if case.choice is None:
            view.add_item(discord.ui.Button(custom_id=custom_id, label="press me"))
        else:
            value = case.choice.format(**numbers)
            option = discord.SelectOption(label="choose me", value=value)
            view.add_item(discord.ui.Select(custom_id=custom_id, options=[option]))
        embed = discord.Embed(description="Press it!").set_footer(text=footer)
        channel = self.place.server.bot.get_partial_messageable(where.id)
        message = await channel.send(view=view, embed=embed)
        view.stop()
        if case.choice is None:
            return await who.click(message, custom_id=custom_id)
        return await who.select(message, [value], custom_id=custom_id)

    def kept(self) -> list[tuple[Any, ...]]:
        """All rows of the tables that a control may change."""
        with contextlib.closing(sqlite3.connect(database_path(self.data))) as connection:
            tables = [
                name
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%STRICT%'"
                )
            ]
            assert {"jobs", "favourites", "preferences", "answers"} <= set(tables)
            return [
                (table, *row)
                for table in tables
                for row in connection.execute(f"SELECT * FROM {table}")  # noqa: S608
            ]

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Check that nothing is written down, and that no picture is posted or removed."""
        before, files = self.kept(), sorted(self.data.glob("pictures/**/*"))
        yield
        assert self.kept() == before
        assert sorted(self.data.glob("pictures/**/*")) == files
        for channel in (self.place.server.channel, self.place.secret, self.place.elsewhere):
            assert not any(message.attachments for message in channel.history())


@contextlib.asynccontextmanager
async def a_stage(data: Path) -> AsyncIterator[tuple[Stage, Place]]:
    async with a_place(data) as place:
        yield Stage(place, data), place


async def a_secret(place: Place) -> Job:
    """A picture that only moderators may see."""
    return await place.paint("a secret", place.server.moderator, place.secret)


def said(result: simcord.InteractionResult) -> str:
    """What only whoever pressed is told; where a page was to be turned, in a message of its own."""
    answer = result.followups[-1] if result.followups else result.response
    assert answer is not None
    assert answer.ephemeral
    assert "a secret" not in answer.content
    return answer.content


def moderator_elsewhere(place: Place) -> simcord.MemberActor:
    """Carol, who may do everything in the other server, and nothing in the first."""
    guild = place.elsewhere.guild
    assert guild is not None
    rights = discord.Permissions(manage_messages=True, manage_guild=True)
    role = guild.create_role("moderators", permissions=rights)
    return guild.add_member(place.server.env.create_user("carol"), roles=[role])


async def test_the_table_has_every_control_of_the_bot(tmp_path: Path) -> None:
    assert {item.__name__ for item in ITEMS} == set(CASES)
    async with a_stage(tmp_path) as (_, place):
        registered = place.server.bot._connection._view_store._dynamic_items.values()
        assert set(registered) == set(ITEMS)
    numbers = {"job": 1, "channel": 2, "user": 3}
    for item in ITEMS:
        assert template(item).fullmatch(CASES[item.__name__].pattern.format(**numbers))


@pytest.mark.parametrize("item", ITEMS)
def test_numbers_that_no_control_has_are_not_even_heard(item: type[Item]) -> None:
    for number in (
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1.0",
        "1e3",
        "0x1",
        "٣",
        "１",
        "²",
        "9" * 21,
    ):
        names = dict.fromkeys(("job", "channel", "user"), number)
        assert not template(item).fullmatch(CASES[item.__name__].pattern.format(**names))
    for custom_id in (
        "pixel:none",
        "pixel:older:everybody:1",
        "pixel:setup:7:1",
        "pixel:setup-write:6:1",
        "pixel:setup-set:spoiler:9:1",
        "pixel:setup-set:../token:2:1",
    ):
        assert not template(item).fullmatch(custom_id)


async def test_what_cannot_be_seen_cannot_be_used(tmp_path: Path) -> None:
    async with a_stage(tmp_path) as (stage, place):
        secret = await a_secret(place)
        strangers = (
            (place.server.bob, place.server.channel),
            (place.bob_elsewhere, place.elsewhere),
            (moderator_elsewhere(place), place.elsewhere),
        )
        for name in OF_JOBS:
            with stage.unchanged():
                for who, where in strangers:
                    answer = said(await stage.press(who, where, name, job=secret.id))
                    assert any(text in answer for text in NOTHING), f"{name}: {answer}"


async def test_a_number_that_there_is_not_gives_the_same_answer(tmp_path: Path) -> None:
    async with a_stage(tmp_path) as (stage, place):
        secret, nobody_s = await a_secret(place), 2**53 - 1
        for name in OF_JOBS:
            if ":mine:" in CASES[name].pattern:
                continue
            answers = [
                said(await stage.press(place.server.bob, place.server.channel, name, job=number))
                for number in (secret.id, nobody_s)
            ]
            assert answers[0].replace(str(secret.id), str(nobody_s)) == answers[1], name


async def test_what_is_the_owner_s_is_for_moderators_of_the_same_place_only(
    tmp_path: Path,
) -> None:
    async with a_stage(tmp_path) as (stage, place):
        job = await place.paint("a red apple")
        # As if Alice had brought it there.
        shown = f"pixel #{job.id}"
        for name in OF_OWNERS:
            with stage.unchanged():
                for who, where in (
                    (place.server.bob, place.server.channel),
                    (place.bob_elsewhere, place.elsewhere),
                    (moderator_elsewhere(place), place.elsewhere),
                ):
                    answer = said(await stage.press(who, where, name, footer=shown, job=job.id))
                    assert "Only whoever asked for this picture, or a moderator" in answer, name
        for who in (place.server.moderator, place.server.alice):
            result = await stage.press(who, place.server.channel, "DeleteButton", job=job.id)
            assert f"Delete #{job.id} for good?" in said(result)


async def test_rights_in_one_channel_are_none_in_another(tmp_path: Path) -> None:
    async with a_stage(tmp_path) as (stage, place):
        secret, job = await a_secret(place), await place.paint("a red apple")
        bob, rights = place.server.bob, discord.PermissionOverwrite(manage_messages=True)
        own = place.server.guild.create_text_channel("bobs", overwrites={bob: rights})
        with stage.unchanged():
            answer = said(await stage.press(bob, own, "DeleteButton", job=job.id))
            assert "Only whoever asked" in answer
        answer = said(await stage.press(place.server.moderator, own, "DeleteButton", job=secret.id))
        assert f"Delete #{secret.id} for good?" in answer


async def test_a_picture_that_was_brought_can_be_used_by_those_who_see_it_there(
    tmp_path: Path,
) -> None:
    async with a_stage(tmp_path) as (stage, place):
        secret = await a_secret(place)
        bob, channel, shown = place.server.bob, place.server.channel, f"pixel #{secret.id}"
        result = await stage.press(bob, channel, "InfoButton", footer=shown, job=secret.id)
        assert result.response is not None
        assert result.response.embeds[0].title == f"About #{secret.id}"
        for footer in (f"{shown}9", f"Searched for: {shown}", f"#{secret.id}"):
            answer = await stage.press(bob, channel, "InfoButton", footer=footer, job=secret.id)
            assert "not in my records" in said(answer), footer


async def test_a_server_is_set_up_by_those_who_manage_it_alone(tmp_path: Path) -> None:
    async with a_stage(tmp_path) as (stage, place):
        channel = place.server.channel
        for name in OF_MANAGERS:
            with stage.unchanged():
                for who in (place.server.bob, place.server.moderator):
                    answer = said(await stage.press(who, channel, name, channel=channel.id))
                    assert "Only those who may manage this server" in answer, name


async def test_whoever_manages_another_server_changes_nothing_here(tmp_path: Path) -> None:
    async with a_stage(tmp_path) as (stage, place):
        manager, far = moderator_elsewhere(place), place.elsewhere
        channel = place.server.channel
        with stage.unchanged():
            for pattern, sentence in (
                ("pixel:setup-set:gallery:5:{channel}", "I do not see this channel"),
                ("pixel:setup-set:token:2:{channel}", "There is no such list"),
                ("pixel:setup-set:roles:2:{channel}", "There is no such list"),
            ):
                case = Case(pattern, "managers", "true")
                answer = await stage.try_(manager, far, case, channel=channel.id)
                assert sentence in said(answer)
        await stage.press(manager, far, "SetupSelect", channel=channel.id)
        store = place.server.bot.store
        assert far.guild is not None
        assert await store.preferences("guild", far.guild.id) == {"spoiler": "always"}
        assert await store.preferences("guild", place.server.guild.id) == {}


async def test_nobody_makes_the_bot_forget_somebody_else(tmp_path: Path) -> None:
    async with a_stage(tmp_path) as (stage, place):
        server = place.server
        await place.paint("a red apple")
        with stage.unchanged():
            for who in (server.bob, server.moderator):
                user = server.alice.id
                answer = await stage.press(who, server.channel, "ForgetButton", user=user)
                assert "somebody else's button" in said(answer)


async def test_whoever_is_banned_is_refused_by_every_control_but_that_for_forgetting(
    tmp_path: Path,
) -> None:
    async with a_stage(tmp_path) as (stage, place):
        server = place.server
        job = await place.paint("a red apple", server.bob)
        await server.bot.admission.ban(server.bob.id, "spam")
        numbers = {"job": job.id, "channel": server.channel.id}
        for name in CASES:
            if name == "ForgetButton":
                continue
            with stage.unchanged():
                answer = said(await stage.press(server.bob, server.channel, name, **numbers))
                assert "You may not use this bot any more: spam" in answer, name


async def test_whoever_is_banned_while_a_form_is_open_is_refused(tmp_path: Path) -> None:
    async with a_stage(tmp_path) as (stage, place):
        server = place.server
        job = await place.paint("a red apple", server.bob)
        form = await server.bob.slash(server.channel, "pixel-more")
        remix = await stage.press(server.bob, server.channel, "RemixButton", job=job.id)
        await server.bot.admission.ban(server.bob.id, "spam")
        with stage.unchanged():
            for shown in (form, remix):
                answer = said(await server.bob.submit_modal(shown, {"prompt": "a cat"}))
                assert "You may not use this bot any more: spam" in answer


def template(item: type[Item]) -> re.Pattern[str]:
    pattern: re.Pattern[str] = item.__discord_ui_compiled_template__
    return pattern
