"""What stands for a setting that is left out, where that depends on others."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.models.vqgans import MINI

PIXELCLIP = "pixelclip"

# The generator's pictures are a little noisy; few colours make clean pixel art of them.
GUESS_COLORS = 20

# At twelve a second, a walk of two seconds.
BLEND_FRAMES = 24


@dataclass(frozen=True)
class Quality:
    """What a quality's name stands for, on one class of perceptors."""

    perceptors: tuple[str, ...]
    iterations: int
    num_cuts: int
    scale: float


# pixray's table, for OpenAI's CLIP models on a GPU.
CLIP_QUALITIES: Mapping[str, Quality] = {
    "draft": Quality(("ViT-B-32/openai",), 200, 24, 1),
    "normal": Quality(("ViT-B-32/openai", "ViT-B-16/openai"), 250, 30, 2),
    "better": Quality(("RN50/openai", "ViT-B-32/openai", "ViT-B-16/openai"), 300, 36, 3),
    "best": Quality(("RN50x4/openai", "ViT-B-32/openai", "ViT-B-16/openai"), 350, 24, 4),
    "supreme": Quality(
        ("RN50x4/openai", "RN101/openai", "ViT-B-32/openai", "ViT-B-16/openai"), 400, 32, 5
    ),
}

# For the small models on two CPU cores: about 1, 3, 6, 16 and 60 seconds of drawing. A first guess
# has most of what the judge sees; a start from noise gains by the longer ones.
PIXELCLIP_QUALITIES: Mapping[str, Quality] = {
    "draft": Quality((PIXELCLIP,), 40, 12, 1),
    "normal": Quality((PIXELCLIP,), 80, 12, 2),
    "better": Quality((PIXELCLIP,), 160, 20, 3),
    "best": Quality((PIXELCLIP,), 320, 28, 4),
    "supreme": Quality((PIXELCLIP,), 720, 48, 5),
}


@dataclass(frozen=True)
class DrawerDefaults:
    """What a drawer takes for the settings that have no common default; None where it has none."""

    learning_rate: float
    strokes: int | None = None
    stroke_length: int | None = None
    min_stroke_width: float | None = None
    max_stroke_width: float | None = None
    vqgan_model: str | None = None


DRAWER_DEFAULTS: Mapping[str, DrawerDefaults] = {
    "pixel": DrawerDefaults(0.08),
    "clipdraw": DrawerDefaults(0.5, 256, 2, 0.5, 5.0),
    "line_sketch": DrawerDefaults(0.5, 24, 4, 1.0, 1.0),
    "vqgan": DrawerDefaults(0.2, vqgan_model=MINI),
    "fft": DrawerDefaults(0.03),
}

BASE_SIZES: Mapping[str, tuple[int, int]] = {
    "widescreen": (200, 112),
    "square": (150, 150),
    "portrait": (128, 160),
}
BASE_GRIDS: Mapping[str, tuple[int, int]] = {
    "widescreen": (80, 45),
    "square": (40, 40),
    "portrait": (40, 50),
}
