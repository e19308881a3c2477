"""VQGAN mini: pictures as a grid of codes, and back (Esser et al. 2021, "Taming Transformers").

Encoder, decoder and quantiser are taming-transformers' own modules. The file that ships was made
as `docs/small-models.md` describes, small enough that latents can be optimised on a CPU through
the decoder (VQGAN-CLIP, Crowson et al. 2022).
"""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from taming.modules.diffusionmodules.model import Decoder, Encoder
from taming.modules.vqvae.quantize import VectorQuantizer2
from torch import nn
from torch.nn import functional as F

from engine.errors import EngineError
from engine.models import SHIPPED
from engine.models.shipped import metadata, read_weights

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS = SHIPPED / "vqgan-mini.safetensors"


@dataclass(frozen=True)
class Shape:
    """Sizes of the networks; the defaults are those of the file that ships.

    Attributes:
        patch: side of the square of pixels that one place of the finest stage holds.
        channels: width of the finest stage; group normalisation wants a multiple of 32.
        multipliers: width of each stage in `channels`, finest first; each is half as fine as
            the one before.
        encoder_blocks: residual blocks a stage in the encoder, one more in the middle and at least
            one.
        decoder_blocks: residual blocks a stage in the decoder, less one.
        width: numbers in a code.
        codes: entries of the codebook.

    """

    patch: int = 4
    channels: int = 128
    multipliers: tuple[int, ...] = (1, 1)
    encoder_blocks: int = 1
    decoder_blocks: int = 1
    width: int = 32
    codes: int = 2048

    @property
    def factor(self) -> int:
        """Side in pixels of the square that one code stands for."""
        return self.patch << len(self.multipliers) - 1


class Autoencoder(nn.Module):
    """The networks and the codebook, with the names of parts that taming's `VQModel` gives them.

    Pictures are folded by `patch` (pixel-unshuffle) before the encoder and unfolded after the
    decoder: at full size the narrowest taming stage, 32 channels, costs as much as 128 channels
    at a quarter, and its group normalisation would have one channel a group, which forgets plain
    colours. The attention in the middle is left out: it would mix as many places as the canvas
    has, which is never the number that the training had.
    """

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape = shape or Shape()
        folded = 3 * shape.patch**2
        sizes = {
            "ch": shape.channels,
            "ch_mult": shape.multipliers,
            "attn_resolutions": (),
            "resolution": 64,
            "z_channels": shape.channels,
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
        self.encoder.mid.attn_1 = nn.Identity()
        self.decoder.mid.attn_1 = nn.Identity()
        self.quant_conv = nn.Conv2d(shape.channels, shape.width, 1)
        self.quantize = VectorQuantizer2(shape.codes, shape.width, beta=0.25, legacy=False)
        self.post_quant_conv = nn.Conv2d(shape.width, shape.channels, 1)

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """[n, 3, h, w] in 0..1 → latents [n, d, h/f, w/f], not quantised."""
        folded = F.pixel_unshuffle(pictures * 2 - 1, self.shape.patch)
        return _pointwise(self.quant_conv, self.encoder(folded))

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
    def forward(ctx: Any, pictures: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
        ctx.save_for_backward(pictures)
        return pictures.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
        (pictures,) = ctx.saved_tensors
        outward = gradient * (pictures - pictures.clamp(0, 1)) < 0
        return gradient.masked_fill(outward, 0)


def clamp_with_gradient(pictures: torch.Tensor) -> torch.Tensor:
    """Clamp to 0..1, with a gradient that stops only where descent would lead further out.

    (As in VQGAN-CLIP, Crowson et al. 2022: a plain clamp could never bring a pixel back.)
    """
    clamped: torch.Tensor = _ClampWithGradient.apply(pictures)
    return clamped


class VQGAN:
    """Encodes pictures to latents, draws latents on the nearest codes, decodes them to pictures.

    Its parameters are frozen; gradients flow through all three. Any picture whose sides are
    multiples of `factor` will do.

    Attributes:
        weights_hash: the first 16 hexadecimal digits of the file's SHA-256.
        factor: side in pixels of the square that one code stands for.
        codebook: [codes, d], the codes.

    Raises:
        EngineError: the weights are missing or damaged.

    """

    def __init__(self, path: Path | None = None, device: torch.device | str = "cpu") -> None:
        file = WEIGHTS if path is None else path
        content, self.weights_hash = read_weights(file, "the VQGAN", EngineError)
        self.device = torch.device(device)
        self._model = unpack(content).to(self.device).eval().requires_grad_(requires_grad=False)
        self.factor = self._model.shape.factor
        self.codebook: torch.Tensor = self._model.quantize.embedding.weight

    def rounded(self, width: int, height: int) -> tuple[int, int]:
        """The nearest size, in pixels, that the grid of codes fits; at least one code each way."""
        sides = (max(1, round(side / self.factor)) * self.factor for side in (width, height))
        return next(sides), next(sides)

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """[n, 3, h, w] RGB in 0..1 → latents [n, d, h/f, w/f], not quantised.

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
        codes: torch.Tensor = self._model.quantize(latents)[0]
        return codes

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Latents [n, d, h/f, w/f] → [n, 3, h, w] RGB in 0..1.

        The gradient of a pixel at the edge of the range is stopped only where it points outward.
        """
        return clamp_with_gradient(self._model.decode(latents))


def pack(model: Autoencoder) -> bytes:
    """The file of a model, in fp16."""
    tensors = {name: t.half().contiguous().cpu() for name, t in model.state_dict().items()}
    return save_safetensors(
        tensors, {"format": "vqgan 1", "shape": json.dumps(asdict(model.shape))}
    )


def unpack(content: bytes) -> Autoencoder:
    """The model of a file that `pack` made.

    Raises:
        EngineError: the bytes are not such a file.

    """
    try:
        sizes = json.loads(metadata(content)["shape"])
        model = Autoencoder(Shape(**sizes | {"multipliers": tuple(sizes["multipliers"])}))
        tensors = {name: value.float() for name, value in load_safetensors(content).items()}
        model.load_state_dict(tensors, assign=True)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        message = "The weights of the VQGAN are damaged: the file is not one of its kind."
        raise EngineError(message) from error
    return model
