"""Classifiers of ImageNet through torchvision, from weights that lie on this machine."""

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from torchvision import models

from engine.errors import PerceptorError, quote
from engine.models import file_hash, weights_path

# Their branches for training are in the published weights and would have to be built as well.
_WITH_BRANCHES = frozenset({"googlenet", "inception_v3"})


class Classifier:
    """A frozen network of torchvision, asked for as ``torchvision/architecture``.

    Raises:
        PerceptorError: for an unknown architecture, or when the weights are damaged or do not fit.

    """

    alike = False

    def __init__(self, name: str, device: torch.device | str = "cpu") -> None:
        self.name = name
        architecture = name.partition("/")[2]
        seen = published(architecture).transforms()
        self._model = _build(name, architecture).to(device)
        self.weights_hash = file_hash(weights_path(name))[:16]
        self.view_size = int(seen.crop_size[0])
        self._mean = torch.tensor(seen.mean, device=device)[:, None, None]
        self._deviation = torch.tensor(seen.std, device=device)[:, None, None]

    def __call__(self, views: torch.Tensor) -> torch.Tensor:
        """Views ``[n, 3, size, size]``, RGB in 0…1 → ``[n, 1000]``: log probabilities."""
        logits = self._model((views - self._mean) / self._deviation)
        return F.log_softmax(logits.float(), dim=1)


def published(architecture: str) -> models.WeightsEnum:
    """What torchvision publishes of an architecture; raises `PerceptorError` if nothing."""
    known = set(models.list_models(module=models)) - _WITH_BRANCHES
    if architecture not in known:
        raise PerceptorError(
            f"torchvision publishes no classifier {quote(architecture)} that can be used here; "
            "allowed are resnet50, mobilenet_v3_large, vgg19 and others of its list."
        )
    weights: models.WeightsEnum = models.get_model_weights(architecture)["DEFAULT"]
    return weights


def _build(name: str, architecture: str) -> nn.Module:
    model: nn.Module = models.get_model(architecture, weights=None)
    try:
        model.load_state_dict(load_file(weights_path(name)))
    except (SafetensorError, RuntimeError) as error:
        raise PerceptorError(
            f"The weights of {quote(name)} are damaged or of another architecture; "
            f"bring them again with “pixel models pull {name}”."
        ) from error
    return model.eval().requires_grad_(requires_grad=False)
