"""When a picture's score no longer rises, so that further steps would only cost time."""

import torch

# Of this many steps, and of a quarter of all steps if that is more, a mean is steady enough: the
# score of a single step's views is off by more than all steps of the second half add.
LEAST_STEPS = 20
# What the mean score must have risen by, from one such span to the next, for it to go on.
RISE = 0.008


class Flatness:
    """Compares the mean score of the last steps with that of as many before them.

    Args:
        iterations: how many steps the whole drawing takes; no score is flat in the first half.

    """

    def __init__(self, iterations: int) -> None:
        self._span = max(LEAST_STEPS, -(-iterations // 4))
        self._scores: list[float] = []

    @property
    def flat(self) -> bool:
        """Whether the score has stopped to rise; never where there is no score (NaN)."""
        if len(self._scores) < 2 * self._span:
            return False
        before, last = self._scores[: self._span], self._scores[self._span :]
        return sum(last) - sum(before) < RISE * self._span

    def add(self, score: float) -> None:
        """Hear the score of one more step, −1…1."""
        self._scores = [*self._scores[1 - 2 * self._span :], score]

    def state(self) -> torch.Tensor:
        """What `flat` depends on: the last scores."""
        return torch.tensor(self._scores, dtype=torch.float64)

    def restore(self, state: torch.Tensor) -> None:
        """Go on from what `state` gave."""
        self._scores = state.tolist()
