"""How parameters become a picture; `make_drawer` finds the one that the settings name."""

import torch
from PIL import Image

from engine.drawers.base import Drawer
from engine.drawers.pixel import PixelDrawer
from engine.settings import Settings

__all__ = ["Drawer", "make_drawer"]


def make_drawer(settings: Settings, init_image: Image.Image | None, device: torch.device) -> Drawer:
    """The drawer for resolved settings, starting from the init image or from noise of the seed."""
    match settings.drawer:
        case "pixel":
            return PixelDrawer(settings, init_image, device)
        case name:
            raise ValueError(f"there is no drawer {name!r}")
