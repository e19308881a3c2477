"""Painters of scenes with water: seas, shores, lakes, rivers and swamps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image

from engine.training.canvas import SIDE, WHITE, dark, light, mix

if TYPE_CHECKING:
    from engine.training.canvas import Canvas, Colour

_SEAS: tuple[Colour, ...] = ((28, 108, 190), (24, 130, 180), (40, 90, 170), (36, 150, 190))


def sea(canvas: Canvas) -> None:
    """Open water with white-capped waves to the horizon."""
    canvas.day()
    top = canvas.random.uniform(72, 116)
    colour = canvas.random.choice(_SEAS)
    canvas.water(colour, top, canvas.random.randint(6, 16))
    if canvas.chance(0.7):
        for y in range(int(top) + 24, SIDE + 10, 26):
            _swell(canvas, y, colour)


def _swell(canvas: Canvas, y: float, colour: Colour) -> None:
    phase = canvas.random.uniform(0, 6.3)
    for x in range(-6, SIDE + 6, 3):
        crest = y - 7 * abs(math.sin(x / 26 + phase))
        canvas.disc(x, crest, 3, light(colour, 0.75))
        canvas.disc(x, crest + 5, 4, light(colour, 0.12))


def under_water(canvas: Canvas) -> None:
    """Rays of light, bubbles, seaweed and coral over the sand."""
    canvas.gradient(
        canvas.random.choice(
            [
                ((70, 190, 220), (20, 100, 170), (8, 44, 110)),
                ((60, 200, 200), (16, 120, 150), (10, 60, 110)),
            ]
        )
    )
    for _ in range(canvas.random.randint(2, 4)):
        x, wide = canvas.random.uniform(10, 180), canvas.random.uniform(12, 26)
        slant = canvas.random.uniform(-40, 10)
        ray = [(x, 0.0), (x + wide, 0), (x + wide * 2 + slant, 160), (x + slant - wide, 160)]
        canvas.veil(ray, (190, 240, 245), 0.16)
    edge = canvas.random.uniform(156, 174)
    canvas.ground((222, 200, 140), edge)
    for _ in range(canvas.random.randint(4, 9)):
        x, far = canvas.random.uniform(0, SIDE), canvas.random.uniform(28, 66)
        green = canvas.near((40, 150, 84), 20)
        sway = canvas.random.choice((-14, 14))
        foot = edge + canvas.random.uniform(4, 20)
        canvas.stroke(((x, foot), (x + sway, foot - far / 2), (x, foot - far)), green, 5, 2)
    for _ in range(canvas.random.randint(0, 3)):
        x, foot = canvas.random.uniform(10, 182), edge + canvas.random.uniform(8, 20)
        coral: Colour = canvas.random.choice([(250, 110, 120), (250, 160, 70), (210, 110, 220)])
        for across in (-18, -6, 7, 18):
            tall = canvas.random.uniform(20, 32)
            canvas.stroke(
                ((x, foot), (x + across, foot - 6), (x + across, foot - tall)), coral, 5, 4
            )
    for _ in range(canvas.random.randint(6, 14)):
        x, y = canvas.spot(8, edge - 8)
        radius = canvas.random.uniform(3, 6)
        canvas.disc(x, y, radius, (170, 226, 244))
        canvas.disc(x - 1, y - 1, radius * 0.4, WHITE)


def beach(canvas: Canvas) -> None:
    """Sand, foam and sea; a palm or a parasol on some."""
    canvas.day()
    horizon = canvas.random.uniform(76, 92)
    canvas.water((46, 164, 204), horizon, 6)
    edge = canvas.random.uniform(122, 146)
    sand = canvas.near((242, 216, 152), 8)
    phase = canvas.random.uniform(0, 6.3)
    for lift, colour in (
        (13, (170, 226, 232)),
        (6, WHITE),
        (0, mix(sand, (150, 120, 80), 0.3)),
        (-7, sand),
    ):
        shore = [(x, edge - lift + 7 * math.sin(x / 30 + phase)) for x in range(0, SIDE + 8, 8)]
        canvas.draw.polygon([*shore, (SIDE, SIDE), (0, SIDE)], fill=colour)
    extra = canvas.random.random()
    x = canvas.random.choice((34, 158)) + canvas.random.uniform(-12, 12)
    if extra < 0.45:
        canvas.palm(x, 176, canvas.random.uniform(90, 120))
    elif extra < 0.7:
        _parasol(canvas, x, 170)


def _parasol(canvas: Canvas, x: float, foot: float) -> None:
    colour: Colour = canvas.random.choice([(230, 60, 60), (250, 180, 40), (60, 130, 220)])
    canvas.draw.rectangle((x - 2, foot - 50, x + 2, foot), fill=(240, 236, 230))
    box = (x - 34, foot - 76, x + 34, foot - 14)
    for number in range(6):
        stripe = WHITE if number % 2 else colour
        canvas.draw.pieslice(box, 180 + number * 30, 210 + number * 30, fill=stripe)


def island(canvas: Canvas) -> None:
    """A small island with palms, alone in the sea."""
    canvas.day(clouds=2, below=48)
    if canvas.chance(0.4):
        canvas.sun(*canvas.spot(24, 44), 14)
    horizon = canvas.random.uniform(100, 116)
    canvas.water((34, 148, 196), horizon, 10)
    x, half = canvas.random.uniform(78, 114), canvas.random.uniform(50, 70)
    foot = horizon + 34
    canvas.disc(x, foot + 4, half + 12, (110, 214, 220), 0.3)
    canvas.disc(x, foot, half, (242, 214, 148), 0.34)
    canvas.disc(x, foot - 8, half * 0.7, (104, 178, 84), 0.28)
    offsets = canvas.random.choice([(-22, 20), (-30, 2, 30), (-12, 26)])
    for across in offsets:
        canvas.palm(x + across, foot - 8, canvas.random.uniform(66, 98))


def lake(canvas: Canvas) -> None:
    """Mountains and firs, mirrored in still water."""
    if canvas.chance(0.75):
        canvas.day(clouds=2, below=40)
    else:
        canvas.gradient(((90, 80, 160), (250, 150, 130), (255, 220, 160)), 0, 112)
    shore = canvas.random.randint(94, 112)
    canvas.ridge((116, 130, 160), shore, canvas.random.uniform(56, 80), snow=True)
    canvas.ground((86, 146, 84), shore - 10, 4)
    for _ in range(canvas.random.randint(4, 12)):
        canvas.fir(
            canvas.random.uniform(0, SIDE), shore, canvas.random.uniform(24, 52), (36, 98, 70)
        )
    canvas.draw.rectangle((0, shore, SIDE, SIDE), fill=(60, 130, 180))
    mirrored = canvas.image.crop((0, 2 * shore - SIDE, SIDE, shore))
    mirrored = mirrored.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    tint = Image.new("RGB", mirrored.size, canvas.near((44, 104, 160)))
    canvas.image.paste(Image.blend(mirrored, tint, 0.38), (0, shore))
    canvas.draw.line((0, shore, SIDE, shore), fill=(206, 226, 226), width=4)
    for _ in range(canvas.random.randint(5, 10)):
        x, y = canvas.spot(shore + 10, SIDE - 4)
        far = canvas.random.uniform(14, 40)
        canvas.draw.line((x, y, x + far, y), fill=(150, 200, 225), width=3)


def harbour(canvas: Canvas) -> None:
    """Sailing boats at rest before a row of coloured houses."""
    canvas.day(clouds=2, below=40)
    quay = canvas.random.uniform(96, 108)
    walls: tuple[Colour, ...] = ((240, 200, 110), (226, 120, 100), (140, 180, 210), (244, 236, 220))
    x = canvas.random.uniform(-6, 12)
    while x < SIDE + 10:
        size = canvas.random.uniform(34, 44)
        roof = canvas.near((170, 74, 60))
        canvas.house(x, quay - 6, size, canvas.near(canvas.random.choice(walls), 8), roof)
        x += size * 1.05
    canvas.water((44, 120, 170), quay + 4, 12)
    canvas.draw.rectangle((0, quay - 8, SIDE, quay + 5), fill=(150, 140, 134))
    for left, size in canvas.random.choice((((48, 1.0), (138, 1.25)), ((52, 1.3), (146, 0.9)))):
        x = left + canvas.random.uniform(-16, 16)
        _boat(canvas, x, quay + 44 * size, size)


def _boat(canvas: Canvas, x: float, y: float, size: float) -> None:
    hull: Colour = canvas.random.choice([(190, 56, 50), (40, 80, 140), (150, 96, 56)])
    sail = canvas.random.choice([WHITE, (250, 226, 180), (240, 120, 90)])
    canvas.draw.rectangle((x - 2, y - 70 * size, x + 2, y - 8), fill=(90, 66, 48))
    right = [(x + 5, y - 68 * size), (x + 5, y - 14 * size), (x + 34 * size, y - 14 * size)]
    left = [(x - 5, y - 58 * size), (x - 5, y - 14 * size), (x - 26 * size, y - 14 * size)]
    canvas.draw.polygon(right, fill=sail)
    canvas.draw.polygon(left, fill=dark(sail, 0.15))
    far, near = 38 * size, 26 * size
    deck = y - 8 * size
    canvas.draw.polygon(
        [(x - far, deck), (x + far, deck), (x + near, y + 8 * size), (x - near, y + 8 * size)],
        fill=hull,
    )
    canvas.draw.rectangle((x - far, deck, x + far, deck + 4), fill=light(hull, 0.5))


def river(canvas: Canvas) -> None:
    """A river that winds towards the viewer between green slopes."""
    canvas.day(clouds=2, below=40)
    top = canvas.random.uniform(92, 106)
    canvas.ridge((112, 136, 160), top + 4, canvas.random.uniform(50, 78), canvas.chance(0.6))
    canvas.ground((120, 182, 90), top, 2)
    slope = canvas.near((92, 160, 76))
    for side in (0, SIDE):
        canvas.disc(side, top + 14, canvas.random.uniform(60, 84), slope, 0.5)
    start, sway = canvas.random.uniform(80, 112), canvas.random.choice((-1, 1))
    blue = canvas.near((54, 142, 206), 10)
    for extra, colour in ((5, (226, 212, 158)), (0, blue)):
        y = top + 1
        while y < SIDE + 8:
            depth = (y - top) / (SIDE - top)
            x = start + sway * 40 * depth * math.sin(depth * 8.5)
            half = 3 + 34 * depth**1.3 + extra * depth
            canvas.draw.rectangle((x - half, y, x + half, y + 1), fill=colour)
            if not extra and int(y) % 18 < 4:
                canvas.draw.rectangle((x - half / 2, y, x + half / 3, y + 1), fill=light(blue, 0.5))
            y += 1
    for side in (-1, 1):
        for _ in range(canvas.random.randint(1, 3)):
            x = 96 + side * canvas.random.uniform(62, 94)
            foot = canvas.random.uniform(top + 14, top + 50)
            canvas.tree(x, foot, canvas.random.uniform(34, 52), (60, 134, 64))


def waterfall(canvas: Canvas) -> None:
    """Water that falls from a cliff into a pool."""
    canvas.day(clouds=1, below=30)
    rock: Colour = canvas.random.choice([(120, 112, 116), (136, 112, 92), (96, 112, 118)])
    brink, pool = canvas.random.uniform(40, 62), canvas.random.uniform(142, 156)
    x, half = canvas.random.uniform(76, 116), canvas.random.uniform(20, 34)
    canvas.draw.rectangle((0, brink, SIDE, pool), fill=rock)
    for y in range(int(brink) + 6, int(pool), 15):
        for _ in range(6):
            left = canvas.random.uniform(-10, SIDE)
            shade = canvas.random.choice((dark(rock, 0.2), dark(rock, 0.35), light(rock, 0.2)))
            wide = canvas.random.uniform(12, 30)
            canvas.draw.rectangle((left, y, left + wide, y + 9), fill=shade)
    green = canvas.near((76, 152, 68))
    for left in range(-6, SIDE + 12, 14):
        canvas.disc(left, brink - canvas.random.uniform(0, 7), 13, canvas.near(green, 10))
    for _ in range(3):
        side = canvas.random.choice((-1, 1))
        canvas.fir(x + side * canvas.random.uniform(44, 80), brink, 44, (40, 110, 66))
    canvas.water((48, 150, 190), pool, 8)
    fall: Colour = (150, 212, 242)
    canvas.draw.polygon(
        [(x - half, brink - 8), (x + half, brink - 8), (x + half + 7, pool), (x - half - 7, pool)],
        fill=fall,
    )
    for _ in range(7):
        left, upper = (
            x + canvas.random.uniform(-half, half - 4),
            canvas.random.uniform(brink - 6, 100),
        )
        end = upper + canvas.random.uniform(24, pool - 92)
        canvas.draw.rectangle(
            (left, upper, left + 5, end), fill=canvas.random.choice([WHITE, (214, 240, 252)])
        )
    for _ in range(12):
        left = x + canvas.random.uniform(-half - 16, half + 16)
        canvas.disc(left, pool + canvas.random.uniform(-5, 6), canvas.random.uniform(6, 11), WHITE)
    for left in (-4, 20, 172, 196):
        canvas.disc(left, SIDE - canvas.random.uniform(0, 14), 20, canvas.near((64, 132, 62), 16))


def swamp(canvas: Canvas) -> None:
    """Dead trees and reeds in murky green water with lily pads."""
    haze: Colour = canvas.random.choice([(178, 198, 124), (140, 184, 150), (200, 186, 130)])
    canvas.gradient((mix(haze, (50, 66, 60), 0.6), haze), 0, 120)
    for share in (0.55, 0.2):
        for _ in range(canvas.random.randint(2, 3)):
            x = canvas.random.uniform(0, SIDE)
            tall = canvas.random.uniform(80, 116)
            colour = mix((48, 44, 36), haze, share)
            canvas.bare_tree(x, 130 + (0.55 - share) * 50, tall, colour)
            for _ in range(3):
                left, top = x + canvas.random.uniform(-26, 26), 130 - tall * 0.75
                moss = mix((84, 104, 50), haze, share)
                canvas.stroke(((left, top), (left + 2, top + 14), (left, top + 30)), moss, 3, 1.5)
        if share > 0.5:
            canvas.water((84, 124, 62), 118, 10)
    for _ in range(canvas.random.randint(5, 9)):
        x, y = canvas.spot(140, 186)
        radius = 8 + (y - 140) * 0.16
        canvas.disc(x, y, radius, (104, 166, 70), 0.42)
        canvas.disc(x - 2, y - 1, radius * 0.6, (134, 190, 86), 0.4)
    for _ in range(canvas.random.randint(5, 10)):
        x, far = canvas.random.choice((0, 150)) + canvas.random.uniform(0, 42), 40
        tip = (x + canvas.random.uniform(-5, 5), SIDE - far - canvas.random.uniform(0, 16))
        canvas.stroke(((x, SIDE), (x, SIDE - far / 2), tip), (70, 106, 48), 3, 2)
        canvas.stroke((tip, (tip[0], tip[1] - 6), (tip[0], tip[1] - 12)), (96, 62, 40), 4, 4)
