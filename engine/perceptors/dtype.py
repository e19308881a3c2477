"""Which numbers a perceptor is computed in on this machine."""

import torch

# Products of bfloat16 that the processor does itself: x86's AVX-512 and AMX, ARM's.
_CPU_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")
# The first NVIDIA GPUs that do are of this compute capability (Ampere).
_CUDA_BFLOAT16 = (8, 0)


def best_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the processor multiplies it itself; else float32, which is faster then."""
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= _CUDA_BFLOAT16
    else:
        known = torch.cpu.get_capabilities()
        native = any(known.get(name, False) for name in _CPU_BFLOAT16)
    return torch.bfloat16 if native else torch.float32
