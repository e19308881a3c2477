"""A job's own random streams: seeded from (seed, purpose), drawn on the CPU on every machine."""

import hashlib

import torch


def stream(seed: int, purpose: str) -> torch.Generator:
    """A generator that gives the same numbers for the same seed and purpose, wherever it runs.

    Args:
        seed: 0…2^53−1.
        purpose: what the numbers are for, so that streams of one seed do not overlap.

    """
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return torch.Generator("cpu").manual_seed(int.from_bytes(digest[:8]) >> 1)
