"""The style of a picture: Gram matrices of a perceptor's layers."""

import pytest
import torch
from PIL import Image

from engine.asks import Look, answered
from engine.cutouts import choose_views
from engine.drawers import start_from_image
from engine.png import encode_png
from engine.protocol import Done, Draw, Started
from engine.streams import stream
from engine.style import grams, style_ask, style_loss
from tests.engine.conftest import TINY

pytestmark = pytest.mark.usefixtures("models_folder")


def stripes(size=(64, 48), across=4):
    """Red and yellow stripes."""
    image = Image.new("RGB", size, "yellow")
    for left in range(0, size[0], 2 * across):
        image.paste("red", (left, 0, left + across, size[1]))
    return image


def picture(image):
    return start_from_image(image, 16, 12, clear=False).subject


def noise(seed):
    return torch.randn(5, 3, 4, 4, generator=stream(seed, "test"))


def test_the_same_features_in_other_places_have_the_same_gram_matrix():
    layer = noise(1)
    moved = layer.flip(0, 3).roll(1, 2)
    assert torch.allclose(grams([layer])[0], grams([moved])[0], atol=1e-6)
    expected = sum(f @ f.T for f in layer.flatten(2)) / (5 * 16)
    assert torch.allclose(grams([layer])[0], expected, atol=1e-6)


def test_the_loss_is_nothing_for_the_style_itself_and_counts_every_layer_alike():
    wanted = grams([noise(1), 100 * noise(2)])
    assert style_loss(wanted, wanted).item() == 0
    nothing = [torch.zeros_like(gram) for gram in wanted]
    first, second = (
        style_loss([nothing[0], wanted[1]], wanted),
        style_loss([wanted[0], nothing[1]], wanted),
    )
    assert first.item() == pytest.approx(second.item())
    assert style_loss(nothing, wanted).item() == pytest.approx(2 * first.item())


@pytest.mark.parametrize("name", ["pixelclip", TINY])
def test_a_picture_in_the_style_loses_less_than_another(studio, name):
    perceptor = studio().perceptor(name)
    ask = style_ask(perceptor, 0.5, picture(stripes()), 1, wraps=False)
    views = choose_views(12, 16, 12, stream(2, "test"))

    def loss(image):
        losses, _ = answered([[ask]], [{"flat": Look(picture(image)[None], views)}])
        return losses[0].item()

    # The same stripes in other places.
    shifted = stripes((64, 48)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert loss(shifted) < 0.5 * loss(Image.new("RGB", (64, 48), "blue"))


def draw(room, job, settings, image):
    assert isinstance(room.add(Draw(job, settings, {"x": encode_png(image)})), Started)


def finish(room, job="a"):
    last = None
    while not room.idle:
        for event in room.tick():
            last = event if event.job == job else last
    assert isinstance(last, Done)
    return last


def style_of(studio, settings, image, steps=12):
    """How far from the style of a picture a drawing is after some steps."""
    room = studio()
    draw(room, "a", settings, image)
    for _ in range(steps):
        list(room.tick())
    drawer = room._easels["a"].drawer
    grid = drawer.grid(drawer.moment(1.0)).detach()[:1]
    ask = style_ask(room.perceptor("pixelclip"), 1, picture(image), 5, wraps=False)
    views = choose_views(12, grid.shape[3], grid.shape[2], stream(2, "test"))
    return answered([[ask]], [{"flat": Look(grid, views)}])[0][0].item()


@pytest.mark.parametrize("drawer", ["pixel", "clipdraw"])
def test_more_weight_brings_the_style_of_the_target_image(studio, ask, drawer):
    plain = {"start": "noise", "iterations": 20, "drawer": drawer, "learning_rate": 0.3}
    if drawer != "pixel":
        plain |= {"pixel_size": None, "strokes": 24, "learning_rate": 1}
    # The picture itself does not pull: only its style does.
    plain |= {"target_image": "x", "target_weight": 0}
    none, some, much = (
        style_of(studio, ask(style_weight=weight, **plain), stripes()) for weight in (0, 1, 10)
    )
    assert none > some > much
    assert much < 0.9 * none


def test_the_style_is_that_of_the_init_image_if_there_is_no_target(studio, ask):
    plain = {"iterations": 20, "init_image": "x", "learning_rate": 0.3}
    plain |= {"prompts": "a night sky", "perceptors": ["pixelclip"]}
    none, much = (
        style_of(studio, ask(style_weight=weight, **plain), stripes()) for weight in (0, 10)
    )
    assert much < none


def test_a_drawing_in_a_style_does_not_depend_on_its_neighbours_and_goes_on_after_a_crash(
    studio, ask, tmp_path
):
    settings = ask(perceptors=[TINY], init_image="x", style_weight=2, batches=2)
    alone = studio()
    draw(alone, "a", settings, stripes())
    undisturbed = finish(alone)
    room = studio(snapshots=tmp_path, snapshot_seconds=0)
    draw(room, "other", ask(perceptors=[TINY], seed=2, num_cuts=9), stripes())
    draw(room, "a", settings, stripes())
    for _ in range(3):
        list(room.tick())
    again = studio(snapshots=tmp_path)
    draw(again, "a", settings, stripes())
    assert finish(again).png == undisturbed.png
    assert finish(room).png == undisturbed.png
