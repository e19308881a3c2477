"""The style of a picture: how often what a perceptor's layers see comes together, wherever it is.

Gatys, Ecker & Bethge (2016) take the Gram matrices of VGG's layers. Here they are those of the
perceptor that judges the picture anyway, of many views of it.
"""

from collections.abc import Sequence

import torch

from engine.asks import Answer, Ask, Layers
from engine.cutouts import choose_views, sample
from engine.perceptors import Perceptor
from engine.streams import stream

# Views of the picture whose style is taken.
_VIEWS = 24
# Beside a prompt, whose loss is about 1.
_STYLE = 1.0


def style_ask(
    perceptor: Perceptor, share: float, picture: torch.Tensor, seed: int, *, wraps: bool
) -> Ask:
    """That the picture has the style of another one.

    Args:
        perceptor: whose layers say so.
        share: what that counts beside the other asks.
        picture: ``[4, rows, columns]``, premultiplied RGBA, of the other one.
        seed: of the drawing; its views of the other one are always the same.
        wraps: whether the other one is looked at as a tile.

    """
    judge = Layers(perceptor)
    rows, columns = picture.shape[1:]
    views = choose_views(_VIEWS, columns, rows, stream(seed, "style"), wraps=wraps)
    with torch.no_grad():
        style = grams(judge(sample([picture[None]], [views], judge.view_size)))

    def loss(answer: Answer) -> torch.Tensor:
        assert isinstance(answer, tuple)
        return style_loss(grams(answer), style)

    return Ask(judge, "flat", share, loss)


def grams(layers: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """The Gram matrix ``[channels, channels]`` of each layer, over all views and places.

    Args:
        layers: each ``[n, channels, height, width]``.

    """
    features = [layer.transpose(0, 1).flatten(1) for layer in layers]
    return [feature @ feature.T / feature.shape[1] for feature in features]


def style_loss(found: Sequence[torch.Tensor], wanted: Sequence[torch.Tensor]) -> torch.Tensor:
    """Squared distance of Gram matrices in parts of their squared size, mean of the layers."""
    distances = [
        (one - other).square().sum() / other.square().sum()
        for one, other in zip(found, wanted, strict=True)
    ]
    return _STYLE * torch.stack(distances).mean()
