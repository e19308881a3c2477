"""Painters of scenes that people have built: cities, villages, rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.training.canvas import SIDE, WHITE, dark, light, mix

if TYPE_CHECKING:
    from engine.training.canvas import Canvas, Colour


def city(canvas: Canvas) -> None:
    """Skyscrapers by day behind a street."""
    canvas.day(clouds=2, below=40)
    foot = canvas.random.uniform(158, 170)
    _buildings(canvas, ((176, 196, 220), (186, 200, 214)), None, foot, 92)
    walls = ((120, 136, 166), (170, 120, 104), (206, 190, 160), (96, 120, 140))
    _buildings(canvas, walls, (206, 232, 248), foot, 60)
    _street(canvas, foot, (84, 86, 96))


def city_night(canvas: Canvas) -> None:
    """Dark towers with lit windows and neon signs."""
    canvas.gradient(
        canvas.random.choice([((10, 10, 42), (92, 36, 110)), ((6, 14, 40), (24, 66, 120))])
    )
    canvas.stars(24, below=70)
    if canvas.chance(0.4):
        canvas.moon(canvas.random.uniform(20, 172), 24, 13)
    foot = canvas.random.uniform(160, 172)
    _buildings(canvas, ((46, 36, 88), (38, 44, 96)), None, foot, 96)
    neon: tuple[Colour, ...] = ((255, 218, 110), (250, 90, 200), (90, 230, 240))
    _buildings(canvas, ((22, 22, 48), (30, 26, 62)), canvas.random.choice(neon), foot, 62)
    for _ in range(canvas.random.randint(1, 3)):
        x, y = canvas.spot(90, 135)
        sign = canvas.random.choice(neon)
        canvas.glow(x, y, 34, sign, 0.5)
        canvas.draw.rectangle((x - 5, y - 16, x + 5, y + 16), fill=sign)
    _street(canvas, foot, (18, 18, 36))


def _buildings(
    canvas: Canvas,
    walls: tuple[Colour, ...],
    windows: Colour | None,
    foot: float,
    least: float,
) -> None:
    """A row of towers at least so tall, with windows if they have a colour."""
    x = canvas.random.uniform(-14, 0)
    while x < SIDE:
        width, tall = canvas.random.choice((26, 34, 42)), least + canvas.random.uniform(0, 66)
        wall = canvas.near(canvas.random.choice(walls), 10)
        top = foot - tall
        canvas.draw.rectangle((x, top, x + width, foot), fill=wall)
        canvas.draw.rectangle((x + width - 6, top, x + width, foot), fill=dark(wall))
        if canvas.chance(0.3):
            canvas.draw.rectangle((x + width / 2 - 2, top - 18, x + width / 2 + 2, top), fill=wall)
        if windows is not None:
            for row in range(int(top) + 8, int(foot) - 8, 13):
                for column in range(int(x) + 5, int(x + width) - 10, 9):
                    if canvas.chance(0.65):
                        canvas.draw.rectangle((column, row, column + 5, row + 7), fill=windows)
        x += width + canvas.random.choice((0, 2, 8))


def _street(canvas: Canvas, top: float, colour: Colour) -> None:
    canvas.draw.rectangle((0, top, SIDE, SIDE), fill=colour)
    canvas.draw.rectangle((0, top, SIDE, top + 4), fill=light(colour, 0.35))
    middle = (top + SIDE) / 2 + 2
    for x in range(canvas.random.randint(-20, 0), SIDE, 36):
        canvas.draw.rectangle((x, middle - 2, x + 18, middle + 2), fill=light(colour, 0.7))


def village(canvas: Canvas) -> None:
    """Small houses on green hills, trees between them."""
    canvas.day(clouds=2, below=40)
    canvas.ground((134, 190, 118), 92, 9)
    walls: tuple[Colour, ...] = ((244, 232, 206), (236, 206, 160), (222, 226, 232))
    roofs: tuple[Colour, ...] = ((196, 76, 60), (150, 86, 62), (90, 110, 160), (176, 60, 84))
    for row in range(2):
        foot, size = 122 + row * 50, 36 + row * 16
        canvas.ground((112 - row * 10, 178 - row * 8, 84), foot - 12, 4)
        x = canvas.random.uniform(10, 34)
        while x < SIDE:
            if canvas.chance(0.72):
                wall = canvas.near(canvas.random.choice(walls), 6)
                canvas.house(x, foot, size, wall, canvas.near(canvas.random.choice(roofs)))
            else:
                canvas.tree(x, foot, size * 1.25, (66, 142, 66))
            x += size * canvas.random.uniform(1.25, 1.7)


def graveyard(canvas: Canvas) -> None:
    """Tombstones and a bare tree under a large moon."""
    canvas.gradient(
        canvas.random.choice([((14, 14, 44), (58, 62, 116)), ((16, 24, 40), (50, 90, 100))])
    )
    canvas.stars(20, below=90)
    side = canvas.random.choice((-1, 1))
    x = 96 + side * canvas.random.uniform(14, 50)
    canvas.moon(x, canvas.random.uniform(44, 62), canvas.random.uniform(22, 30))
    canvas.ground((36, 56, 62), 118, 7)
    canvas.bare_tree(96 - side * 62, 142, canvas.random.uniform(90, 112), (18, 18, 32))
    if canvas.chance(0.4):
        canvas.fence(130, 26, (20, 22, 38), apart=12)
    for row in range(2):
        x = canvas.random.uniform(14, 40)
        while x < SIDE - 6:
            foot = 146 + row * 34 + canvas.random.uniform(-4, 4)
            _tombstone(canvas, x, foot, (28 + 12 * row) * canvas.random.uniform(0.85, 1.15))
            x += (34 + row * 16) * canvas.random.uniform(1.0, 1.4)
    if canvas.chance(0.6):
        for y in (150, 172):
            canvas.veil([(0, y), (SIDE, y), (SIDE, y + 12), (0, y + 12)], (150, 170, 190), 0.25)


def _tombstone(canvas: Canvas, x: float, foot: float, tall: float) -> None:
    stone = canvas.near((142, 148, 164), 12)
    half = tall * 0.36
    canvas.disc(x, foot, half * 1.4, (24, 38, 42), 0.25)
    if canvas.chance(0.3):
        canvas.draw.rectangle((x - 4, foot - tall, x + 4, foot), fill=stone)
        canvas.draw.rectangle((x - half, foot - tall * 0.75, x + half, foot - tall * 0.55), stone)
        return
    for shift, colour in ((4, dark(stone, 0.5)), (0, stone)):
        canvas.disc(x + shift, foot - tall + half, half, colour)
        canvas.draw.rectangle(
            (x - half + shift, foot - tall + half, x + half + shift, foot), colour
        )
    line = dark(stone, 0.45)
    canvas.draw.rectangle((x - 2, foot - tall * 0.8, x + 2, foot - tall * 0.35), fill=line)
    canvas.draw.rectangle(
        (x - half / 2, foot - tall * 0.68, x + half / 2, foot - tall * 0.58), line
    )


def room(canvas: Canvas) -> None:
    """A wall with a window, a wooden floor, and a little furniture."""
    wall: Colour = canvas.near(
        canvas.random.choice([(236, 204, 168), (168, 200, 196), (206, 180, 206), (226, 216, 180)])
    )
    floor = canvas.near((170, 112, 70))
    edge = canvas.random.randint(126, 144)
    canvas.gradient((wall, light(wall, 0.15)), 0, edge, spread=0)
    canvas.draw.rectangle((0, edge, SIDE, SIDE), fill=floor)
    for number in range(-6, 7):
        ends = (96 + number * 20, edge, 96 + number * 44, SIDE)
        canvas.draw.line(ends, fill=dark(floor), width=3)
    canvas.draw.rectangle((0, edge - 7, SIDE, edge), fill=light(wall, 0.6))
    x = canvas.random.choice((60, 132)) + canvas.random.uniform(-10, 10)
    _window(canvas, x)
    other = SIDE - x
    furniture = canvas.random.choice((_shelf, _lamp, _sofa, _plant))
    furniture(canvas, other, edge)
    if canvas.chance(0.6):
        rug: Colour = canvas.random.choice([(196, 70, 74), (70, 110, 170), (90, 150, 110)])
        canvas.disc(96, 170, 62, rug, 0.24)
        canvas.disc(96, 170, 46, light(rug, 0.45), 0.22)
        canvas.disc(96, 170, 36, rug, 0.2)


def _window(canvas: Canvas, x: float) -> None:
    top, half, low = 26.0, 30.0, 92.0
    glass = (
        ((120, 190, 245), (206, 234, 250)) if canvas.chance(0.7) else ((16, 22, 60), (50, 60, 120))
    )
    canvas.draw.rectangle((x - half - 6, top - 6, x + half + 6, low + 6), fill=WHITE)
    for number in range(11):
        y = top + number * 6
        canvas.draw.rectangle((x - half, y, x + half, y + 6), fill=mix(*glass, number / 10))
    canvas.draw.rectangle((x - 3, top, x + 3, low), fill=WHITE)
    canvas.draw.rectangle((x - half, 57, x + half, 63), fill=WHITE)
    if canvas.chance(0.6):
        cloth: Colour = canvas.random.choice([(206, 70, 80), (80, 130, 190), (240, 190, 90)])
        for side in (-1, 1):
            rail = x + side * (half + 12)
            points = [(rail, top - 10), (x + side * 6, top - 10), (x + side * 24, low + 8)]
            canvas.draw.polygon([*points, (rail, low + 8)], fill=cloth)


def _shelf(canvas: Canvas, x: float, edge: float) -> None:
    wood = canvas.near((120, 76, 48))
    canvas.draw.rectangle((x - 30, edge - 92, x + 30, edge + 6), fill=wood)
    books: tuple[Colour, ...] = ((200, 60, 60), (60, 120, 180), (230, 180, 70), (80, 150, 90))
    for row in range(3):
        foot = edge - 62 + row * 31
        canvas.draw.rectangle((x - 25, foot - 25, x + 25, foot), fill=dark(wood, 0.5))
        for left in range(-24, 20, 8):
            high = canvas.random.uniform(14, 22)
            box = (x + left, foot - high, x + left + 7, foot)
            canvas.draw.rectangle(box, fill=canvas.random.choice(books))


def _lamp(canvas: Canvas, x: float, edge: float) -> None:
    canvas.glow(x, edge - 78, 70, (255, 236, 160), 0.6)
    canvas.draw.rectangle((x - 3, edge - 70, x + 3, edge + 10), fill=(80, 64, 60))
    canvas.disc(x, edge + 10, 16, (80, 64, 60), 0.3)
    shade = [(x - 12, edge - 96), (x + 12, edge - 96), (x + 24, edge - 64), (x - 24, edge - 64)]
    canvas.draw.polygon(shade, fill=(255, 222, 130))


def _sofa(canvas: Canvas, x: float, edge: float) -> None:
    """A sofa below a picture in a frame."""
    canvas.draw.rectangle((x - 30, 30, x + 30, 76), fill=(150, 100, 50))
    canvas.draw.rectangle((x - 24, 36, x + 24, 70), fill=(150, 205, 240))
    canvas.draw.polygon([(x - 24, 70), (x - 4, 44), (x + 24, 70)], fill=(90, 150, 90))
    seat = canvas.near(canvas.random.choice([(190, 80, 80), (80, 120, 170), (110, 150, 110)]))
    canvas.draw.rounded_rectangle((x - 36, edge - 40, x + 36, edge + 4), 10, fill=seat)
    canvas.draw.rounded_rectangle((x - 42, edge - 22, x + 42, edge + 12), 8, fill=dark(seat, 0.2))
    canvas.draw.rectangle((x - 30, edge - 20, x + 30, edge - 4), fill=light(seat, 0.2))


def _plant(canvas: Canvas, x: float, edge: float) -> None:
    green = canvas.near((60, 150, 80))
    foot = edge - 22
    for across, up in ((-36, 40), (36, 40), (-20, 66), (20, 66), (0, 76)):
        bend = (x + across * 0.3, foot - up)
        points = ((x, foot), bend, (x + across, foot - up * 0.85))
        canvas.stroke(points, canvas.near(green, 16), 3, 8)
    pot = [(x - 18, foot), (x + 18, foot), (x + 12, edge + 12), (x - 12, edge + 12)]
    canvas.draw.polygon(pot, fill=(206, 112, 72))


def stage(canvas: Canvas) -> None:
    """Spotlights on an empty stage between red curtains."""
    back: Colour = canvas.random.choice([(30, 20, 54), (20, 24, 50), (44, 16, 36)])
    canvas.gradient((dark(back, 0.5), light(back, 0.08)))
    edge = canvas.random.uniform(136, 150)
    wood = canvas.near((150, 92, 56))
    canvas.draw.rectangle((0, edge, SIDE, SIDE), fill=wood)
    for y in (edge, edge + 16, edge + 34):
        canvas.draw.rectangle((0, y, SIDE, y + 3), fill=dark(wood))
    hues: tuple[Colour, ...] = ((255, 244, 190), (250, 130, 200), (120, 210, 255), (255, 200, 100))
    number = canvas.random.randint(1, 3)
    for lamp in range(number):
        start = 96 + (lamp - (number - 1) / 2) * 56
        end = 96 + (lamp - (number - 1) / 2) * canvas.random.uniform(-40, 64)
        hue = hues[0] if number == 1 else canvas.random.choice(hues)
        half = canvas.random.uniform(26, 38) if number > 1 else 46
        beam = [(start - 5, 0.0), (start + 5, 0), (end + half, edge + 20), (end - half, edge + 20)]
        canvas.veil(beam, hue, 0.4)
        canvas.disc(end, edge + 20, half, mix(wood, hue, 0.75), 0.3)
    cloth = canvas.near(canvas.random.choice([(190, 30, 44), (176, 24, 60)]))
    for side in (-1, 1):
        for fold in range(4):
            x = 96 + side * (96 - fold * 11)
            shade = dark(cloth, 0.35) if fold % 2 else cloth
            box = sorted((x, x - side * 11))
            canvas.draw.rectangle((box[0], 0, box[1], edge + 8), fill=shade)
    for x in range(0, SIDE, 24):
        canvas.draw.pieslice((x, -16, x + 24, 26), 0, 180, fill=cloth)
        canvas.draw.arc((x, -16, x + 24, 26), 0, 180, fill=(240, 190, 80), width=4)
