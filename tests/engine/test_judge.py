"""The judge: trained on sets of its own, and what it says of drawings and of real icons."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from engine.training import evaluate, image_tower, judge, judge_tower, teacher
from engine.training.__main__ import main
from engine.training.batches import BatchMaker
from engine.training.captions import write_captions
from engine.training.data import Concept, Pictures, Record
from engine.training.drawing_prompts import PROMPTS
from engine.training.everyday_words import NAMES_OF
from engine.training.real_icons import ICON_OF

CPU = torch.device("cpu")
SMALL = judge_tower.JudgeShape(stem=(4, 4), widths=(8, 16), layers=(1, 1), heads=(2, 2))
RED, BLUE = (230, 20, 20, 255), (20, 20, 230, 255)


def disc(colour: tuple[int, int, int, int], side: int = 72) -> np.ndarray:
    axis = np.arange(side) - (side - 1) / 2
    inside = axis[:, None] ** 2 + axis**2 < (0.45 * side) ** 2
    return (inside[..., None] * np.array(colour)).astype(np.uint8)


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Three things, two held out: each of a set for training, two of the judge's, the unseen."""
    concepts = (
        Concept("apple", ("fruit",), held_out=False),
        Concept("key", (), held_out=True),
        Concept("old key", (), held_out=True),
    )
    pixels, records = [], []
    for number, concept in enumerate(concepts):
        for source in ("noto", "emojione-v1", "fa6-solid", "openmoji"):
            pixels.append(disc((200, 60 * number, 30, 255)))
            records.append(Record(source, concept.name, number, source == "fa6-solid"))
    return Pictures(np.stack(pixels), tuple(records), concepts)


@pytest.fixture(scope="module")
def captions(pictures):
    return write_captions(pictures, pictures.judge_indices())


@pytest.fixture(scope="module")
def maker(pictures, captions):
    indices = pictures.judge_indices()
    return BatchMaker(pictures, captions, 1, CPU, scenes_each=2, indices=indices)


def new_training(captions) -> image_tower.Training:
    recipe = replace(judge_tower.RECIPE, steps=3, size=12)
    generator = torch.Generator().manual_seed(0)
    vectors = nn.functional.normalize(torch.randn(len(captions.texts), 384, generator=generator))
    objective = image_tower.Objective(vectors, captions, recipe.alike)
    return image_tower.Training(recipe, objective, CPU, lambda: judge_tower.JudgeTower(SMALL))


class SeesColour(nn.Module):
    """The mean colour of a view is its embedding."""

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        return views.mean(dim=(2, 3))


@pytest.fixture
def colour_judge() -> judge.Judge:
    """The first prompt is red, the last blue, and all others are green."""
    texts = torch.tensor([[0.0, 1.0, 0.0]]).repeat(len(PROMPTS), 1)
    texts[0] = torch.tensor([1.0, 0.0, 0.0])
    texts[-1] = torch.tensor([0.0, 0.0, 1.0])
    return judge.Judge(SeesColour(), texts)


def test_the_judge_learns_from_its_own_sets_and_knows_what_is_held_out(pictures, captions, maker):
    assert set(maker.sources) == {"emojione-v1", "fa6-solid"}
    assert "key" in captions.texts
    assert "key" not in write_captions(pictures).texts


def test_an_interrupted_judge_ends_with_the_same_weights(captions, maker, tmp_path):
    whole = new_training(captions)
    image_tower.train(whole, maker, tmp_path / "whole.pt")
    interrupted = new_training(captions)
    for step in range(2):
        interrupted.learn(maker.batch(step, 12))
    interrupted.save(tmp_path / "judge.pt")
    resumed = new_training(captions)
    image_tower.train(resumed, maker, tmp_path / "judge.pt")
    assert resumed.step == whole.step == 3
    for name, value in whole.tower.state_dict().items():
        assert torch.equal(value, resumed.tower.state_dict()[name]), name
    loaded = judge_tower.load(tmp_path / "judge.pt", SMALL)
    for name, value in loaded.state_dict().items():
        assert torch.equal(value, whole.average.state[name]), name


def test_the_judge_sees_each_batch_once_and_pixelclip_twice(captions, maker):
    for twice in (False, True):
        training = new_training(captions)
        training.recipe = replace(training.recipe, twice=twice)
        training.learn(maker.batch(0, 12))
        looks = {int(state["step"]) for state in training.optimiser.state.values()}
        assert looks == {2 if twice else 1}


def test_the_judge_learns(captions, maker):
    training = new_training(captions)
    batch = maker.batch(0, 24)
    losses = [training.learn(batch) for _ in range(3)]
    assert losses[-1] < losses[0]


def test_a_free_standing_drawing_is_seen_on_paper():
    views = judge.views_of(Image.fromarray(disc(RED, side=32)))
    assert views.shape == (1, 3, 64, 64)
    torch.testing.assert_close(views[0, :, 0, 0], torch.full((3,), 0.94))
    torch.testing.assert_close(views[0, :, 32, 32], torch.tensor(RED[:3]) / 255)


def test_an_opaque_drawing_fills_the_view():
    drawing = Image.new("RGB", (40, 40), RED[:3])
    expected = torch.tensor(RED[:3])[:, None, None].expand(3, 64, 64) / 255
    torch.testing.assert_close(judge.views_of(drawing)[0], expected)


@pytest.mark.parametrize("turned", [False, True])
def test_a_wide_drawing_is_seen_whole_and_in_square_parts(turned):
    drawing = Image.new("RGB", (80, 40), BLUE[:3])
    drawing.paste(RED[:3], (0, 0, 40, 40))
    views = judge.views_of(drawing.transpose(Image.Transpose.TRANSPOSE) if turned else drawing)
    assert views.shape == (4, 3, 64, 64)
    red = views[:, 0].mean(dim=(1, 2))
    assert red[1] == pytest.approx(RED[0] / 255)
    assert red[3] == pytest.approx(BLUE[0] / 255)
    assert red[3] < red[2] < red[1]
    assert (views[0, :, 0, 0] > 0.9).all()


def test_the_rank_counts_the_prompts_that_fit_better(colour_judge):
    blue = Image.new("RGB", (32, 32), BLUE[:3])
    verdict = colour_judge.ranks({PROMPTS[-1]: blue, PROMPTS[0]: blue, PROMPTS[5]: blue})
    assert verdict.ranks == {PROMPTS[-1]: 1, PROMPTS[0]: 2, PROMPTS[5]: 2}
    assert verdict.mean == pytest.approx(5 / 3)
    assert verdict.within(1) == pytest.approx(100 / 3)
    assert verdict.within(5) == 100
    assert "3 pictures" in str(verdict)


def test_only_the_hundred_prompts_are_judged(colour_judge):
    with pytest.raises(KeyError, match="a teapot"):
        colour_judge.ranks({"a teapot": Image.new("RGB", (8, 8))})


def test_the_judge_is_calibrated_on_the_icons_of_the_unseen_style(pictures, colour_judge):
    assert set(colour_judge.calibration(pictures).ranks) == {"a key"}


def test_what_becomes_of_an_icon_is_judged_in_its_place(pictures, colour_judge):
    seen = []

    def painted_blue(views):
        seen.append(tuple(views.shape))
        return (torch.tensor(BLUE[:3]) / 255)[None, :, None, None].expand_as(views)

    blue = Image.new("RGB", (64, 64), BLUE[:3])
    judged = colour_judge.calibration(pictures, painted_blue)
    assert judged == colour_judge.ranks({"a key": blue})
    assert judged != colour_judge.calibration(pictures)
    assert seen == [(1, 3, 64, 64)]


def test_real_icons_are_given_for_prompts_of_the_list_alone():
    assert set(ICON_OF) <= set(PROMPTS)
    assert len(set(ICON_OF.values())) == len(ICON_OF)


def test_three_hundred_words_are_asked_and_none_is_its_own_answer():
    assert len(NAMES_OF) == 300
    assert all(right and word not in right for word, right in NAMES_OF.items())


def test_a_word_is_read_right_when_a_right_name_is_near():
    places = {"puppy": 0.0, "dog": 0.1, "cat": 0.2, "sofa": 2.0, "automobile": 2.1, "car": 2.5}
    places |= {"hen": 1.0, "sun": 1.5, "moon": 0.6}

    def embed(texts):
        angles = torch.tensor([places[text] for text in texts])
        return torch.stack((angles.cos(), angles.sin()), dim=1)

    names = ["dog", "cat", "sofa", "car", "sun", "moon"]
    right = {"puppy": ("dog",), "automobile": ("car",), "hen": ("chicken",)}
    reading = evaluate.read_words(embed, names, right)
    assert (reading.words, reading.names) == (2, 6)
    assert (reading.first, reading.within_five) == (50.0, 100.0)


def test_names_that_only_hold_a_held_out_name_are_counted_apart(pictures):
    def embed(texts):
        generator = torch.Generator().manual_seed(0)
        return nn.functional.normalize(torch.randn(len(texts), 3, generator=generator))

    report = evaluate.evaluate(SeesColour(), embed, pictures)
    assert report.held_out.texts == 2
    assert report.chosen.texts == 1


def test_a_folder_of_drawings_is_judged_beside_real_icons(pictures, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    tower = judge_tower.JudgeTower()
    (tmp_path / "runs").mkdir()
    torch.save({"average": tower.state_dict()}, tmp_path / "runs/judge.pt")
    np.save(tmp_path / "captions.npy", np.zeros((2, 384), np.float16))
    monkeypatch.setattr(teacher, "embed", lambda texts, task: torch.randn(len(texts), 384))
    monkeypatch.setattr(Pictures, "load", lambda root: pictures)
    drawings = tmp_path / "drawings"
    drawings.mkdir()
    for name in ("a-red-car", "a-key", "notes"):
        Image.fromarray(disc(RED)).save(drawings / f"{name}.png")
    main(["--root", str(tmp_path), "drawings", str(drawings)])
    said = capsys.readouterr().out
    assert "a red car\n" in said
    assert "(2 pictures)\nreal icons: " in said
    assert "(1 pictures)" in said


def test_a_folder_without_drawings_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="named by one of the hundred prompts"):
        main(["--root", str(tmp_path), "drawings", str(tmp_path)])


def test_a_judge_that_was_not_trained_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"judge\.pt"):
        judge_tower.load(tmp_path / "judge.pt")
