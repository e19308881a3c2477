"""Draw every picture of the gallery again: the commands of `gallery.md`, run from the repository.

    uv run python docs/gallery.py
"""

import re
import shlex
import subprocess
from pathlib import Path

PAGE = Path(__file__).with_name("gallery.md")


def commands(page: str) -> list[list[str]]:
    """The arguments of every `pixel draw` that the page lists."""
    return [shlex.split(line)[2:] for line in re.findall(r"^\$ (uv run pixel draw .+)$", page, re.M)]


def main() -> None:
    """Draw them one after the other."""
    for arguments in commands(PAGE.read_text()):
        subprocess.run(arguments, check=True, cwd=PAGE.parent.parent)


if __name__ == "__main__":
    main()
