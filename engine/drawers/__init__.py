"""How parameters become a picture; `make_drawer` finds the one that the settings name."""

import torch

from engine.drawers.base import Drawer, Start
from engine.drawers.clipdraw import ClipDrawDrawer
from engine.drawers.fft import FourierDrawer, wave_size
from engine.drawers.line_sketch import LineSketchDrawer
from engine.drawers.mosaic import seen_size
from engine.drawers.outline import Lines, Outlined
from engine.drawers.paths import Path, path_of_tensors, with_exact_ends
from engine.drawers.pixel import PixelDrawer
from engine.drawers.starts import start_from_image
from engine.drawers.strokes import StrokeDrawer, working_size
from engine.drawers.vqgan import VqganDrawer, code_size
from engine.settings import Settings

__all__ = [
    "Drawer",
    "Path",
    "Start",
    "grid_size",
    "make_drawer",
    "path_between",
    "start_from_image",
]


def make_drawer(
    settings: Settings, start: Start | None, device: torch.device, lines: Lines | None = None
) -> Drawer:
    """The drawer for resolved settings, starting from a picture or from noise of the seed.

    Args:
        settings: resolved.
        start: a picture of `grid_size`, or None for noise.
        device: where to draw.
        lines: what stays above the picture, or None.

    """
    if settings.drawer == "pixel":
        return PixelDrawer(settings, start, device, lines)
    drawer = _canvas(settings, start, device)
    return drawer if lines is None else Outlined(drawer, lines, grid_size(settings), device)


def _canvas(settings: Settings, start: Start | None, device: torch.device) -> Drawer:
    match settings.drawer:
        case "clipdraw":
            return ClipDrawDrawer(settings, start, device)
        case "line_sketch":
            return LineSketchDrawer(settings, start, device)
        case "fft":
            return FourierDrawer(settings, start, device)
        case "vqgan":
            return VqganDrawer(settings, start, device)
        case name:
            raise ValueError(f"there is no drawer {name!r}")


def grid_size(settings: Settings) -> tuple[int, int]:
    """Width and height of the picture that views sample, for resolved settings."""
    match settings.drawer:
        case "pixel":
            return seen_size(settings)
        case "fft":
            return wave_size(settings)
        case "vqgan":
            return code_size(settings)
        case _:
            return working_size(settings)


def path_between(drawer: Drawer, other: Drawer) -> Path:
    """What takes a drawer on its way to another one of the same settings but what they show.

    On both ends its picture is that of the one and of the other, to the bit.
    """
    match drawer, other:
        case PixelDrawer(), PixelDrawer():
            between = drawer.path_to(other)
        case StrokeDrawer(), StrokeDrawer():
            between = drawer.path_to(other)
        case _:
            between = path_of_tensors(drawer, other)
    return with_exact_ends(drawer, other, between)
