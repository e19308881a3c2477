"""The menus on messages: Pixel info, Start from this picture, Take its palette."""

import io
import os
import re
from pathlib import Path

import pytest
import simcord
from PIL import Image

from bot.intake import MAX_PICTURE_BYTES
from bot.jobs import State
from engine.palettes import parse_palette
from engine.settings import make_settings
from tests.bot.helpers import png, until
from tests.bot.places import a_place, answer
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, simulated

INFO, START, PALETTE = "Pixel info", "Start from this picture", "Take its palette"


def two_colours() -> bytes:
    image = Image.new("RGB", (8, 8), (26, 28, 44))
    image.paste((244, 244, 244), (0, 0, 8, 3))
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()


async def drawn(server: Server, engine: ScriptedEngine, **options: object) -> int:
    """A finished picture, with its message."""
    job_id = await server.ask(**options)
    engine.finish(job_id, png((32, 32)))
    await server.finished(job_id)
    return job_id


async def used(
    server: Server, name: str, message: object, who: simcord.MemberActor | None = None
) -> simcord.ResponseMessage:
    return await answer(await (who or server.bob).context_menu(server.channel, name, message))


def fields(page: simcord.ResponseMessage) -> dict[str, str]:
    return {field.name: field.value for field in page.embeds[0].fields}


async def test_info_says_how_a_picture_was_made(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server:
        job_id = await drawn(server, engine, prompt="a [red] apple", palette="nes", seed="77")
        result = await server.bob.click(server.message(job_id), label="Reroll")
        assert result.response is not None
        engine.finish(job_id + 1)
        await server.finished(job_id + 1)
        page = await used(server, INFO, server.message(job_id))
        assert page.embeds[0].title == f"About #{job_id}"
        assert page.embeds[0].description.startswith("**a \\[red\\] apple**\n")
        assert f"<@{server.alice.id}>" in page.embeds[0].description
        told = fields(page)
        assert told["Seed"] == "`77`"
        assert "palette: nes" in told["Settings"]
        assert "quality normal" in told["Settings"]
        assert told["Drawn in"]
        assert told["Family"].startswith(f"↳ [#{job_id + 1}](https://discord.com/")
        assert told["Family"].endswith(") reroll")
        assert "/pixel prompt:a [red] apple --seed 77 --palette nes" in told["Draws it again"]
        child = fields(await used(server, INFO, server.message(job_id + 1)))
        assert child["Family"].startswith(f"Reroll of [#{job_id}](https://discord.com/")


async def test_info_is_for_pictures_that_are_shown_once_more_too(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        job = await place.paint("a fox")
        shown = await place.show(job)
        page = await used(place.server, INFO, shown.message)
        assert page.embeds[0].title == f"About #{job.id}"


async def test_info_of_a_group_is_that_of_each_of_its_pictures(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        long = "*a fox* " * 120
        jobs = [await place.paint(f"{number} {long}", quality="best") for number in range(4)]
        for job in jobs:
            for _ in range(10):
                await place.paint(parent=job.id, relation="reroll")
        channel = place.server.bot.get_partial_messageable(place.server.channel.id)
        message = await channel.send("four of them")
        await place.painter.change(
            "INSERT INTO groups (id, user_id, guild_id, channel_id, message_id) "
            "VALUES (1, 1, 1, 1, ?)",
            message.id,
        )
        await place.painter.change(
            "UPDATE jobs SET group_id = 1, report = 'grouped' WHERE id <= ?", jobs[-1].id
        )
        await place.painter.change("UPDATE jobs SET message_id = ? WHERE id > 4", 2**62)
        page = await used(place.server, INFO, message)
        assert [embed.title for embed in page.embeds] == [f"About #{job.id}" for job in jobs]
        # Discord's limit for all embeds of a message.
        assert sum(map(len, page.embeds)) <= 6000
        for name in (START, PALETTE):
            several = await used(place.server, name, message)
            assert "several pictures" in several.content
            assert "1, 2, 3, 4" in several.content


async def test_info_names_no_picture_that_may_not_be_seen(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        moderator = place.server.moderator
        parent = await place.paint(by=moderator, channel=place.secret)
        job = await place.paint(parent=parent.id, relation="remix")
        await place.paint(by=moderator, channel=place.secret, parent=job.id, relation="reroll")
        message = (await place.show(job)).message
        assert fields(await used(place.server, INFO, message))["Family"] == f"Remix of #{parent.id}"
        seen = fields(await used(place.server, INFO, message, moderator))["Family"]
        assert seen == f"Remix of #{parent.id}\n↳ #3 reroll"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (INFO, "This message shows no picture of mine."),
        (START, "There is no picture in this message."),
        (PALETTE, "There is no picture in this message."),
    ],
)
async def test_a_message_without_a_picture_is_told_in_a_sentence(
    tmp_path: Path, name: str, sentence: str
) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        # What only looks like the bot's own message, and no picture.
        message = await server.alice.send(
            server.channel, "pixel #1", attachments=[("notes.txt", b"pixel #1")]
        )
        assert (await used(server, name, message)).content == sentence


async def test_a_deleted_picture_is_none_of_ours_any_more(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        job = await place.paint()
        message = (await place.show(job)).message
        await place.painter.change("UPDATE jobs SET deleted_at = 1")
        page = await used(place.server, INFO, message)
        assert page.content == "This message shows no picture of mine."


async def test_a_picture_of_anybody_can_be_started_from(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server:
        theirs = two_colours()
        message = await server.alice.send(
            server.channel,
            "look",
            attachments=[("a.txt", b"text"), ("b.png", theirs), ("c.png", png())],
        )
        form = await server.bob.context_menu(server.channel, START, message)
        assert form.modal is not None
        assert form.modal["title"] == "Draw a picture"
        image = form.modal["components"][-1]
        assert image["label"] == "Start from this picture"
        assert image["description"] == "The one that you chose, unless you attach another one here."
        await answer(await server.bob.submit_modal(form, {"prompt": "a fox"}))
        job = await server.job(1)
        assert (job.user_id, job.prompt, job.parent_id) == (server.bob.id, "a fox", None)
        assert job.init_image is not None
        assert await server.bot.pictures.read_init(job.init_image) == theirs


async def test_another_picture_can_be_attached_instead(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        message = await server.alice.send(server.channel, attachments=[("a.png", two_colours())])
        form = await server.bob.context_menu(server.channel, START, message)
        other = png((5, 5))
        await answer(
            await server.bob.submit_modal(form, {"prompt": "x", "image": [("other.png", other)]})
        )
        job = await server.job(1)
        assert job.init_image is not None
        assert await server.bot.pictures.read_init(job.init_image) == other


async def test_our_own_picture_is_started_from_as_it_is_and_is_the_parent(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server:
        job_id = await drawn(
            server, engine, prompt="a red apple --outline", palette="nes", image=("l.png", png())
        )
        form = await server.bob.context_menu(server.channel, START, server.message(job_id))
        assert form.modal is not None
        inputs = {
            label["component"]["custom_id"]: label["component"].get("value")
            for label in form.modal["components"]
        }
        assert inputs["prompt"] == "a red apple"
        assert inputs["settings"] == "palette nes"
        await answer(
            await server.bob.submit_modal(form, {"prompt": "a fox", "settings": "palette nes"})
        )
        job = await server.job(job_id + 1)
        assert (job.parent_id, job.relation, job.prompt) == (job_id, "start", "a fox")
        assert job.init_image is not None
        assert job.asked.init_image == job.init_image
        assert await server.bot.pictures.read_init(job.init_image) == png((32, 32))
        await server.shown(job.id, lambda _: True)
        assert f"Started from [#{job_id}]" in server.text(job.id)


async def test_a_picture_that_is_too_large_is_refused_before_the_form(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        large = png() + bytes(MAX_PICTURE_BYTES)
        message = await server.alice.send(server.channel, attachments=[("a.png", large)])
        for name in (START, PALETTE):
            refused = await used(server, name, message)
            assert refused.content == "The picture has 10.0 MiB; allowed are 10 MiB."


async def test_the_palette_of_our_picture_is_exactly_its_colours(tmp_path: Path) -> None:
    async with a_place(tmp_path) as place:
        job = await place.paint()
        (place.painter.data / job.native).write_bytes(two_colours())
        message = (await place.show(job)).message
        page = await used(place.server, PALETTE, message)
        embed = page.embeds[0]
        assert embed.title == "2 colours"
        (setting,) = re.findall(r"```\n(.*)\n```", embed.description)
        assert setting == '--palette "#1a1c2c #f4f4f4"'
        swatches, gpl, hexes = page.attachments
        assert swatches.description == "#1a1c2c #f4f4f4"
        with Image.open(io.BytesIO(await swatches.read())) as image:
            colours = {colour for _, colour in image.convert("RGB").getcolors(10**6)}
        assert {(26, 28, 44), (244, 244, 244)} <= colours
        assert (gpl.filename, hexes.filename) == ("palette.gpl", "palette.hex")
        assert (await hexes.read()).decode() == "1a1c2c\nf4f4f4\n"
        assert (await gpl.read()).decode().startswith("GIMP Palette\nName: pixel 1\n")
        # What is offered can be drawn with.
        asked = await place.server.ask(f"a fox {setting}")
        assert (await place.server.job(asked)).asked.palette == "#1a1c2c #f4f4f4"


async def test_the_palette_of_somebody_elses_picture_has_16_colours(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        noise = Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3))
        output = io.BytesIO()
        noise.save(output, "PNG")
        message = await server.alice.send(
            server.channel, attachments=[("my `cat`.png", output.getvalue())]
        )
        page = await used(server, PALETTE, message)
        assert page.embeds[0].title == "16 colours"
        assert "of my \\`cat\\`, the most used first" in page.embeds[0].description
        (values,) = re.findall('--palette "(.*)"', page.embeds[0].description)
        assert make_settings({"prompts": "x", "palette": values}).palette == values
        assert len(parse_palette(values)) == 16


async def test_a_palette_of_one_colour_is_not_offered_to_draw_with(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        message = await server.alice.send(server.channel, attachments=[("a.png", png())])
        page = await used(server, PALETTE, message)
        assert page.embeds[0].title == "One colour"
        assert "#ff0000" in page.embeds[0].description
        assert "--palette" not in page.embeds[0].description


async def test_a_picture_without_a_pixel_to_see_has_no_palette(tmp_path: Path) -> None:
    async with simulated(tmp_path, ScriptedEngine()) as server:
        output = io.BytesIO()
        Image.new("RGBA", (8, 8)).save(output, "PNG")
        message = await server.alice.send(
            server.channel, attachments=[("clear.png", output.getvalue())]
        )
        page = await used(server, PALETTE, message)
        assert page.content == "No palette could be made of this picture."


async def test_the_picture_that_is_being_drawn_is_taken_as_it_looks_now(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        engine.progress(job_id, 20, two_colours())
        await server.shown(job_id, lambda message: message.attachments)
        page = await used(server, PALETTE, server.message(job_id))
        assert page.embeds[0].title == "2 colours"
        assert fields(await used(server, INFO, server.message(job_id)))["State"] == "running"
        engine.finish(job_id)
        await until(lambda: server.messages(job_id))
        await server.finished(job_id)
        assert (await server.job(job_id)).state is State.DONE
