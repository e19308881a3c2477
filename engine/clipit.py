"""The five functions of clipit, so that scripts and notebooks written for it draw here.

A script changes one line: ``import engine.clipit as clipit``. The modern way is shorter,
``for frame in engine.draw(engine.Settings("a lighthouse at dusk")): ...``.
"""

import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from engine.drawing import draw
from engine.errors import SettingsError, quote
from engine.files import write_atomically
from engine.protocol import Done, Progress, Started
from engine.settings import Settings, make_settings

OUTPUT = "output.png"

_DRAWERS: Mapping[str, str] = {
    "use_pixeldraw": "pixel",
    "use_clipdraw": "clipdraw",
    "use_line_sketch": "line_sketch",
    "use_vqgandraw": "vqgan",
}

_Frames = Iterator[Started | Progress | Done]
_staged: dict[str, object] = {}
_begun: dict[Settings, _Frames] = {}


def reset_settings() -> None:
    """Forget every setting that was added."""
    _staged.clear()


def add_settings(**given: object) -> None:
    """Add settings by name; one that was added before is replaced.

    Beside the settings of `engine.settings` these are known: ``use_pixeldraw`` and its like choose
    the drawer, ``output`` names the picture's file, and ``prompts`` may be a list.
    """
    _staged.update(given)


def apply_settings() -> Settings:
    """Check what was added.

    Raises:
        SettingsError: for an unknown name, a wrong value, a contradiction, or two drawers.

    """
    given = {name: value for name, value in _staged.items() if name != "output"}
    chosen = [name for name in _DRAWERS if given.pop(name, False)]
    if len(chosen) > 1:
        raise SettingsError(f"{' and '.join(chosen)} contradict each other; choose one of them.")
    if chosen:
        given["drawer"] = _DRAWERS[chosen[0]]
    prompts = given.get("prompts")
    if isinstance(prompts, list | tuple):
        given["prompts"] = " | ".join(map(str, prompts))
    _output()
    return make_settings(given)


def do_init(settings: Settings) -> None:
    """Load the models and put the picture on the easel.

    Raises:
        EngineError: when the picture cannot be drawn, with the reason as a sentence.

    """
    frames = draw(settings)
    next(frames)
    _begun.clear()
    _begun[settings] = frames


def do_run(settings: Settings) -> None:
    """Draw: every frame is shown, in a notebook as a picture, and the last one is written.

    Raises:
        EngineError: when the drawing fails.
        OSError: when the picture cannot be written.

    """
    if settings not in _begun:
        do_init(settings)
    show = _display()
    for frame in _begun.pop(settings):
        if isinstance(frame, Done):
            write_atomically(_output(), frame.png)
        if not isinstance(frame, Started):
            show(frame)


def _output() -> Path:
    output = _staged.get("output", OUTPUT)
    if not isinstance(output, str | Path) or Path(output).suffix.lower() != ".png":
        raise SettingsError(f"output is {quote(str(output))}; allowed are names that end in .png.")
    return Path(output)


def _display() -> Callable[[Progress | Done], None]:
    """What shows frames: the notebook, in one place that they take in turn, or a line each."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        return lambda frame: print(_line(frame), flush=True)
    display_id = uuid.uuid4().hex
    display = ipython.display.display
    shown = False

    def show(frame: Progress | Done) -> None:
        nonlocal shown
        display(frame, display_id=display_id, update=shown)
        shown = True

    return show


def _line(frame: Progress | Done) -> str:
    if isinstance(frame, Done):
        return f"{_output()}  {frame.statistics.seconds:.1f} s"
    reached = f"{frame.iteration}/{frame.iterations}"
    return f"{reached}  loss {frame.loss:.3f}" if frame.iteration else reached
