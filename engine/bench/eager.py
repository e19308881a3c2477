"""open_clip's own module as others run it."""

from collections.abc import Callable

import torch

from engine.perceptors.clip import build


def eager_module(name: str, device: torch.device) -> Callable[[torch.Tensor], torch.Tensor]:
    """What embeds views ``[n, 3, size, size]``, RGB in 0…1, in float32, with random weights."""
    visual = build(name, None).visual.to(device)
    mean, deviation = (
        torch.tensor(visual.preprocess_cfg[each], device=device)[:, None, None]
        for each in ("mean", "std")
    )

    def embed(views: torch.Tensor) -> torch.Tensor:
        embedded: torch.Tensor = visual((views - mean) / deviation)
        return embedded

    return embed
