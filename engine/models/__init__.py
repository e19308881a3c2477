"""Weights by name: where they lie on this machine, and how they are brought here.

The small models ship beside this file. Published CLIP models are brought by ``pixel models pull``
and kept as safetensors in the models folder, each with the SHA-256 that it had when it came;
nothing else ever downloads.
"""

import hashlib
import os
from pathlib import Path

SHIPPED = Path(__file__).parent


def models_folder() -> Path:
    """Where pulled weights are kept: ``$PIXEL_MODELS``, else below the user's cache folder."""
    named = os.environ.get("PIXEL_MODELS")
    if named:
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "pixel-bot" / "models"


def weights_path(name: str) -> Path:
    """Where the weights of ``architecture/tag`` lie once they are pulled."""
    architecture, _, tag = name.partition("/")
    return models_folder() / f"{architecture}--{tag}.safetensors"


def is_at_hand(name: str) -> bool:
    """Whether the weights of ``architecture/tag`` are on this machine."""
    return weights_path(name).is_file()


def file_hash(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
