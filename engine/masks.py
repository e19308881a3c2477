"""Two places in one picture, inside a mask and outside, each looked at by itself."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image

from engine.cutouts import Views
from engine.errors import SettingsError

# A place with less of the picture than this is none.
_NOTHING = 0.002
# Cells that are in a place by less than this do not widen the views of it.
_EDGE = 0.25


@dataclass(frozen=True)
class Spot:
    """A place in a picture.

    Attributes:
        share: ``[rows, columns]`` in 0…1, how much of each cell lies in it.

    """

    share: torch.Tensor

    @property
    def box(self) -> tuple[int, int, int, int]:
        """What it lies in: left, top, right and bottom, in cells; the last two are outside."""
        cells = (self.share >= min(_EDGE, self.share.max().item())).nonzero()
        (top, left), (bottom, right) = cells.amin(0).tolist(), cells.amax(0).tolist()
        return left, top, right + 1, bottom + 1

    def looked_at(self, views: Views) -> Views:
        """Views of a picture of the size of `box`, turned to that part of this picture."""
        left, top, right, bottom = self.box
        rows, columns = self.share.shape
        shorter = min(rows, columns)
        scale = min(right - left, bottom - top) / shorter
        moved = torch.tensor(
            [
                [scale, 0.0, (left + right - columns) / shorter],
                [0.0, scale, (top + bottom - rows) / shorter],
                [0.0, 0.0, 1.0],
            ]
        )
        # A sum in a fixed order, which a matrix product's is not.
        homographies = (moved[None, :, :, None] * views.homographies[:, None]).sum(2)
        return replace(views, homographies=homographies)


def read_mask(image: Image.Image, columns: int, rows: int) -> tuple[Spot, Spot]:
    """What is inside a mask and what is outside, for a picture of this size.

    Args:
        image: RGB or RGBA; white is inside, black or clear is outside, grey is a share of both.
        columns: width of the picture in cells.
        rows: height of the picture in cells.

    Raises:
        SettingsError: nothing is inside, or nothing is outside.

    """
    rgba = image.convert("RGBA")
    grey = Image.alpha_composite(Image.new("RGBA", rgba.size, "black"), rgba).convert("L")
    small = grey.resize((columns, rows), Image.Resampling.BOX)
    inside = torch.from_numpy(np.asarray(small, dtype=np.float32) / 255)
    for share, colour, place in ((inside, "black", "inside"), (1 - inside, "white", "outside")):
        if share.mean() < _NOTHING:
            raise SettingsError(
                f"The mask is {colour} everywhere, so that nothing is {place}; "
                "give a picture that is white inside and black outside."
            )
    return Spot(inside), Spot(1 - inside)
