"""Bring a published VQGAN to this machine, and keep of it what draws."""

from pathlib import Path

import torch

from engine.errors import EngineError, quote
from engine.files import write_atomically
from engine.models.download import download
from engine.models.keeping import keep_hash
from engine.models.lightning import read_checkpoint
from engine.models.vqgans import PUBLISHED, Published, vqgan_path
from engine.vqgan import Autoencoder, fill, pack

# Left out: the discriminator and the perceptual loss of the training, its optimisers, and the
# transformer of those that have one, whose VQGAN is its first stage.
_PARTS = ("encoder.", "decoder.", "quantize.", "quant_conv.", "post_quant_conv.")
_FIRST_STAGE = "first_stage_model."


def pull_vqgan(name: str) -> Path:
    """Download a published VQGAN and keep it as safetensors; the file.

    The download is checked against its hash where that is known. The hash of the file that is kept
    is written beside it, and every later reading is checked against that. Weights that are here
    already are kept.

    Raises:
        EngineError: for an unknown name, or when the download fails or is not what it should be.

    """
    if name not in PUBLISHED:
        raise EngineError(
            f"There is no model {quote(name)} to pull; allowed are {', '.join(PUBLISHED)}, "
            "names of open_clip such as “ViT-B-32/openai”, and classifiers such as "
            "“torchvision/resnet50”."
        )
    published, path = PUBLISHED[name], vqgan_path(name)
    if path.is_file() and path.with_suffix(".sha256").is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = path.with_suffix(".download")
    try:
        digest = download(published.url, checkpoint, published.sha256)
        content = _converted(name, published, checkpoint, digest)
    finally:
        checkpoint.unlink(missing_ok=True)
    write_atomically(path, content)
    keep_hash(path)
    return path


def _converted(name: str, published: Published, checkpoint: Path, digest: str) -> bytes:
    """The file that is kept of a checkpoint: it also says what it was made of."""
    state = read_checkpoint(checkpoint, _draws)
    state = {key.removeprefix(_FIRST_STAGE): value for key, value in state.items()}
    with torch.device("meta"):
        model = Autoencoder(published.shape)
    try:
        fill(model, state)
    except RuntimeError as error:
        raise EngineError(
            f"What came for {quote(name)} is not the VQGAN that was expected: its networks have "
            "other sizes."
        ) from error
    notes = {"source": published.url, "source_sha256": digest, "licence": published.licence}
    return pack(model, torch.float32, notes)


def _draws(name: str) -> bool:
    """Whether a tensor of this name is needed for drawing."""
    return name.removeprefix(_FIRST_STAGE).startswith(_PARTS)
