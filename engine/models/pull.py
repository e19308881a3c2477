"""Bring a published CLIP model to this machine, through open_clip's own downloader."""

from pathlib import Path

import open_clip

from engine.errors import PerceptorError, quote
from engine.models import check_name, weights_path
from engine.models.keeping import keep_weights
from engine.perceptors.clip import create


def pull(name: str) -> Path:
    """Download the weights of ``architecture/tag`` and keep them as safetensors.

    The download is checked by open_clip against the publisher's hash where there is one; the hash
    of the file that is kept is written beside it. Weights that are here already are kept.

    Raises:
        PerceptorError: for a name that open_clip does not know, or when the download fails.

    """
    check_name(name)
    path = weights_path(name)
    if path.is_file():
        return path
    architecture, _, tag = name.partition("/")
    if (architecture, tag) not in open_clip.list_pretrained():
        known = open_clip.list_pretrained_tags_by_model(architecture)
        hint = f"its tags are {', '.join(known)}" if known else "see open_clip's list of models"
        raise PerceptorError(f"open_clip publishes no weights {quote(name)}; {hint}.")
    try:
        model = create(name, pretrained=True)
    except Exception as error:
        # Every hub, proxy and disk fails in its own way; the cause follows in the sentence.
        raise PerceptorError(f"{quote(name)} could not be downloaded: {error}.") from error
    keep_weights(path, model.state_dict())
    return path
