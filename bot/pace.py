"""How quickly the engine works at present, by what it did lately."""

from collections import deque
from dataclasses import dataclass

from bot.estimate import Costs, Work

# The machine may be busy with something else, or was; older work says nothing of that.
_LATELY_SECONDS = 20.0
# How far the present may be from what was learned before it is not believed.
_FASTEST, _SLOWEST = 0.1, 20.0


@dataclass(frozen=True)
class _Stride:
    work: Work
    steps: int
    began: float
    ended: float


class Pace:
    """Remembers the steps that the engine took, of all that are drawn side by side."""

    def __init__(self) -> None:
        self._strides: deque[_Stride] = deque()

    def add(self, work: Work, steps: int, began: float, ended: float) -> None:
        """Remember that a picture came some steps further, between two moments in seconds."""
        if steps > 0 and ended > began:
            self._strides.append(_Stride(work, steps, began, ended))
            while self._strides[0].ended <= self._since:
                self._strides.popleft()

    def slowness(self, costs: Costs) -> float:
        """How much longer the last steps took than they cost, 0.1…20; 1 before there are any.

        What was done lately is weighed by its costs, and compared with the time in which anything
        was done: neither who was beside whom nor idle hours matter.
        """
        done = 0.0
        busy = 0.0
        until = 0.0
        for stride in sorted(self._strides, key=lambda stride: stride.began):
            began = max(stride.began, self._since)
            share = (stride.ended - began) / (stride.ended - stride.began)
            done += share * stride.steps * costs.of_step(stride.work)
            busy += max(0.0, stride.ended - max(began, until))
            until = max(until, stride.ended)
        return min(_SLOWEST, max(_FASTEST, busy / done)) if done else 1.0

    @property
    def _since(self) -> float:
        return max(stride.ended for stride in self._strides) - _LATELY_SECONDS
