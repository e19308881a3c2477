"""The command on a picture's page draws that picture again."""

import pytest

from bot.gallery.command import command
from bot.store import Store
from engine.settings import make_settings
from tests.bot.gallery import Painter


async def parts_of(store: Store, tmp_path, prompt: str = "a red apple", **given: object):
    job = await Painter(store, tmp_path).paint(prompt, frames=0, **given)
    return job, command(job)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"quality": "draft", "symmetry": "x", "tile": True},
        {"preset": "sprite", "pixel_size": None, "aspect": None},
        {"preset": "sprite", "pixel_size": None, "aspect": None, "transparent": False},
        {"preset": "portrait", "pixel_size": None, "colors": 5},
        {"palette": r"red->rust\8;[black]"},
        {"palette": "red -> rust"},
        {"learning_rate_drops": "50,75", "vector_prompts": "textoff"},
        {"smoothness_weight": 0.25, "layers": False},
        {"mask": "a" * 64, "spot_prompts": 'a house\'s "door"'},
    ],
)
async def test_what_it_says_gives_the_settings_that_were_asked_for(
    store: Store, tmp_path, given
) -> None:
    job, parts = await parts_of(store, tmp_path, **given)
    read = {}
    for part in parts[1:]:
        name, _, value = part.partition(" ")
        read[name.removeprefix("--")] = value[1:-1] if value[0] in "\"'" else value
    assert read.pop("seed") == "7"
    pictures = {"mask": given["mask"]} if "mask" in given else {}
    assert make_settings({"prompts": "a red apple", **read, **pictures}) == job.asked


async def test_the_prompt_comes_first_and_on_one_line(store: Store, tmp_path) -> None:
    _, parts = await parts_of(store, tmp_path, "a red\napple:2 | people:-0.5")
    assert parts[:2] == ("/pixel prompt:a red apple:2 | people:-0.5", "--seed 7")


async def test_values_of_several_words_stand_in_quotation_marks(store: Store, tmp_path) -> None:
    _, parts = await parts_of(store, tmp_path, palette="red -> rust")
    assert '--palette "red -> rust"' in parts
    assert '--pixel_size "16 16"' in parts


async def test_what_a_chat_may_not_set_is_left_out(store: Store, tmp_path) -> None:
    _, parts = await parts_of(store, tmp_path, perceptors="ViT-B-32/openai", init_image="5" * 64)
    assert not any("perceptors" in part or "5555" in part for part in parts)
