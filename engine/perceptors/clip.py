"""CLIP models through open_clip, from weights that lie on this machine."""

import contextlib
import io
import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import open_clip
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from engine.errors import PerceptorError, quote
from engine.models import file_hash, models_folder, weights_path
from engine.perceptors.dtype import best_dtype
from engine.perceptors.frozen_vit import FrozenViT, can_freeze


class ClipPerceptor:
    """A frozen model of open_clip (Ilharco et al. 2021), asked for as ``architecture/tag``.

    Architectures that open_clip does not know are read from ``architecture.json`` in the models
    folder, in open_clip's own format. A plain vision transformer is folded and frozen
    (`engine.perceptors.frozen_vit`); other towers stay as open_clip has them, in float32.

    Args:
        name: as it is asked for.
        device: where it judges.
        dtype: what a frozen tower is computed in; by default the fastest that the device has.
        random: takes random weights instead of those on this machine, to measure how fast it is.

    Raises:
        PerceptorError: for an unknown architecture, or when the weights are damaged or do not fit.

    """

    # Which kernel makes a matrix product, and so its rounding, depends on the number of its rows.
    alike = False

    def __init__(
        self,
        name: str,
        device: torch.device | str = "cpu",
        dtype: torch.dtype | None = None,
        *,
        random: bool = False,
    ) -> None:
        self.name = name
        path = None if random else weights_path(name)
        self._model = build(name, path)
        with _quiet():
            self._tokenizer = open_clip.get_tokenizer(name.partition("/")[0])
        self.weights_hash = "random" if path is None else file_hash(path)[:16]
        self._device = torch.device(device)
        visual = self._model.visual
        side = visual.image_size
        self.view_size = int(side[0] if isinstance(side, tuple | list) else side)
        mean, deviation = (visual.preprocess_cfg[name] for name in ("mean", "std"))
        self._frozen: FrozenViT | None = None
        if can_freeze(visual):
            chosen = dtype or best_dtype(self._device)
            self._frozen = FrozenViT(visual, mean, deviation, chosen, self._device)
            # Its weights live on in there.
            self._model.visual = None
        self._model.to(self._device)
        self._mean = torch.tensor(mean, device=device)[:, None, None]
        self._deviation = torch.tensor(deviation, device=device)[:, None, None]

    @property
    def dtype(self) -> str:
        """What it is computed in, by torch's name."""
        used = torch.float32 if self._frozen is None else self._frozen.dtype
        return str(used).removeprefix("torch.")

    @torch.no_grad()
    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Texts → ``[n, d]``, unit length, fp32; each is encoded by itself and cut to fit."""
        tokens = [self._tokenizer([text]).to(self._device) for text in texts]
        encoded = torch.cat([self._model.encode_text(token) for token in tokens])
        return F.normalize(encoded.float(), dim=1)

    def encode_views(self, views: torch.Tensor) -> torch.Tensor:
        """Views ``[n, 3, size, size]``, RGB in 0…1 → ``[n, d]``, unit length, differentiable."""
        if self._frozen is not None:
            return F.normalize(self._frozen(views), dim=1)
        encoded = self._model.encode_image((views - self._mean) / self._deviation)
        return F.normalize(encoded.float(), dim=1)

    def layers(self, views: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What each of its stages answers: ``[n, channels, height, width]``, differentiable."""
        if self._frozen is not None:
            return tuple(_in_places(answer).float() for answer in self._frozen.layers(views))
        answers: list[torch.Tensor] = []
        with contextlib.ExitStack() as hooks:
            for stage in _stages(self._model.visual):
                hooks.callback(
                    stage.register_forward_hook(lambda *call: answers.append(call[2])).remove
                )
            self.encode_views(views)
        return tuple(_in_places(answer).float() for answer in answers)


def create(name: str, *, pretrained: bool) -> open_clip.CLIP:
    """The module for ``architecture/tag``, with the activation and colours of that tag.

    The tag's own configuration must be passed on: OpenAI's weights need QuickGELU, which the
    architecture of the same name does not have, and open_clip would only warn.
    """
    architecture, _, tag = name.partition("/")
    published = open_clip.get_pretrained_cfg(architecture, tag)
    return open_clip.create_model(
        architecture,
        pretrained=tag if pretrained else None,
        force_quick_gelu=published.get("quick_gelu", False),
        force_preprocess_cfg={key: published[key] for key in ("mean", "std") if key in published},
    )


def _stages(visual: nn.Module) -> Sequence[nn.Module]:
    """The modules whose answers are the layers of an image tower, in their order."""
    # Those that open_clip takes from timm keep them in a trunk.
    tower = getattr(visual, "trunk", visual)
    if hasattr(tower, "layer1"):
        return [getattr(tower, f"layer{number}") for number in (1, 2, 3, 4)]
    blocks = getattr(tower, "transformer", tower)
    for kind in ("resblocks", "blocks", "stages"):
        if hasattr(blocks, kind):
            return list(getattr(blocks, kind))
    raise PerceptorError(f"The layers of a {type(tower).__name__} are not known.")


def _in_places(answer: torch.Tensor) -> torch.Tensor:
    """Tokens ``[n, class and patches, channels]`` → ``[n, channels, height, width]``.

    A view is square, and so are its patches; what is more than a square are class tokens, which
    come first. The answers of a convolutional network are in their places already.
    """
    if answer.ndim == 4:
        return answer
    side = math.isqrt(answer.shape[1])
    return answer[:, -side * side :].transpose(1, 2).reshape(*answer.shape[::2], side, side)


def build(name: str, path: Path | None) -> open_clip.CLIP:
    """open_clip's module with the weights of a file, or with random ones; raises `PerceptorError`.

    It is in its evaluation mode, and its weights ask for no gradient.
    """
    with _quiet():
        return _build(name, path).eval().requires_grad_(requires_grad=False)


def _build(name: str, path: Path | None) -> open_clip.CLIP:
    architecture = name.partition("/")[0]
    configuration = models_folder() / f"{architecture}.json"
    if configuration.is_file() and architecture not in open_clip.list_models():
        open_clip.add_model_config(configuration)
    if architecture not in open_clip.list_models():
        raise PerceptorError(f"open_clip knows no architecture {quote(architecture)}.")
    model = create(name, pretrained=False)
    if path is None:
        return model
    try:
        model.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise PerceptorError(
            f"The weights of {quote(name)} are damaged or of another architecture; "
            f"bring them again with “pixel models pull {name}”."
        ) from error
    return model


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """open_clip prints and logs that its weights are random; they are replaced at once."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
