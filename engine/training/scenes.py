"""Places drawn by a small program: a sky, a ground and a few things, never twice the same.

The icon sets show things on nothing. Prompts put them somewhere ("a cat in space"), and ask for
places alone ("a sunset over the sea"); these pictures are both the backgrounds and the examples.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from engine.training import scene_built as built
from engine.training import scene_lands as lands
from engine.training import scene_plants as plants
from engine.training import scene_skies as skies
from engine.training import scene_waters as waters
from engine.training.canvas import SIDE, Canvas

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

SCENE_SIZE = 64  # the canvas is three times as large, and reducing it smooths the edges
_BLURRED = 0.2  # share of the pictures whose edges are softer still


@dataclass(frozen=True)
class Scene:
    """A kind of place: what it is called alone, where a thing is said to be, and its painter."""

    names: tuple[str, ...]
    places: tuple[str, ...]
    paint: Callable[[Canvas], None]


SCENES = (
    Scene(
        ("outer space", "a starry sky", "stars in space"),
        ("in space", "among the stars"),
        skies.space,
    ),
    Scene(
        ("night", "the moon at night", "a night sky"), ("at night", "in the moonlight"), skies.night
    ),
    Scene(
        ("a sunset over the sea", "sunset", "a beautiful sunset", "dusk"),
        ("at sunset", "at dusk"),
        skies.sunset,
    ),
    Scene(("the sea", "the ocean", "waves of the sea"), ("at sea", "on the ocean"), waters.sea),
    Scene(
        ("under water", "under the sea", "the bottom of the sea"),
        ("under water", "under the sea"),
        waters.under_water,
    ),
    Scene(
        ("a snowy landscape", "snow", "winter", "a snowy forest"),
        ("in the snow", "in winter"),
        lands.snow,
    ),
    Scene(("a forest", "many trees", "the woods"), ("in a forest", "in the woods"), plants.forest),
    Scene(
        ("an autumn forest", "autumn leaves", "autumn", "trees in autumn"),
        ("in autumn", "in an autumn forest"),
        plants.autumn,
    ),
    Scene(
        ("a meadow", "a green field with flowers", "a flower meadow"),
        ("in a meadow", "on the grass"),
        plants.meadow,
    ),
    Scene(
        ("a desert", "sand dunes", "a hot desert"), ("in the desert", "in the sand"), lands.desert
    ),
    Scene(
        ("a beach", "a beach by the sea", "a sandy beach"),
        ("on the beach", "at the beach"),
        waters.beach,
    ),
    Scene(
        ("mountains", "a mountain landscape", "snowy mountains"),
        ("in the mountains",),
        lands.mountains,
    ),
    Scene(
        ("a city", "a city skyline", "skyscrapers"), ("in the city", "in a big city"), built.city
    ),
    Scene(
        ("a city at night", "a neon city", "a cyberpunk city"),
        ("in a city at night", "in a neon city"),
        built.city_night,
    ),
    Scene(("rain", "a rainy day", "rainy weather"), ("in the rain", "on a rainy day"), skies.rain),
    Scene(
        ("a thunderstorm", "lightning", "a storm"),
        ("in a storm", "in a thunderstorm"),
        skies.storm,
    ),
    Scene(("fire", "flames", "a burning fire"), ("in the fire", "on fire"), skies.fire),
    Scene(
        ("a rainbow over a field", "a rainbow in the sky", "a rainbow landscape"),
        ("under a rainbow",),
        skies.rainbow,
    ),
    Scene(
        ("a blue sky with clouds", "clouds", "a cloudy sky"),
        ("in the sky", "in the clouds"),
        skies.sky,
    ),
    Scene(
        ("an island", "a tropical island", "an island with palm trees", "a desert island"),
        ("on an island", "on a tropical island"),
        waters.island,
    ),
    Scene(
        ("a waterfall", "a waterfall from a cliff", "a big waterfall"),
        ("at a waterfall", "in front of a waterfall"),
        waters.waterfall,
    ),
    Scene(
        ("a river", "a river in a valley", "a green valley", "a winding river"),
        ("by a river", "in a valley"),
        waters.river,
    ),
    Scene(
        ("a lake", "a mountain lake", "a lake with a reflection", "a calm lake"),
        ("by a lake", "at the lake"),
        waters.lake,
    ),
    Scene(
        ("a harbour", "boats in a harbour", "a harbor", "a port with boats"),
        ("in a harbour", "at the harbor"),
        waters.harbour,
    ),
    Scene(("a swamp", "a murky swamp", "a bog"), ("in a swamp", "in the swamp"), waters.swamp),
    Scene(
        ("a farm", "a farm field", "a field of crops", "the countryside"),
        ("on a farm", "in a field", "in the countryside"),
        plants.farm,
    ),
    Scene(
        ("a road", "a road to the horizon", "a long road", "a highway"),
        ("on a road", "on the highway"),
        lands.road,
    ),
    Scene(
        ("a garden", "a flower garden", "rows of flowers", "a garden full of flowers"),
        ("in a garden", "among flowers"),
        plants.garden,
    ),
    Scene(
        ("cherry blossom", "cherry blossom trees", "a park with pink trees", "spring"),
        ("under cherry blossoms", "in spring", "in a park"),
        plants.cherry_blossom,
    ),
    Scene(
        ("a jungle", "a rainforest", "a tropical jungle"),
        ("in the jungle", "in a rainforest"),
        plants.jungle,
    ),
    Scene(
        ("a foggy forest", "fog", "a misty forest", "mist"),
        ("in the fog", "in a misty forest"),
        plants.foggy_forest,
    ),
    Scene(("a canyon", "red cliffs", "a deep canyon"), ("in a canyon",), lands.canyon),
    Scene(
        ("a volcano with lava", "an erupting volcano", "a volcanic landscape"),
        ("near a volcano", "in front of a volcano"),
        lands.volcano,
    ),
    Scene(
        ("a cave", "a crystal cave", "a cave with crystals", "glowing crystals"),
        ("in a cave", "in a crystal cave"),
        lands.cave,
    ),
    Scene(
        ("northern lights", "the aurora", "northern lights over snow", "the aurora borealis"),
        ("under the northern lights", "under the aurora"),
        skies.northern_lights,
    ),
    Scene(
        ("a sunrise over hills", "sunrise", "morning", "dawn"),
        ("at sunrise", "at dawn"),
        skies.sunrise,
    ),
    Scene(
        ("the surface of the moon", "a moon landscape", "the earth seen from the moon"),
        ("on the moon",),
        skies.moon_surface,
    ),
    Scene(
        ("an alien planet", "an alien landscape", "a strange planet"),
        ("on an alien planet", "on another planet"),
        skies.alien_planet,
    ),
    Scene(
        ("a village", "small houses", "a village of small houses", "a small town"),
        ("in a village", "in a small town"),
        built.village,
    ),
    Scene(
        ("a graveyard", "a graveyard at night", "a spooky graveyard", "a cemetery"),
        ("in a graveyard", "in a cemetery"),
        built.graveyard,
    ),
    Scene(
        ("a room", "a room with a window", "a room at home", "a cozy room"),
        ("in a room", "at home", "indoors"),
        built.room,
    ),
    Scene(
        ("a stage", "a stage with spotlights", "a theatre stage", "a spotlight"),
        ("on stage", "on a stage", "in the spotlight"),
        built.stage,
    ),
)


def paint(scene: Scene, randomness: random.Random) -> npt.NDArray[np.uint8]:
    """Paint one picture of a scene: [64, 64, 3] RGB."""
    canvas = Canvas(Image.new("RGB", (SIDE, SIDE)), randomness)
    scene.paint(canvas)
    image = canvas.image
    if randomness.random() < _BLURRED:
        image = image.filter(ImageFilter.GaussianBlur(randomness.uniform(0.5, 2.5)))
    small = image.resize((SCENE_SIZE, SCENE_SIZE), Image.Resampling.BOX)
    return np.asarray(small).copy()


def paint_all(each: int, seed: int) -> npt.NDArray[np.uint8]:
    """`each` pictures of every scene: [scenes, each, 64, 64, 3], the same for the same seed."""
    randomness = random.Random(seed)
    return np.stack([[paint(scene, randomness) for _ in range(each)] for scene in SCENES])
