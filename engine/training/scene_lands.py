"""Painters of scenes that are mostly bare land: mountains, deserts, caves and roads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.training.canvas import SIDE, WHITE, dark, light, mix

if TYPE_CHECKING:
    from engine.training.canvas import Canvas, Colour


def snow(canvas: Canvas) -> None:
    """Snowy hills and firs, large flakes falling."""
    canvas.gradient(
        canvas.random.choice(
            [((140, 176, 216), (222, 234, 246)), ((86, 120, 176), (190, 210, 236))]
        )
    )
    if canvas.chance(0.4):
        canvas.ridge((136, 158, 192), 136, 70, snow=True)
    edge = canvas.random.uniform(112, 134)
    canvas.ground((214, 228, 244), edge - 10, 10)
    for _ in range(canvas.random.randint(2, 6)):
        x, foot = canvas.spot(edge + 8, edge + 26)
        canvas.fir(x, foot, canvas.random.uniform(44, 84), (46, 98, 92), snow=True)
    canvas.ground((240, 245, 252), edge + 24, 5)
    for _ in range(36):
        canvas.disc(*canvas.spot(), canvas.random.choice((2, 2.6, 3.4)), WHITE)


def mountains(canvas: Canvas) -> None:
    """Snowy peaks, lower hills, and green land with firs."""
    canvas.day(clouds=2, below=44)
    rock: Colour = canvas.random.choice([(120, 134, 162), (134, 122, 130), (98, 124, 150)])
    foot = canvas.random.uniform(134, 150)
    if canvas.chance(0.6):
        canvas.ridge(mix(rock, (200, 220, 240), 0.5), foot, canvas.random.uniform(100, 120))
    canvas.ridge(rock, foot, canvas.random.uniform(78, 112), snow=True)
    canvas.ground((86, 138, 96), foot - 6, 8)
    if canvas.chance(0.6):
        for _ in range(canvas.random.randint(4, 10)):
            x, base = canvas.spot(foot + 4, foot + 24)
            canvas.fir(x, base, canvas.random.uniform(24, 44), (34, 94, 66))
    canvas.ground((96, 164, 76), foot + 20, 5)


def desert(canvas: Canvas) -> None:
    """Dunes under a hot sun, often with cacti."""
    canvas.gradient(
        canvas.random.choice(
            [
                ((80, 170, 240), (252, 230, 176)),
                ((250, 170, 90), (255, 226, 150)),
                ((110, 190, 235), (255, 210, 150)),
            ]
        ),
        0,
        130,
    )
    canvas.sun(*canvas.spot(24, 50), canvas.random.uniform(12, 20), (255, 244, 170))
    sand = canvas.near((232, 186, 106))
    for row in range(3):
        edge = 98 + row * 28 + canvas.random.uniform(-6, 6)
        canvas.ground(mix(sand, (196, 130, 74), row * 0.28), edge, 11)
        if row and canvas.chance(0.65):
            _cactus(canvas, canvas.random.uniform(24, 168), edge + 16, 26 + row * 12)


def _cactus(canvas: Canvas, x: float, foot: float, tall: float) -> None:
    green = canvas.near((62, 140, 74))
    wide = tall * 0.11
    canvas.stroke(((x, foot), (x, foot - tall / 2), (x, foot - tall)), green, wide, wide)
    for side, share in ((-1, 0.4), (1, 0.55)):
        elbow = (x + side * tall * 0.34, foot - tall * share)
        canvas.stroke(((x, elbow[1]), ((x + elbow[0]) / 2, elbow[1]), elbow), green, wide, wide)
        up = (elbow[0], elbow[1] - tall * 0.28)
        canvas.stroke((elbow, (elbow[0], (elbow[1] + up[1]) / 2), up), green, wide, wide * 0.8)


def canyon(canvas: Canvas) -> None:
    """Banded red cliffs on both sides of a gap, a river at the bottom."""
    canvas.day(clouds=2, below=40)
    rock: Colour = canvas.random.choice([(206, 104, 62), (190, 92, 70), (214, 130, 74)])
    middle = canvas.random.uniform(72, 120)
    bands = [canvas.near(mix(rock, (240, 190, 130), share), 6) for share in (0, 0.3, 0.05, 0.4)]
    canvas.ground(mix(rock, (245, 215, 180), 0.4), 104, 3)
    for depth, top, gap in ((0.35, 72, 24), (0.0, 38, 46)):
        for side in (-1, 1):
            brink = top + canvas.random.uniform(-12, 12)
            for number in range(12):
                y = brink + number * 13
                edge = middle + side * max(8, gap + 12 * math.sin(number * 1.7) - number * 2.4)
                colour = mix(bands[number % 4], (235, 205, 190), depth)
                shade = dark(colour, 0.16) if side > 0 else colour
                wall = (0, y, edge, y + 13) if side < 0 else (edge, y, SIDE, y + 13)
                canvas.draw.rectangle(wall, fill=shade)
    bank = [(middle - 5, 118), (middle + 5, 118), (middle + 34, SIDE), (middle - 34, SIDE)]
    canvas.draw.polygon(bank, fill=(70, 160, 200))
    for y in (140, 160, 180):
        half = (y - 112) * 0.22
        canvas.draw.line((middle - half, y, middle + half, y), fill=(160, 215, 230), width=4)


def volcano(canvas: Canvas) -> None:
    """An erupting cone with streams of lava under a dark red sky."""
    canvas.gradient(
        canvas.random.choice(
            [
                ((30, 18, 40), (150, 50, 50), (240, 130, 60)),
                ((20, 20, 36), (90, 44, 70), (220, 90, 60)),
            ]
        ),
        0,
        168,
    )
    x, top = canvas.random.uniform(72, 120), canvas.random.uniform(62, 80)
    for number in range(7):
        y = top - 14 - number * 11
        size = 10 + number * 3.4
        canvas.disc(
            x + canvas.random.uniform(-5, 5) + number * 3, y, size, canvas.near((86, 74, 84), 8)
        )
    canvas.glow(x, top, 60, (255, 120, 40), 0.9)
    for _ in range(26):
        angle, far = canvas.random.uniform(-2.2, -0.94), canvas.random.uniform(6, 62)
        canvas.disc(
            x + far * math.cos(angle),
            top + far * math.sin(angle),
            canvas.random.uniform(2.5, 5),
            canvas.random.choice([(255, 226, 110), (255, 160, 50), (244, 92, 24)]),
        )
    rock = canvas.near((70, 52, 60), 8)
    cone = [(x - 92, 166), (x - 20, top), (x + 20, top), (x + 92, 166)]
    canvas.draw.polygon(cone, fill=rock)
    canvas.draw.polygon([(x + 4, top), (x + 20, top), (x + 92, 166), (x + 14, 166)], dark(rock))
    canvas.disc(x, top, 20, (255, 200, 70), 0.25)
    for across in canvas.random.sample((-44, -16, 12, 40), canvas.random.randint(1, 3)):
        bend = (x + across * canvas.random.uniform(0.1, 0.9), 115)
        points = ((x + across * 0.3, top + 2), bend, (x + across, 170))
        canvas.stroke(points, (244, 92, 24), 4, 7)
        canvas.stroke(points, (255, 196, 70), 1.5, 3)
    canvas.ground((46, 36, 46), 158, 6)
    y = canvas.random.uniform(176, 182)
    canvas.stroke(((-6, y), (96, y - 12), (198, y + 4)), (244, 92, 24), 8, 8)
    canvas.stroke(((-6, y), (96, y - 12), (198, y + 4)), (255, 196, 70), 3, 3)


def cave(canvas: Canvas) -> None:
    """A dark cave with stalactites and clusters of glowing crystals."""
    rock: Colour = canvas.random.choice([(92, 76, 122), (72, 88, 120), (112, 84, 80)])
    canvas.gradient((dark(rock, 0.75), dark(rock, 0.3)))
    shining: tuple[Colour, ...] = (
        (90, 220, 240),
        (190, 110, 250),
        (250, 110, 190),
        (110, 240, 160),
    )
    hue = canvas.random.choice(shining)
    canvas.glow(96, 112, 100, hue, 0.3)
    for side in (-1, 1):
        edge = 96 + side * 96
        wall = [(edge, 0), (edge - side * 40, 0), (edge - side * 18, 90), (edge - side * 36, SIDE)]
        canvas.draw.polygon([*wall, (edge, SIDE)], fill=dark(rock, 0.3))
    x = -8.0
    while x < SIDE:
        wide, far = canvas.random.uniform(16, 32), canvas.random.uniform(24, 70)
        canvas.draw.polygon([(x, 0), (x + wide, 0), (x + wide / 2, far)], fill=canvas.near(rock, 8))
        x += wide * 0.8
    canvas.ground(rock, 150, 7)
    for _ in range(canvas.random.randint(3, 5)):
        x, y = canvas.random.uniform(10, 182), canvas.random.uniform(154, 180)
        colour = hue if canvas.chance(0.6) else canvas.random.choice(shining)
        canvas.glow(x, y - 22, 48, colour, 0.5)
        for turn in (-0.6, 0.55, 0.0):
            _crystal(
                canvas, x, y, canvas.random.uniform(36, 62) * (1 - abs(turn) / 2), turn, colour
            )


def _crystal(canvas: Canvas, x: float, y: float, tall: float, turn: float, colour: Colour) -> None:
    up, across = (math.sin(turn), -math.cos(turn)), (math.cos(turn), math.sin(turn))

    def at(far: float, side: float) -> tuple[float, float]:
        return x + up[0] * far + across[0] * side, y + up[1] * far + across[1] * side

    half, shoulder = tall * 0.15, tall * 0.72
    left = [at(0, -half), at(shoulder, -half), at(tall, 0), at(0, 0)]
    right = [at(0, half), at(shoulder, half), at(tall, 0), at(0, 0)]
    canvas.draw.polygon(left, fill=light(colour, 0.45))
    canvas.draw.polygon(right, fill=mix(colour, dark(colour), 0.6))


def road(canvas: Canvas) -> None:
    """A straight road to the horizon through grass or sand."""
    if canvas.chance(0.6):
        canvas.day(clouds=2, below=50)
        land: Colour = (112, 176, 76)
    else:
        canvas.gradient(((110, 90, 180), (250, 150, 110), (255, 220, 140)), 0, 110)
        land = (206, 152, 88)
    horizon = canvas.random.uniform(88, 108)
    canvas.sun(canvas.random.uniform(20, 172), horizon - canvas.random.uniform(14, 60), 14)
    canvas.ridge(mix(land, (110, 120, 180), 0.5), horizon + 6, canvas.random.uniform(20, 56))
    canvas.ground(land, horizon, 1)
    x = canvas.random.uniform(76, 116)
    base, half = 96 + (96 - x) * 0.3, canvas.random.uniform(62, 84)
    asphalt = canvas.near((84, 86, 98), 8)
    for wide, colour in ((1.12, WHITE), (1.0, asphalt)):
        corners = [(x - 4 * wide, horizon), (x + 4 * wide, horizon)]
        corners += [(base + half * wide, SIDE), (base - half * wide, SIDE)]
        canvas.draw.polygon(corners, fill=colour)
    for near, far in ((1.0, 0.72), (0.56, 0.4), (0.31, 0.22), (0.16, 0.11)):
        dash = []
        for depth, side in ((near, -1), (near, 1), (far, 1), (far, -1)):
            centre = x + (base - x) * depth
            dash.append((centre + side * (1.5 + 5 * depth), horizon + (SIDE - horizon) * depth))
        canvas.draw.polygon(dash, fill=(250, 214, 80))
    for _ in range(canvas.random.randint(0, 4)):
        side = canvas.random.choice((-1, 1))
        canvas.tree(96 + side * canvas.random.uniform(56, 92), horizon + 12, 36, (64, 132, 60))
