"""How pulled weights are kept: as safetensors, whole or not at all, with their hash beside them."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file

from engine.models import file_hash


def keep_weights(path: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Write a model's tensors, and the hash of their file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".writing")
    # Each with memory of its own, as safetensors wants them.
    unshared = {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}
    save_file(unshared, temporary)
    temporary.replace(path)
    keep_hash(path)


def keep_hash(path: Path) -> None:
    """Write the SHA-256 of a file that is kept, as ``sha256sum`` does."""
    path.with_suffix(".sha256").write_text(f"{file_hash(path)}  {path.name}\n")
