"""Which numbers a perceptor is computed in on this machine."""

import torch

# Products of bfloat16 that the processor does itself: x86's AVX-512 and AMX, ARM's.
_CPU_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")
# Convolutions gain by AMX's tiles alone: with AVX-512 they took as long as in float32, or longer.
_CPU_CONVOLUTIONS = ("amx_bf16",)
# The first NVIDIA GPUs that do are of this compute capability (Ampere).
_CUDA_BFLOAT16 = (8, 0)


def best_dtype(device: torch.device, *, convolutions: bool = False) -> torch.dtype:
    """bfloat16 where the processor multiplies it itself; else float32, which is faster then.

    Args:
        device: where it is computed.
        convolutions: whether it is convolutions that take the time, and not matrix products.

    """
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= _CUDA_BFLOAT16
    else:
        known = torch.cpu.get_capabilities()
        wanted = _CPU_CONVOLUTIONS if convolutions else _CPU_BFLOAT16
        native = any(known.get(name, False) for name in wanted)
    return torch.bfloat16 if native else torch.float32
