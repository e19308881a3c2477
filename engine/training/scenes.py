"""Places drawn by a small program: a sky, a ground and a few things, never twice the same.

The icon sets show things on nothing. Prompts put them somewhere ("a cat in space"), and ask for
places alone ("a sunset over the sea"); these pictures are both the backgrounds and the examples.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

SCENE_SIZE = 64
_CANVAS = 192  # drawn three times as large, then reduced, which smooths the edges

Colour = tuple[int, int, int]


@dataclass
class Canvas:
    """An RGB picture of 192 × 192 that is being painted, with its own randomness."""

    image: Image.Image
    random: random.Random

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        """A pen on the present image."""
        return ImageDraw.Draw(self.image)

    def near(self, colour: Colour, spread: int = 22) -> Colour:
        """A colour like this one."""
        red, green, blue = (
            min(255, max(0, channel + self.random.randint(-spread, spread))) for channel in colour
        )
        return red, green, blue

    def gradient(self, top: Colour, bottom: Colour) -> None:
        """Fill everything with a vertical gradient."""
        ramp = np.linspace(0.0, 1.0, _CANVAS)[:, None, None]
        pixels = np.asarray(self.near(top)) * (1 - ramp) + np.asarray(self.near(bottom)) * ramp
        full = np.broadcast_to(pixels, (_CANVAS, _CANVAS, 3)).astype(np.uint8)
        self.image.paste(Image.fromarray(full))

    def ground(self, colour: Colour, height: float, roughness: float = 6.0) -> float:
        """A ground with a wavy edge at the share `height`; returns the edge in pixels."""
        edge = height * _CANVAS
        phase, length = self.random.uniform(0, 6.3), self.random.uniform(30, 90)
        points = [
            (x, edge + roughness * math.sin(x / length * 3 + phase))
            for x in range(0, _CANVAS + 8, 8)
        ]
        self.draw.polygon(
            [*points, (_CANVAS, _CANVAS), (0, _CANVAS)], fill=self.near(colour, spread=15)
        )
        return edge

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled disc; x, y and radius in pixels of the canvas."""
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)

    def stars(self, number: int, below: float = 1.0) -> None:
        """White points in the part of the canvas above the share `below`."""
        for _ in range(number):
            x, y = self.random.uniform(0, _CANVAS), self.random.uniform(0, _CANVAS * below)
            self.disc(x, y, self.random.choice((1, 1, 1.5, 2.2)), self.near((240, 240, 230), 15))

    def ridge(self, colour: Colour, base: float, height: float, snow: bool = False) -> None:
        """A row of triangular mountains that stand on the share `base` of the canvas."""
        x = self.random.uniform(-60, 0)
        while x < _CANVAS:
            width = self.random.uniform(60, 130)
            tall = height * _CANVAS * self.random.uniform(0.6, 1.1)
            foot, peak = base * _CANVAS, (x + width / 2, base * _CANVAS - tall)
            self.draw.polygon([(x, foot), peak, (x + width, foot)], fill=self.near(colour, 12))
            if snow:
                left, right = peak[0] - width * 0.14, peak[0] + width * 0.14
                self.draw.polygon(
                    [(left, peak[1] + tall * 0.28), peak, (right, peak[1] + tall * 0.28)],
                    fill=(245, 248, 252),
                )
            x += width * self.random.uniform(0.4, 0.8)

    def trees(self, colour: Colour, base: float, number: int, pointed: bool = True) -> None:
        """Firs (`pointed`) or round trees with a trunk; `base` is the share where they stand."""
        for _ in range(number):
            x = self.random.uniform(-10, _CANVAS + 10)
            foot = base * _CANVAS + self.random.uniform(-4, 24)
            tall, wide = self.random.uniform(40, 90), self.random.uniform(24, 44)
            leaf = self.near(colour, 20)
            self.draw.rectangle((x - 3, foot - tall * 0.3, x + 3, foot), fill=(90, 60, 35))
            if pointed:
                for level in range(3):
                    top = foot - tall + level * tall * 0.22
                    half = wide / 2 * (0.55 + 0.22 * level)
                    self.draw.polygon(
                        [(x - half, top + tall * 0.36), (x, top), (x + half, top + tall * 0.36)],
                        fill=leaf,
                    )
            else:
                self.disc(x, foot - tall * 0.55, wide / 2, leaf)

    def clouds(self, colour: Colour, number: int, below: float = 0.45) -> None:
        """Flat heaps of discs in the sky."""
        for _ in range(number):
            x = self.random.uniform(0, _CANVAS)
            y = self.random.uniform(10, below * _CANVAS)
            for _ in range(5):
                radius = self.random.uniform(6, 14)
                self.disc(
                    x + self.random.uniform(-24, 24), y + self.random.uniform(-4, 4), radius, colour
                )

    def waves(self, colour: Colour, top: float, number: int = 14) -> None:
        """Short horizontal lines on water below the share `top`."""
        for _ in range(number):
            x = self.random.uniform(0, _CANVAS)
            y = self.random.uniform(top * _CANVAS + 4, _CANVAS)
            self.draw.line((x, y, x + self.random.uniform(10, 40), y), fill=colour, width=2)

    def streaks(self, colour: Colour, number: int, length: float, slant: float) -> None:
        """Rain: thin slanted lines everywhere."""
        for _ in range(number):
            x, y = self.random.uniform(0, _CANVAS), self.random.uniform(0, _CANVAS)
            self.draw.line((x, y, x - slant * length, y + length), fill=colour, width=1)

    def buildings(self, colour: Colour, windows: Colour | None, base: float) -> None:
        """A row of houses up to the share `base`, with lit windows if a colour is given."""
        x = self.random.uniform(-12, 0)
        while x < _CANVAS:
            width, tall = self.random.uniform(18, 38), self.random.uniform(40, 120)
            top, foot = base * _CANVAS - tall, base * _CANVAS
            self.draw.rectangle((x, top, x + width, foot), fill=self.near(colour, 16))
            if windows is not None:
                for row in range(int(top) + 6, int(foot) - 6, 10):
                    for column in range(int(x) + 4, int(x + width) - 5, 8):
                        if self.random.random() < 0.55:
                            self.draw.rectangle((column, row, column + 3, row + 4), fill=windows)
            x += width + self.random.uniform(-1, 4)


def _space(canvas: Canvas) -> None:
    canvas.gradient((8, 8, 26), canvas.random.choice([(10, 10, 30), (45, 15, 70), (10, 30, 60)]))
    canvas.stars(90)
    for _ in range(canvas.random.randint(0, 2)):
        colour = canvas.random.choice([(200, 130, 80), (90, 140, 210), (190, 90, 120)])
        canvas.disc(
            canvas.random.uniform(0, _CANVAS),
            canvas.random.uniform(0, _CANVAS),
            canvas.random.uniform(8, 30),
            colour,
        )


def _night(canvas: Canvas) -> None:
    canvas.gradient((8, 12, 40), (24, 32, 80))
    canvas.stars(50, below=0.7)
    canvas.disc(canvas.random.uniform(25, 165), canvas.random.uniform(20, 60), 14, (240, 236, 205))
    canvas.ground((12, 26, 30), canvas.random.uniform(0.72, 0.85))


def _sunset(canvas: Canvas) -> None:
    canvas.gradient((70, 40, 120), (250, 150, 60))
    horizon = canvas.random.uniform(0.55, 0.7)
    x = canvas.random.uniform(50, 142)
    canvas.disc(x, horizon * _CANVAS - canvas.random.uniform(-6, 26), 20, (255, 220, 110))
    canvas.draw.rectangle((0, horizon * _CANVAS, _CANVAS, _CANVAS), fill=canvas.near((90, 50, 100)))
    for row in range(int(horizon * _CANVAS) + 4, _CANVAS, 8):
        half = canvas.random.uniform(6, 22)
        canvas.draw.line((x - half, row, x + half, row), fill=(250, 180, 90), width=3)


def _sea(canvas: Canvas) -> None:
    canvas.gradient((130, 200, 245), (215, 240, 252))
    canvas.clouds((255, 255, 255), canvas.random.randint(0, 3))
    top = canvas.random.uniform(0.4, 0.6)
    canvas.draw.rectangle((0, top * _CANVAS, _CANVAS, _CANVAS), fill=canvas.near((25, 100, 180)))
    canvas.waves((120, 180, 230), top)


def _underwater(canvas: Canvas) -> None:
    canvas.gradient((40, 150, 200), (8, 40, 110))
    for _ in range(18):
        canvas.disc(
            canvas.random.uniform(0, _CANVAS),
            canvas.random.uniform(0, _CANVAS),
            canvas.random.uniform(1.5, 5),
            (150, 215, 240),
        )
    canvas.ground((200, 180, 120), canvas.random.uniform(0.85, 0.95))
    for _ in range(7):
        x = canvas.random.uniform(0, _CANVAS)
        canvas.draw.line(
            (x, _CANVAS, x + canvas.random.uniform(-10, 10), canvas.random.uniform(130, 170)),
            fill=canvas.near((30, 130, 70)),
            width=5,
        )


def _snow(canvas: Canvas) -> None:
    canvas.gradient((170, 195, 220), (225, 235, 245))
    canvas.trees((60, 100, 90), 0.68, canvas.random.randint(0, 4))
    canvas.ground((245, 248, 252), canvas.random.uniform(0.62, 0.75))
    for _ in range(70):
        canvas.disc(
            canvas.random.uniform(0, _CANVAS), canvas.random.uniform(0, _CANVAS), 2, (255, 255, 255)
        )


def _forest(canvas: Canvas) -> None:
    canvas.gradient((150, 205, 220), (190, 225, 190))
    canvas.ground((60, 120, 50), 0.68)
    canvas.trees((25, 95, 45), 0.74, 12)
    canvas.trees((40, 120, 55), 0.9, 6)


def _autumn(canvas: Canvas) -> None:
    canvas.gradient((190, 205, 215), (240, 220, 180))
    canvas.ground((150, 100, 45), 0.7)
    canvas.trees((210, 110, 30), 0.78, 7, pointed=False)
    canvas.trees((190, 60, 30), 0.86, 4, pointed=False)


def _meadow(canvas: Canvas) -> None:
    canvas.gradient((110, 190, 245), (205, 235, 250))
    canvas.clouds((255, 255, 255), canvas.random.randint(0, 3))
    edge = canvas.ground((90, 170, 60), canvas.random.uniform(0.55, 0.72), roughness=9)
    for _ in range(26):
        colour = canvas.random.choice([(250, 220, 60), (240, 90, 120), (255, 255, 255)])
        canvas.disc(
            canvas.random.uniform(0, _CANVAS),
            canvas.random.uniform(edge + 12, _CANVAS),
            2.5,
            colour,
        )


def _desert(canvas: Canvas) -> None:
    canvas.gradient((120, 190, 240), (250, 225, 170))
    canvas.disc(canvas.random.uniform(20, 170), canvas.random.uniform(20, 50), 14, (255, 240, 150))
    canvas.ground((225, 180, 105), 0.6, roughness=12)
    canvas.ground((205, 155, 85), 0.78, roughness=12)


def _beach(canvas: Canvas) -> None:
    canvas.gradient((110, 195, 245), (210, 240, 250))
    canvas.draw.rectangle((0, 85, _CANVAS, _CANVAS), fill=canvas.near((40, 150, 200)))
    canvas.waves((150, 215, 235), 0.45, 8)
    canvas.ground((240, 215, 150), canvas.random.uniform(0.65, 0.78))


def _mountains(canvas: Canvas) -> None:
    canvas.gradient((140, 195, 240), (220, 235, 248))
    canvas.ridge((110, 125, 150), 0.78, 0.5, snow=True)
    canvas.ridge((80, 100, 110), 0.8, 0.25)
    canvas.ground((85, 135, 75), 0.78)


def _city(canvas: Canvas) -> None:
    canvas.gradient((140, 190, 235), (225, 230, 235))
    canvas.buildings((140, 145, 160), (210, 230, 245), 0.85)
    canvas.draw.rectangle((0, 0.85 * _CANVAS, _CANVAS, _CANVAS), fill=(80, 80, 86))


def _city_night(canvas: Canvas) -> None:
    canvas.gradient((10, 10, 40), (60, 30, 90))
    canvas.stars(25, below=0.4)
    canvas.buildings((26, 26, 52), canvas.random.choice([(255, 220, 110), (240, 90, 200)]), 0.88)
    canvas.draw.rectangle((0, 0.88 * _CANVAS, _CANVAS, _CANVAS), fill=(16, 16, 30))


def _rain(canvas: Canvas) -> None:
    canvas.gradient((85, 100, 120), (140, 155, 170))
    canvas.clouds((70, 80, 95), 5, below=0.25)
    canvas.ground((75, 95, 85), canvas.random.uniform(0.75, 0.9))
    canvas.streaks((185, 205, 225), 110, 16, 0.25)


def _storm(canvas: Canvas) -> None:
    canvas.gradient((30, 32, 55), (80, 80, 105))
    canvas.clouds((48, 50, 70), 7, below=0.3)
    canvas.ground((28, 36, 40), 0.85)
    x, y = canvas.random.uniform(40, 150), 30.0
    while y < 0.85 * _CANVAS:
        following = x + canvas.random.uniform(-22, 22), y + canvas.random.uniform(14, 30)
        canvas.draw.line((x, y, *following), fill=(255, 245, 150), width=4)
        x, y = following


def _fire(canvas: Canvas) -> None:
    canvas.gradient((60, 10, 5), (200, 60, 10))
    for colour, tall in (((230, 70, 10), 110), ((250, 150, 20), 75), ((255, 225, 90), 40)):
        for _ in range(9):
            x, wide = canvas.random.uniform(0, _CANVAS), canvas.random.uniform(14, 30)
            top = _CANVAS - tall * canvas.random.uniform(0.6, 1.2)
            canvas.draw.polygon([(x - wide, _CANVAS), (x, top), (x + wide, _CANVAS)], fill=colour)


def _rainbow(canvas: Canvas) -> None:
    canvas.gradient((120, 190, 245), (215, 235, 250))
    x, y, radius = canvas.random.uniform(60, 130), canvas.random.uniform(130, 170), 105
    bands = [
        (230, 50, 50),
        (245, 150, 40),
        (250, 225, 60),
        (70, 180, 80),
        (60, 110, 220),
        (130, 70, 180),
    ]
    for number, colour in enumerate(bands):
        canvas.disc(x, y, radius - number * 8, colour)
    canvas.disc(x, y, radius - len(bands) * 8, canvas.near((200, 228, 248), 6))
    canvas.ground((95, 170, 70), canvas.random.uniform(0.68, 0.8))


def _sky(canvas: Canvas) -> None:
    canvas.gradient((70, 150, 235), (190, 225, 250))
    canvas.clouds((250, 252, 255), canvas.random.randint(3, 7), below=0.9)


@dataclass(frozen=True)
class Scene:
    """A kind of place: what it is called alone, where a thing is said to be, and its painter."""

    names: tuple[str, ...]
    places: tuple[str, ...]
    paint: Callable[[Canvas], None]


SCENES = (
    Scene(
        ("outer space", "a starry sky", "stars in space"), ("in space", "among the stars"), _space
    ),
    Scene(("night", "the moon at night", "a night sky"), ("at night", "in the moonlight"), _night),
    Scene(
        ("a sunset over the sea", "sunset", "a beautiful sunset", "dusk"),
        ("at sunset", "at dusk"),
        _sunset,
    ),
    Scene(("the sea", "the ocean", "waves of the sea"), ("at sea", "on the ocean"), _sea),
    Scene(("under water", "under the sea"), ("under water", "under the sea"), _underwater),
    Scene(("a snowy landscape", "snow", "winter"), ("in the snow", "in winter"), _snow),
    Scene(("a forest", "many trees", "the woods"), ("in a forest", "in the woods"), _forest),
    Scene(("an autumn forest", "autumn leaves"), ("in autumn",), _autumn),
    Scene(("a meadow", "a green field with flowers"), ("in a meadow", "on the grass"), _meadow),
    Scene(("a desert", "sand dunes"), ("in the desert",), _desert),
    Scene(("a beach", "a beach by the sea"), ("on the beach",), _beach),
    Scene(("mountains", "a mountain landscape"), ("in the mountains",), _mountains),
    Scene(("a city", "a city skyline", "skyscrapers"), ("in the city",), _city),
    Scene(
        ("a city at night", "a neon city", "a cyberpunk city"),
        ("in a city at night", "in a neon city"),
        _city_night,
    ),
    Scene(("rain", "a rainy day"), ("in the rain",), _rain),
    Scene(("a thunderstorm", "lightning"), ("in a storm", "in a thunderstorm"), _storm),
    Scene(("fire", "flames"), ("in the fire", "on fire"), _fire),
    Scene(("a rainbow over a field",), ("under a rainbow",), _rainbow),
    Scene(("a blue sky with clouds", "clouds"), ("in the sky", "in the clouds"), _sky),
)


def paint(scene: Scene, randomness: random.Random) -> npt.NDArray[np.uint8]:
    """Paint one picture of a scene: [64, 64, 3] RGB."""
    canvas = Canvas(Image.new("RGB", (_CANVAS, _CANVAS)), randomness)
    scene.paint(canvas)
    if randomness.random() < 0.5:
        canvas.image = canvas.image.filter(ImageFilter.GaussianBlur(randomness.uniform(0, 3)))
    small = canvas.image.resize((SCENE_SIZE, SCENE_SIZE), Image.Resampling.BOX)
    return np.asarray(small).copy()


def paint_all(each: int, seed: int) -> npt.NDArray[np.uint8]:
    """`each` pictures of every scene: [scenes, each, 64, 64, 3], the same for the same seed."""
    randomness = random.Random(seed)
    return np.stack([[paint(scene, randomness) for _ in range(each)] for scene in SCENES])
