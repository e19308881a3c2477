"""What happens in a run: everything that chance decides is decided here, from one seed."""

import random
from dataclasses import dataclass
from typing import Literal

# What a full disk, a locked database and a frozen engine are to a run of a certain size.
_KILLS_A_TROUBLE = 20
_ENGINES_SHARE = 5 / 7
_FIRST_WISHES = 8
# By the last blow so many of the jobs have ended.
_STORM_SHARE = 0.85
_GROUP = 4

# Shorter and longer than the five seconds for which the bot waits for a lock.
_LASTS = {"fill disk": (1, 5), "lock database": (2, 7)}

Kind = Literal[
    "kill engine",
    "kill bot",
    "freeze engine",
    "freeze engine and kill bot",
    "fill disk",
    "lock database",
]


@dataclass(frozen=True)
class Recipe:
    """A drawing that costs little.

    Attributes:
        words: what is typed as the prompt, with settings in it.
        drawer: which of them draws.
        seed: as typed.
        starts_from_picture: whether a picture is attached to start from.

    """

    words: str
    drawer: str
    seed: int
    starts_from_picture: bool = False


@dataclass(frozen=True)
class Wish:
    """A picture that somebody asks for; nobody asks for the same twice.

    Attributes:
        person: their number.
        channel: the number of the channel where they ask.
        cancel_after: seconds after which they want it stopped, or None.
        meddler: the number of somebody else who tries to stop it, or None.

    """

    person: int
    channel: int
    recipe: Recipe
    cancel_after: float | None = None
    meddler: int | None = None


@dataclass(frozen=True)
class Blow:
    """Something that is done to the bot.

    Attributes:
        ended: how many jobs have ended before it, or None if it strikes at once, maybe while
            something is still starting from the last blow.
        pause: seconds before it.
        while_sending: whether the bot is killed while it sends a new message.
        seconds: how long it lasts, for a full disk and a locked database.

    """

    kind: Kind
    ended: int | None
    pause: float
    seconds: float = 0.0
    while_sending: bool = False


@dataclass(frozen=True)
class Plan:
    """A run.

    Attributes:
        wishes: in the order in which they are made.
        groups: how many times somebody asks for four variations of a finished picture.
        blows: in their order.
        wished_before: for each blow how many wishes have been made by then.

    """

    jobs: int
    wishes: tuple[Wish, ...]
    groups: int
    blows: tuple[Blow, ...]

    def wished_before(self, blow: int) -> int:
        """How many wishes have been made before a blow; all of them before the last one.

        Before the first one wishes have been made already (-1).
        """
        share = (blow + 1) / len(self.blows)
        return min(len(self.wishes), _FIRST_WISHES + round(share * len(self.wishes)))


def make_plan(*, jobs: int, kills: int, people: int, channels: int, seed: int) -> Plan:
    """A run of so many jobs and kills.

    Raises:
        ValueError: when there are fewer jobs than a group has.

    """
    if jobs < _GROUP + 1 or kills < 1:
        raise ValueError(f"a run takes at least {_GROUP + 1} jobs and 1 kill")
    chance = random.Random(seed)
    groups = max(1, jobs // 60)
    recipes = _recipes(chance, max(6, jobs // 8))
    pairs = [(person, recipe) for person in range(people) for recipe in recipes]
    wishes = tuple(
        _wish(chance, number, person, recipe, people, channels)
        for number, (person, recipe) in enumerate(
            chance.sample(pairs, jobs - groups * _GROUP), start=1
        )
    )
    return Plan(jobs, wishes, groups, _blows(chance, kills, jobs))


def _recipes(chance: random.Random, count: int) -> list[Recipe]:
    things = ["a red apple", "a lighthouse at dusk", "a fox", "@everyone look", "a <@1001> boat"]
    # Each drawer is there in a short run too; vqgan takes longer than all others.
    drawers = ["pixel", "fft", "line_sketch", "pixel", "clipdraw", "pixel"]
    return [
        Recipe(
            f"{things[n % len(things)]} --size 32x32 --num-cuts 2",
            drawers[n % len(drawers)],
            chance.randrange(2**31),
            starts_from_picture=n == 3,
        )
        for n in range(count)
    ]


def _wish(
    chance: random.Random, number: int, person: int, recipe: Recipe, people: int, channels: int
) -> Wish:
    others = [other for other in range(people) if other != person]
    return Wish(
        person,
        chance.randrange(channels),
        recipe,
        cancel_after=chance.uniform(0, 2) if number % 9 == 5 else None,
        meddler=chance.choice(others) if number % 9 == 7 else None,
    )


def _blows(chance: random.Random, kills: int, jobs: int) -> tuple[Blow, ...]:
    engines = round(kills * _ENGINES_SHARE)
    troubles = -(-kills // _KILLS_A_TROUBLE)
    frozen = min(kills - engines, troubles)
    kinds: list[Kind] = ["kill engine"] * engines + ["kill bot"] * (kills - engines - frozen)
    kinds += ["freeze engine and kill bot"] * frozen
    for _ in range(troubles):
        kinds += ["freeze engine", "fill disk", "lock database"]
    chance.shuffle(kinds)
    return tuple(
        Blow(
            kind,
            # Spread over all jobs: whoever is killed again and again gets nothing done.
            ended=round(_STORM_SHARE * jobs * n / len(kinds)) if chance.random() < 0.75 else None,
            pause=chance.uniform(0, 1.5),
            seconds=chance.uniform(*_LASTS.get(kind, (0, 0))),
            while_sending=kind == "kill bot" and chance.random() < 0.75,
        )
        for n, kind in enumerate(kinds)
    )
