"""Bring a published classifier of ImageNet to this machine, from where torchvision publishes it."""

import tempfile
from pathlib import Path

from engine.errors import PerceptorError, quote
from engine.models import check_name, weights_path
from engine.models.keeping import keep_weights
from engine.perceptors.classifier import published


def pull_classifier(name: str) -> Path:
    """Download the weights of ``torchvision/architecture`` and keep them as safetensors.

    torchvision checks the download against the hash that its address ends in, and reads it without
    running code; the hash of the file that is kept is written beside it. Weights that are here
    already are kept.

    Raises:
        PerceptorError: for a name that torchvision does not know, or when the download fails.

    """
    check_name(name)
    path = weights_path(name)
    if path.is_file():
        return path
    weights = published(name.partition("/")[2])
    try:
        with tempfile.TemporaryDirectory() as folder:
            state = weights.get_state_dict(
                model_dir=folder, check_hash=True, weights_only=True, map_location="cpu"
            )
    except Exception as error:
        # Every server, proxy and disk fails in its own way; the cause follows in the sentence.
        raise PerceptorError(f"{quote(name)} could not be downloaded: {error}.") from error
    keep_weights(path, state)
    return path
