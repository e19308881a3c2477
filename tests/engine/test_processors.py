"""What is asked of the system before torch is there."""

import subprocess
import sys

import pytest

# A large tensor, written and freed again and again: faults of its pages once it has room.
FAULTS = """
import resource
from engine.processors import keep_memory
{first}
import torch

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

for _ in range(12):
    torch.ones(12_000_000)
before = faults()
for _ in range(4):
    torch.ones(12_000_000)
print(faults() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_memory_that_was_freed_is_used_again_without_page_faults():
    counts = []
    for first in ("pass", "keep_memory()"):
        done = subprocess.run(
            [sys.executable, "-c", FAULTS.format(first=first)],
            check=True,
            capture_output=True,
            text=True,
        )
        counts.append(int(done.stdout))
    plain, kept = counts
    assert kept < plain / 10
