"""How parameters become a picture; `make_drawer` finds the one that the settings name."""

import torch

from engine.drawers.base import Drawer, Start
from engine.drawers.mosaic import seen_size
from engine.drawers.pixel import PixelDrawer
from engine.drawers.starts import start_from_image
from engine.settings import Settings

__all__ = ["Drawer", "Start", "make_drawer", "seen_size", "start_from_image"]


def make_drawer(settings: Settings, start: Start | None, device: torch.device) -> Drawer:
    """The drawer for resolved settings, starting from a picture or from noise of the seed."""
    match settings.drawer:
        case "pixel":
            return PixelDrawer(settings, start, device)
        case name:
            raise ValueError(f"there is no drawer {name!r}")
