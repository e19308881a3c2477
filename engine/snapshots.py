"""Where the snapshots of jobs lie, and which of them are still wanted.

    <job>.safetensors                what a job goes on from
    <job>+partner.safetensors        the same of what its walk leads to
    <job>.writing                    a snapshot that is being written

A job's name is without a dot or a plus sign.
"""

from collections.abc import Collection
from pathlib import Path

# What the name of a job has at its end on the easel of what its walk leads to.
PARTNER = "+partner"

_SAVED, _WRITING = ".safetensors", ".writing"


def snapshot_path(folder: Path, easel: str) -> Path:
    """Where the snapshot of an easel lies, or would."""
    return folder / f"{easel}{_SAVED}"


def writing_path(path: Path) -> Path:
    """Where a snapshot is written before it takes its place."""
    return path.with_suffix(_WRITING)


def remove_snapshots(folder: Path, job: str) -> None:
    """Delete what is kept of a job, whether whole or half written."""
    for easel in (job, job + PARTNER):
        path = snapshot_path(folder, easel)
        path.unlink(missing_ok=True)
        writing_path(path).unlink(missing_ok=True)


def keep_snapshots(folder: Path, jobs: Collection[str]) -> None:
    """Delete what is kept of all other jobs, and what a killed engine left half written.

    Only while no engine works there.
    """
    for path in folder.iterdir():
        unwanted = path.suffix == _SAVED and path.stem.removesuffix(PARTNER) not in jobs
        if unwanted or path.suffix == _WRITING:
            path.unlink(missing_ok=True)
