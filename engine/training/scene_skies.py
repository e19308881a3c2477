"""Painters of scenes that are mostly sky: space, day, night and weather."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from engine.training.canvas import SIDE, WHITE, brighter, dark, light, mix

if TYPE_CHECKING:
    from engine.training.canvas import Canvas, Colour

_PLANETS: tuple[Colour, ...] = (
    (216, 140, 82),
    (88, 150, 215),
    (200, 92, 120),
    (110, 190, 130),
    (170, 120, 215),
)


def space(canvas: Canvas) -> None:
    """Stars, often a nebula, and up to two planets."""
    canvas.gradient(
        canvas.random.choice(
            [
                ((6, 6, 24), (14, 14, 44)),
                ((14, 6, 36), (52, 18, 84)),
                ((4, 14, 34), (12, 42, 82)),
                ((3, 3, 10), (8, 8, 22)),
            ]
        )
    )
    if canvas.chance(0.6):
        x, y = canvas.spot(40, 150)
        colour = canvas.random.choice(
            [(120, 40, 140), (40, 80, 170), (170, 50, 90), (20, 120, 130)]
        )
        lean = canvas.random.uniform(-1, 1)
        for number in range(-5, 6):
            canvas.glow(x + number * 18, y + number * 18 * lean, 40, canvas.near(colour, 24), 0.4)
    canvas.stars(canvas.random.randint(45, 90))
    for side in canvas.random.sample((0, 1), canvas.random.randint(0, 2)):
        x = canvas.random.uniform(20, 80) + side * 92
        radius, colour = canvas.random.uniform(10, 34), canvas.random.choice(_PLANETS)
        canvas.planet(x, canvas.random.uniform(25, 165), radius, colour, canvas.chance(0.35))


def night(canvas: Canvas) -> None:
    """The moon and stars over dark hills, sometimes with firs."""
    canvas.gradient(
        canvas.random.choice(
            [((8, 12, 44), (30, 44, 104)), ((6, 8, 30), (44, 34, 96)), ((6, 20, 48), (24, 70, 110))]
        )
    )
    canvas.stars(40, below=130)
    x, y = canvas.random.uniform(28, 164), canvas.random.uniform(28, 70)
    canvas.moon(x, y, canvas.random.uniform(13, 24))
    edge = canvas.random.uniform(135, 160)
    canvas.ground((22, 36, 62), edge - 12, 9)
    if canvas.chance(0.5):
        for _ in range(canvas.random.randint(3, 8)):
            x, foot = canvas.spot(edge, edge + 14)
            canvas.fir(x, foot, canvas.random.uniform(30, 60), (14, 30, 44))
    canvas.ground((12, 24, 36), edge + 6, 6)


def sunset(canvas: Canvas) -> None:
    """The sun low over the sea, with its path of light on the water."""
    sky, sea = canvas.random.choice(
        [
            (((62, 40, 122), (214, 84, 112), (255, 186, 88)), (92, 50, 112)),
            (((120, 50, 110), (240, 110, 80), (255, 214, 110)), (110, 48, 84)),
            (((36, 44, 110), (150, 80, 150), (255, 150, 110)), (48, 48, 112)),
        ]
    )
    horizon = canvas.random.uniform(100, 132)
    canvas.gradient(sky, 0, horizon)
    x, radius = canvas.random.uniform(45, 147), canvas.random.uniform(18, 28)
    canvas.sun(x, horizon - canvas.random.uniform(0, 26), radius, (255, 228, 120))
    for _ in range(canvas.random.randint(0, 4)):
        left, y = canvas.spot(24, horizon - 16)
        canvas.disc(left, y, canvas.random.uniform(18, 44), mix(sky[1], sky[0], 0.35), 0.12)
    canvas.gradient((mix(sea, sky[2], 0.3), sea, dark(sea, 0.5)), horizon, SIDE)
    for row in range(int(horizon) + 5, SIDE, 9):
        half = radius * canvas.random.uniform(0.35, 1.0)
        canvas.draw.line((x - half, row, x + half, row), fill=(255, 190, 96), width=5)


def sunrise(canvas: Canvas) -> None:
    """The sun and its rays behind layers of green hills."""
    canvas.gradient(
        canvas.random.choice(
            [
                ((110, 170, 230), (255, 214, 170), (255, 240, 170)),
                ((150, 150, 225), (255, 176, 160), (255, 226, 150)),
                ((90, 140, 210), (250, 190, 130), (255, 220, 130)),
            ]
        ),
        0,
        150,
    )
    x, y = canvas.random.uniform(50, 142), canvas.random.uniform(88, 106)
    turn = canvas.random.uniform(0, 0.3)
    for ray in range(11):
        angle = math.pi + turn + ray * math.pi / 10
        ends = [
            (x + 260 * math.cos(angle + side), y + 260 * math.sin(angle + side))
            for side in (-0.06, 0.06)
        ]
        canvas.veil([(x, y), *ends], (255, 246, 200), 0.35)
    canvas.sun(x, y, canvas.random.uniform(20, 28), (255, 226, 96))
    green: Colour = canvas.random.choice([(70, 140, 80), (100, 150, 60), (56, 120, 100)])
    for number, haze in enumerate((0.55, 0.3, 0.0)):
        edge = 112 + number * 24 + canvas.random.uniform(-5, 5)
        canvas.ground(mix(green, (250, 205, 150), haze), edge, 11)


def sky(canvas: Canvas) -> None:
    """Clouds in the blue, small ones far and large ones near."""
    canvas.gradient(
        canvas.random.choice([((56, 138, 232), (182, 222, 250)), ((40, 120, 220), (140, 205, 248))])
    )
    number = canvas.random.randint(3, 6)
    for place in range(number):
        y = 172 - place * 150 / number + canvas.random.uniform(-10, 10)
        canvas.cloud(canvas.random.uniform(0, SIDE), y, 0.6 + 0.15 * place)


def rainbow(canvas: Canvas) -> None:
    """A whole bow over a green field, clouds at its feet or none."""
    canvas.day(clouds=0)
    x, y = canvas.random.uniform(66, 126), canvas.random.uniform(136, 164)
    radius = canvas.random.uniform(92, 116)
    bands = (
        (232, 54, 54),
        (248, 150, 44),
        (252, 226, 66),
        (74, 186, 84),
        (64, 116, 226),
        (134, 74, 184),
    )
    for number, colour in enumerate(bands):
        far = radius - number * 9
        canvas.draw.arc((x - far, y - far, x + far, y + far), 180, 360, fill=colour, width=10)
    edge = canvas.random.uniform(128, 148)
    canvas.ground((120, 184, 96), edge - 8, 8)
    canvas.ground((92, 168, 70), edge + 8, 6)
    if canvas.chance(0.5):
        canvas.cloud(x - radius + 22, edge - 10)
        canvas.cloud(x + radius - 22, edge - 10)


def rain(canvas: Canvas) -> None:
    """A roof of grey clouds, slanted drops, wet grass with puddles."""
    canvas.gradient(
        canvas.random.choice([((96, 114, 138), (160, 176, 190)), ((80, 104, 130), (130, 160, 176))])
    )
    edge = canvas.random.uniform(140, 165)
    canvas.ground((86, 116, 92), edge)
    for _ in range(canvas.random.randint(1, 3)):
        x, y = canvas.spot(edge + 12, SIDE - 4)
        canvas.disc(x, y, canvas.random.uniform(14, 28), (150, 172, 196), 0.22)
    slant = canvas.random.uniform(-0.4, 0.4)
    for _ in range(60):
        x, y = canvas.spot(30, SIDE)
        far = canvas.random.uniform(10, 20)
        canvas.draw.line((x, y, x - slant * far, y + far), fill=(196, 220, 246), width=3)
    _roof_of_clouds(canvas, (92, 104, 124))


def storm(canvas: Canvas) -> None:
    """Lightning from dark clouds onto a dark land."""
    canvas.gradient(
        canvas.random.choice([((32, 32, 62), (96, 92, 130)), ((24, 34, 56), (70, 96, 116))])
    )
    flash = canvas.random.choice([(255, 244, 140), (236, 240, 255), (250, 226, 90)])
    edge = canvas.random.uniform(150, 168)
    for _ in range(canvas.random.randint(1, 2)):
        x, y = canvas.random.uniform(40, 152), 28.0
        canvas.glow(x, 70, 90, flash, 0.35)
        while y < edge:
            across = canvas.random.choice((-1, 1)) * canvas.random.uniform(8, 24)
            following = x + across, y + canvas.random.uniform(18, 32)
            canvas.draw.line((x, y, *following), fill=flash, width=7)
            if canvas.chance(0.35):
                fork = (following[0] + across * 1.4, following[1] + 16)
                canvas.draw.line((*following, *fork), fill=flash, width=4)
            x, y = following
    _roof_of_clouds(canvas, (58, 60, 86))
    canvas.ground((28, 36, 46), edge)


def _roof_of_clouds(canvas: Canvas, colour: Colour) -> None:
    for row, shade in enumerate((brighter(colour, 1.18), colour, brighter(colour, 0.82))):
        x = canvas.random.uniform(-20, 0)
        while x < SIDE + 20:
            radius = canvas.random.uniform(14, 26)
            canvas.disc(x, 26 - row * 14 + canvas.random.uniform(-4, 4), radius, shade, 0.8)
            x += radius * canvas.random.uniform(0.8, 1.3)


def northern_lights(canvas: Canvas) -> None:
    """Green and violet curtains of light over snow and firs."""
    canvas.gradient(((8, 10, 40), (16, 40, 84), (30, 80, 110)))
    canvas.stars(40, below=120)
    pixels = np.asarray(canvas.image).astype(np.float64)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    tops = canvas.random.choice([(150, 70, 220), (60, 140, 230), (230, 80, 170)])
    for number in range(canvas.random.randint(2, 3)):
        phase, length = canvas.random.uniform(0, 6.3), canvas.random.uniform(22, 40)
        foot = 118 - number * 30 + 14 * np.sin(columns / length + phase)
        above = foot - rows
        tall = 60 + 14 * np.sin(columns / 9 + phase)
        strength = np.where(above > 0, np.clip(1 - above / tall, 0, 1), np.exp(above / 5)) * 0.85
        share = np.clip(above / tall, 0, 1)[..., None]
        hue = np.asarray((70, 240, 150)) * (1 - share) + np.asarray(tops) * share
        pixels = pixels + (hue - pixels) * strength[..., None]
    canvas.image.paste(Image.fromarray(pixels.astype(np.uint8)))
    edge = canvas.random.uniform(136, 156)
    for _ in range(canvas.random.randint(3, 9)):
        canvas.fir(
            canvas.random.uniform(0, SIDE), edge + 9, canvas.random.uniform(36, 70), (14, 38, 52)
        )
    canvas.ground((196, 220, 240), edge)


def moon_surface(canvas: Canvas) -> None:
    """Grey craters under a black sky with the earth in it."""
    canvas.gradient(((4, 4, 14), (12, 12, 30)))
    canvas.stars(50, below=130)
    x, y, radius = canvas.random.uniform(35, 157), canvas.random.uniform(34, 66), 26
    canvas.planet(x, y, radius, (58, 124, 222), ring=False)
    for across, down, share in ((-0.3, -0.25, 0.32), (0.2, 0.15, 0.28), (-0.25, 0.45, 0.2)):
        canvas.disc(x + across * radius, y + down * radius, share * radius, (84, 176, 92))
    canvas.disc(x, y - 0.72 * radius, radius * 0.35, WHITE, 0.4)
    _cratered(canvas, (150, 150, 160))


def alien_planet(canvas: Canvas) -> None:
    """A coloured, cratered land under a strange sky with a large planet."""
    sky_colours, land = canvas.random.choice(
        [
            (((30, 12, 60), (140, 60, 150), (240, 140, 150)), (120, 62, 140)),
            (((10, 40, 60), (30, 130, 130), (150, 220, 170)), (40, 110, 120)),
            (((60, 16, 30), (180, 70, 50), (250, 180, 110)), (176, 82, 56)),
        ]
    )
    canvas.gradient(sky_colours, 0, 140)
    canvas.stars(26, below=70)
    canvas.planet(
        canvas.random.uniform(40, 152),
        canvas.random.uniform(40, 70),
        canvas.random.uniform(28, 44),
        canvas.random.choice(_PLANETS),
        canvas.chance(0.6),
    )
    canvas.ridge(dark(land, 0.2), 150, canvas.random.uniform(30, 60))
    _cratered(canvas, land)


def _cratered(canvas: Canvas, land: Colour) -> None:
    edge = canvas.random.uniform(112, 134)
    canvas.ground(land, edge, 5)
    for row in range(3):
        x = canvas.random.uniform(-10, 50)
        while x < SIDE:
            radius = (9 + 6 * row) * canvas.random.uniform(0.8, 1.3)
            y = edge + 18 + row * 22 + canvas.random.uniform(-4, 4)
            canvas.disc(x, y + 3, radius * 1.12, light(land, 0.35), 0.42)
            canvas.disc(x, y, radius, dark(land, 0.45), 0.38)
            x += canvas.random.uniform(45, 90)


def fire(canvas: Canvas) -> None:
    """Tongues of flame, darker and taller behind, with sparks above."""
    canvas.gradient(
        canvas.random.choice([((44, 8, 10), (170, 44, 10)), ((18, 8, 16), (120, 26, 14))])
    )
    for colour, tall, wide in (
        ((196, 44, 16), 150, 27),
        ((238, 96, 18), 116, 22),
        ((252, 170, 36), 80, 18),
        ((255, 236, 130), 46, 15),
    ):
        x = canvas.random.uniform(-14, 6)
        while x < SIDE + 12:
            high = tall * canvas.random.uniform(0.55, 1.15)
            sway = canvas.random.uniform(-22, 22)
            points = ((x, SIDE + 6.0), (x - sway, SIDE - high * 0.5), (x + sway, SIDE - high))
            canvas.stroke(points, canvas.near(colour, 8), wide, 2)
            x += wide * canvas.random.uniform(1.0, 1.8)
    for _ in range(canvas.random.randint(6, 14)):
        canvas.disc(*canvas.spot(8, 110), canvas.random.choice((2, 3)), (255, 190, 80))
