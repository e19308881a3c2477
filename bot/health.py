"""Ask a running bot whether it is well: `python -m bot.health`, which is Docker's health check.

Nothing but the data directory is needed: the bot has left its web server's address there.
"""

import http.client
import json
import sys
from pathlib import Path
from urllib.parse import urlsplit

from bot.config import ConfigError, read_config

HEALTH = "/healthz"

_PATIENCE_SECONDS = 5.0


def address_path(data: Path) -> Path:
    """The file that says where the bot of a data directory can be asked, while it runs."""
    return data / "http"


def check(data: Path) -> str | None:
    """What is wrong with the bot that works in a data directory, or None."""
    try:
        url = urlsplit(address_path(data).read_text())
    except FileNotFoundError:
        return f"No bot runs in {data}."
    # Without the environment's proxies, which know nothing of this machine.
    connection = http.client.HTTPConnection(url.netloc, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", HEALTH)
        answer = connection.getresponse()
        said = json.loads(answer.read())
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"The bot in {data} does not answer at {url.netloc}: {error!r}."
    finally:
        connection.close()
    return (
        None
        if answer.status == http.HTTPStatus.OK
        else f"The bot is not well: {said.get('reason', answer.status)}"
    )


def main() -> int:
    """Check the bot of this environment; returns 0 if it is well, else 1."""
    try:
        problem = check(read_config().data)
    except ConfigError as error:
        problem = str(error)
    if problem is not None:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
