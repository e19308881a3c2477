"""Training states on disk: written whole or not at all, read without running code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from pathlib import Path


def save(state: dict[str, Any], path: Path) -> None:
    """Save tensors and plain values with `torch.save`, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f"{path.suffix}.part")
    torch.save(state, temporary)
    temporary.replace(path)


def load(path: Path) -> dict[str, Any] | None:
    """The state saved at `path`, on the CPU, or None where there is none yet."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def load_saved(path: Path) -> dict[str, Any]:
    """The state saved at `path`, on the CPU.

    Raises:
        FileNotFoundError: the run has not saved a state yet.

    """
    state = load(path)
    if state is None:
        message = f"There is no training state at {path}."
        raise FileNotFoundError(message)
    return state


class Average:
    """An exponential moving average of a model's weights and statistics (Polyak, 1992).

    It remembers about `1 / (1 - decay)` steps, and fewer in the beginning.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.state = {name: value.detach().clone() for name, value in model.state_dict().items()}
        self._decay = decay

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Continue from the `state` of another average of the same model."""
        for name, value in state.items():
            self.state[name].copy_(value)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the model's weights after `step` steps."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value, 1 - decay)
            else:
                self.state[name].copy_(value)
