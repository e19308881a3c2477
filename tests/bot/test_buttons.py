"""The buttons below a finished picture: what each does, for whom, and after a restart."""

import contextlib
import io
import json
import zipfile
from pathlib import Path

import discord
import pytest
import simcord
from PIL import Image

from bot.app import open_bot
from bot.jobs import State
from bot.workshop.orders import Enlarge
from tests.bot.helpers import Clock, png, until
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, config, connected, labels, simulated

OUTPUT, NATIVE = (200, 112), (80, 45)
RED, BLUE = (250, 10, 20), (20, 30, 240)


def picture(size: tuple[int, int] = OUTPUT) -> bytes:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    image.paste(BLUE, (size[0] // 2, 0, *size))
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


async def drawn(server: Server, engine: ScriptedEngine, **options: object) -> discord.Message:
    """Alice's finished picture with two frames."""
    job_id = await server.ask(quality="draft", **options)
    await engine.has(job_id)
    for iteration in (20, 40):
        engine.progress(job_id, iteration, picture())
    engine.finish(job_id, picture(), native=picture(NATIVE), svg="<svg/>")
    return await server.finished(job_id)


def said(result: simcord.InteractionResult) -> str:
    assert result.response is not None
    assert result.response.ephemeral
    return result.response.content


def answers(server: Server) -> list[discord.Message]:
    """What was posted besides the pictures' own messages."""
    return [message for message in server.channel.history() if not message.embeds]


async def image(attachment: discord.Attachment) -> Image.Image:
    return Image.open(io.BytesIO(await attachment.read()))


async def test_buttons_are_arranged_in_three_rows_and_each_says_what_it_does(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        rows = [[button.label for button in row.children] for row in message.components]
        assert rows == [
            ["Reroll", "Variations", "Remix", "Upscale"],
            ["Time-lapse", "Palette", "Export", "Info"],
            ["Favourite", "Again", "Delete"],
        ]
        ids = [button.custom_id for row in message.components for button in row.children]
        assert all(custom_id.rpartition(":")[2] == "1" for custom_id in ids)


async def test_upscale_posts_four_times_the_picture_with_every_edge_kept(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        await server.bob.click(message, label="Upscale")
        (answer,) = answers(server)
        large = await image(answer.attachments[0])
        assert large.size == (800, 448)
        assert {colour for _, colour in large.getcolors()} == {RED, BLUE}
        assert answer.attachments[0].description == "a red apple"
        assert answer.reference is not None
        assert answer.reference.message_id == message.id


async def test_upscale_is_smaller_where_four_times_is_too_large_and_refused_where_all_is(
    tmp_path: Path, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        sizes = {factor: len(await enlarged(server, factor)) for factor in (2, 4)}
        assert sizes[2] < sizes[4]
        limit_uploads(monkeypatch, sizes[4] - 1)
        await server.bob.click(message, label="Upscale")
        (answer,) = answers(server)
        assert (await image(answer.attachments[0])).size == (400, 224)
        other = await drawn(server, engine)
        limit_uploads(monkeypatch, sizes[2] - 1)
        assert "as large as can be posted" in said(await server.bob.click(other, label="Upscale"))


def limit_uploads(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Let every interaction say that so many bytes may be sent."""
    told = discord.Interaction._from_data

    def tell(interaction: discord.Interaction, data: dict) -> None:
        told(interaction, data)
        interaction.filesize_limit = size

    monkeypatch.setattr(discord.Interaction, "_from_data", tell)


async def enlarged(server: Server, factor: int) -> bytes:
    path = server.bot.pictures.files(1)[".png"]
    png = await server.bot.workshop.make(Enlarge(path, factor, crisp=True))
    assert png is not None
    return png


async def test_what_was_posted_is_pointed_at_and_posted_again_only_when_it_is_gone(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        await server.bob.click(message, label="Upscale")
        (answer,) = answers(server)
        assert answer.jump_url in said(await server.alice.click(message, label="Upscale"))
        assert len(answers(server)) == 1
        partial = server.bot.get_partial_messageable(answer.channel.id)
        await partial.get_partial_message(answer.id).delete()
        await server.alice.click(message, label="Upscale")
        assert len(answers(server)) == 1


async def test_time_lapse_is_posted_as_a_gif_of_the_frames_that_were_kept(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        await server.bob.click(message, label="Time-lapse")
        (answer,) = answers(server)
        assert answer.attachments[0].filename == "pixel-1-time-lapse.gif"
        gif = await image(answer.attachments[0])
        assert gif.format == "GIF"


async def test_a_picture_without_frames_has_no_time_lapse(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask()
        await engine.has(job_id)
        engine.finish(job_id, picture())
        result = await server.bob.click(await server.finished(job_id), label="Time-lapse")
        assert "Nothing was kept" in said(result)


async def test_palette_shows_other_colours_at_once_and_posts_them_when_asked_to(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        offered = await server.bob.click(message, label="Palette")
        assert not engine.at_work
        shown = await server.bob.select(offered.response, ["gameboy"], custom_id="pixel:recolour:1")
        preview = shown.response
        assert not answers(server)
        await server.bob.click(preview, label="Post it")
        (answer,) = answers(server)
        colours = {colour for _, colour in (await image(answer.attachments[0])).getcolors()}
        assert colours <= {(15, 56, 15), (48, 98, 48), (139, 172, 15), (155, 188, 15)}
        assert len(colours) == 2
        assert engine.drawn == [1]


async def test_palette_takes_colours_in_words_and_says_what_it_cannot_read(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        offered = await server.bob.click(message, label="Palette")
        form = await server.bob.select(
            offered.response, ["own colours"], custom_id="pixel:recolour:1"
        )
        shown = await server.bob.submit_modal(form, {"palette": "#00ff00, #ff00ff"})
        await server.bob.click(shown.response, label="Post it")
        (answer,) = answers(server)
        colours = {colour for _, colour in (await image(answer.attachments[0])).getcolors()}
        assert colours <= {(0, 255, 0), (255, 0, 255)}
        form = await server.bob.select(
            offered.response, ["own colours"], custom_id="pixel:recolour:1"
        )
        refused = await server.bob.submit_modal(form, {"palette": "no such colour"})
        assert "The palette cannot have" in refused.response.content
        assert "no such colour" in refused.response.content


async def test_export_is_one_zip_with_everything_for_whoever_pressed_alone(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        result = await server.bob.click(message, label="Export")
        assert said(result)
        (attachment,) = result.response.message.attachments
        archive = zipfile.ZipFile(io.BytesIO(await attachment.read()))
        assert set(archive.namelist()) == {
            *("pixel-1.png", "pixel-1-native.png", "pixel-1.svg", "pixel-1.txt"),
            *("pixel-1-sheet.png", "pixel-1-sheet.json", "pixel-1.gpl", "pixel-1.hex"),
        }
        assert Image.open(archive.open("pixel-1-native.png")).size == NATIVE
        assert len(json.loads(archive.read("pixel-1-sheet.json"))["frames"]) == 3
        assert b"fa0a14" in archive.read("pixel-1.hex")
        assert b"/pixel prompt:a red apple" in archive.read("pixel-1.txt")
        assert not answers(server)


async def test_info_tells_settings_seed_models_times_and_lineage(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        parent = await drawn(server, engine, palette="pico8")
        await server.bob.click(parent, label="Reroll")
        await engine.has(2)
        engine.finish(2, picture())
        result = await server.alice.click(await server.finished(2), label="Info")
        assert result.response.ephemeral
        fields = {field.name: field.value for field in result.response.message.embeds[0].fields}
        job = await server.job(2)
        assert fields["Seed"] == f"`{job.seed}`"
        assert "palette: pico8" in fields["Settings"]
        assert "a `b`" in fields["Models"]
        assert fields["Drawn in"] == "8 s"
        assert "Reroll of [#1]" in fields["Family"]
        assert f"--seed {job.seed}" in fields["Draws it again"]
        above = await server.alice.click(server.message(1), label="Info")
        fields = {field.name: field.value for field in above.response.message.embeds[0].fields}
        assert "↳ [#2]" in fields["Family"]


async def test_favourites_are_counted_on_the_button_and_can_be_taken_back(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        await drawn(server, engine)
        await server.alice.click(server.message(1), custom_id="pixel:favourite:1")
        await server.bob.click(server.message(1), custom_id="pixel:favourite:1")
        assert "Favourite · 2" in server.buttons(1)
        assert await server.bot.store.count_favourites(1) == 2
        await server.bob.click(server.message(1), custom_id="pixel:favourite:1")
        assert "Favourite · 1" in server.buttons(1)
        await server.alice.click(server.message(1), custom_id="pixel:favourite:1")
        assert "Favourite" in server.buttons(1)


async def test_delete_asks_once_more_and_then_everything_but_the_row_is_gone(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        await server.bob.click(message, label="Upscale")
        question = await server.alice.click(message, label="Delete")
        assert "Delete #1 for good?" in said(question)
        assert (tmp_path / "pictures/0/1").exists()
        await server.alice.click(question.response, label="Delete for good")
        assert not (tmp_path / "pictures/0/1").exists()
        assert not server.messages(1)
        assert not answers(server), "nor what was made of it"
        job = await server.job(1)
        assert job.deleted_at is not None
        assert job.prompt == "a red apple"


async def test_only_its_owner_and_moderators_may_delete_a_picture(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        assert "can delete it" in said(await server.bob.click(message, label="Delete"))
        question = await server.moderator.click(message, label="Delete")
        await server.moderator.click(question.response, label="Delete for good")
        assert not server.messages(1)


async def test_a_picture_that_was_deleted_meanwhile_is_told(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        job = await server.job(1)
        assert await server.bot.store.delete(job)
        for label in ("Reroll", "Upscale", "Info", "Palette"):
            assert "was deleted" in said(await server.bob.click(message, label=label))


async def test_remix_opens_a_form_with_the_prompt_and_queues_a_child(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await drawn(server, engine)
        form = await server.bob.click(message, label="Remix")
        await server.bob.submit_modal(form, {"prompt": "a blue pear", "settings": ""})
        job = await server.job(2)
        assert (job.prompt, job.parent_id, job.relation) == ("a blue pear", 1, "remix")


async def test_all_buttons_work_after_a_restart(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(open_bot(config(tmp_path), engine=engine))
        async with connected(bot) as server:
            message = await drawn(server, engine)
            offered = await server.bob.click(message, label="Palette")
            question = await server.alice.click(message, label="Delete")
            await first.aclose()
            async with open_bot(config(tmp_path), engine=engine) as successor:
                await server.restart(successor)
                await server.bob.click(message, label="Upscale")
                assert len(answers(server)) == 1
                await server.bob.select(offered.response, ["gameboy"], custom_id="pixel:recolour:1")
                assert said(await server.bob.click(message, label="Export"))
                assert (await server.bob.click(message, label="Info")).response.ephemeral
                assert (await server.bob.click(message, label="Remix")).modal is not None
                await server.bob.click(message, label="Variations")
                assert (await server.job(5)).group_id is not None
                await server.alice.click(question.response, label="Delete for good")
                assert not server.messages(1)


async def test_a_walk_is_posted_beside_the_final_picture(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask("a red apple --blend_with a blue sea")
        await engine.has(job_id)
        engine.finish(job_id, picture(), walk=(picture(), png(OUTPUT), picture()))
        message = await server.finished(job_id)
        still, moving = message.attachments
        assert still.filename == "pixel-1.png"
        assert moving.filename == "pixel-1-walk.gif"
        assert (await image(moving)).n_frames == 3
        assert (tmp_path / "pictures/0/1/walk.gif").exists()


async def group(server: Server, engine: ScriptedEngine) -> discord.Message:
    """The message of four variations of Alice's picture, which Bob asked for."""
    message = await drawn(server, engine)
    result = await server.bob.click(message, label="Variations")
    assert "Your pictures are #2 to #5" in said(result)
    await until(lambda: grouped(server))
    return grouped(server)[-1]


def grouped(server: Server) -> list[discord.Message]:
    return [
        message
        for message in server.channel.history()
        if message.embeds and "#2, " in (message.embeds[0].footer.text or "")
    ]


async def test_variations_are_four_seeds_in_one_message_that_shows_them_growing(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, running_per_user=4, easels=4) as server:
        message = await group(server, engine)
        await engine.has(2, 3, 4, 5)
        jobs = [await server.job(number) for number in range(2, 6)]
        assert len({job.seed for job in jobs}) == 4
        assert {(job.parent_id, job.relation, job.report) for job in jobs} == {
            (1, "variation", "grouped")
        }
        assert labels(message) == ["U1", "U2", "U3", "U4", "Cancel all"]
        engine.progress(3, 20, picture())
        await until(lambda: grouped(server)[-1].attachments)
        growing = grouped(server)[-1]
        assert "step 20 of 100" in growing.embeds[0].description
        assert (await image(growing.attachments[0])).size >= (2 * OUTPUT[0], 2 * OUTPUT[1])
        for number in (2, 3, 4, 5):
            engine.finish(number, picture())
        await until(lambda: "Delete all" in labels(grouped(server)[-1]))
        assert len(grouped(server)) == 1
        assert not any(server.messages(number) for number in (2, 3, 4, 5))
        assert len(grouped(server)[-1].attachments) == 1


async def test_u2_gives_a_picture_a_message_of_its_own_without_drawing_it_again(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, running_per_user=4, easels=4) as server:
        await group(server, engine)
        await engine.has(2, 3, 4, 5)
        engine.finish(3, picture())

        def enabled() -> list[str]:
            rows = grouped(server)[-1].components
            return [button.label for row in rows for button in row.children if not button.disabled]

        await until(lambda: "U2" in enabled())
        assert "U1" not in enabled()
        await server.alice.click(grouped(server)[-1], label="U2")
        own = await server.finished(3)
        assert await own.attachments[0].read() == picture()
        assert "Upscale" in labels(own)
        assert engine.drawn.count(3) == 1
        again = await server.alice.click(grouped(server)[-1], label="U2")
        assert str(own.id) in said(again)
        assert len(server.messages(3)) == 1


async def test_cancel_stops_all_four(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        message = await group(server, engine)
        await engine.has(2, 3)
        assert "can cancel it" in said(await server.alice.click(message, label="Cancel all"))
        await server.bob.click(message, label="Cancel all")
        await engine.has()
        await until(lambda: "Delete all" in labels(grouped(server)[-1]))
        states = [(await server.job(number)).state for number in range(2, 6)]
        assert states == [State.CANCELLED] * 4


async def test_a_group_shows_those_that_are_left_and_goes_with_the_last(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine, running_per_user=4, easels=4) as server:
        await group(server, engine)
        await engine.has(2, 3, 4, 5)
        for number in (2, 3, 4, 5):
            engine.finish(number, picture())
        await until(lambda: "Delete all" in labels(grouped(server)[-1]))
        await server.alice.click(grouped(server)[-1], label="U2")
        question = await server.bob.click(await server.finished(3), label="Delete")
        await server.bob.click(question.response, label="Delete for good")
        await until(lambda: labels(grouped(server)[-1]) == ["U1", "U2", "U3", "Delete all"])
        question = await server.bob.click(grouped(server)[-1], label="Delete all")
        await server.bob.click(question.response, label="Delete all for good")
        assert not grouped(server)
        assert not (tmp_path / "pictures/0/5").exists()


async def test_a_groups_message_that_was_not_written_down_is_found_after_a_restart(
    tmp_path: Path, engine: ScriptedEngine, clock: Clock
) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(
            open_bot(config(tmp_path), engine=engine, clock=clock)
        )
        async with connected(bot) as server:
            clock.now = discord.utils.snowflake_time(server.channel.id).timestamp()
            await group(server, engine)
            await until(lambda: grouped(server))
            (sent,) = grouped(server)
            await bot.store._change("UPDATE groups SET message_id = NULL", ())
            await first.aclose()
            clock.now += 60
            settings = config(tmp_path, running_per_user=4)
            async with open_bot(settings, engine=engine, clock=clock) as successor:
                await server.restart(successor)
                for number in (2, 3, 4, 5):
                    engine.finish(number, picture())
                await until(lambda: "Delete all" in labels(grouped(server)[-1]))
                assert [message.id for message in grouped(server)] == [sent.id]


async def test_a_group_that_was_not_shown_to_the_end_is_after_a_restart(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with contextlib.AsyncExitStack() as first:
        bot = await first.enter_async_context(
            open_bot(config(tmp_path, running_per_user=4, easels=4), engine=engine)
        )
        async with connected(bot) as server:
            await group(server, engine)
            await engine.has(2, 3, 4, 5)
            server.env.inject_error("PATCH", "/channels/*/messages/*", status=503, times=None)
            before = len(server.requests("PATCH"))
            for number in (2, 3, 4, 5):
                engine.finish(number, picture())
            await engine.has()
            await until(lambda: len(server.requests("PATCH")) > before)
            await first.aclose()
            server.env.backend.faults.clear()
            async with open_bot(config(tmp_path), engine=engine) as successor:
                await server.restart(successor)
                await until(lambda: "Delete all" in labels(grouped(server)[-1]))
                assert len(grouped(server)) == 1
