"""Weights by name: where they lie on this machine, and how they are brought here.

The small models ship beside this file. Published models are brought by ``pixel models pull`` and
kept as safetensors in the models folder, each with the SHA-256 that it had when it came; nothing
else ever downloads.
"""

import hashlib
import os
import re
from pathlib import Path

from engine.errors import PerceptorError, quote

SHIPPED = Path(__file__).parent
# Classifiers are named ``torchvision/architecture``.
TORCHVISION = "torchvision"

# A name becomes a file name, so it is checked before anything is looked up.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


def check_name(name: str) -> None:
    """Refuse what is not of the form ``architecture/tag``; raises `PerceptorError`."""
    if not _NAME.fullmatch(name):
        raise PerceptorError(
            f"There is no perceptor {quote(name)}; allowed are “pixelclip” and names of "
            "open_clip such as “ViT-B-32/openai”."
        )


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


def classifiers_at_hand() -> tuple[str, ...]:
    """The names of the classifiers whose weights are on this machine, in the alphabet's order."""
    names = (path.stem for path in models_folder().glob(f"{TORCHVISION}--*.safetensors"))
    return tuple(sorted(name.replace("--", "/", 1) for name in names))


def file_hash(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
