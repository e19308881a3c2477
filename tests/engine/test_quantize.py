"""A few colours for a picture."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.drawers.quantize import choose_colours, choose_of_palette, from_oklab, to_oklab
from engine.palettes import PALETTES

PALETTE = torch.tensor(PALETTES["resurrect64"]) / 255


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def rows(colours):
    return {tuple((255 * colour).round().int().tolist()) for colour in colours}


@given(st.tuples(*[st.floats(0, 1)] * 3))
def test_oklab_there_and_back_is_the_same_colour(colour):
    given_colour = torch.tensor([colour], dtype=torch.float64)
    assert (from_oklab(to_oklab(given_colour)) - given_colour).abs().max() < 1e-4


def test_white_red_and_blue_are_where_ottosson_puts_them():
    lab = to_oklab(torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 1]]))
    published = torch.tensor([[1, 0, 0], [0.628, 0.225, 0.126], [0.452, -0.032, -0.312]])
    assert (lab - published).abs().max() < 1e-3


def test_a_picture_of_a_few_colours_keeps_them_all():
    cells = PALETTE[torch.randint(8, (500,), generator=generator())]
    chosen = choose_colours(cells, torch.ones(500), 8, generator())
    assert rows(chosen) == rows(PALETTE[:8])
    assert rows(choose_of_palette(cells, torch.ones(500), PALETTE, 8)) == rows(PALETTE[:8])


def test_the_same_stream_chooses_the_same_colours():
    cells = torch.rand(6000, 3, generator=generator(5))
    first, again = (choose_colours(cells, torch.ones(6000), 16, generator(1)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.shape == (16, 3)


def test_colours_that_are_hardly_there_are_not_chosen():
    cells = torch.cat([PALETTE[:4].repeat(50, 1), PALETTE[20:24].repeat(50, 1)])
    weights = torch.cat([torch.ones(200), torch.zeros(200)])
    assert rows(choose_of_palette(cells, weights, PALETTE, 4)) == rows(PALETTE[:4])
    assert rows(choose_colours(cells, weights, 4, generator())) == rows(PALETTE[:4])


def test_a_picture_of_one_colour_has_as_many_colours_as_are_asked_for():
    chosen = choose_colours(torch.full((9, 3), 0.2), torch.ones(9), 4, generator())
    assert chosen.shape == (4, 3)
    assert rows(chosen) == {(51, 51, 51)}


def test_more_colours_come_nearer_to_the_picture():
    cells = torch.rand(800, 3, generator=generator(2))

    def missed(chosen):
        return torch.cdist(to_oklab(cells), to_oklab(chosen)).amin(1).square().mean()

    for choose in (
        lambda count: choose_colours(cells, torch.ones(800), count, generator()),
        lambda count: choose_of_palette(cells, torch.ones(800), PALETTE, count),
    ):
        errors = [missed(choose(count)) for count in (2, 4, 8, 16, 32)]
        assert errors == sorted(errors, reverse=True)


def test_all_of_a_palette_may_be_chosen_and_no_more():
    assert torch.equal(choose_of_palette(PALETTE, torch.ones(64), PALETTE, 64), PALETTE)
    assert len(choose_of_palette(PALETTE[:2], torch.ones(2), PALETTE[:3], 64)) == 3
