"""What drawings start from and are pulled to: noises, targets, pictures, masks and outlines."""

import io
import math

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from engine.drawers import grid_size, make_drawer
from engine.drawers.noises import noise_start
from engine.drawers.outline import (
    Outlined,
    areas,
    find_lines,
    in_cells,
    soft_colours,
    thinned,
)
from engine.errors import SettingsError
from engine.masks import read_mask
from engine.palettes import parse_palette
from engine.perceptors import load_perceptor
from engine.png import encode_png
from engine.protocol import Done, Draw, Failed, Snapshot, Started
from engine.recipe import draw_again, read_recipe
from engine.settings import OPTION, PIXELCLIP, make_settings, resolve

CPU = torch.device("cpu")
NOISES = [name for name in OPTION["init_noise"].choices if name != "pixels"]


def picture(colour, size=(64, 48)):
    return encode_png(Image.new("RGB", size, colour))


def half(size=(64, 48), *, inside="white", outside="black"):
    """The left half inside."""
    image = Image.new("RGB", size, outside)
    image.paste(inside, (0, 0, size[0] // 2, size[1]))
    return image


def house(size=(160, 120), width=2):
    """A line drawing: a box with a door below a roof, on the ground."""
    image = Image.new("RGB", size, "white")
    drawn = ImageDraw.Draw(image)
    drawn.rectangle((40, 50, 120, 100), outline="black", width=width)
    drawn.rectangle((70, 70, 90, 100), outline="black", width=width)
    drawn.line((30, 50, 80, 15, 130, 50, 30, 50), fill="black", width=width)
    drawn.line((0, 100, 160, 100), fill="black", width=width)
    return image


def drawn(studio, settings, **pictures):
    """The finished picture and its native pixels."""
    room = studio()
    started = room.add(Draw("a", settings, pictures))
    assert isinstance(started, Started), started
    return finish(room)


def finish(room, job="a"):
    events = []
    while not room.idle:
        events += room.tick()
    done = next(event for event in events if event.job == job and isinstance(event, Done))
    return done, np.asarray(Image.open(io.BytesIO(done.native_png)).convert("RGB")).astype(float)


def begun(ask, **given):
    settings = resolve(ask(pixel_size=(32, 24), start="noise", **given))
    start = noise_start(settings, *grid_size(settings))
    return settings, start, make_drawer(settings, start, CPU)


@pytest.mark.parametrize("noise", NOISES)
def test_each_noise_is_of_the_seed_and_is_what_the_picture_starts_as(ask, noise):
    settings, start, made = begun(ask, init_noise=noise, layers=False)
    assert (made.grid()[0] - start.subject).abs().max() < 0.03
    again = noise_start(settings, 32, 24).subject
    other = noise_start(msgspec.structs.replace(settings, seed=2), 32, 24).subject
    assert torch.equal(start.subject, again)
    assert torch.equal(start.subject, other) == (noise == "none")


def test_noises_differ_in_how_much_neighbours_have_in_common(ask):
    def change(noise):
        picture = begun(ask, init_noise=noise, layers=False)[1].subject[:3]
        return (picture[:, :, 1:] - picture[:, :, :-1]).abs().mean().item()

    plain, gradient, clouds, snow = map(change, ("none", "gradient", "perlin", "snow"))
    assert plain == 0 < gradient < clouds / 2 < clouds < snow / 3


def test_clouds_have_contrast_and_all_colours(ask):
    picture = begun(ask, init_noise="perlin", layers=False)[1].subject[:3]
    assert (picture.std((1, 2)) > 0.08).all()
    assert (picture.mean((1, 2)) - 0.5).abs().max() < 0.1


@pytest.mark.parametrize("noise", ["gradient", "perlin"])
def test_a_tile_starts_without_a_seam(ask, noise):
    picture = begun(ask, init_noise=noise, layers=False, tile=True)[2].grid()[0, :3].detach()
    for axis in (1, 2):
        seam = (picture.roll(1, axis) - picture).abs().select(axis, 0).max()
        assert seam <= (picture.diff(dim=axis)).abs().max() * 1.2


def test_with_layers_the_noise_fades_from_the_middle_before_a_soft_one(ask):
    _, start, made = begun(ask, init_noise="snow", layers=True)
    whole, subject = made.grid()
    assert subject[3, 12, 16] > 0.5 > 0.2 > subject[3, 0, 0]
    assert start.background.diff(dim=2).abs().mean() < 0.1
    assert (whole[3] == 1).all()


def test_noise_says_nothing_of_the_colours_that_are_chosen_from(ask):
    made = begun(ask, init_noise="none", colors=8)[2]
    assert len(torch.unique(made.constants[-1], dim=0)) == 8


@pytest.mark.parametrize("drawer", ["clipdraw", "line_sketch"])
@pytest.mark.parametrize("noise", NOISES)
def test_strokes_begin_from_any_noise(drawer, noise):
    settings = resolve(
        make_settings(
            {
                "prompts": "a cat",
                "drawer": drawer,
                "init_noise": noise,
                "seed": 1,
                "size": (64, 48),
                "strokes": 8,
            }
        )
    )
    made = make_drawer(settings, noise_start(settings, *grid_size(settings)), CPU)
    gradient = torch.autograd.grad(made.grid().sum(), made.parameters[0])[0]
    assert gradient.isfinite().all()


def test_the_noise_of_today_is_the_default(studio, ask):
    given = {"start": "noise", "perceptors": [PIXELCLIP], "iterations": 2}
    plain, _ = drawn(studio, ask(**given))
    asked, _ = drawn(studio, ask(init_noise="pixels", **given))
    other, _ = drawn(studio, ask(init_noise="perlin", **given))
    assert plain.png == asked.png != other.png


def test_a_target_pulls_by_its_weight_with_and_without_a_prompt(studio, ask):
    def distance(**given):
        settings = ask(
            **{"start": "noise", "perceptors": [PIXELCLIP], "target_image": "t", **given}
        )
        _, native = drawn(studio, settings, t=picture((20, 60, 200)))
        return np.abs(native - (20, 60, 200)).mean()

    none, one, ten = (distance(target_weight=weight, iterations=16) for weight in (0, 1, 10))
    assert ten < one < none
    assert ten < 0.6 * none
    assert distance(prompts=None, iterations=30) < ten


def test_a_picture_towards_a_target_alone_has_no_score(studio, ask):
    done, _ = drawn(
        studio, ask(prompts=None, target_image="t", iterations=2), t=picture((20, 60, 200))
    )
    assert math.isnan(done.statistics.score)
    assert done.statistics.loss > 0


def test_a_transparent_picture_becomes_clear_where_its_target_is(studio, ask):
    target = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    target.paste((200, 30, 30, 255), (0, 0, 32, 48))
    settings = ask(prompts=None, target_image="t", transparent=True, iterations=60)
    done, _ = drawn(studio, settings, t=encode_png(target))
    alpha = np.asarray(Image.open(io.BytesIO(done.native_png)))[..., 3]
    assert alpha[:, :7].mean() > 230
    assert alpha[:, 9:].mean() < 25


def apple():
    """A red disc with a leaf, on nothing."""
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    shape = ImageDraw.Draw(image)
    shape.ellipse((12, 18, 52, 58), fill=(220, 30, 30, 255))
    shape.ellipse((32, 6, 48, 18), fill=(40, 160, 50, 255))
    return image


def similarity(native, image):
    """Of what the shipped perceptor sees in a drawing and in a picture."""
    judge = load_perceptor(PIXELCLIP, CPU)

    def embedded(shown):
        pixels = np.asarray(shown.convert("RGB").resize((64, 64)), dtype=np.float32) / 255
        return judge.encode_views(torch.from_numpy(pixels).permute(2, 0, 1)[None])[0]

    drawing = Image.fromarray(native.astype(np.uint8))
    return float(embedded(drawing) @ embedded(Image.alpha_composite(_WHITE, image)))


_WHITE = Image.new("RGBA", (64, 64), "white")


def test_a_picture_can_stand_for_a_prompt_and_push_away(studio, ask):
    given = {
        "perceptors": [PIXELCLIP],
        "start": "noise",
        "pixel_size": (16, 16),
        "size": (64, 64),
        "iterations": 16,
    }
    shown = encode_png(apple())
    (alone, one), (_, words), (_, away) = (
        drawn(studio, ask(**{**given, **more}), **({"i": shown} if "image_prompts" in more else {}))
        for more in (
            {"prompts": None, "image_prompts": "i"},
            {"prompts": "night"},
            {"prompts": "night", "image_prompts": "i:-2"},
        )
    )
    assert similarity(one, apple()) > similarity(words, apple()) + 0.1
    assert similarity(away, apple()) < similarity(words, apple())
    assert alone.statistics.score > 0.2


@pytest.mark.usefixtures("models_folder")
def test_a_picture_is_seen_by_each_perceptor(studio, ask):
    names = [PIXELCLIP, "tiny/random"]
    room = studio()
    settings = ask(prompts="night", image_prompts="i:2 | j", perceptors=names)
    room.add(Draw("a", settings, {"i": encode_png(apple()), "j": picture("blue")}))
    asks = room._asks["a"]
    assert [ask.judge.perceptor.name for ask in asks] == names
    for ask in asks:
        views = torch.rand(2, 3, ask.judge.view_size, ask.judge.view_size)
        assert ask.loss(ask.judge(views)).isfinite()


def test_a_mask_has_an_inside_and_an_outside_whatever_its_size(ask):
    image = half((90, 30)).convert("RGBA")
    image.paste((255, 255, 255, 0), (0, 0, 10, 30))
    image.paste((128, 128, 128), (40, 0, 45, 30))
    inside, outside = read_mask(image, 18, 6)
    expected = torch.tensor([0] * 2 + [1] * 6 + [128 / 255] + [0] * 9).expand(6, 18)
    assert torch.allclose(inside.share, expected)
    assert torch.allclose(outside.share, 1 - expected)
    assert (inside.box, outside.box) == ((2, 0, 9, 6), (0, 0, 18, 6))


@pytest.mark.parametrize(
    ("colour", "sentence"),
    [
        ("white", "The mask is white everywhere, so that nothing is outside"),
        ("black", "The mask is black everywhere, so that nothing is inside"),
    ],
)
def test_a_mask_of_one_colour_is_refused(studio, ask, colour, sentence):
    room = studio()
    settings = ask(mask="m", spot_prompts="a cat", perceptors=[PIXELCLIP], start="noise")
    failed = room.add(Draw("a", settings, {"m": picture(colour)}))
    assert isinstance(failed, Failed)
    assert (failed.code, room.idle) == ("settings", True)
    assert sentence in failed.sentence


def test_views_of_a_spot_are_of_its_place_alone(studio, ask):
    room = studio()
    settings = ask(mask="m", spot_prompts="red", perceptors=[PIXELCLIP], start="noise")
    mask = Image.new("RGB", (64, 48))
    mask.paste("white", (0, 0, 16, 16))
    room.add(Draw("a", settings, {"m": encode_png(mask)}))
    easel = room._easels["a"]
    look = easel.looks(easel.numbers())["inside"]
    assert len(look.views) == 3
    assert look.grid[0, :, 4:, :].abs().max() == look.grid[0, :, :, 4:].abs().max() == 0
    centres = look.views.homographies[:, :2, 2] / look.views.homographies[:, 2:, 2]
    # The middle of the first four of 16 × 12 cells, where the shorter half side is 1.
    assert torch.allclose(centres, torch.tensor([-1.0, -2 / 3]).expand(3, 2), atol=0.08)


@pytest.mark.parametrize("start", ["guess", "noise"])
def test_inside_and_outside_a_mask_are_drawn_what_was_asked_there(studio, ask, start):
    settings = ask(
        prompts=None,
        mask="m",
        spot_prompts="a red apple",
        spot_off_prompts="blue sky",
        perceptors=[PIXELCLIP],
        pixel_size=(24, 12),
        size=(96, 48),
        start=start,
        iterations=4 if start == "guess" else 24,
        learning_rate=0.08 if start == "guess" else 0.2,
    )
    _, native = drawn(studio, settings, m=encode_png(half()))
    left, right = native[2:10, 2:10].mean((0, 1)), native[2:10, 14:22].mean((0, 1))
    assert left[0] - left[2] > 25 > right[0] - right[2]


def test_spots_leave_the_main_prompt_s_views_as_they_are(studio, ask):
    def views(**given):
        room = studio()
        settings = ask(perceptors=[PIXELCLIP], start="noise", **given)
        room.add(Draw("a", settings, {"m": encode_png(half())}))
        list(room.tick())
        return room._easels["a"].numbers().batches[0].whole.views().homographies

    assert torch.equal(views(), views(mask="m", spot_prompts="a cat"))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_job_with_mask_target_and_pictures_is_the_same_alone_among_others_and_resumed(
    studio, ask, tmp_path, threads
):
    settings = ask(
        mask="m",
        spot_prompts="a cat",
        spot_off_prompts="night",
        target_image="t",
        image_prompts="i:0.5",
        palette="pico8",
        perceptors=[PIXELCLIP],
        start="noise",
        init_noise="perlin",
        iterations=5,
        batches=2,
        display_every=5,
    )
    pictures = {"m": encode_png(half()), "t": picture("teal"), "i": encode_png(apple())}
    alone, _ = drawn(studio, settings, **pictures)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        first = studio(snapshots=tmp_path, snapshot_seconds=0)
        first.add(Draw("a", settings, pictures))
        for _ in range(2):
            assert Snapshot in [type(event) for event in first.tick()]
        second = studio(snapshots=tmp_path)
        other = msgspec.structs.replace(settings, seed=9, spot_prompts="a dog")
        second.add(Draw("b", other, pictures))
        assert second.add(Draw("a", settings, pictures)).iteration == 2
        together, _ = finish(second)
    finally:
        torch.set_num_threads(before)
    assert (together.png, together.native_png) == (alone.png, alone.native_png)


def test_a_drawing_asks_for_all_of_its_pictures_again(studio, ask):
    settings = ask(
        init_image="s",
        mask="m",
        spot_prompts="a cat",
        target_image="t",
        image_prompts="i:2 | t:-1",
        perceptors=[PIXELCLIP],
        iterations=2,
    )
    pictures = {
        "s": picture("red"),
        "m": encode_png(half()),
        "t": picture("teal"),
        "i": encode_png(apple()),
    }
    done, _ = drawn(studio, settings, **pictures)
    recipe = read_recipe(done.png)
    again = {"init_image": "s", "mask": "m", "target_image": "t"}
    missing = "drawn with image_prompts, .* give that file as image_prompts again"
    with pytest.raises(SettingsError, match=missing):
        draw_again(recipe, again)
    with pytest.raises(SettingsError, match="init_image and target_image and image_prompts and m"):
        draw_again(recipe, {})
    redrawn, _ = drawn(
        studio, draw_again(recipe, again | {"image_prompts": "i:2 | t:-1"}), **pictures
    )
    assert redrawn.png == done.png


@pytest.mark.parametrize("width", [1, 2, 5])
def test_lines_survive_the_reduction_to_cells_and_stay_thin(width):
    lines = find_lines(house(width=width))
    cells = in_cells(lines.at((32, 24)))
    numbers = areas(cells)
    # The roof, the wall, the door, the ground and the sky.
    assert numbers.max() == 5
    assert {int(numbers[y, x]) for y, x in ((7, 16), (12, 11), (17, 16), (22, 5), (1, 1))} == {
        1,
        2,
        3,
        4,
        5,
    }
    assert cells.float().mean() < 0.27


def test_a_thick_line_stays_thick_and_a_thinned_one_does_not_break():
    coverage = torch.zeros(20, 20)
    coverage[5:9, 2:18] = 1
    assert torch.equal(in_cells(coverage), coverage > 0)
    thin = thinned(coverage > 0)
    assert (thin.sum(0)[4:16] == 1).all()


def test_lines_may_be_light_on_dark():
    cells = in_cells(find_lines(house()).at((32, 24)))
    dark = find_lines(Image.eval(house(), lambda value: 255 - value))
    assert torch.equal(in_cells(dark.at((32, 24))), cells)
    assert dark.ink.min() == 1


def test_areas_are_kept_apart_by_a_line_over_a_corner():
    lines = torch.eye(6, dtype=torch.bool)
    numbers = areas(lines)
    assert numbers[0, 5] != numbers[5, 0]
    assert set(numbers[lines].tolist()) == {0}
    spiral = torch.zeros(9, 9, dtype=torch.bool)
    spiral[1, 1:], spiral[1:8, 1], spiral[7, 1:8], spiral[3:8, 7], spiral[3, 3:8] = (True,) * 5
    assert areas(spiral).max() == 1


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        (Image.new("RGB", (40, 30), "white"), "it has none that differ"),
        (Image.new("RGBA", (40, 30), (0, 0, 0, 0)), "it has none that differ"),
    ],
)
def test_what_has_no_lines_is_refused(studio, ask, image, sentence):
    room = studio()
    settings = ask(init_image="x", outline=True, perceptors=[PIXELCLIP])
    failed = room.add(Draw("a", settings, {"x": encode_png(image)}))
    assert isinstance(failed, Failed)
    assert sentence in failed.sentence


@pytest.mark.parametrize(
    "given", [{}, {"palette": "pico8"}, {"colors": 5}, {"pixel_type": "hex"}], ids=str
)
def test_an_outline_keeps_its_lines_and_is_coloured_in(studio, ask, given):
    settings = ask(
        prompts="a red house",
        init_image="x",
        outline=True,
        perceptors=[PIXELCLIP],
        pixel_size=(32, 24),
        size=(320, 240),
        iterations=10,
        **given,
    )
    done, native = drawn(studio, settings, x=encode_png(house()))
    cells = in_cells(find_lines(house()).at((32, 24))).numpy()
    if "pixel_type" not in given:
        inks = {tuple(colour) for colour in native[cells]}
        assert len(inks) == 1
        assert max(*inks.pop()) < 60
        large = np.asarray(Image.open(io.BytesIO(done.png)).convert("RGB"))
        assert np.array_equal(large[5::10, 5::10], native.astype(np.uint8))
    colours = {tuple(colour) for colour in native.reshape(-1, 3).astype(int)}
    assert len(colours) <= (5 if "colors" in given else len(native) * 32)
    if "palette" in given:
        assert colours <= set(parse_palette("pico8"))
    areas_in = native[~cells]
    assert (np.ptp(areas_in, axis=1) > 20).mean() > 0.8, "white paper is left"
    assert 'fill="#' in done.svg


def test_between_lines_an_area_changes_as_a_whole(ask):
    lines = find_lines(house())
    settings = resolve(ask(init_image="x", outline=True, pixel_size=(32, 24)))
    made = make_drawer(settings, soft_colours(lines, (32, 24), 1), CPU, lines)
    before = made.grid().detach()
    optimizer = made.optimizer(0.3, "adam")
    for _ in range(5):
        # One cell of the door would be red.
        made.grid()[0, 1:3, 17, 16].sum().backward()
        optimizer.step()
    change = (made.grid().detach() - before)[0, 1].abs()
    numbers = areas(in_cells(lines.at((32, 24))))
    door = numbers == numbers[17, 16]
    assert change[door].min() > 0.1
    assert change[numbers == 0].max() == 0
    assert change[~door].mean() < change[door].mean() / 2


def test_any_canvas_can_be_covered_by_lines_that_are_sharp_at_any_size():
    settings = resolve(
        make_settings({"prompts": "a cat", "drawer": "clipdraw", "seed": 1, "size": (320, 240)})
    )
    lines = find_lines(house())
    size = grid_size(settings)
    plain = make_drawer(settings, None, CPU)
    made = make_drawer(settings, None, CPU, lines)
    assert isinstance(made, Outlined)
    assert made.svg((320, 240)) is None
    whole = made.grid()[0].detach()
    covered = lines.at(size) == 1
    assert (whole[:3, covered] == 0).all()
    assert torch.equal(whole[:, lines.at(size) == 0], plain.grid()[0][:, lines.at(size) == 0])
    for shown, under in (
        (made.native(), plain.native()),
        (made.enlarged((640, 480)), plain.enlarged((640, 480))),
    ):
        alpha = lines.at(shown.size).numpy()
        pixels, below = np.asarray(shown), np.asarray(under)
        assert pixels[alpha == 1].max() == 0
        assert np.array_equal(pixels[alpha == 0], below[alpha == 0])
    made.grid()[0, :3].mean().backward()
    assert made.parameters[0].grad.isfinite().all()


@pytest.mark.parametrize(
    "given",
    [
        {"transparent": True},
        {"layers": True},
        {"tile": True},
        {"symmetry": "x"},
        {"dither": "bayer", "palette": "nes"},
        {"init_weight": 2},
    ],
    ids=str,
)
def test_what_would_break_an_outline_is_refused(given):
    with pytest.raises(SettingsError, match=f"outline .* and {next(iter(given))}.* only one"):
        make_settings({"prompts": "a cat", "init_image": "x", "outline": True, **given})


def test_a_photo_is_edited_by_words(studio, ask):
    photo = Image.new("RGB", (64, 64), (225, 225, 235))
    shape = ImageDraw.Draw(photo)
    shape.ellipse((12, 12, 52, 56), fill=(220, 30, 30))
    shape.ellipse((34, 2, 54, 14), fill=(40, 160, 50))
    settings = {
        "init_image": "x",
        "pixel_size": (32, 32),
        "size": (64, 64),
        "perceptors": [PIXELCLIP],
        "iterations": 16,
        "init_weight": 5,
    }
    judge = load_perceptor(PIXELCLIP, CPU)
    text = judge.encode_text(["a green leaf"])[0]

    def result(prompts):
        _, native = drawn(studio, ask(prompts=prompts, **settings), x=encode_png(photo))
        image = Image.fromarray(native.astype(np.uint8)).resize((64, 64), Image.Resampling.NEAREST)
        pixels = torch.from_numpy(np.asarray(image, dtype=np.float32) / 255).permute(2, 0, 1)
        score = float(judge.encode_views(pixels[None])[0] @ text)
        near = np.abs(np.asarray(image).astype(float) - np.asarray(photo)).mean()
        return score, near

    plain, edited = result("a red apple"), result("a red apple | a green leaf:-1")
    assert edited[0] < plain[0] - 0.02
    assert edited[1] < 45
