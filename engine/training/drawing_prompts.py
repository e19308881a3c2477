"""The hundred prompts by which drawings are judged, written before anything was tuned on them.

Sixty are for tuning. Forty are sealed: they are drawn once, at the end, one seed each.
"""

from __future__ import annotations

import hashlib

_BY_KIND = {
    "object": (
        "a key",
        "an umbrella",
        "a guitar",
        "scissors",
        "a candle",
        "an alarm clock",
        "a book",
        "a light bulb",
        "a sword",
        "a camera",
        "a crown",
        "a bell",
    ),
    "animal": (
        "a cat",
        "a dog",
        "an owl",
        "a frog",
        "a penguin",
        "a whale",
        "a butterfly",
        "an elephant",
        "a turtle",
        "a fox",
        "a rabbit",
        "a snail",
        "a bee",
        "a pig",
        "a crab",
    ),
    "food": (
        "a slice of pizza",
        "a hamburger",
        "an ice cream cone",
        "a banana",
        "a strawberry",
        "a slice of watermelon",
        "a carrot",
        "a cup of coffee",
        "a birthday cake",
        "a doughnut",
        "cherries",
    ),
    "plant": (
        "a cactus",
        "a sunflower",
        "a mushroom",
        "a pine tree",
        "a rose",
        "a four leaf clover",
        "a palm tree",
    ),
    "weather": (
        "a rain cloud",
        "a rainbow",
        "the sun",
        "a snowflake",
        "a lightning bolt",
        "a crescent moon",
    ),
    "scene": (
        "a sunset over the sea",
        "snowy mountains",
        "a forest",
        "a desert",
        "a city at night",
        "a winter landscape",
        "a beach",
        "outer space",
        "a meadow with flowers",
        "a thunderstorm",
    ),
    "building": (
        "a castle",
        "a house with a red roof",
        "a lighthouse",
        "a church",
        "a tent",
        "a factory",
        "a windmill",
    ),
    "face": (
        "a smiling face",
        "an angry face",
        "a crying face",
        "a robot",
        "a skull",
        "a clown",
        "a ghost",
        "an alien",
    ),
    "coloured object": (
        "a red car",
        "a blue bird",
        "a green apple",
        "a pink heart",
        "a yellow star",
        "a purple flower",
        "an orange fish",
        "a brown bear",
        "a blue balloon",
        "a black hat",
        "a green dragon",
        "a white horse",
    ),
    "object in a place": (
        "a rocket in space",
        "a sailboat on the ocean",
        "a snowman in the snow",
        "a bus in the city",
        "an octopus under water",
        "a camel in the desert",
        "a deer in a forest",
        "an airplane in the sky",
        "a cow in a meadow",
        "a wolf at night",
        "a tractor in a field",
        "a house in the mountains",
    ),
}


def _by_hash(prompts: tuple[str, ...]) -> list[str]:
    return sorted(prompts, key=lambda prompt: hashlib.sha256(prompt.encode()).digest())


PROMPTS = tuple(prompt for prompts in _BY_KIND.values() for prompt in prompts)
"""All hundred."""

SEALED = tuple(
    prompt
    for prompts in _BY_KIND.values()
    for prompt in _by_hash(prompts)[: round(0.4 * len(prompts))]
)
"""Two in five of each kind, chosen by hash."""

TUNING = tuple(prompt for prompt in PROMPTS if prompt not in SEALED)
"""The others."""
