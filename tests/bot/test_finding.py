"""Finding pictures again: /history, /show, and who may see what."""

import contextlib
from pathlib import Path

import discord

from bot.app import open_bot
from bot.views.history import ON_A_SHEET
from tests.bot.helpers import add
from tests.bot.places import a_place, answer, leads, listed, picture, place_of
from tests.bot.scripted import ScriptedEngine
from tests.simulated import FINISHED, config, connected, labels


async def test_nine_pictures_are_on_a_sheet_and_buttons_lead_to_the_others(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        jobs = [(await place.paint(f"picture {number}")).id for number in range(2 * ON_A_SHEET + 2)]
        jobs.reverse()
        page = await place.history()
        assert page.embeds[0].title == "Your pictures"
        assert listed(page) == jobs[:9]
        assert leads(page) == ["Older"]
        assert "picture 19" in page.embeds[0].description
        sheet = await picture(page)
        assert sheet.width > sheet.height > 500
        assert "picture 19" in page.attachments[0].description
        await place.server.alice.click(page, label="Older")
        assert listed(page) == jobs[9:18]
        assert leads(page) == ["Newer", "Older"]
        await place.server.alice.click(page, label="Older")
        assert listed(page) == jobs[18:]
        assert leads(page) == ["Newer"]
        smaller = await picture(page)
        assert smaller.height < sheet.height / 2
        await place.server.alice.click(page, label="Newer")
        assert listed(page) == jobs[9:18]
        await place.server.alice.click(page, label="Newer")
        assert listed(page) == jobs[:9]


async def test_a_picture_is_opened_from_its_sheet_and_leads_to_its_neighbours(
    tmp_path: Path,
) -> None:
    async with a_place(tmp_path) as place:
        first, second, third = [await place.paint(f"picture {number}") for number in (1, 2, 3)]
        page = await place.history()
        sheet = await picture(page)
        await place.server.alice.select(page, [str(second.id)])
        assert page.embeds[0].footer.text == f"pixel #{second.id}"
        assert "picture 2" in page.embeds[0].description
        assert (await picture(page)).size == (300, 300)
        assert leads(page) == [*FINISHED, "Back to the sheet", "Newer", "Older"]
        await place.server.alice.click(page, label="Older")
        assert page.embeds[0].footer.text == f"pixel #{first.id}"
        assert leads(page) == [*FINISHED, "Back to the sheet", "Newer"]
        await place.server.alice.click(page, label="Newer")
        await place.server.alice.click(page, label="Newer")
        assert page.embeds[0].footer.text == f"pixel #{third.id}"
        await place.server.alice.click(page, label="Back to the sheet")
        assert listed(page) == [third.id, second.id, first.id]
        assert (await picture(page)).tobytes() == sheet.tobytes()


async def test_the_sheet_shows_the_pictures_themselves(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        await place.paint()
        sheet = await picture(await place.history())
        assert sheet.getpixel((sheet.width // 2, sheet.height // 2)) == (200, 40, 30)


async def test_a_spoiler_is_covered_on_a_sheet_and_marked_when_opened(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        job = await place.paint(spoiler=True)
        page = await place.history()
        colours = (await picture(page)).getcolors(10**6)
        assert (200, 40, 30) not in {colour for _, colour in colours}
        await place.server.alice.select(page, [str(job.id)])
        assert page.attachments[0].is_spoiler()


async def test_a_channels_pictures_are_those_of_everybody_in_it(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        own = await place.paint()
        bobs = await place.paint(by=place.server.bob)
        await place.paint(channel=place.elsewhere)
        page = await place.history(of="channel")
        assert page.embeds[0].title == "Pictures of this channel"
        assert listed(page) == [bobs.id, own.id]
        assert f"<@{place.server.bob.id}>" in page.embeds[0].description


async def test_a_servers_pictures_are_those_that_one_may_see(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        second = place.server.guild.create_text_channel("more-art")
        jobs = [
            await place.paint(),
            await place.paint(by=place.server.bob, channel=second),
            await place.paint(by=place.server.moderator, channel=place.secret),
            await place.paint(channel=place.elsewhere),
        ]
        ids = [job.id for job in jobs]
        assert listed(await place.history(of="server")) == [ids[1], ids[0]]
        assert listed(await place.history(place.server.moderator, of="server")) == ids[2::-1]


async def test_ones_own_pictures_are_there_wherever_they_were_made(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        jobs = [await place.paint(), await place.paint(channel=place.elsewhere)]
        await place.paint(by=place.server.bob)
        assert listed(await place.history()) == [jobs[1].id, jobs[0].id]


async def test_a_members_pictures_are_those_that_one_may_see(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        bob = place.server.bob
        second = place.server.guild.create_text_channel("more-art")
        here, there = await place.paint(by=bob), await place.paint(by=bob, channel=second)
        await place.paint(by=bob, channel=place.secret)
        await place.paint(by=bob, channel=place.elsewhere)
        await place.paint()
        page = await place.history(by=bob.user)
        assert listed(page) == [there.id, here.id]
        assert page.embeds[0].description.startswith(f"by <@{bob.id}>")
        assert listed(await place.history(by=bob.user, of="channel")) == [here.id]
        refused = await place.history(by=bob.user, of="favourites")
        assert refused.content == "“by” does not go with “favourites”; choose server or channel."


async def test_leafing_through_a_members_pictures_stays_with_them(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        bob = place.server.bob
        jobs = []
        for _ in range(ON_A_SHEET + 1):
            jobs.append((await place.paint(by=bob)).id)
            await place.paint()
        page = await place.history(by=bob.user)
        await place.server.alice.click(page, label="Older")
        assert listed(page) == [jobs[0]]
        await place.server.alice.select(page, [str(jobs[0])])
        await place.server.alice.click(page, label="Newer")
        assert page.embeds[0].footer.text == f"pixel #{jobs[1]}"


async def test_favourites_are_ones_own_choice_as_far_as_one_may_see_them(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        jobs = [
            await place.paint(),
            await place.paint(by=place.server.bob),
            await place.paint(by=place.server.bob, channel=place.secret),
            await place.paint(by=place.server.bob),
        ]
        none = await place.history(of="favourites")
        assert (
            none.content == "You have no favourites yet among the pictures that you may see here."
        )
        for job in jobs[:3]:
            await place.painter.change(
                "INSERT INTO favourites (user_id, job_id, added_at) VALUES (?, ?, 0)",
                place.server.alice.id,
                job.id,
            )
        assert listed(await place.history(of="favourites")) == [jobs[1].id, jobs[0].id]


async def test_words_are_searched_in_the_prompts(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        apple, pie, fox = [
            await place.paint(prompt) for prompt in ("a red apple", "an apple pie", "a fox’s café")
        ]
        bobs = await place.paint("Bob's apples", by=place.server.bob)
        assert listed(await place.history(search="apple")) == [pie.id, apple.id]
        assert listed(await place.history(search="RED appl")) == [apple.id]
        assert listed(await place.history(search="cafe")) == [fox.id]
        assert listed(await place.history(search="apple", of="channel")) == [
            bobs.id,
            pie.id,
            apple.id,
        ]
        assert listed(await place.history(search="apple", by=place.server.bob.user)) == [bobs.id]
        for words in ("pear", '"', "a* OR", "NEAR(", "prompt:fox AND", "-"):
            nothing = await place.history(search=words)
            assert nothing.content.startswith("No prompt among these pictures holds “"), words


async def test_a_search_goes_on_after_a_restart(tmp_path: Path) -> None:
    engine, words = ScriptedEngine(), 'APPLES -- "and" *_pears_*'
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(open_bot(config(tmp_path), engine=engine))
        async with connected(bot) as server:
            place, alice = place_of(server, tmp_path), server.alice
            jobs = []
            for _ in range(ON_A_SHEET + 2):
                jobs.append((await place.paint("apples and pears")).id)
                await place.paint("a fox")
            page = await place.history(search=words)
            assert words in page.embeds[0].footer.text
            await first.aclose()
            async with open_bot(config(tmp_path), engine=engine) as successor:
                await server.restart(successor)
                await alice.click(page, label="Older")
                assert listed(page) == [jobs[1], jobs[0]]
                await alice.select(page, [str(jobs[0])])
                await alice.click(page, label="Newer")
                assert page.embeds[0].footer.text.startswith(f"pixel #{jobs[1]} · ")
                await alice.click(page, label="Back to the sheet")
                assert listed(page) == [jobs[1], jobs[0]]


async def test_deleted_pictures_are_not_found(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        jobs = [await place.paint(f"apple {number}") for number in range(3)]
        page = await place.history()
        await place.painter.change("UPDATE jobs SET deleted_at = 1 WHERE id = ?", jobs[1].id)
        assert listed(await place.history()) == [jobs[2].id, jobs[0].id]
        assert listed(await place.history(search="apple")) == [jobs[2].id, jobs[0].id]
        result = await place.server.alice.select(page, [str(jobs[1].id)])
        (refused,) = result.followups
        assert refused.ephemeral
        assert refused.content == f"There is no picture #{jobs[1].id} that I could show you here."
        gone, unknown = await place.show(jobs[1]), await place.show(999)
        assert gone.content.replace(str(jobs[1].id), "999") == unknown.content


async def test_nothing_yet_is_told_in_a_sentence(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        bob = place.server.bob.user
        for options, sentence in (
            ({}, "You have no pictures yet; /pixel draws one."),
            ({"of": "mine"}, "You have no pictures yet; /pixel draws one."),
            ({"of": "channel"}, "No picture was finished in this channel yet; /pixel draws one."),
            ({"of": "server"}, "No picture was finished in this server yet; /pixel draws one."),
            ({"by": bob}, "They have no pictures in this server that I could show you here."),
            ({"by": bob, "of": "channel"}, "They have no pictures in this channel."),
        ):
            assert (await place.history(**options)).content == sentence


async def test_a_picture_whose_file_is_gone_is_said_to_be(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        job = await place.paint()
        for name in (job.picture, job.native):
            (place.painter.data / name).unlink()
        page = await place.history()
        await picture(page)
        await place.server.alice.select(page, [str(job.id)])
        told = page.embeds[0].fields[-1].value
        assert told == "The picture's file is not there any more; “Again” draws it anew."


async def test_a_picture_is_shown_to_everybody_with_its_buttons(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        job = await place.paint("a red apple")
        shown = await place.show(job, place.server.bob)
        assert not shown.ephemeral
        assert "a red apple" in shown.embeds[0].description
        assert labels(shown) == list(FINISHED)
        assert shown.attachments[0].description == "a red apple"
        assert (await picture(shown)).size == (300, 300)
        again = await place.server.bob.click(shown, label="Reroll")
        assert again.response.content.startswith("Your picture is #2.")


async def test_a_picture_is_shown_to_one_person_on_request(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        shown = await place.show(await place.paint(), only_me=True)
        assert shown.ephemeral
        assert shown.content == ""
        assert shown.attachments


async def test_a_picture_of_a_hidden_channel_is_as_unknown_as_one_that_is_not(
    tmp_path: Path,
) -> None:
    async with a_place(tmp_path) as place:
        moderator = place.server.moderator
        job = await place.paint(by=moderator, channel=place.secret)
        hidden, unknown = await place.show(job), await place.show(999)
        assert hidden.ephemeral
        assert unknown.ephemeral
        assert unknown.content == "There is no picture #999 that I could show you here."
        assert hidden.content.replace(str(job.id), "999") == unknown.content
        assert "no picture" in (await place.show(job, place.server.bob)).content
        # Its owner may bring it to everybody, and within its own channel anybody may.
        assert not (await place.show(job, moderator)).ephemeral
        assert not (await place.show(job, moderator, place.secret)).ephemeral


async def test_what_not_everybody_may_see_is_shown_to_whoever_may(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        job = await place.paint(channel=place.secret)
        shown = await place.show(job, place.server.moderator)
        assert shown.ephemeral
        assert shown.content == "Only you see it: not everybody here may look where it was made."
        assert shown.attachments
        assert not (await place.show(job, place.server.moderator, place.secret)).ephemeral


async def test_elsewhere_a_picture_is_shown_to_its_owner_only(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        job = await place.paint()
        refused = await place.show(job, place.bob_elsewhere, place.elsewhere)
        assert refused.ephemeral
        assert refused.content == f"There is no picture #{job.id} that I could show you here."
        shown = await place.show(job, place.alice_elsewhere, place.elsewhere)
        assert not shown.ephemeral
        assert shown.attachments


async def test_pictures_of_age_restricted_channels_stay_in_such_channels(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        server = place.server
        adult = server.guild.create_text_channel("adult")
        server.bot.get_channel(adult.id).nsfw = True
        bobs, own = (
            await place.paint(by=server.bob, channel=adult),
            await place.paint(channel=adult),
        )
        assert "no picture" in (await place.show(bobs)).content
        assert listed(await place.history()) == [own.id]
        nothing = await place.history(of="server")
        assert nothing.content.startswith("No picture was finished in this server yet")
        kept = await place.show(own)
        assert kept.ephemeral
        assert kept.attachments
        server.bot.get_channel(server.channel.id).nsfw = True
        assert not (await place.show(bobs)).ephemeral
        assert listed(await place.history(of="server")) == [own.id, bobs.id]


async def test_what_is_in_a_private_thread_is_shown_in_it_only(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        server = place.server
        channel = server.bot.get_channel(server.channel.id)
        open_thread = await channel.create_thread(
            name="open", type=discord.ChannelType.public_thread
        )
        closed = await channel.create_thread(name="closed", type=discord.ChannelType.private_thread)
        jobs = [
            await place.painter.paint(user=server.bob.id, channel=thread.id, guild=server.guild.id)
            for thread in (open_thread, closed)
        ]
        assert (await place.show(jobs[0], only_me=True)).attachments
        assert "no picture" in (await place.show(jobs[1])).content
        assert listed(await place.history(of="server")) == [jobs[0].id]


async def test_what_is_not_finished_is_not_shown(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        server = place.server
        waiting = await add(
            server.bot.store,
            server.alice.id,
            guild_id=server.guild.id,
            channel_id=server.channel.id,
        )
        shown = await place.show(waiting)
        assert shown.ephemeral
        assert shown.content == f"The picture #{waiting.id} is not finished yet."
        await place.painter.change(
            "UPDATE jobs SET state = 'failed', error = 'x' WHERE id = ?", waiting.id
        )
        assert (
            await place.show(waiting)
        ).content == f"The picture #{waiting.id} was never finished."


async def test_a_number_is_completed_from_ones_own_pictures(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:

        async def offered(typed: str) -> list[tuple[str, int]]:
            choices = await place.server.alice.autocomplete(
                place.server.channel, "show", "id", typed
            )
            return [(choice["name"], choice["value"]) for choice in choices]

        assert await offered("") == []
        await place.paint("a red apple")
        await place.paint("a fox")
        await place.paint("Bob's apple", by=place.server.bob)
        assert await offered("") == [("#2 a fox", 2), ("#1 a red apple", 1)]
        assert await offered("App") == [("#1 a red apple", 1)]
        assert await offered("2") == [("#2 a fox", 2)]
        assert await offered("3") == [("#3", 3)]


async def test_nobody_leafs_through_the_pictures_of_others_as_their_own(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        for _ in range(ON_A_SHEET + 1):
            await place.paint()
        page = await place.history()
        channel = place.server.bot.get_partial_messageable(place.server.channel.id)
        view = discord.ui.View.from_message(page.message, timeout=None)
        copied = await channel.send("A page", view=view)
        result = await place.server.bob.click(copied, label="Older")
        refused = await answer(result)
        assert refused.content == "These are somebody else's pictures; /history shows yours."
