"""Where strokes begin: at random, or along the lines of a picture."""

import math

import torch
import torch.nn.functional as F

# A traced stroke looks this far around itself for its direction, as a share of the height.
_SMOOTHING = 0.015


def random_points(
    count: int, curves: int, length: float, size: tuple[int, int], generator: torch.Generator
) -> torch.Tensor:
    """Strokes that wander from places all over the canvas (CLIPDraw, Frans et al. 2021).

    Args:
        count: how many strokes.
        curves: how many Bézier curves each has.
        length: about the length of a curve, in pixels.
        size: width and height of the canvas, in pixels.
        generator: the job's own stream.

    Returns:
        ``[count, 3 · curves + 1, 2]``, as `engine.strokes.Strokes` has them.

    """
    begin = torch.rand(count, 1, 2, generator=generator) * torch.tensor(size)
    angle = 2 * math.pi * torch.rand(count, 1, generator=generator)
    turns = (torch.rand(count, 3 * curves, generator=generator) - 0.5) * (math.pi / 2)
    steps = _unit(angle + turns.cumsum(1)) * (length / 3)
    path = torch.cat([begin, begin + steps.cumsum(1)], 1)
    return path + (begin - path.mean(1, keepdim=True))


def traced_points(
    field: torch.Tensor, begin: torch.Tensor, curves: int, length: float
) -> torch.Tensor:
    """Strokes that follow the lines of a picture, as a painter's would (Hertzmann 1998).

    Args:
        field: of the picture, as `directions` gives it.
        begin: ``[count, 2]``: x and y of a point of each stroke, in pixels.
        curves: how many Bézier curves each has.
        length: of a curve, in pixels.

    Returns:
        ``[count, 3 · curves + 1, 2]``, as `engine.strokes.Strokes` has them.

    """
    forwards = (3 * curves + 1) // 2
    first = looked_up(field, begin)
    ahead = _walk(field, begin, first, forwards, length / 3)
    behind = _walk(field, begin, -first, 3 * curves - forwards, length / 3)
    return torch.stack([*reversed(behind), begin, *ahead], 1)


def directions(picture: torch.Tensor) -> torch.Tensor:
    """Along what a picture ``[channels, height, width]`` changes least at each pixel.

    Returns:
        Unit vectors ``[2, height, width]``: x and y.

    """
    xx, yy, xy = _tensor(picture)
    return _unit(torch.atan2(2 * xy, xx - yy) / 2 + math.pi / 2).movedim(2, 0)


def edges(picture: torch.Tensor) -> torch.Tensor:
    """How much a picture ``[channels, height, width]`` changes: ``[height, width]``, 0 or more."""
    return _tensor(picture)[:2].sum(0).sqrt()


def looked_up(field: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """What a field ``[n, height, width]`` holds at pixels ``[count, 2]``: ``[count, n]``."""
    _, height, width = field.shape
    x, y = places.floor().long().unbind(1)
    return field[:, y.clamp(0, height - 1), x.clamp(0, width - 1)].T


def _walk(
    field: torch.Tensor, place: torch.Tensor, heading: torch.Tensor, steps: int, step: float
) -> list[torch.Tensor]:
    """The points ``[count, 2]`` after each step along a field, turning as little as it allows."""
    path = []
    for _ in range(steps):
        found = looked_up(field, place)
        heading = torch.where((found * heading).sum(1, keepdim=True) < 0, -found, found)
        place = place + step * heading
        path.append(place)
    return path


def _tensor(picture: torch.Tensor) -> torch.Tensor:
    """The structure tensor ``[xx, yy, xy]`` of a picture, smoothed: ``[3, height, width]``."""
    spread = max(1.0, _SMOOTHING * picture.shape[1])
    smooth = _blurred(picture, spread)
    across = F.pad(smooth, (1, 1, 0, 0), mode="replicate").diff(dim=2)
    across = (across[:, :, 1:] + across[:, :, :-1]) / 2
    down = F.pad(smooth, (0, 0, 1, 1), mode="replicate").diff(dim=1)
    down = (down[:, 1:] + down[:, :-1]) / 2
    products = torch.stack([across.square(), down.square(), across * down])
    return _blurred(products.sum(1), spread)


def _blurred(picture: torch.Tensor, spread: float) -> torch.Tensor:
    """A Gaussian blur of ``[channels, height, width]``; `spread` is in pixels."""
    reach = math.ceil(3 * spread)
    offsets = torch.arange(-reach, reach + 1, device=picture.device)
    weights = torch.exp(-((offsets / spread) ** 2) / 2)
    weights = weights / weights.sum()
    across = F.pad(picture, (reach, reach, 0, 0), mode="replicate")
    picture = (across.unfold(2, 2 * reach + 1, 1) * weights).sum(3)
    down = F.pad(picture, (0, 0, reach, reach), mode="replicate")
    return (down.unfold(1, 2 * reach + 1, 1) * weights).sum(3)


def _unit(angles: torch.Tensor) -> torch.Tensor:
    """Unit vectors ``[..., 2]`` of angles ``[...]``."""
    return torch.stack([angles.cos(), angles.sin()], -1)
