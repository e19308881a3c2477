"""The drawing half: CLIP-guided optimisation of pictures. It knows nothing of Discord.

``for frame in engine.draw(engine.Settings("a lighthouse at dusk")): ...`` draws a picture; in a
notebook each frame shows itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine import settings
    from engine.drawing import draw

__all__ = ["Settings", "draw"]


def Settings(prompts: str, **given: object) -> settings.Settings:  # noqa: N802 - stands for the class
    """The checked settings of a drawing, presets written out, as `make_settings` makes them.

    Raises:
        SettingsError: for an unknown name, a wrong type, a value out of range or a contradiction.

    """
    from engine.settings import make_settings

    return make_settings({"prompts": prompts, **given})


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attribute may be anything
    """`draw`, which imports torch, only when it is asked for."""
    if name == "draw":
        from engine.drawing import draw

        return draw
    message = f"module 'engine' has no attribute {name!r}"
    raise AttributeError(message)
