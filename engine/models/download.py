"""Bring a file from its address."""

import hashlib
import urllib.request
from http.client import HTTPException
from pathlib import Path

from engine.errors import EngineError

_CHUNK = 2**20
_PATIENCE_SECONDS = 60


def download(url: str, target: Path, sha256: str | None = None) -> str:
    """Write what lies at an address to a file; its SHA-256, in hexadecimal.

    Args:
        url: the address.
        target: the file; of a download that fails, what came of it.
        sha256: what the hash must be, if known.

    Raises:
        EngineError: the download fails, is cut off, or has another hash.

    """
    try:
        received, announced, digest = _received(url, target)
    except (OSError, HTTPException) as error:
        raise EngineError(f"{url} could not be downloaded: {error}.") from error
    if announced is not None and received != announced:
        raise EngineError(f"{url} was cut off after {received} of {announced} bytes; try it again.")
    if sha256 is not None and digest != sha256:
        raise EngineError(
            f"What came from {url} is not what was expected: its SHA-256 is {digest} "
            f"and not {sha256}."
        )
    return digest


def _received(url: str, target: Path) -> tuple[int, int | None, str]:
    """How many bytes came, how many were announced if any were, and the hash of those that came."""
    digest, received = hashlib.sha256(), 0
    # Addresses come from the project's own tables.
    with (
        urllib.request.urlopen(url, timeout=_PATIENCE_SECONDS) as response,  # noqa: S310
        target.open("wb") as file,
    ):
        announced = response.headers.get("Content-Length")
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            digest.update(chunk)
            received += len(chunk)
    return received, None if announced is None else int(announced), digest.hexdigest()
