"""The small models' files: read once, known by a hash, and described by their own header."""

import hashlib
import json
from pathlib import Path


def read_weights(file: Path, owner: str, refusal: type[RuntimeError]) -> tuple[bytes, str]:
    """The bytes of a model's file, and the first 16 hexadecimal digits of their SHA-256.

    Args:
        file: safetensors.
        owner: whose weights they are, for the sentence of the refusal.
        refusal: what is raised when the file cannot be read.

    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise refusal(f"The weights of {owner} are missing: {file} cannot be read.") from error
    return content, hashlib.sha256(content).hexdigest()[:16]


def metadata(content: bytes) -> dict[str, str]:
    """What the header of a safetensors file says beside its tensors.

    Raises:
        ValueError: the bytes do not begin with such a header.
        KeyError: the header holds no metadata.

    """
    # The file begins with the length of its JSON header, eight bytes, little-endian.
    length = int.from_bytes(content[:8], "little")
    said: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return said
