"""The first guess: what it hears, what it promises, and how it fits a grid."""

import pytest
import torch

from engine.drawers import Start
from engine.errors import PerceptorError
from engine.guess import FirstGuess, best
from engine.guess.first_guess import WEIGHTS
from engine.guess.generator import LAYERS, Generator, GuessShape, integrate
from engine.losses import make_targets
from engine.perceptors.pixelclip import PixelClip
from engine.prompts import parse_prompts

ONE = torch.ones(1)
PLAIN = torch.zeros(2, dtype=torch.long)


@pytest.fixture(scope="module")
def guess() -> FirstGuess:
    return FirstGuess()


@pytest.fixture(scope="module")
def ear() -> PixelClip:
    return PixelClip()


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def whole(start) -> torch.Tensor:
    return start.subject[:3] + (1 - start.subject[3:]) * start.background


class Straight(Generator):
    """Knows one picture for all texts and another for none, and leads straight to them."""

    def __init__(self, said: torch.Tensor, unsaid: torch.Tensor) -> None:
        super().__init__(GuessShape(channels=(8, 8, 8), condition=8, styles=("plain",)))
        self._said, self._unsaid = said, unsaid

    def forward(self, noisy, time, text, style):
        heard = (text.abs().sum(1) > 0)[:, None, None, None]
        goal = torch.where(heard, self._said, self._unsaid)
        return (goal - noisy) / (1 - time[:, None, None, None])


def test_the_solver_follows_a_straight_path_to_its_end():
    said, unsaid = torch.rand(2, LAYERS, 8, 8)
    noise, text = torch.randn(2, LAYERS, 8, 8), torch.ones(1, 384)
    drawn = integrate(Straight(said, unsaid), noise, text, ONE, PLAIN, steps=5, guidance=(1.0, 1.0))
    assert torch.allclose(drawn, said.expand_as(drawn), atol=1e-4)


def test_guidance_leads_away_from_what_no_text_would_give():
    said, unsaid = torch.rand(2, LAYERS, 8, 8)
    noise, text = torch.randn(2, LAYERS, 8, 8), torch.ones(1, 384)
    drawn = integrate(Straight(said, unsaid), noise, text, ONE, PLAIN, steps=5, guidance=(3.0, 1.5))
    further = torch.tensor([3.0] * 4 + [1.5] * 3)[:, None, None]
    assert torch.allclose(drawn, (unsaid + further * (said - unsaid)).expand_as(drawn), atol=1e-3)


@pytest.mark.parametrize("grid", [(32, 32), (80, 45), (40, 50), (8, 64), (256, 4), (5, 4)])
def test_a_guess_fits_any_grid(guess, ear, grid):
    columns, rows = grid
    start = guess.draw(ear.encode_text(["a cat"]), ONE, 1, columns, rows)[0]
    assert start.subject.shape == (4, rows, columns)
    assert start.background.shape == (3, rows, columns)
    assert 0 <= start.subject.min() <= start.subject.max() <= 1
    assert 0 <= start.background.min() <= start.background.max() <= 1
    assert (start.subject[:3] <= start.subject[3:] + 1e-6).all()


def test_a_subject_keeps_its_shape_on_a_long_grid(guess, ear):
    said = ear.encode_text(["a red apple"])
    square = guess.draw(said, ONE, 2, 24, 24)[0].subject
    # On a long grid the subject stands in the middle, not stretched over 120 columns.
    long = guess.draw(said, ONE, 2, 120, 24)[0].subject
    assert square[3].sum() > 20
    assert long[3, :, :40].sum() == long[3, :, 80:].sum() == 0
    assert long[3].sum() > 20


def test_the_same_seed_draws_the_same_and_another_seed_another(guess, ear):
    said = ear.encode_text(["a frog"])
    first, again, other = (guess.draw(said, ONE, seed, 32, 32)[0] for seed in (5, 5, 6))
    assert torch.equal(first.subject, again.subject)
    assert torch.equal(first.background, again.background)
    assert (whole(first) - whole(other)).abs().mean() > 0.02


@pytest.mark.parametrize("count", [1, 3, 8])
def test_the_number_of_threads_does_not_show(guess, ear, threads, count):
    said = ear.encode_text(["a frog"])
    drawn = guess.draw(said, ONE, 5, 32, 32, count=count)
    assert torch.get_num_threads() == threads
    torch.set_num_threads(1)
    again = guess.draw(said, ONE, 5, 32, 32, count=count)
    assert len(drawn) == count
    for one, other in zip(drawn, again, strict=True):
        assert torch.equal(one.subject, other.subject)
        assert torch.equal(one.background, other.background)


def test_in_bfloat16_it_is_the_same_picture(ear):
    said = ear.encode_text(["a red apple"])
    exact, coarse = (
        FirstGuess(dtype=dtype).draw(said, ONE, 5, 32, 32, count=2)
        for dtype in (torch.float32, torch.bfloat16)
    )
    for one, other in zip(exact, coarse, strict=True):
        assert 0 < (whole(one) - whole(other)).abs().mean() < 0.01


def test_swapping_two_texts_swaps_the_pictures(guess, ear):
    apple, sea = ear.encode_text(["a red apple", "a sunset over the sea"])[:, None]
    drawn = {
        name: whole(guess.draw(said, ONE, 3, 32, 32)[0])
        for name, said in (("a", apple), ("s", sea))
    }
    assert (drawn["a"] - drawn["s"]).abs().mean() > 0.1
    assert torch.equal(drawn["s"], whole(guess.draw(sea, ONE, 3, 32, 32)[0]))


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(("colour", "channel"), [("red", 0), ("blue", 2)])
def test_colour_words_are_true(guess, ear, colour, channel, seed):
    start = guess.draw(ear.encode_text([f"a {colour} heart"]), ONE, seed, 32, 32)[0]
    shown = start.subject[:3].sum(dim=(1, 2)) / start.subject[3].sum()
    assert shown.argmax() == channel


def test_the_best_of_several_guesses_is_the_one_that_fits_the_prompt(ear):
    def plain(colour):
        subject = torch.zeros(4, 16, 16)
        subject[:3, 4:12, 4:12] = torch.tensor(colour)[:, None, None]
        subject[3, 4:12, 4:12] = 1
        return Start(subject, torch.full((3, 16, 16), 0.9))

    starts = [plain((0.1, 0.2, 0.9)), plain((0.9, 0.1, 0.1)), plain((0.1, 0.7, 0.2))]
    for number, colour in enumerate(("blue", "red", "green")):
        prompts = parse_prompts(f"a {colour} square")
        targets = make_targets(prompts, ear.encode_text([prompts[0].text]))
        assert best(starts, ear, targets, seed=1) is starts[number]


def test_a_negative_prompt_pushes_away(guess, ear):
    heart, red = ear.encode_text(["a heart", "red"])[:, None]

    def redness(texts, weights):
        start = guess.draw(texts, torch.tensor(weights), 1, 32, 32)[0]
        shown = start.subject[:3].sum(dim=(1, 2)) / start.subject[3].sum().clamp_min(1)
        return shown[0] - shown[1:].mean()

    both = torch.cat([heart, red])
    assert redness(both, [1.0, -0.7]) < redness(both, [1.0, 0.7])


def test_a_sprite_stands_free_and_a_scene_fills_the_picture(guess, ear):
    mushroom = guess.draw(ear.encode_text(["a mushroom"]), ONE, 1, 32, 32)[0].subject[3]
    assert mushroom[:, 0].max() < 0.2
    assert mushroom[8:24, 8:24].mean() > 0.5
    *_, forest = guess.draw(ear.encode_text(["a forest"]), ONE, 1, 80, 45, count=4)
    assert (forest.subject[3] == 1).all()
    assert torch.equal(forest.subject[:3], forest.background)
    assert forest.background[1].mean() > forest.background[0].mean()


def test_missing_and_damaged_weights_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(PerceptorError, match=r"missing: .*none\.safetensors cannot be read"):
        FirstGuess(tmp_path / "none.safetensors")
    damaged = tmp_path / "damaged.safetensors"
    for content in (b"", b"{}", WEIGHTS.read_bytes()[:-100], WEIGHTS.read_bytes()[:900]):
        damaged.write_bytes(content)
        with pytest.raises(PerceptorError, match="damaged: the file is not one of its kind"):
            FirstGuess(damaged)


def test_the_weights_are_small():
    assert WEIGHTS.stat().st_size < 10e6
