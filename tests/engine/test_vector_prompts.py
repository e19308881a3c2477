"""Leading a picture away from what is seldom wanted."""

import pytest
import torch

from engine.cutouts import choose_views, sample
from engine.protocol import Draw, Started
from engine.settings import OPTION
from engine.streams import stream
from engine.vector_prompts import VECTOR_PROMPTS

# None of them is a phrase of the engine's own.
WRITTEN = ["the word hello", "a page of a book", "the letter A", "a poster with writing"]


def test_every_name_of_the_table_leads_away_from_something():
    assert OPTION["vector_prompts"].choices == tuple(VECTOR_PROMPTS)
    assert not {phrase for each in VECTOR_PROMPTS.values() for phrase in each.phrases} & {*WRITTEN}
    assert all(each.weight < 0 for each in VECTOR_PROMPTS.values())


@pytest.mark.parametrize("drawer", ["pixel", "clipdraw"])
def test_textoff_leads_away_from_written_words_and_costs_little_of_the_fit(studio, ask, drawer):
    def fits(vector_prompts, seed):
        plain = {"prompts": "a red apple", "start": "noise", "iterations": 21, "drawer": drawer}
        if drawer != "pixel":
            plain |= {"pixel_size": None, "strokes": 48}
        room = studio()
        settings = ask(**plain, num_cuts=9, vector_prompts=vector_prompts, seed=seed)
        assert isinstance(room.add(Draw("a", settings)), Started)
        for _ in range(20):
            list(room.tick())
        made = room._easels["a"].drawer
        grid = made.grid(made.moment(1.0)).detach()
        views = choose_views(48, grid.shape[3], grid.shape[2], stream(9, "test"))
        perceptor = room.perceptor("pixelclip")
        seen = perceptor.encode_views(sample([grid], [views], perceptor.view_size))
        prompt, *written = (seen @ perceptor.encode_text([plain["prompts"], *WRITTEN]).T).mean(0)
        return torch.stack([prompt, torch.stack(written).mean()])

    (plain_fit, plain_text), (fit, text) = (
        torch.stack([fits(prompts, seed) for seed in range(1, 5)]).mean(0)
        for prompts in (None, "textoff")
    )
    assert text < plain_text - 0.005
    assert fit > plain_fit - 0.03


def test_the_score_says_only_how_well_the_prompt_fits(studio, ask):
    def score(**given):
        room = studio()
        room.add(Draw("a", ask(start="noise", iterations=1, **given)))
        while not room.idle:
            done = list(room.tick())
        return done[-1].statistics

    plain, led = score(), score(vector_prompts="textoff")
    assert led.score == plain.score
    assert led.loss != plain.loss
