"""How many pictures are drawn side by side."""

from bot.config import Config
from engine.client import Engine
from engine.protocol import DeviceClass

# A processor draws several hardly faster than one after the other. Then each takes longer, and
# nobody can say how long: it depends on who comes next. A GPU draws several in the time of one.
_OF_DEVICE: dict[DeviceClass, int] = {"cpu": 2, "cuda": 8}


def easels(config: Config, engine: Engine) -> int:
    """As many as the operator has said, or else as suits the engine's device."""
    if config.easels is not None:
        return config.easels
    return _OF_DEVICE["cpu" if engine.ready is None else engine.ready.device]
