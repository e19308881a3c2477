"""Adam, and Adam with one second moment for a whole grid instead of one for each cell.

They do not derive from `torch.optim.Optimizer`: the first one that a process makes imports torch's
compiler, which takes longer than a small drawing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

_TINY = 1e-12


@dataclass(frozen=True)
class Group:
    """Parameters that move at one rate.

    Attributes:
        parameters: leaves that get a gradient.
        rate: the step of a number whose gradient is as large as it usually is.

    """

    parameters: Sequence[torch.Tensor]
    rate: float


class Adam:
    """Adam (Kingma & Ba 2015) with bias correction.

    Args:
        groups: what moves how fast.
        betas: decay of the first and of the second moment.

    """

    def __init__(self, groups: Iterable[Group], betas: tuple[float, float] = (0.9, 0.99)) -> None:
        self._groups, self._betas, self._steps = tuple(groups), betas, 0
        parameters = [parameter for group in self._groups for parameter in group.parameters]
        self._mean = [torch.zeros_like(parameter) for parameter in parameters]
        self._square = [torch.zeros_like(self._squared(mean)) for mean in self._mean]

    @torch.no_grad()
    def step(self, factor: float = 1.0) -> None:
        """Move every parameter by its gradient, and forget the gradients.

        Args:
            factor: of all rates in this step.

        """
        first, second = self._betas
        self._steps += 1
        moments = zip(self._mean, self._square, strict=True)
        for group in self._groups:
            for parameter in group.parameters:
                mean, square = next(moments)
                gradient = parameter.grad
                if gradient is None:
                    continue
                mean.lerp_(gradient, 1 - first)
                square.lerp_(self._squared(gradient), 1 - second)
                scale = (square / (1 - second**self._steps)).sqrt() * (1 - first**self._steps)
                parameter -= group.rate * factor * mean / (scale + _TINY)
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
        return state | {f"square.{number}": square for number, square in enumerate(self._square)}

    def restore(self, state: Mapping[str, torch.Tensor]) -> None:
        """Go on from what `state` gave; raises `KeyError` for one of other parameters."""
        self._steps = int(state["steps"])
        for number, (mean, square) in enumerate(zip(self._mean, self._square, strict=True)):
            mean.copy_(state[f"mean.{number}"])
            square.copy_(state[f"square.{number}"])

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
