"""The rasteriser for strokes: against a drawing by brute force, Pillow, resvg and differences."""

import io

import numpy as np
import pytest
import resvg_py
import torch
from PIL import Image, ImageDraw

from engine.errors import EngineError
from engine.strokes import BACKEND, Strokes, render, tiles, to_svg
from engine.strokes.curves import flatten
from engine.strokes.placing import directions, edges, random_points, traced_points

WIDTH, HEIGHT = 90, 50
# Samples a side within a pixel, for what is compared with.
SAMPLES = 12


def some(count=40, curves=2, widths=(0.3, 8.0), seed=0, dtype=torch.float32):
    """Random strokes, some of them partly or wholly off the canvas."""
    generator = torch.Generator().manual_seed(seed)
    points = random_points(count, curves, 14, (WIDTH + 20, HEIGHT + 20), generator) - 10
    low, high = widths
    return Strokes(
        points.to(dtype).requires_grad_(),
        (low + (high - low) * torch.rand(count, generator=generator)).to(dtype).requires_grad_(),
        torch.rand(count, 4, generator=generator).to(dtype).requires_grad_(),
    )


def leaves(strokes):
    return strokes.points, strokes.widths, strokes.colours


def brute_force(strokes, width, height):
    """Every pixel against every line of every stroke, by torch's own gradients."""
    lines = flatten(strokes.points)
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    pixels = torch.stack([x, y], 2).to(strokes.points.dtype)[:, :, None]
    step = lines.ends - lines.starts
    share = ((pixels - lines.starts) * step).sum(3) / step.square().sum(1)
    distances = (pixels - lines.starts - share.clamp(0, 1)[..., None] * step).norm(dim=3)
    canvas = torch.zeros(height, width, 4, dtype=strokes.points.dtype)
    for number, (thick, colour) in enumerate(zip(strokes.widths, strokes.colours, strict=True)):
        distance = distances[..., lines.owners == number].amin(2)
        coverage = (0.5 + thick / 2 - distance).clamp(min=0).minimum(thick.clamp(max=1))
        alpha = (coverage * colour[3])[..., None]
        opaque = torch.cat([colour[:3], torch.ones_like(colour[:1])])
        canvas = canvas * (1 - alpha) + opaque * alpha
    return canvas.permute(2, 0, 1)


def by_pillow(strokes, width, height):
    """The strokes painted one over the other at many samples a pixel, then averaged."""
    large = (width * SAMPLES, height * SAMPLES)
    canvas = np.zeros((large[1], large[0], 4), np.float32)
    lines = flatten(strokes.points.detach(), tolerance=0.002)
    for number, (thick, colour) in enumerate(zip(strokes.widths, strokes.colours, strict=True)):
        mask = Image.new("1", large)
        brush = ImageDraw.Draw(mask)
        radius = thick.item() / 2 * SAMPLES
        mine = lines.owners == number
        ends = torch.stack([lines.starts[mine], lines.ends[mine]], 1) * SAMPLES - 0.5
        for start, end in ends.numpy():
            along = (end - start) / max(np.hypot(*(end - start)), 1e-9)
            aside = radius * np.array([-along[1], along[0]])
            corners = start + aside, end + aside, end - aside, start - aside
            brush.polygon([tuple(map(float, corner)) for corner in corners], fill=1)
            for x, y in (start, end):
                brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
        red, green, blue, opacity = colour.tolist()
        alpha = np.asarray(mask, np.float32)[..., None] * opacity
        canvas += alpha * (np.array([red, green, blue, 1], np.float32) - canvas)
    blocks = canvas.reshape(height, SAMPLES, width, SAMPLES, 4).mean((1, 3))
    return torch.from_numpy(blocks).permute(2, 0, 1)


@pytest.mark.parametrize(("meetings", "pairs"), [(4096, 2**20), (60, 700)])
def test_tiles_leave_nothing_out_of_the_picture_or_its_gradient(monkeypatch, meetings, pairs):
    monkeypatch.setattr(tiles, "_MEETINGS", meetings)
    monkeypatch.setattr(tiles, "_PAIRS", pairs)
    pull = torch.randn(
        4, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    strokes = some(dtype=torch.float64)
    pictures, gradients = [], []
    for draw in (render, brute_force):
        picture = draw(strokes, WIDTH, HEIGHT)
        pictures.append(picture)
        gradients.append(torch.autograd.grad((picture * pull).sum(), leaves(strokes)))
    torch.testing.assert_close(*pictures, rtol=0, atol=1e-9)
    for mine, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-6, atol=1e-8)


def test_gradients_are_those_of_finite_differences():
    strokes = some(count=12, dtype=torch.float64)
    pull = torch.randn(4, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1))
    assert torch.autograd.gradcheck(
        lambda *parts: (render(Strokes(*parts), WIDTH, HEIGHT) * pull).sum(), leaves(strokes)
    )


@pytest.mark.parametrize("widths", [(0.3, 1.0), (1.0, 8.0)], ids=["hairlines", "brushes"])
def test_it_agrees_with_a_supersampled_drawing_by_pillow(widths):
    strokes = some(widths=widths)
    mine = render(strokes, WIDTH, HEIGHT).detach()
    error = (mine - by_pillow(strokes, WIDTH, HEIGHT)).abs().mean().item()
    assert error < 2 / 255


def test_resvg_shows_the_svg_as_it_was_drawn():
    strokes = some(widths=(0.5, 8))
    paper = torch.tensor([1.0, 0.9, 0.8])
    svg = to_svg(strokes, (WIDTH, HEIGHT), paper.tolist(), (2 * WIDTH, 2 * HEIGHT))
    shown = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg)))).convert("RGB")
    assert shown.size == (2 * WIDTH, 2 * HEIGHT)
    drawn = render(strokes.stretched(2, 2), *shown.size).detach()
    mine = drawn[:3] + (1 - drawn[3:]) * paper[:, None, None]
    theirs = torch.from_numpy(np.asarray(shown).copy()).permute(2, 0, 1) / 255
    assert (mine - theirs).abs().mean().item() < 2 / 255


def test_bytes_do_not_depend_on_the_number_of_threads():
    strokes = some(count=300)
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            picture = render(strokes, WIDTH, HEIGHT)
            results.append([picture, *torch.autograd.grad(picture.square().sum(), leaves(strokes))])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))


def test_a_stroke_that_crosses_itself_is_no_darker_there():
    loop = torch.tensor([[[5.0, 25], [60, -20], [60, 70], [5, 20]]])
    picture = render(Strokes(loop, torch.tensor([6.0]), torch.tensor([[0, 0, 0, 0.5]])), 60, 50)
    assert picture[3].max().item() == pytest.approx(0.5)


def test_the_later_stroke_lies_over_the_earlier_one():
    line = torch.tensor([[2.0, 5], [4, 5], [6, 5], [8, 5]]).repeat(2, 1, 1)
    colours = torch.tensor([[1.0, 0, 0, 1], [0, 0, 1, 0.25]])
    middle = render(Strokes(line, torch.full((2,), 4.0), colours), 10, 10)[:, 5, 5]
    assert middle.tolist() == pytest.approx([0.75, 0, 0.25, 1])


def test_a_stroke_of_no_length_is_a_dot():
    dot = torch.full((1, 4, 2), 8.0, requires_grad=True)
    picture = render(Strokes(dot, torch.tensor([6.0]), torch.ones(1, 4)), 16, 16)
    assert picture[3].sum().item() == pytest.approx(np.pi * 9, rel=0.02)
    torch.autograd.backward(picture.sum())
    assert dot.grad.isfinite().all()


def test_a_canvas_that_no_stroke_meets_is_clear():
    strokes = some()
    away = Strokes(strokes.points + 1e6, strokes.widths, strokes.colours)
    picture = render(away, WIDTH, HEIGHT)
    assert picture.abs().max().item() == 0
    assert torch.autograd.grad(picture.sum(), away.points)[0].abs().max().item() == 0


def test_lines_stay_within_the_tolerance_of_their_curve():
    points = some(count=4).points.detach().double()
    fine = flatten(points, 1e-4)
    coarse = flatten(points, 0.5)
    assert len(coarse.owners) < len(fine.owners)
    for owner in range(4):
        starts, steps = (
            part[coarse.owners == owner] for part in (coarse.starts, coarse.ends - coarse.starts)
        )
        away = fine.starts[fine.owners == owner][:, None] - starts
        share = ((away * steps).sum(2) / steps.square().sum(1)).clamp(0, 1)
        assert (away - share[..., None] * steps).norm(dim=2).amin(1).max().item() < 0.5


def test_a_traced_stroke_follows_the_edge_of_a_disc():
    y, x = torch.meshgrid(torch.arange(60) + 0.5, torch.arange(60) + 0.5, indexing="ij")
    disc = (((x - 30) ** 2 + (y - 30) ** 2).sqrt() < 20).float()[None]
    traced = traced_points(directions(disc), torch.tensor([[50.0, 30.0]]), 3, 9)
    assert traced.shape == (1, 10, 2)
    assert ((traced - 30).norm(dim=2) - 20).abs().max().item() < 2
    assert edges(disc)[30, 49:51].min() > 100 * edges(disc)[30, 30]


def test_diffvg_is_asked_only_where_the_environment_says_so(monkeypatch):
    monkeypatch.setenv(BACKEND, "diffvg")
    with pytest.raises(EngineError, match="pydiffvg is not installed"):
        render(some(), WIDTH, HEIGHT)
