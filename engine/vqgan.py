"""VQGAN: pictures as a grid of codes, and back (Esser et al. 2021, "Taming Transformers").

Encoder, decoder and quantiser are taming-transformers' own modules. `mini`, which ships, was made
as `docs/small-models.md` describes, small enough that latents can be optimised on a CPU through
the decoder (VQGAN-CLIP, Crowson et al. 2022). Others are those of `engine.models.vqgans`.
"""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from taming.modules.diffusionmodules.model import Decoder, Encoder
from taming.modules.vqvae.quantize import GumbelQuantize, VectorQuantizer2
from torch import nn
from torch.nn import functional as F

from engine.errors import EngineError, SettingsError, quote
from engine.models import file_hash
from engine.models.shipped import metadata, read_weights
from engine.models.vqgans import MINI, VQGAN_NAMES, Shape, vqgan_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WEIGHTS = vqgan_path(MINI)
# Sides of the training pictures; taming's modules place attention by it. Any power of two will do.
_RESOLUTION = 256


class Autoencoder(nn.Module):
    """The networks and the codebook, with the names of parts that taming's `VQModel` gives them.

    In `mini`, pictures are folded by `patch` (pixel-unshuffle) before the encoder and unfolded
    after the decoder: at full size the narrowest taming stage, 32 channels, costs as much as 128
    channels at a quarter, and its group normalisation would have one channel a group, which forgets
    plain colours. It also leaves out the attention in the middle, which would mix as many places as
    the canvas has, and that is never the number that the training had. The published ones have a
    `patch` of 1 and keep their attention.
    """

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Shape()
        folded, features = 3 * shape.patch**2, shape.features or shape.channels
        sizes = {
            "ch": shape.channels,
            "ch_mult": shape.multipliers,
            "attn_resolutions": [_RESOLUTION >> stage for stage in shape.attention or ()],
            "resolution": _RESOLUTION,
            "z_channels": features,
        }
        # taming's decoder prints its size, and standard output may be a pipe of ours.
        with contextlib.redirect_stdout(io.StringIO()):
            self.encoder = Encoder(
                in_channels=folded,
                out_ch=3,
                num_res_blocks=shape.encoder_blocks,
                double_z=False,
                **sizes,
            )
            self.decoder = Decoder(
                in_channels=3, out_ch=folded, num_res_blocks=shape.decoder_blocks, **sizes
            )
        if shape.attention is None:
            self.encoder.mid.attn_1 = nn.Identity()
            self.decoder.mid.attn_1 = nn.Identity()
        self.quant_conv = nn.Conv2d(features, shape.width, 1)
        if shape.gumbel:
            self.quantize = GumbelQuantize(features, shape.width, shape.codes)
        else:
            self.quantize = VectorQuantizer2(shape.codes, shape.width, beta=0.25, legacy=False)
        self.post_quant_conv = nn.Conv2d(shape.width, features, 1)

    @property
    def codebook(self) -> nn.Embedding:
        """The codes, [codes, d]."""
        quantize = self.quantize
        codes: nn.Embedding = quantize.embed if self.shape.gumbel else quantize.embedding
        return codes

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """[n, 3, h, w] in 0..1 → latents [n, d, h/f, w/f].

        They are not quantised, unless codes are chosen by their logits: then what comes before is
        of another space, and the likeliest codes are what the decoder can read.
        """
        folded = F.pixel_unshuffle(pictures * 2 - 1, self.shape.patch)
        latents = _pointwise(self.quant_conv, self.encoder(folded))
        if not self.shape.gumbel:
            return latents
        chosen = _pointwise(self.quantize.proj, latents).argmax(1)
        return self.codebook.weight[chosen].movedim(3, 1).contiguous()

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents [n, d, h/f, w/f] → [n, 3, h, w], in 0..1 but for what overshoots."""
        folded = self.decoder(_pointwise(self.post_quant_conv, latents))
        return F.pixel_shuffle(folded, self.shape.patch) / 2 + 0.5


def _pointwise(convolution: nn.Conv2d, features: torch.Tensor) -> torch.Tensor:
    """A 1 × 1 convolution as a 3 × 3 one with zeros around its weights.

    On a CPU the rounding of the former depends on the number of threads, that of the latter does
    not.
    """
    weight = F.pad(convolution.weight, (1, 1, 1, 1))
    return F.conv2d(features, weight, convolution.bias, padding=1)


class _ClampWithGradient(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        values: torch.Tensor,
        low: torch.Tensor,
        high: torch.Tensor,
    ) -> torch.Tensor:
        clamped = values.clamp(low, high)
        ctx.save_for_backward(values - clamped)
        return clamped

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:  # noqa: ANN401
        (beyond,) = ctx.saved_tensors
        return gradient.masked_fill(gradient * beyond < 0, 0), None, None


def clamp_with_gradient(
    values: torch.Tensor, low: torch.Tensor | float = 0.0, high: torch.Tensor | float = 1.0
) -> torch.Tensor:
    """Clamp, with a gradient that stops only where descent would lead further out.

    (As in VQGAN-CLIP, Crowson et al. 2022: a plain clamp could never bring a value back.)

    Args:
        values: any numbers.
        low: the least that is left of each; one for all, or of a shape that broadcasts.
        high: the greatest, likewise.

    """
    limits = (
        limit if isinstance(limit, torch.Tensor) else torch.full((), limit, device=values.device)
        for limit in (low, high)
    )
    clamped: torch.Tensor = _ClampWithGradient.apply(values, *limits)
    return clamped


class VQGAN:
    """Encodes pictures to latents, draws latents on the nearest codes, decodes them to pictures.

    Its parameters are frozen; gradients flow through all three. Any picture whose sides are
    multiples of `factor` will do.

    Attributes:
        weights_hash: the first 16 hexadecimal digits of the file's SHA-256.
        factor: side in pixels of the square that one code stands for.
        codebook: [codes, d], the codes.
        low, high: the least and the greatest of the codes in each channel, each [1, d, 1, 1].

    Raises:
        EngineError: the weights are missing or damaged.

    """

    def __init__(self, path: Path | None = None, device: torch.device | str = "cpu") -> None:
        file = WEIGHTS if path is None else path
        content, self.weights_hash = read_weights(file, "the VQGAN", EngineError)
        self.device = torch.device(device)
        self._model = unpack(content).to(self.device).eval().requires_grad_(requires_grad=False)
        self.factor = self._model.shape.factor
        self.codebook: torch.Tensor = self._model.codebook.weight
        self.low = self.codebook.amin(0)[None, :, None, None]
        self.high = self.codebook.amax(0)[None, :, None, None]
        # taming's own search, which `GumbelQuantize` lacks: its training had no use for distances.
        codes, width = self.codebook.shape
        self._nearest = VectorQuantizer2(codes, width, beta=0.25, legacy=False)
        self._nearest.embedding.weight = self._model.codebook.weight

    def rounded(self, width: int, height: int) -> tuple[int, int]:
        """The nearest size, in pixels, that the grid of codes fits; at least one code each way."""
        return self._model.shape.rounded(width, height)

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """[n, 3, h, w] RGB in 0..1 → latents [n, d, h/f, w/f].

        They are not quantised, unless the VQGAN chooses codes by their logits; then they are codes.

        Raises:
            EngineError: a side is not a multiple of `factor`.

        """
        channels, height, width = pictures.shape[1:]
        if channels != 3 or (width, height) != self.rounded(width, height):
            message = (
                f"The VQGAN encodes RGB pictures whose sides are multiples of {self.factor}, "
                f"not {channels} × {height} × {width}."
            )
            raise EngineError(message)
        return self._model.encode(pictures)

    def quantise(self, latents: torch.Tensor) -> torch.Tensor:
        """Each latent's nearest code, [n, d, h/f, w/f], with the gradient passed straight through.

        (van den Oord et al. 2017, section 3.2.)
        """
        codes: torch.Tensor = self._nearest(latents)[0]
        return codes

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents [n, d, h/f, w/f] → [n, 3, h, w] RGB in 0..1.

        The gradient of a pixel at the edge of the range is stopped only where it points outward.
        """
        return clamp_with_gradient(self._model.decode(latents))


@lru_cache(maxsize=2)
def load_vqgan(name: str, device: torch.device) -> VQGAN:
    """A VQGAN by its name, from this machine only; the last ones are kept in memory.

    Raises:
        SettingsError: there is none of this name, or its weights are not on this machine.
        EngineError: the weights are damaged.

    """
    if name not in VQGAN_NAMES:
        raise SettingsError(
            f"vqgan_model cannot be {quote(name)}; allowed are {', '.join(VQGAN_NAMES)}."
        )
    path = vqgan_path(name)
    if name == MINI:
        return VQGAN(path, device)
    recorded = path.with_suffix(".sha256")
    if not path.is_file() or not recorded.is_file():
        raise SettingsError(
            f"The weights of vqgan_model={name} are not on this machine; its operator can bring "
            f"them with “pixel models pull {name}”."
        )
    if file_hash(path) != recorded.read_text().partition(" ")[0]:
        raise EngineError(
            f"The weights of vqgan_model={name} are damaged: their hash is not that of the file "
            f"that was pulled; delete {path} and bring them again with “pixel models pull {name}”."
        )
    return VQGAN(path, device)


def pack(
    model: Autoencoder,
    dtype: torch.dtype = torch.float16,
    notes: Mapping[str, str] | None = None,
) -> bytes:
    """The file of a model, its numbers in a precision, with notes in its header."""
    tensors = {name: t.to(dtype).contiguous().cpu() for name, t in model.state_dict().items()}
    said = {"format": "vqgan 1", "shape": json.dumps(asdict(model.shape))}
    return save_safetensors(tensors, said | dict(notes or {}))


def unpack(content: bytes) -> Autoencoder:
    """The model of a file that `pack` made.

    Raises:
        EngineError: the bytes are not such a file.

    """
    try:
        sizes = json.loads(metadata(content)["shape"])
        lists = {name: tuple(sides) for name, sides in sizes.items() if isinstance(sides, list)}
        # Numbers that are replaced at once need not be drawn.
        with torch.device("meta"):
            model = Autoencoder(Shape(**sizes | lists))
        fill(model, load_safetensors(content))
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        message = "The weights of the VQGAN are damaged: the file is not one of its kind."
        raise EngineError(message) from error
    return model


def fill(model: Autoencoder, state: Mapping[str, torch.Tensor]) -> None:
    """Give a model its weights, in fp32; raises `RuntimeError` if they are those of another."""
    model.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
