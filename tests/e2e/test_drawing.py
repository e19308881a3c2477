"""The main job, end to end: a person asks in a channel, the real engine draws, the buttons work."""

import io
from pathlib import Path

import discord
import pytest
from PIL import Image

from bot.jobs import State
from engine.client import Engine
from tests.bot.helpers import until
from tests.simulated import Server, simulated

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHORT = {"quality": "draft", "iterations": 6}
LONG = {"quality": "draft", "iterations": 2000}


async def first_frame(server: Server, job_id: int) -> None:
    await server.shown(job_id, lambda message: message.attachments)


async def comes_to(server: Server, job_id: int, state: State) -> None:
    async def arrived() -> bool:
        return (await server.job(job_id)).state is state

    await until(arrived)


async def test_a_picture_is_asked_for_shown_while_it_grows_and_finished(
    tmp_path: Path, engine: Engine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask("a red apple", quality="draft", iterations=60, seed="7")
        await first_frame(server, job_id)
        assert "step" in server.text(job_id)
        assert server.buttons(job_id) == ["Cancel"]
        message = await server.finished(job_id)
        assert len(server.messages(job_id)) == 1
        picture = Image.open(io.BytesIO(await message.attachments[0].read()))
        assert picture.size == (200, 112)
        assert len(picture.convert("RGB").getcolors(picture.width * picture.height)) > 10
        assert message.attachments[0].description == "a red apple"
        fields = {field.name: field.value for field in message.embeds[0].fields}
        assert fields["Seed"] == "`7`"
        assert "quality draft · 200 × 112 pixels" in (fields["Settings"] or "")
        assert "60 steps" in (fields["Settings"] or "")
        assert fields["Drawn in"]
        assert await server.bot.pictures.read(f"pictures/0/{job_id}/frames/000020.png")
        job = await server.job(job_id)
        assert job.native is not None
        native = await server.bot.pictures.read(job.native)
        assert native is not None
        assert Image.open(io.BytesIO(native)).size == (80, 45)


async def test_a_seed_in_words_is_a_seed(tmp_path: Path, engine: Engine) -> None:
    async with simulated(tmp_path, engine) as server:
        first = await server.ask(seed="my lucky seed", **SHORT)
        second = await server.ask(seed="my lucky seed", **SHORT)
        pictures = [
            await (await server.finished(job_id)).attachments[0].read()
            for job_id in (first, second)
        ]
        assert pictures[0] == pictures[1]


async def test_reroll_draws_another_picture_for_whoever_pressed_it(
    tmp_path: Path, engine: Engine
) -> None:
    async with simulated(tmp_path, engine) as server:
        parent_id = await server.ask(aspect="square", seed="7", **SHORT)
        parent = await server.finished(parent_id)
        result = await server.bob.click(parent, label="Reroll")
        assert result.response is not None
        assert result.response.ephemeral
        message = await server.finished(parent_id + 1)
        job, parent_job = await server.job(parent_id + 1), await server.job(parent_id)
        assert (job.parent_id, job.relation, job.user_id) == (parent_id, "reroll", server.bob.id)
        assert job.seed != parent_job.seed
        assert job.asked.aspect == "square"
        assert await message.attachments[0].read() != await parent.attachments[0].read()
        assert f"Reroll of [#{parent_id}](" in server.text(job.id)


async def test_again_draws_the_same_bytes(tmp_path: Path, engine: Engine) -> None:
    async with simulated(tmp_path, engine) as server:
        parent_id = await server.ask(**SHORT)
        parent = await server.finished(parent_id)
        await server.bob.click(parent, label="Again")
        message = await server.finished(parent_id + 1)
        assert await message.attachments[0].read() == await parent.attachments[0].read()
        assert message.embeds[0].fields[0] == parent.embeds[0].fields[0]
        assert f"The same as [#{parent_id}](" in server.text(parent_id + 1)


async def test_a_waiting_picture_is_cancelled(tmp_path: Path, engine: Engine) -> None:
    async with simulated(tmp_path, engine, easels=1) as server:
        running = await server.ask(**LONG)
        waiting = await server.ask(**LONG)
        await server.shown(waiting, lambda message: "It is next." in message.embeds[0].description)
        result = await server.alice.click(server.message(waiting), label="Cancel")
        assert result.response is not None
        assert result.response.content == f"#{waiting} is cancelled."
        await server.shown(waiting, lambda m: "Cancelled." in m.embeds[0].description)
        assert server.buttons(waiting) == ["Again", "Remix", "Delete"]
        assert (await server.job(running)).state is State.RUNNING
        await server.alice.click(server.message(running), label="Cancel")


async def test_a_running_picture_is_cancelled_and_the_next_one_is_drawn(
    tmp_path: Path, engine: Engine
) -> None:
    async with simulated(tmp_path, engine, easels=1) as server:
        running = await server.ask(**LONG)
        await first_frame(server, running)
        following = await server.ask(**SHORT)
        await server.alice.click(server.message(running), label="Cancel")
        await server.shown(running, lambda m: "Cancelled." in m.embeds[0].description)
        await server.finished(following)
        assert (await server.job(running)).state is State.CANCELLED


async def test_strangers_cannot_cancel_and_moderators_can(tmp_path: Path, engine: Engine) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask(**LONG)
        await server.shown(job_id, lambda _: True)
        refused = await server.bob.click(server.message(job_id), label="Cancel")
        assert refused.response is not None
        assert refused.response.ephemeral
        assert "moderator" in refused.response.content
        assert not (await server.job(job_id)).state.final
        await server.moderator.click(server.message(job_id), label="Cancel")
        await comes_to(server, job_id, State.CANCELLED)


async def test_history_leads_through_ones_own_pictures(tmp_path: Path, engine: Engine) -> None:
    async with simulated(tmp_path, engine) as server:
        empty = await server.alice.slash(server.channel, "history")
        assert empty.response is not None
        assert "no pictures yet" in empty.response.content
        jobs = [await server.ask(f"picture {number}", **SHORT) for number in (1, 2)]
        for job_id in jobs:
            await server.finished(job_id)
        result = await server.alice.slash(server.channel, "history")
        page = result.response
        assert page is not None
        assert page.ephemeral
        assert "picture 2" in page.embeds[0].description
        sheet = await page.attachments[0].read()
        await server.alice.select(page, [str(jobs[1])])
        assert page.embeds[0].footer.text == f"pixel #{jobs[1]}"
        newest = await page.attachments[0].read()
        assert newest == await server.message(jobs[1]).attachments[0].read()
        await server.alice.click(page, label="Older")
        assert "picture 1" in page.embeds[0].description
        assert page.embeds[0].footer.text == f"pixel #{jobs[0]}"
        assert len(page.attachments) == 1
        assert await page.attachments[0].read() != newest
        await server.alice.click(page, label="Newer")
        assert await page.attachments[0].read() == newest
        await server.alice.click(page, label="Back to the sheet")
        assert await page.attachments[0].read() == sheet


async def test_the_queue_shows_what_is_drawn_and_what_waits(tmp_path: Path, engine: Engine) -> None:
    async with simulated(tmp_path, engine, easels=1) as server:
        nothing = await server.bob.slash(server.channel, "queue")
        assert nothing.response is not None
        assert "Nothing is waiting" in nothing.response.embeds[0].description
        running = await server.ask("the running one", **LONG)
        await first_frame(server, running)
        waiting = await server.ask("the waiting one", **LONG)
        result = await server.bob.slash(server.channel, "queue")
        assert result.response is not None
        assert result.response.ephemeral
        text = result.response.embeds[0].description
        assert text.index("the running one") < text.index("Waiting: 1")
        assert text.index("Waiting: 1") < text.index("the waiting one")
        assert "%" in text
        for job_id in (waiting, running):
            await server.shown(job_id, lambda _: True)
            await server.alice.click(server.message(job_id), label="Cancel")


async def test_a_full_share_of_the_queue_is_refused(tmp_path: Path, engine: Engine) -> None:
    async with simulated(tmp_path, engine, easels=1, waiting_per_user=1) as server:
        running = await server.ask(**LONG)
        await comes_to(server, running, State.RUNNING)
        await server.ask(**LONG)
        refused = await server.alice.slash(server.channel, "pixel", prompt="one more")
        assert refused.response is not None
        assert refused.response.ephemeral
        assert "waiting already" in refused.response.content


async def test_a_deleted_message_does_not_stop_the_picture(tmp_path: Path, engine: Engine) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask(quality="draft", iterations=60)
        await server.shown(job_id, lambda _: True)
        await server.moderator.delete(server.message(job_id))
        await comes_to(server, job_id, State.DONE)
        result = await server.alice.slash(server.channel, "history")
        assert result.response is not None
        assert result.response.attachments


async def test_an_upload_refused_as_too_large_is_sent_smaller(
    tmp_path: Path, engine: Engine
) -> None:
    async with simulated(tmp_path, engine, edit_interval=3600) as server:
        # With few colours the file would be too small to try again with less.
        job_id = await server.ask(quality="best", iterations=20, seed="7", colors=0)
        await server.shown(job_id, lambda _: True)
        server.env.inject_error("PATCH", "/channels/*/messages/*", status=413, code=40005)
        message = await server.finished(job_id)
        job = await server.job(job_id)
        assert job.picture is not None
        whole = (tmp_path / job.picture).read_bytes()
        assert len(await message.attachments[0].read()) < len(whole)


async def test_a_picture_drawn_in_a_thread_stays_in_the_thread(
    tmp_path: Path, engine: Engine
) -> None:
    async with simulated(tmp_path, engine) as server:
        channel = server.bot.get_channel(server.channel.id)
        assert isinstance(channel, discord.TextChannel)
        await channel.create_thread(name="a thread", type=discord.ChannelType.public_thread)
        (server.channel,) = server.channel.threads
        job_id = await server.ask(**SHORT)
        message = await server.finished(job_id)
        assert message.channel.id == server.channel.id


@pytest.mark.parametrize(
    ("denied", "named"),
    [
        ({"attach_files": False}, "Attach Files"),
        ({"embed_links": False}, "Embed Links"),
        ({"send_messages": False}, "Send Messages"),
        ({"attach_files": False, "embed_links": False}, "Attach Files and Embed Links"),
    ],
)
async def test_missing_permissions_are_told_before_anything_is_queued(
    tmp_path: Path, engine: Engine, denied: dict[str, bool], named: str
) -> None:
    async with simulated(tmp_path, engine) as server:
        bot_user = server.bot.user
        assert bot_user is not None
        closed = server.guild.create_text_channel(
            "closed", overwrites={bot_user: discord.PermissionOverwrite(**denied)}
        )
        result = await server.alice.slash(closed, "pixel", prompt="a red apple")
        assert result.response is not None
        assert result.response.ephemeral
        assert named in result.response.content
        assert await server.bot.store.get(1) is None


async def test_an_outline_a_mask_and_a_target_are_drawn_with(
    tmp_path: Path, engine: Engine
) -> None:
    lines = Image.new("RGB", (80, 45), "white")
    lines.paste("black", (38, 0, 42, 45))
    left = Image.new("L", (80, 45))
    left.paste(255, (0, 0, 40, 45))
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask(
            "a red apple --palette #00f,#f00,#000,#fff",
            outline=("lines.png", encoded(lines)),
            target=("target.png", encoded(Image.new("RGB", (80, 45), "blue"))),
            mask=("mask.png", encoded(left)),
            spot_prompts="a green field",
            **SHORT,
        )
        await server.finished(job_id)
        job = await server.job(job_id)
        assert job.native is not None
        native = await server.bot.pictures.read(job.native)
        assert native is not None
        picture = Image.open(io.BytesIO(native)).convert("RGB")
        middle = picture.getpixel((picture.width // 2, picture.height // 2))
        assert middle == (0, 0, 0), "the outline's line stays"


async def test_a_form_is_drawn(tmp_path: Path, engine: Engine) -> None:
    async with simulated(tmp_path, engine) as server:
        shown = await server.alice.slash(server.channel, "pixel-more")
        settings = "iterations 6\npalette gameboy\npixel_size 40x40\noptimizer radam"
        written = {"prompt": "a red apple", "aspect": ["square"], "quality": ["draft"]}
        await server.alice.submit_modal(shown, {**written, "settings": settings})
        message = await server.finished(1)
        picture = Image.open(io.BytesIO(await message.attachments[0].read())).convert("RGB")
        assert picture.size == (150, 150)
        assert len(picture.getcolors()) <= 4
        assert (await server.job(1)).resolved.optimizer == "radam"


def encoded(image: Image.Image) -> bytes:
    output = io.BytesIO()
    image.save(output, "PNG")
    return output.getvalue()
