"""What is seldom wanted in a picture, by name, and the phrases that say it to a perceptor.

pixray keeps a vector for each of its `vector_prompts`. Here the vector is the mean of what a
perceptor makes of some phrases, so that every perceptor has one of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class VectorPrompt:
    """Something to lead away from.

    Attributes:
        phrases: texts whose vectors' mean says what it is.
        weight: of that vector beside the prompts; negative.

    """

    phrases: tuple[str, ...]
    weight: float


VECTOR_PROMPTS: Mapping[str, VectorPrompt] = {
    # CLIP reads: a picture that has the prompt written on it fits the prompt.
    "textoff": VectorPrompt(
        (
            "text",
            "written words",
            "letters",
            "a sign with words on it",
            "a logo with a name",
            "a caption",
            "handwriting",
            "typography",
        ),
        -1.0,
    ),
}
