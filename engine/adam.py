"""Adam with one second moment for a whole grid instead of one for each cell."""

from collections.abc import Iterable

import torch


class GridAdam(torch.optim.Optimizer):
    """Adam (Kingma & Ba 2015) whose step is scaled by block, as in Adam-mini (Zhang et al. 2024).

    Plain Adam moves every cell at the same speed, however little the perceptor cares for it, so
    that all that is not the subject fills with noise in glaring colours. Here the cells of one
    grid share their second moment: those that matter move fast, the others stay quiet.

    Args:
        parameters: tensors; each is one block.
        lr: the step of a cell whose gradient is of the block's root mean square.
        betas: decay of the first and of the second moment.

    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.99),
    ) -> None:
        super().__init__(parameters, {"lr": lr, "betas": betas})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every parameter that has a gradient; there is no closure."""
        del closure
        for group in self.param_groups:
            first, second = group["betas"]
            for parameter in group["params"]:
                state = self.state[parameter]
                if not state:
                    state["step"] = torch.zeros(())
                    state["mean"] = torch.zeros_like(parameter)
                    state["square"] = torch.zeros((), device=parameter.device)
                state["step"] += 1
                state["mean"].lerp_(parameter.grad, 1 - first)
                state["square"].lerp_(parameter.grad.square().mean(), 1 - second)
                steps = state["step"].item()
                scale = (state["square"] / (1 - second**steps)).sqrt() * (1 - first**steps)
                parameter -= group["lr"] * state["mean"] / (scale + 1e-12)
