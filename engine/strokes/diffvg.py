"""The same strokes drawn by diffvg (Li et al. 2020), which must be compiled by hand: untried here.

Nothing in this project depends on it. It is there to compare with, where it can be imported.
"""

import torch

from engine.errors import EngineError
from engine.strokes.curves import Strokes

_SAMPLES = 2


def render(strokes: Strokes, width: int, height: int) -> torch.Tensor:
    """As `engine.strokes.raster.render`, but for the tolerance, which diffvg chooses itself.

    Raises:
        EngineError: pydiffvg cannot be imported.

    """
    try:
        import pydiffvg
    except ImportError as error:
        raise EngineError("Strokes were asked of diffvg, and pydiffvg is not installed.") from error
    curves = (strokes.points.shape[1] - 1) // 3
    shapes, groups = [], []
    for number, (points, thick) in enumerate(zip(strokes.points, strokes.widths, strict=True)):
        shapes.append(
            pydiffvg.Path(
                num_control_points=torch.full((curves,), 2, dtype=torch.int32),
                points=points,
                # diffvg means half of the width.
                stroke_width=thick / 2,
                is_closed=False,
            )
        )
        groups.append(
            pydiffvg.ShapeGroup(
                shape_ids=torch.tensor([number]),
                fill_color=None,
                stroke_color=strokes.colours[number],
            )
        )
    scene = pydiffvg.RenderFunction.serialize_scene(width, height, shapes, groups)
    drawn = pydiffvg.RenderFunction.apply(width, height, _SAMPLES, _SAMPLES, 0, None, *scene)
    colour, alpha = drawn.movedim(2, 0).split([3, 1])
    return torch.cat([colour * alpha, alpha])
