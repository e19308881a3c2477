"""Bring a published CLIP model to this machine, through open_clip's own downloader."""

from pathlib import Path

import open_clip
import torch
from safetensors.torch import save_file

from engine.errors import PerceptorError, quote
from engine.models import check_name, file_hash, weights_path
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
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".writing")
    save_file(_unshared(model.state_dict()), temporary)
    temporary.replace(path)
    path.with_suffix(".sha256").write_text(f"{file_hash(path)}  {path.name}\n")
    return path


def _unshared(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors with memory of their own, as safetensors wants them."""
    return {name: tensor.detach().clone().contiguous() for name, tensor in state.items()}
