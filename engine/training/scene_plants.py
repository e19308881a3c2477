"""Painters of scenes full of plants: woods, meadows, gardens and fields."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from engine.training.canvas import SIDE, dark, light, mix

if TYPE_CHECKING:
    from engine.training.canvas import Canvas, Colour

_FLOWERS: tuple[Colour, ...] = (
    (240, 72, 84),
    (250, 130, 180),
    (252, 246, 240),
    (160, 96, 220),
    (250, 150, 50),
    (96, 130, 240),
)


def forest(canvas: Canvas) -> None:
    """Rows of trees, pale behind and dark in front; firs or leafy trees."""
    canvas.day(clouds=1, below=40)
    green: Colour = canvas.random.choice([(38, 110, 58), (52, 130, 52), (30, 96, 76)])
    grown = canvas.fir if canvas.chance(0.55) else canvas.tree
    for row, haze in enumerate((0.5, 0.25, 0.0)):
        foot = 118 + row * 26
        x = canvas.random.uniform(-12, 8)
        canvas.ground(mix((96, 152, 66), (190, 220, 200), haze), foot - 12, 4)
        while x < SIDE + 10:
            tall = (62 + row * 18) * canvas.random.uniform(0.8, 1.2)
            leaf = mix(canvas.near(green), (180, 215, 205), haze)
            grown(x, foot + canvas.random.uniform(-4, 6), tall, leaf)
            x += (20 + row * 14) * canvas.random.uniform(0.8, 1.5)


def foggy_forest(canvas: Canvas) -> None:
    """Firs that fade into the fog, row after row."""
    fog: Colour = canvas.random.choice([(206, 216, 222), (186, 204, 208), (220, 212, 208)])
    canvas.gradient((mix(fog, (140, 160, 180), 0.4), fog))
    tone: Colour = canvas.random.choice([(34, 58, 62), (40, 54, 74), (36, 62, 48)])
    for row, haze in enumerate((0.78, 0.55, 0.3, 0.0)):
        foot = 112 + row * 28
        x = canvas.random.uniform(-20, 10)
        leaf = mix(tone, fog, haze)
        while x < SIDE + 14:
            canvas.fir(x, foot + 14, (64 + row * 16) * canvas.random.uniform(0.75, 1.3), leaf)
            x += (22 + row * 16) * canvas.random.uniform(0.7, 1.4)
        if haze:
            for lift, opacity in ((22, 0.35), (6, 0.5), (-8, 0.6)):
                top = foot - lift
                corners = [(0.0, top), (SIDE, top), (SIDE, SIDE), (0, SIDE)]
                canvas.veil(corners, fog, opacity)


def autumn(canvas: Canvas) -> None:
    """Red, orange and yellow trees, leaves in the air and on the ground."""
    canvas.gradient(
        canvas.random.choice(
            [((150, 190, 220), (248, 226, 190)), ((210, 190, 190), (250, 214, 160))]
        )
    )
    leaves: tuple[Colour, ...] = ((226, 112, 34), (206, 58, 36), (240, 178, 52), (178, 84, 36))
    for row, haze in enumerate((0.35, 0.0)):
        foot = 124 + row * 32
        canvas.ground(mix((176, 122, 58), (248, 226, 190), haze), foot - 14, 5)
        x = canvas.random.uniform(-10, 14)
        while x < SIDE + 10:
            leaf = mix(canvas.near(canvas.random.choice(leaves)), (248, 226, 190), haze)
            canvas.tree(x, foot, (72 + row * 26) * canvas.random.uniform(0.85, 1.2), leaf)
            x += (30 + row * 22) * canvas.random.uniform(0.8, 1.4)
    for _ in range(26):
        canvas.disc(*canvas.spot(90), 3, canvas.random.choice(leaves), 0.7)


def meadow(canvas: Canvas) -> None:
    """A green hill with scattered flowers under a wide sky."""
    canvas.day()
    edge = canvas.random.uniform(96, 128)
    if canvas.chance(0.5):
        canvas.ground((140, 190, 150), edge - 12, 10)
    canvas.ground((100, 178, 66), edge, 8)
    for _ in range(4):
        x, y = canvas.spot(edge + 14, SIDE)
        canvas.disc(x, y, canvas.random.uniform(16, 36), (88, 164, 58), 0.2)
    colours = canvas.random.sample(_FLOWERS, 3)
    for y in sorted(canvas.random.uniform(edge + 14, SIDE) for _ in range(20)):
        size = 3.5 + 5 * (y - edge) / (SIDE - edge)
        canvas.flower(canvas.random.uniform(0, SIDE), y, size, canvas.random.choice(colours))


def garden(canvas: Canvas) -> None:
    """Beds of large flowers on stems before a hedge or a white fence."""
    canvas.day(clouds=1, below=40)
    canvas.ground((112, 186, 76), 92, 2)
    hedge = canvas.near((52, 128, 60))
    if canvas.chance(0.6):
        for bush in range(-6, SIDE + 12, 18):
            canvas.disc(bush, 88 + canvas.random.uniform(-4, 4), 18, hedge)
            canvas.disc(bush - 4, 82, 9, light(hedge, 0.15))
    else:
        canvas.fence(104, 34, (248, 246, 240))
    colours = canvas.random.sample(_FLOWERS, 3)
    for row, colour in enumerate(colours):
        y, size = 112.0 + row * 27, 9 + row * 3.5
        canvas.draw.rectangle((0, y + 12, SIDE, y + 30), fill=(116, 78, 50))
        x = canvas.random.uniform(0, 18)
        while x < SIDE + 10:
            canvas.stroke(((x, y + 24), (x, y + 12), (x, y)), (56, 140, 60), 2.5, 2.5)
            canvas.disc(x + 6, y + 16, 6, (70, 160, 66), 0.5)
            canvas.disc(x - 6, y + 19, 6, (70, 160, 66), 0.5)
            canvas.flower(x, y, size, canvas.near(colour, 10))
            x += size * 2.6
    canvas.draw.rectangle((0, 188, SIDE, SIDE), fill=(98, 170, 66))


def cherry_blossom(canvas: Canvas) -> None:
    """Pink trees along a lawn, petals in the air."""
    canvas.gradient(
        canvas.random.choice(
            [((130, 195, 245), (250, 226, 236)), ((180, 190, 240), (255, 220, 220))]
        )
    )
    lawn = canvas.near((126, 190, 96))
    canvas.ground(lawn, 122, 4)
    pink: tuple[Colour, ...] = ((250, 170, 200), (244, 140, 180), (252, 196, 214))
    for row, haze in enumerate((0.35, 0.0)):
        x = canvas.random.uniform(-8, 20)
        while x < SIDE + 10:
            leaf = mix(canvas.near(canvas.random.choice(pink), 8), (250, 235, 245), haze)
            canvas.tree(
                x, 132 + row * 26, (74 + row * 40) * canvas.random.uniform(0.85, 1.15), leaf
            )
            x += (34 + row * 36) * canvas.random.uniform(0.8, 1.3)
    if canvas.chance(0.5):
        x = canvas.random.uniform(70, 122)
        path = [(x - 6, 134), (x + 6, 134), (x + 44, SIDE), (x - 44, SIDE)]
        canvas.draw.polygon(path, fill=(226, 206, 178))
    for _ in range(30):
        canvas.disc(*canvas.spot(20), 3, canvas.random.choice(pink), 0.7)


def jungle(canvas: Canvas) -> None:
    """A bright clearing between dark trunks, vines and large leaves."""
    canvas.gradient(((86, 160, 96), (196, 226, 140), (70, 140, 70)))
    for haze in (0.45, 0.2):
        for _ in range(4):
            x = canvas.random.uniform(0, SIDE)
            half = canvas.random.uniform(5, 10)
            bark = mix((58, 56, 38), (150, 200, 120), haze)
            canvas.draw.rectangle((x - half, 0, x + half, 150), fill=bark)
        canvas.ground(mix((34, 96, 46), (150, 200, 120), haze), 142 + (0.45 - haze) * 40, 6)
    if canvas.chance(0.6):
        canvas.palm(canvas.random.uniform(60, 132), 168, canvas.random.uniform(80, 110))
    for _ in range(22):
        canvas.disc(
            canvas.random.uniform(0, SIDE),
            canvas.random.uniform(-8, 24),
            canvas.random.uniform(12, 22),
            canvas.near((24, 84, 44), 16),
        )
    for _ in range(canvas.random.randint(2, 4)):
        x, end = canvas.random.uniform(0, SIDE), canvas.random.uniform(60, 120)
        canvas.stroke(((x, 0), (x + 14, end / 2), (x, end)), (52, 110, 44), 2.6, 2)
    for x, y, side in ((0, 176, 1), (SIDE, 176, -1), (60, 206, 1), (132, 206, -1), (0, 110, 1)):
        green = canvas.near((44, 140, 58), 20)
        for turn in (-1.2, -0.75, -0.3):
            far = canvas.random.uniform(48, 74)
            tip = (x + side * far * math.cos(turn), y + far * math.sin(turn))
            middle = ((x + tip[0]) / 2, (y + tip[1]) / 2 - 14)
            canvas.stroke(((x, y), middle, tip), mix(green, dark(green), -turn - 0.3), 11, 2)


def farm(canvas: Canvas) -> None:
    """Rows of crops that meet at the horizon, a red barn and a fence."""
    canvas.day(clouds=2, below=44)
    horizon = canvas.random.uniform(92, 106)
    canvas.ground((128, 184, 92), horizon - 8, 5)
    canvas.ground((150, 106, 64), horizon + 6, 1)
    vanish = canvas.random.uniform(60, 132)
    crop: Colour = canvas.random.choice([(84, 168, 62), (232, 190, 76), (120, 184, 84)])
    for row in range(-7, 8):
        x = vanish + row * 44
        wide = 13
        top = vanish + row * 5
        corners = [(top - 1.5, horizon + 6), (top + 1.5, horizon + 6)]
        corners += [(x + wide, SIDE), (x - wide, SIDE)]
        canvas.draw.polygon(corners, fill=crop)
        canvas.draw.polygon([corners[1], corners[2], (x + 2, SIDE)], fill=dark(crop, 0.2))
    x, size = canvas.random.choice((40, 152)) + canvas.random.uniform(-10, 10), 46
    foot, red = horizon + 8, canvas.near((196, 52, 46))
    canvas.draw.rectangle((x - 24, foot - 28, x + 24, foot), fill=red)
    canvas.draw.polygon(
        [(x - 28, foot - 26), (x - 16, foot - size), (x + 16, foot - size), (x + 28, foot - 26)],
        fill=(104, 66, 60),
    )
    canvas.draw.rectangle((x - 9, foot - 20, x + 9, foot), fill=(250, 240, 226))
    canvas.draw.rectangle((x - 5, foot - 16, x + 5, foot), fill=dark(red))
    canvas.tree(SIDE - x, foot, canvas.random.uniform(40, 56), (60, 140, 62))
    if canvas.chance(0.7):
        canvas.fence(canvas.random.uniform(178, 190), 34, (246, 238, 218))
