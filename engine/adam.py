"""Adam and two of its variants, for each number or with one second moment for a whole grid.

They do not derive from `torch.optim.Optimizer`: the first one that a process makes imports torch's
compiler, which takes longer than a small drawing.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

RULES = ("adam", "adamw", "radam")

# How much of its way from where it began a parameter loses in a step, times its rate.
WEIGHT_DECAY = 0.05

_TINY = 1e-12
# With fewer numbers in its average than this, RAdam takes a second moment for unknown; its authors'
# code has 5 where the paper has 4.
_TRUSTED = 5


@dataclass(frozen=True)
class Group:
    """Parameters that move at one rate.

    Attributes:
        parameters: leaves that get a gradient.
        rate: the step of a number whose gradient is as large as it usually is.

    """

    # It is part of a `Pace`.
    HOST_ONLY: ClassVar[frozenset[str]] = frozenset({"rate"})

    parameters: Sequence[torch.Tensor]
    rate: float


@dataclass(frozen=True)
class Pace:
    """What changes of the rules from one step to the next, worked out on the host.

    Attributes:
        trusted: whether the second moment is known well enough to be used.
        moves: ``[groups]``, how far a number moves whose gradient is as large as it usually is.
        decays: ``[groups]``, how much of its way a number loses.
        corrections: ``[2]``, what the first and the second moment are too small by.

    """

    trusted: bool
    moves: torch.Tensor
    decays: torch.Tensor
    corrections: torch.Tensor


class Adam:
    """Adam (Kingma & Ba 2015) with bias correction, or one of its variants.

    AdamW (Loshchilov & Hutter 2019) takes the weight decay out of the gradient. The parameters of a
    drawing begin at a picture and not at zero, so they decay towards where they began (L2-SP, Li
    et al. 2018): what nothing asks for is taken back. RAdam (Liu et al. 2020) waits with the second
    moment until it is known well enough, and then trusts it more and more.

    Args:
        groups: what moves how fast.
        rule: one of `RULES`.
        betas: decay of the first and of the second moment.

    """

    # How many steps were taken is no part of what is worked out on a device.
    HOST_ONLY = frozenset({"_steps"})

    def __init__(
        self,
        groups: Iterable[Group],
        rule: str = "adam",
        betas: tuple[float, float] = (0.9, 0.99),
    ) -> None:
        if rule not in RULES:
            raise ValueError(f"there is no optimiser {rule!r}")
        self._groups, self._rule, self._betas, self._steps = tuple(groups), rule, betas, 0
        parameters = [parameter for group in self._groups for parameter in group.parameters]
        self._mean = [torch.zeros_like(parameter) for parameter in parameters]
        self._square = [torch.zeros_like(self._squared(mean)) for mean in self._mean]
        kept = parameters if rule == "adamw" else []
        self._begun = [parameter.detach().clone() for parameter in kept]

    def step(self, factor: float = 1.0) -> None:
        """Move every parameter by its gradient, and forget the gradients.

        Args:
            factor: of all rates in this step.

        """
        self.move(self.pace(factor))
        self.count()

    def pace(self, factor: float = 1.0) -> Pace:
        """What the next step takes from the host, whose rates are multiplied by a factor."""
        first, second = self._betas
        steps = self._steps + 1
        trust = _rectification(second, steps) if self._rule == "radam" else 1.0
        rates = [group.rate * factor for group in self._groups]
        return Pace(
            trusted=trust > 0,
            moves=torch.tensor([rate * (trust or 1.0) for rate in rates]),
            decays=torch.tensor([rate * WEIGHT_DECAY for rate in rates]),
            corrections=torch.tensor([1 - first**steps, 1 - second**steps]),
        )

    def count(self) -> None:
        """Note that a step has been taken."""
        self._steps += 1

    @torch.no_grad()
    def move(self, pace: Pace) -> None:
        """The part of a step that is worked out where the parameters are."""
        first, second = self._betas
        paces = zip(self._groups, pace.moves, pace.decays, strict=True)
        rates = [(p, move, decay) for group, move, decay in paces for p in group.parameters]
        for number, (parameter, move, decay) in enumerate(rates):
            mean, square = self._mean[number], self._square[number]
            gradient = parameter.grad
            if gradient is None:
                continue
            mean.lerp_(gradient, 1 - first)
            square.lerp_(self._squared(gradient), 1 - second)
            if self._begun:
                parameter.lerp_(self._begun[number], decay)
            if pace.trusted:
                scale = (square / pace.corrections[1]).sqrt() * pace.corrections[0]
                parameter -= move * mean / (scale + _TINY)
            else:
                parameter -= move * mean / pace.corrections[0]
        self.zero_grad()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for group in self._groups:
            for parameter in group.parameters:
                parameter.grad = None

    def state(self) -> dict[str, torch.Tensor]:
        """Everything that the next step depends on besides the parameters, by name."""
        state = {"steps": torch.tensor(self._steps)}
        state |= {f"mean.{number}": mean for number, mean in enumerate(self._mean)}
        state |= {f"square.{number}": square for number, square in enumerate(self._square)}
        return state | {f"begun.{number}": begun for number, begun in enumerate(self._begun)}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from what `state` gave; raises `KeyError` for one of other parameters."""
        self._steps = int(state["steps"])
        for number, (mean, square) in enumerate(zip(self._mean, self._square, strict=True)):
            mean.copy_(state[f"mean.{number}"])
            square.copy_(state[f"square.{number}"])
        for number, begun in enumerate(self._begun):
            begun.copy_(state[f"begun.{number}"])

    def _squared(self, gradient: torch.Tensor) -> torch.Tensor:
        return gradient.square()


class GridAdam(Adam):
    """Adam whose step is scaled by block, as in Adam-mini (Zhang et al. 2024).

    Plain Adam moves every cell at the same speed, however little the perceptor cares for it, so
    that all that is not the subject fills with noise in glaring colours. Here the cells of one
    grid share their second moment: those that matter move fast, the others stay quiet.
    """

    def _squared(self, gradient: torch.Tensor) -> torch.Tensor:
        return gradient.square().mean()


def _rectification(second: float, steps: int) -> float:
    """How far RAdam trusts a second moment after so many steps, 0…1; 0 while it is unknown.

    Args:
        second: decay of the second moment.
        steps: how many gradients are in it.

    """
    longest = 2 / (1 - second) - 1
    length = longest - 2 * steps * second**steps / (1 - second**steps)
    if length <= _TRUSTED:
        return 0.0
    return math.sqrt(
        (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
    )
