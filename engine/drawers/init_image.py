"""An init image as the picture that a drawing starts from."""

import numpy as np
import torch
from PIL import Image

from engine.drawers.base import Start


def start_from_image(image: Image.Image, columns: int, rows: int, *, clear: bool) -> Start:
    """A picture averaged to one pixel a cell.

    Args:
        image: RGB or RGBA, of any size.
        columns: of the grid.
        rows: of the grid.
        clear: whether its transparent parts stay so; they are white otherwise.

    """
    rgba = image.convert("RGBA")
    if not clear:
        rgba = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    # Pillow weighs colours by their alpha when it averages them.
    small = rgba.resize((columns, rows), Image.Resampling.BOX)
    cells = torch.from_numpy(np.asarray(small, dtype=np.float32) / 255).permute(2, 0, 1)
    return Start(torch.cat([cells[:3] * cells[3:], cells[3:]]))
