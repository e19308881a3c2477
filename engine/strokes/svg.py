"""Strokes as an SVG, which shows what was drawn at any size."""

from collections.abc import Iterable, Sequence

import torch

from engine.strokes.curves import Strokes


def to_svg(
    strokes: Strokes, canvas: tuple[int, int], paper: Sequence[float], size: tuple[int, int]
) -> str:
    """An SVG document that shows strokes on opaque paper.

    Args:
        strokes: on the canvas.
        canvas: its width and height in pixels.
        paper: RGB in 0…1.
        size: width and height in pixels at which the document is shown by default; where its shape
            is another, the picture is stretched.

    """
    shown = f'width="{size[0]}" height="{size[1]}" viewBox="0 0 {canvas[0]} {canvas[1]}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {shown} preserveAspectRatio="none">',
        f'<rect width="100%" height="100%" fill="{_colour(paper)}"/>',
        '<g fill="none" stroke-linecap="round" stroke-linejoin="round">',
    ]
    parts += [
        f'<path d="{_path(points)}" stroke="{_colour(colour)}" stroke-opacity="{colour[3]:.3f}" '
        f'stroke-width="{width:.2f}"/>'
        for points, width, colour in zip(
            _numbers(strokes.points),
            _numbers(strokes.widths),
            _numbers(strokes.colours),
            strict=True,
        )
    ]
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _numbers(tensor: torch.Tensor) -> list:  # type: ignore[type-arg] # nested as the tensor is
    return tensor.detach().tolist()


def _path(points: Iterable[Sequence[float]]) -> str:
    first, *rest = (f"{x:.2f} {y:.2f}" for x, y in points)
    return f"M{first}C{' '.join(rest)}"


def _colour(colour: Sequence[float]) -> str:
    red, green, blue = (round(255 * share) for share in colour[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"
