"""Draw every picture of the gallery again: the commands of `gallery.md`, from the repository.

Run as ``uv run python docs/gallery.py``.
"""

import re
import shlex
import subprocess
from pathlib import Path

PAGE = Path(__file__).with_name("gallery.md")
_COMMAND = re.compile(r"^\$ uv run (pixel draw .+)$", re.MULTILINE)


def commands(page: str) -> list[list[str]]:
    """The words of every `pixel draw` that the page lists."""
    return [shlex.split(line) for line in _COMMAND.findall(page)]


def main() -> None:
    """Draw them one after the other."""
    for words in commands(PAGE.read_text()):
        subprocess.run(words, check=True, cwd=PAGE.parent.parent)


if __name__ == "__main__":
    main()
