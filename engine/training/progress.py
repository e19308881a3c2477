"""One line of progress with the time left, rewritten in place on a terminal."""

from __future__ import annotations

import sys
import time


class Progress:
    """Shows task, step, time left and a note: twice a second, or twice a minute in a log."""

    def __init__(self, task: str, total: int, start: int = 0) -> None:
        self._task, self._total, self._first = task, total, start
        self._began = time.monotonic()
        self._shown = 0.0
        self._terminal = sys.stderr.isatty()

    def show(self, step: int, note: str = "") -> None:
        """Report that `step` of `total` steps are done."""
        now = time.monotonic()
        finished = step >= self._total
        if now - self._shown < (0.5 if self._terminal else 30.0) and not finished:
            return
        self._shown = now
        spent = now - self._began
        left = spent / max(step - self._first, 1) * (self._total - step)
        minutes, seconds = divmod(int(spent if finished else left), 60)
        when = f"{minutes}:{seconds:02} {'in all' if finished else 'left'}"
        line = f"{self._task} {step}/{self._total}, {when}  {note}"
        ending = "\n" if finished or not self._terminal else "\r"
        sys.stderr.write(f"{line:<100}{ending}" if self._terminal else f"{line}{ending}")
        sys.stderr.flush()
