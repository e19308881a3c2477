"""Asking for a picture: options, settings in words, attachments, the form."""

import dataclasses
import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import discord
import msgspec
import pytest
import simcord

from bot.app import open_bot
from bot.commands.pixel import pixel
from bot.errors import Refusal
from bot.folder import database_path
from bot.jobs import Job
from bot.store import Store
from bot.views.asking import AskForm
from engine.settings import OPTION
from tests.bot.helpers import add, png
from tests.bot.scripted import ScriptedEngine
from tests.simulated import Server, config, connected, simulated

LONG = "a lighthouse " + "at dusk " * 30


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


async def refusal(server: Server, **options: object) -> str:
    """What is answered to a /pixel that nothing comes of."""
    result = await server.alice.slash(server.channel, "pixel", **options)
    assert result.response is not None
    assert result.response.ephemeral
    assert await server.bot.store.count_waiting() == 0
    assert not await server.bot.store.running()
    return result.response.content


async def offered(server: Server, option: str, typed: str) -> list[str]:
    choices = await server.alice.autocomplete(server.channel, "pixel", option, typed)
    return [choice["value"] for choice in choices]


async def form(server: Server) -> simcord.InteractionResult:
    return await server.alice.slash(server.channel, "pixel-more")


async def remixed(server: Server, parent: Job) -> simcord.InteractionResult:
    """The form filled in with a job, as a button opens it."""

    class Opener(discord.ui.Button):
        async def callback(self, interaction: discord.Interaction) -> None:
            await AskForm.open(interaction, parent)

    channel = server.bot.get_partial_messageable(server.channel.id)
    view = discord.ui.View().add_item(Opener(label="Remix"))
    return await server.alice.click(await channel.send(view=view), label="Remix")


async def sent(server: Server, shown: simcord.InteractionResult, **values: object) -> str:
    """What is answered to a form."""
    result = await server.alice.submit_modal(shown, values)
    assert result.response is not None
    assert result.response.ephemeral
    return result.response.content


def fields(shown: simcord.InteractionResult) -> dict[str, dict[str, Any]]:
    """The fields of a form, by their ids."""
    assert shown.modal is not None
    parts = [label["component"] for label in shown.modal["components"]]
    return {part["custom_id"]: part for part in parts}


async def newest(server: Server) -> Job:
    (prompt, *_) = await server.bot.store.former_prompts(server.alice.id)
    return await server.job(prompt.job_id)


def test_only_the_prompt_is_required_and_the_rest_has_ranges_and_choices() -> None:
    assert [option.name for option in pixel.parameters if option.required] == ["prompt"]
    assert len(pixel.parameters) <= 25
    for option in pixel.parameters:
        setting = OPTION.get(option.name)
        if setting is None:
            continue
        if setting.kind == "integer":
            assert (option.min_value, option.max_value) == (setting.low, setting.high)
        if setting.kind == "choice" and not option.autocomplete:
            assert [choice.value for choice in option.choices] == list(setting.choices)


async def test_a_prompt_is_enough(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        job = await server.job(await server.ask("a red apple"))
        assert job.prompt == "a red apple"
        assert job.asked.quality == "normal"


async def test_every_option_arrives_in_the_settings(tmp_path: Path, engine: ScriptedEngine) -> None:
    options = {
        "preset": "sprite",
        "drawer": "pixel",
        "aspect": "portrait",
        "quality": "draft",
        "palette": "pico8",
        "colors": 8,
        "pixel_size": "40x50",
        "pixel_type": "rectshift",
        "transparent": False,
        "tile": True,
        "symmetry": "x",
        "seed": "7",
        "iterations": 30,
        "perceptors": "pixelclip",
    }
    arrived = {**options, "pixel_size": (40, 50), "seed": 7, "perceptors": ("pixelclip",)}
    async with simulated(tmp_path, engine) as server:
        asked = (await server.job(await server.ask("a red apple", **options))).asked
        assert {name: getattr(asked, name) for name in options} == arrived
        strokes = await server.job(await server.ask(drawer="clipdraw", strokes=12))
        assert strokes.asked.strokes == 12
        codes = await server.job(await server.ask(drawer="vqgan", vqgan_model="mini"))
        assert codes.asked.vqgan_model == "mini"


async def test_settings_inside_the_prompt_are_taken_out_of_it(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask(
            "a lighthouse at dusk --palette pico8 --pixel-size 64x36 --tile", seed="7"
        )
        job = await server.job(job_id)
        assert job.prompt == "a lighthouse at dusk"
        assert (job.asked.palette, job.asked.pixel_size, job.asked.tile) == (
            "pico8",
            (64, 36),
            True,
        )
        assert job.asked.seed == 7
        await engine.has(job_id)
        assert engine.settings[job_id].palette == "pico8"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"prompt": "a fox --palete nes"}, "did you mean palette"),
        ({"prompt": "a fox --palette nope"}, "cannot have “nope”"),
        (
            {"prompt": "a fox --seed 1", "seed": "2"},
            "seed is given twice, as an option and in the prompt; leave one of them out.",
        ),
        ({"prompt": "a fox --init-image https://example.com/a.png"}, "attach it"),
        ({"prompt": "a fox --blend-with picture:../0/1/final"}, "attached, never named"),
        ({"prompt": "a fox --perceptors ViT-L-14/openai"}, "allowed are pixelclip."),
        ({"prompt": "a fox", "perceptors": "ViT-L-14/openai"}, "allowed are pixelclip."),
        ({"prompt": "a fox --drawer vqgan --vqgan-model coco"}, "allowed are mini."),
        ({"prompt": "--tile"}, "The prompt is missing"),
        ({"prompt": "a fox", "spot_prompts": "a cat"}, "there is none; give a mask"),
        (
            {"prompt": "a fox", "image": ("a.png", png()), "outline": ("b.png", png())},
            "only one of them",
        ),
        (
            {"prompt": "a fox --no-outline", "outline": ("b.png", png())},
            "outline is given twice",
        ),
    ],
)
async def test_what_cannot_be_is_refused_with_a_sentence_and_nothing_is_kept(
    tmp_path: Path, engine: ScriptedEngine, options: dict[str, object], sentence: str
) -> None:
    async with simulated(tmp_path, engine) as server:
        assert sentence in await refusal(server, **options)
        assert not (tmp_path / "pictures").exists()


async def test_models_that_the_operator_lists_can_be_chosen(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    listed = {"perceptors": ("pixelclip", "RN50/openai"), "vqgan_models": ("mini", "coco")}
    async with simulated(tmp_path, engine, **listed) as server:
        job = await server.job(await server.ask("a fox --perceptors RN50/openai"))
        assert job.asked.perceptors == ("RN50/openai",)
        job = await server.job(await server.ask("a fox --vqgan-model coco", drawer="vqgan"))
        assert job.asked.vqgan_model == "coco"
        assert await offered(server, "perceptors", "rn") == ["RN50/openai"]
        assert await offered(server, "vqgan_model", "") == ["mini", "coco"]


async def test_palettes_and_presets_are_completed(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        assert await offered(server, "palette", "endes") == ["endesga32"]
        assert await offered(server, "preset", "spr") == ["sprite"]
        assert await offered(server, "prompt", "a fox --palette en") == [
            "a fox --palette endesga32"
        ]


async def test_ones_own_prompts_are_offered_newest_first_and_each_once(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        for prompt in ("a red fox --tile", "a cat", "a red bird", "a cat"):
            await server.ask(prompt)
        await server.bob.slash(server.channel, "pixel", prompt="a red house of Bob's")
        assert await offered(server, "prompt", "") == ["a cat", "a red bird", "a red fox"]
        assert await offered(server, "prompt", "RED") == ["RED", "a red bird", "a red fox"]


async def test_a_long_prompt_that_is_offered_is_drawn_whole(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask(LONG)
        _, value = await offered(server, "prompt", "light")
        again = await server.job(await server.ask(value))
        assert again.prompt == LONG.strip()
        # Somebody else's number is no prompt, nor is that of a short one.
        await server.bob.slash(server.channel, "pixel", prompt=f"#{job_id}")
        assert (await server.job(3)).prompt == f"#{job_id}"
        short = await server.ask("a cat")
        assert (await server.job(await server.ask(f"#{short}"))).prompt == f"#{short}"


async def test_each_attachment_goes_to_the_engine_by_its_hash(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    start, target, mask = png((9, 9)), png((10, 10)), png((11, 11))
    async with simulated(tmp_path, engine) as server:
        job_id = await server.ask(
            image=("a.png", start),
            target=("b.png", target),
            mask=("c.png", mask),
            spot_prompts="a fox",
        )
        asked = (await server.job(job_id)).asked
        await engine.has(job_id)
        assert engine.pictures[job_id] == {
            asked.init_image: start,
            asked.target_image: target,
            asked.mask: mask,
        }
        assert (await server.job(job_id)).init_image == asked.init_image
        assert asked.spot_prompts == "a fox"


async def test_an_outline_is_a_start_whose_lines_stay(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        job = await server.job(await server.ask(outline=("a.png", png())))
        assert job.asked.outline
        assert job.init_image is not None
        assert job.asked.init_image == job.init_image


async def test_the_form_takes_every_setting(tmp_path: Path, engine: ScriptedEngine) -> None:
    async with simulated(tmp_path, engine) as server:
        shown = await form(server)
        assert list(fields(shown)) == ["prompt", "aspect", "quality", "settings", "image"]
        answer = await sent(
            server,
            shown,
            prompt="a fox --tile",
            aspect=["square"],
            settings="palette pico8\noptimizer adamw",
            image=("a.png", png()),
        )
        assert answer.startswith("Your picture is #1.")
        job = await server.job(1)
        assert job.prompt == "a fox"
        assert (job.asked.aspect, job.asked.quality) == ("square", "normal")
        assert (job.asked.palette, job.asked.optimizer, job.asked.tile) == ("pico8", "adamw", True)
        assert job.init_image is not None
        assert (job.parent_id, job.relation) == (None, None)


async def test_no_form_is_opened_where_no_picture_could_be_shown(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        assert server.bot.user is not None
        denied = {server.bot.user: discord.PermissionOverwrite(attach_files=False)}
        mute = server.guild.create_text_channel("mute", overwrites=denied)
        result = await server.alice.slash(mute, "pixel-more")
        assert result.modal is None
        assert result.response is not None
        assert "I lack the permission Attach Files" in result.response.content


async def test_a_form_that_is_left_empty_asks_for_a_prompt(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        assert await sent(server, await form(server)) == (
            "The prompt is missing; write what should be drawn."
        )


async def test_what_was_written_in_a_refused_form_is_given_back(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        answer = await sent(
            server, await form(server), prompt="a fox", settings="palette nope\nseed ```"
        )
        assert "cannot have “nope”" in answer
        assert "```\na fox\npalette nope\nseed '''\n```" in answer
        twice = await sent(server, await form(server), prompt="a fox --tile", settings="tile")
        assert "tile is given twice, in the prompt and among the settings" in twice
        lists = await sent(
            server, await form(server), prompt="a fox --aspect square", aspect=["square"]
        )
        assert "aspect is given twice" in lists


async def test_a_remix_is_filled_in_with_prompt_and_settings(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        parent = await server.job(
            await server.ask(
                "a fox --preset icon --quality draft --no-layers --seed 7",
                image=("a.png", png()),
                mask=("b.png", png((9, 9))),
                spot_prompts="a cat",
            )
        )
        shown = fields(await remixed(server, parent))
        assert shown["prompt"]["value"] == "a fox"
        assert chosen(shown["quality"]) == ["draft"]
        assert chosen(shown["aspect"]) == []
        assert shown["settings"]["value"] == "preset icon\nno-layers\nspot_prompts a cat"


def chosen(part: dict[str, Any]) -> list[str]:
    return [option["value"] for option in part["options"] if option.get("default")]


async def test_a_remix_is_a_child_with_the_same_pictures_unless_another_is_attached(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        parent = await server.job(
            await server.ask(
                "a fox --preset icon",
                image=("a.png", png()),
                mask=("b.png", png((9, 9))),
                spot_prompts="a cat",
            )
        )
        shown = await remixed(server, parent)
        values = {"prompt": "a bear", "settings": "preset icon\nspot_prompts a dog"}
        await sent(server, shown, **values)
        child = await newest(server)
        assert (child.parent_id, child.relation) == (parent.id, "remix")
        assert (child.prompt, child.asked.spot_prompts) == ("a bear", "a dog")
        assert (child.init_image, child.asked.mask) == (parent.init_image, parent.asked.mask)
        await sent(server, await remixed(server, parent), **values, image=("c.png", png((5, 5))))
        other = await newest(server)
        assert other.init_image not in (None, parent.init_image)
        assert other.asked.mask == parent.asked.mask


async def test_preferences_flow_into_a_form_but_not_into_a_remix(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        parent = await server.job(await server.ask("a fox"))
        await server.bot.store.set_preference("user", server.alice.id, "palette", "nes")
        await sent(server, await form(server), prompt="a cat")
        assert (await newest(server)).asked.palette == "nes"
        await sent(server, await remixed(server, parent), prompt="a bear")
        assert (await newest(server)).asked.palette is None


async def test_a_remix_of_a_picture_that_was_forgotten_meanwhile_is_refused(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with simulated(tmp_path, engine) as server:
        parent = await server.job(await server.ask("a fox"))
        shown = await remixed(server, parent)
        with sqlite3.connect(database_path(tmp_path)) as database:
            database.execute("UPDATE jobs SET deleted_at = 1")
        database.close()
        answer = await sent(server, shown, prompt="a bear")
        assert "is not there any more" in answer
        assert "a bear" in answer


async def test_settings_that_no_form_has_room_for_are_not_cut(store: Store) -> None:
    job = await add(store)
    long = msgspec.structs.replace(job.asked, spot_prompts="x" * 2000, blend_with="y" * 2000)
    interaction = SimpleNamespace(
        locale=discord.Locale.american_english, client=SimpleNamespace(forms={})
    )
    with pytest.raises(Refusal, match="more settings than a form has room for"):
        AskForm(interaction, dataclasses.replace(job, asked=long))


async def test_a_form_that_a_former_process_opened_is_given_back(
    tmp_path: Path, engine: ScriptedEngine
) -> None:
    async with open_bot(config(tmp_path / "one"), engine=engine) as bot, connected(bot) as server:
        shown = await form(server)
        async with open_bot(config(tmp_path / "two"), engine=engine) as another:
            await server.restart(another)
            answer = await sent(server, shown, prompt="a fox", settings="tile")
            assert "forgotten what this form was about" in answer
            assert "```\na fox\ntile\n```" in answer
