"""The canvas on which the scenes are painted, and the brushes that several of them share.

All lengths are in pixels of the canvas, x to the right and y down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

SIDE = 192

Colour = tuple[int, int, int]
Point = tuple[float, float]

WHITE: Colour = (252, 252, 255)
BARK: Colour = (98, 64, 42)
# Top and bottom of a sky by day.
_DAYS: tuple[tuple[Colour, Colour], ...] = (
    ((88, 170, 245), (200, 232, 252)),
    ((60, 150, 235), (165, 220, 250)),
    ((110, 200, 240), (225, 245, 240)),
    ((120, 180, 235), (250, 232, 205)),
)


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """`colour` with `share` (0 to 1) of `other` stirred in."""
    red, green, blue = (
        round(one + (two - one) * share) for one, two in zip(colour, other, strict=True)
    )
    return red, green, blue


def dark(colour: Colour, share: float = 0.25) -> Colour:
    """The colour in shadow, which is bluer and not only blacker."""
    return mix(colour, (20, 16, 60), share)


def light(colour: Colour, share: float = 0.25) -> Colour:
    """The colour in warm light."""
    return mix(colour, (255, 252, 225), share)


def brighter(colour: Colour, factor: float) -> Colour:
    """The same hue with more light; unlike `light` it keeps the dark colours dark."""
    red, green, blue = (min(255, round(channel * factor)) for channel in colour)
    return red, green, blue


@dataclass
class Canvas:
    """An RGB picture of `SIDE` × `SIDE` that is being painted, with its own randomness."""

    image: Image.Image
    random: random.Random

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        """A pen on the present image."""
        return ImageDraw.Draw(self.image)

    def near(self, colour: Colour, spread: int = 14) -> Colour:
        """A colour like this one: mostly its lightness changes, its hue a little."""
        lighter = self.random.randint(-spread, spread)
        hue = spread // 2
        red, green, blue = (
            min(255, max(0, channel + lighter + self.random.randint(-hue, hue)))
            for channel in colour
        )
        return red, green, blue

    def chance(self, share: float) -> bool:
        """True in this share of the calls."""
        return self.random.random() < share

    def spot(self, top: float = 0.0, bottom: float = SIDE) -> Point:
        """A random point between two heights."""
        return self.random.uniform(0, SIDE), self.random.uniform(top, bottom)

    def gradient(
        self, colours: Sequence[Colour], top: float = 0, bottom: float = SIDE, spread: int = 10
    ) -> None:
        """Fill the rows from `top` to `bottom` with a vertical gradient through the colours."""
        stops = np.asarray([self.near(colour, spread) for colour in colours], dtype=np.float64)
        first, last = round(top), round(bottom)
        where = np.linspace(0, len(stops) - 1, last - first)
        channels = [np.interp(where, np.arange(len(stops)), stops[:, c]) for c in range(3)]
        rows = np.stack(channels, axis=1)[:, None]
        band = np.broadcast_to(rows, (last - first, SIDE, 3)).astype(np.uint8)
        self.image.paste(Image.fromarray(band), (0, first))

    def disc(self, x: float, y: float, radius: float, colour: Colour, flat: float = 1.0) -> None:
        """A filled disc, or with `flat` below 1 an ellipse that is lower than wide."""
        tall = radius * flat
        self.draw.ellipse((x - radius, y - tall, x + radius, y + tall), fill=colour)

    def stroke(
        self, points: tuple[Point, Point, Point], colour: Colour, start: float, end: float
    ) -> None:
        """A quadratic Bézier curve whose half width goes from `start` to `end`."""
        (x0, y0), (x1, y1), (x2, y2) = points
        steps = round(math.dist(points[0], points[2]) / 3) + 8
        for step in range(steps + 1):
            t = step / steps
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
            self.disc(
                a * x0 + b * x1 + c * x2,
                a * y0 + b * y1 + c * y2,
                start + (end - start) * t,
                colour,
            )

    def veil(self, points: Sequence[Point], colour: Colour, opacity: float) -> None:
        """A translucent polygon: light, fog or shadow."""
        mask = Image.new("L", (SIDE, SIDE))
        ImageDraw.Draw(mask).polygon(points, fill=round(255 * opacity))
        self.image.paste(colour, mask=mask)

    def glow(self, x: float, y: float, radius: float, colour: Colour, opacity: float = 0.7) -> None:
        """Light around a point, which fades to nothing at the radius."""
        rows, columns = np.mgrid[:SIDE, :SIDE]
        fade = np.clip(1 - np.hypot(columns - x, rows - y) / radius, 0, 1) * opacity
        self.image.paste(colour, mask=Image.fromarray((fade * 255).astype(np.uint8)))

    def ground(self, colour: Colour, edge: float, roughness: float = 6.0) -> None:
        """A ground with a wavy edge around the height `edge`, lit along the edge."""
        phase, length = self.random.uniform(0, 6.3), self.random.uniform(14, 34)
        colour = self.near(colour, 10)
        xs = range(0, SIDE + 6, 6)
        ys = [edge + roughness * math.sin(x / length + phase) for x in xs]
        for drop, shade in ((0, brighter(colour, 1.15)), (7, colour)):
            line = [(float(x), y + drop) for x, y in zip(xs, ys, strict=True)]
            self.draw.polygon([*line, (SIDE, SIDE), (0, SIDE)], fill=shade)
        self.veil([(0, SIDE - 26), (SIDE, SIDE - 26), (SIDE, SIDE), (0, SIDE)], dark(colour), 0.35)

    def day(self, clouds: int = 3, below: float = 70) -> None:
        """A sky by day with up to so many clouds above the height `below`."""
        self.gradient(self.random.choice(_DAYS), 0, 140)
        # The haze at the horizon goes on below it, in case the ground starts lower.
        lowest = self.image.crop((0, 139, SIDE, 140))
        self.image.paste(lowest.resize((SIDE, SIDE - 140)), (0, 140))
        for _ in range(self.random.randint(0, clouds)):
            self.cloud(self.random.uniform(0, SIDE), self.random.uniform(18, below))

    def cloud(self, x: float, y: float, size: float = 1.0, colour: Colour = WHITE) -> None:
        """A heap of discs with a flat, shaded foot."""
        size *= self.random.uniform(0.7, 1.25)
        heap = [
            (x + offset * size, y - self.random.uniform(0, 7) * size, radius * size)
            for offset, radius in ((-26, 8), (-13, 13), (2, 17), (17, 12), (28, 7))
        ]
        for shade, drop in ((mix(colour, (120, 150, 200), 0.3), 4), (colour, 0)):
            for left, top, radius in heap:
                box = (left - radius, top - radius + drop, left + radius, top + radius + drop)
                self.draw.chord(box, 160, 380, fill=shade)

    def stars(self, number: int, below: float = SIDE) -> None:
        """White points above the height `below`, a few of them bright."""
        for _ in range(number):
            radius = self.random.choice((1.2, 1.2, 1.8, 1.8, 3))
            self.disc(*self.spot(bottom=below), radius, self.near((238, 238, 232), 14))

    def moon(self, x: float, y: float, radius: float) -> None:
        """A full moon with spots or a crescent, in a halo."""
        self.glow(x, y, radius * 3, (190, 205, 240), 0.45)
        face = (246, 240, 208)
        if self.chance(0.35):
            rest = self.image.copy()
            self.disc(x, y, radius, face)
            mask = Image.new("L", (SIDE, SIDE))
            left, top = x + radius * 0.5, y - radius * 0.2
            box = (left - radius, top - radius, left + radius, top + radius)
            ImageDraw.Draw(mask).ellipse(box, fill=255)
            self.image.paste(rest, mask=mask)
            return
        self.disc(x, y, radius, face)
        for across, down, share in ((-0.35, -0.25, 0.24), (0.3, 0.15, 0.3), (-0.2, 0.5, 0.16)):
            self.disc(x + across * radius, y + down * radius, share * radius, (220, 212, 178))

    def sun(self, x: float, y: float, radius: float, colour: Colour = (255, 232, 120)) -> None:
        """A bright disc in a wide glow."""
        self.glow(x, y, radius * 3.2, light(colour, 0.2), 0.65)
        self.disc(x, y, radius, colour)

    def planet(self, x: float, y: float, radius: float, colour: Colour, ring: bool) -> None:
        """A ball lit from the upper left, perhaps with a ring around it."""
        self.disc(x, y, radius, dark(colour, 0.45))
        self.disc(x - 0.13 * radius, y - 0.13 * radius, radius * 0.82, colour)
        self.disc(x - 0.28 * radius, y - 0.28 * radius, radius * 0.45, light(colour, 0.3))
        if ring:
            box = (x - radius * 1.8, y - radius * 0.5, x + radius * 1.8, y + radius * 0.5)
            # The far part of the ring is behind the ball.
            self.draw.arc(box, -25, 205, fill=light(colour, 0.6), width=max(4, round(radius / 6)))

    def ridge(self, colour: Colour, foot: float, height: float, snow: bool = False) -> None:
        """A row of mountains on the height `foot`, each with a side in the shadow."""
        x = self.random.uniform(-70, -20)
        while x < SIDE:
            wide = self.random.uniform(80, 140)
            tall = height * self.random.uniform(0.65, 1.1)
            rock = self.near(colour, 8)
            peak = (x + wide * self.random.uniform(0.42, 0.58), foot - tall)
            bend = (peak[0] + wide * 0.06, foot - tall * 0.45)
            fold = (peak[0] - wide * 0.04, foot)
            self.draw.polygon([(x, foot), peak, (x + wide, foot)], fill=rock)
            self.draw.polygon([peak, (x + wide, foot), fold, bend], fill=dark(rock))
            if snow:
                self._snow_cap((x, foot), peak, (x + wide, foot))
            x += wide * self.random.uniform(0.45, 0.75)

    def _snow_cap(self, left: Point, peak: Point, right: Point) -> None:
        share = self.random.uniform(0.28, 0.42)

        def down(corner: Point, far: float) -> Point:
            return (
                peak[0] + (corner[0] - peak[0]) * far,
                peak[1] + (corner[1] - peak[1]) * far,
            )

        middle = (peak[0] + 2, peak[1] + (left[1] - peak[1]) * share * 0.75)
        notch = (down(left, share)[0] * 0.5 + middle[0] * 0.5, down(left, share * 1.05)[1])
        self.draw.polygon([peak, down(left, share), notch, middle], fill=WHITE)
        self.draw.polygon([peak, middle, down(right, share)], fill=(205, 218, 240))

    def fir(self, x: float, foot: float, tall: float, leaf: Colour, snow: bool = False) -> None:
        """A fir of three tiers, its right side in the shadow; perhaps with snow on it."""
        self.draw.rectangle((x - 4, foot - tall * 0.2, x + 4, foot), fill=mix(BARK, leaf, 0.5))
        for level in (2, 1, 0):
            top, half = foot - tall * (1 - 0.24 * level), tall * (0.16 + 0.07 * level)
            base = top + tall * 0.36
            self.draw.polygon([(x - half, base), (x, top), (x + half, base)], fill=leaf)
            self.draw.polygon([(x, base), (x, top), (x + half, base)], fill=dark(leaf, 0.3))
            if snow:
                cap = half * 0.55
                self.draw.polygon(
                    [(x - cap, top + tall * 0.2), (x, top), (x + cap, top + tall * 0.2)],
                    fill=WHITE,
                )

    def tree(self, x: float, foot: float, tall: float, leaf: Colour) -> None:
        """A trunk under a crown of several balls, lit from the upper left."""
        crown, wide = foot - tall * 0.66, tall * 0.3
        self.draw.rectangle((x - tall * 0.06, crown, x + tall * 0.06, foot), fill=BARK)
        balls = [
            (x + across * wide, crown + down * wide, wide * self.random.uniform(0.62, 0.8))
            for across, down in ((-0.65, 0.2), (0.65, 0.2), (0.0, -0.5), (0.0, 0.2))
        ]
        for shift, shade, share in ((0, dark(leaf, 0.3), 1.0), (-0.14, leaf, 0.82)):
            for left, top, radius in balls:
                self.disc(left + shift * wide, top + shift * wide, radius * share, shade)
        self.disc(x - wide * 0.35, crown - wide * 0.6, wide * 0.3, light(leaf))

    def palm(self, x: float, foot: float, tall: float) -> None:
        """A palm with a bent trunk and six hanging fronds."""
        lean = self.random.choice((-1, 1)) * self.random.uniform(0.1, 0.4) * tall
        top = (x + lean, foot - tall)
        trunk = self.near((140, 98, 58), 10)
        self.stroke(((x, foot), (x, foot - tall * 0.6), top), trunk, tall * 0.06, tall * 0.04)
        leaf = self.near((40, 140, 60), 14)
        for across, down, shade in (
            (-0.42, 0.3, dark(leaf)),
            (0.42, 0.3, dark(leaf)),
            (-0.55, 0.02, leaf),
            (0.55, 0.02, leaf),
            (-0.3, -0.22, light(leaf)),
            (0.3, -0.22, light(leaf)),
        ):
            end = (top[0] + across * tall, top[1] + down * tall)
            bend = (top[0] + across * 0.6 * tall, top[1] + (down - 0.28) * tall)
            self.stroke((top, bend, end), shade, tall * 0.065, tall * 0.015)

    def bare_tree(self, x: float, foot: float, tall: float, colour: Colour) -> None:
        """A leafless tree with crooked branches."""
        top = (x + self.random.uniform(-8, 8), foot - tall)
        self.stroke(((x, foot), (x - 4, foot - tall / 2), top), colour, tall * 0.075, 2)
        for share, side in ((0.4, -1), (0.5, 1), (0.68, -1), (0.75, 1)):
            start = (x, foot - tall * share)
            far = tall * self.random.uniform(0.24, 0.4)
            bend = (x + side * far, start[1])
            self.stroke((start, bend, (x + side * far, start[1] - far * 0.7)), colour, 4, 1.8)

    def flower(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Five petals around a middle."""
        for petal in range(5):
            angle = petal * 2 * math.pi / 5 - math.pi / 2
            self.disc(
                x + radius * 0.6 * math.cos(angle),
                y + radius * 0.6 * math.sin(angle),
                radius * 0.5,
                colour,
            )
        self.disc(x, y, radius * 0.4, (250, 205, 60))

    def water(self, colour: Colour, top: float, ripples: int = 12) -> None:
        """Water below the height `top`: darker and with longer ripples towards the viewer."""
        colour = self.near(colour, 10)
        self.gradient((light(colour, 0.3), colour, dark(colour, 0.2)), top, SIDE, spread=0)
        for _ in range(ripples):
            x, y = self.spot(top + 5, SIDE - 4)
            depth = (y - top) / (SIDE - top)
            far = (10 + 34 * depth) * self.random.uniform(0.6, 1.2)
            self.draw.line((x, y, x + far, y), fill=light(colour, 0.5), width=round(3 + 3 * depth))

    def fence(self, foot: float, tall: float, colour: Colour, apart: float = 22) -> None:
        """Posts and two rails across the whole picture."""
        for share in (0.75, 0.35):
            y = foot - tall * share
            self.draw.rectangle((0, y - 3, SIDE, y + 3), fill=dark(colour, 0.15))
        x = self.random.uniform(-apart / 2, apart / 2)
        while x < SIDE:
            self.draw.rectangle((x - 4, foot - tall, x + 4, foot), fill=colour)
            x += apart

    def house(self, x: float, foot: float, size: float, wall: Colour, roof: Colour) -> None:
        """A small house with a gable roof, a door, a window and a chimney."""
        half, eaves = size * 0.5, foot - size * 0.55
        self.draw.rectangle((x + half * 0.4, eaves - size * 0.5, x + half * 0.7, eaves), fill=BARK)
        self.draw.rectangle((x - half, eaves, x + half, foot), fill=wall)
        self.draw.rectangle((x + half * 0.55, eaves, x + half, foot), fill=dark(wall, 0.18))
        gable = [(x - half * 1.25, eaves), (x, eaves - size * 0.5), (x + half * 1.25, eaves)]
        self.draw.polygon(gable, fill=roof)
        self.draw.rectangle((x - half * 0.6, foot - size * 0.36, x - half * 0.2, foot), fill=BARK)
        pane = (x + half * 0.1, foot - size * 0.38, x + half * 0.55, foot - size * 0.16)
        self.draw.rectangle(pane, fill=(255, 228, 130))
