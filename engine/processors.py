"""How torch's threads share the processors with everything else on the machine."""

import os


def wait_politely() -> None:
    """Let idle OpenMP threads sleep instead of spin; must come before the import of torch.

    Where the cores are busy with something else, a step waits for threads that the spinning ones
    keep from running: on two cores beside one busy process a small drawing took five times longer.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
