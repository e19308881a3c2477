"""The first guess: a picture for a prompt in a fraction of a second, before any optimisation."""

from engine.guess.choice import best
from engine.guess.first_guess import FirstGuess

__all__ = ["FirstGuess", "best"]
