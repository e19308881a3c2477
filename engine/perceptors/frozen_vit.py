"""A vision transformer whose weights never change, with all folded that depends on them alone.

Drawing needs the forward pass and the gradient of the view; the form for training pays for more.
Here the transformer (Dosovitskiy et al. 2021, as CLIP has it) embeds patches by one matrix product
that takes colours in 0…1, every linear map is a plain product of two matrices, and what can be
worked out from the weights is worked out once:

- the normalisation of colours goes into the patch embedding, the class token into the positions;
- the scale and shift of each layer norm go into the linear map behind it, a layer scale into the
  one before it, and the attention's scale into its queries;
- keys need no bias, since a softmax takes no notice of a constant, and that of the values goes into
  the output's, since the softmax's shares sum to 1;
- QuickGELU, ``x · sigmoid(1.702 x)``, is a SiLU between two maps that carry the factor;
- of the last block only the class token is read, so only that is worked out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from open_clip.transformer import (
    LayerScale,
    QuickGELU,
    ResidualAttentionBlock,
    VisionTransformer,
)
from torch import nn

_QUICK = 1.702


@dataclass(frozen=True)
class _Linear:
    """``x → x · weight + bias``, with ``weight [in, out]`` and ``bias [out]``."""

    weight: torch.Tensor
    bias: torch.Tensor

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.addmm(self.bias, rows, self.weight)


@dataclass(frozen=True)
class _Block:
    """One block; its residual stream is ``[n · tokens, width]``.

    Attributes:
        queries, keys_values: of what the first norm leaves.
        out: of the attended values.
        inner, outer: the two maps around the activation.
        approximate: of the GELU, as torch has it; None for a SiLU.

    """

    queries: _Linear
    keys_values: _Linear
    out: _Linear
    inner: _Linear
    outer: _Linear
    eps: tuple[float, float]
    approximate: str | None

    def activated(self, rows: torch.Tensor) -> torch.Tensor:
        if self.approximate is None:
            return F.silu(rows)
        return F.gelu(rows, approximate=self.approximate)


class FrozenViT:
    """The image tower of a CLIP model, frozen.

    Args:
        visual: open_clip's module, of a kind that `can_freeze` knows; it is not kept.
        mean, deviation: of the three colours, that the model was trained with.
        dtype: of the weights and of all that passes between them; norms and sums are fp32 inside.
        device: where it judges.

    """

    def __init__(
        self,
        visual: VisionTransformer,
        mean: Sequence[float],
        deviation: Sequence[float],
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ) -> None:
        self.dtype = dtype
        kernel = _weight(visual.conv1.weight)
        self._width, _, self._patch, _ = kernel.shape
        self._heads = visual.transformer.resblocks[0].attn.num_heads
        kernel = kernel / torch.tensor(deviation)[:, None, None]
        shift = (kernel * torch.tensor(mean)[:, None, None]).sum((1, 2, 3))
        positions = _weight(visual.positional_embedding).clone()
        positions[0] += _weight(visual.class_embedding)
        positions[1:] -= shift

        def kept(tensor: torch.Tensor) -> torch.Tensor:
            return tensor.to(device, dtype).contiguous()

        self._embedding = kept(kernel.flatten(1).T)
        self._positions = kept(positions)
        self._before = _Norm(visual.ln_pre, dtype, device)
        self._blocks = [
            _folded(block, dtype, torch.device(device)) for block in visual.transformer.resblocks
        ]
        self._after = _Norm(visual.ln_post, torch.float32, device)
        self._projection = _weight(visual.proj).to(device)

    def __call__(self, views: torch.Tensor) -> torch.Tensor:
        """Views ``[n, 3, size, size]``, RGB in 0…1 → ``[n, d]`` in fp32, differentiable."""
        rows = self._embedded(views)
        *blocks, last = self._blocks
        for block in blocks:
            rows = self._passed(block, rows, len(views))
        rows = self._last(last, rows, len(views))
        return self._after(rows.float()) @ self._projection

    def layers(self, views: torch.Tensor) -> list[torch.Tensor]:
        """What each block answers, ``[n, tokens, width]``: the class token, then the patches."""
        rows = self._embedded(views)
        answers = []
        for block in self._blocks:
            rows = self._passed(block, rows, len(views))
            answers.append(rows.view(len(views), -1, self._width))
        return answers

    def _embedded(self, views: torch.Tensor) -> torch.Tensor:
        """The residual stream before the first block: ``[n · tokens, width]``."""
        n, _, size, _ = views.shape
        side, patch = size // self._patch, self._patch
        cut = views.to(self.dtype).view(n, 3, side, patch, side, patch).permute(0, 2, 4, 1, 3, 5)
        patches = cut.reshape(n * side * side, -1) @ self._embedding
        tokens = F.pad(patches.view(n, side * side, -1), (0, 0, 1, 0)) + self._positions
        return self._before(tokens.view(-1, self._width))

    def _passed(self, block: _Block, rows: torch.Tensor, n: int) -> torch.Tensor:
        normed = F.layer_norm(rows, (self._width,), eps=block.eps[0])
        queries = self._by_head(block.queries(normed), n, 1)[0]
        keys, values = self._by_head(block.keys_values(normed), n, 2)
        rows = rows + block.out(self._attended(queries, keys, values))
        normed = F.layer_norm(rows, (self._width,), eps=block.eps[1])
        return rows + block.outer(block.activated(block.inner(normed)))

    def _last(self, block: _Block, rows: torch.Tensor, n: int) -> torch.Tensor:
        """What the last block makes of the class tokens: ``[n, width]``."""
        normed = F.layer_norm(rows, (self._width,), eps=block.eps[0])
        keys, values = self._by_head(block.keys_values(normed), n, 2)
        chosen = normed.view(n, -1, self._width)[:, 0]
        queries = self._by_head(block.queries(chosen), n, 1)[0]
        first = rows.view(n, -1, self._width)[:, 0]
        first = first + block.out(self._attended(queries, keys, values))
        normed = F.layer_norm(first, (self._width,), eps=block.eps[1])
        return first + block.outer(block.activated(block.inner(normed)))

    def _by_head(self, rows: torch.Tensor, n: int, parts: int) -> torch.Tensor:
        """``[n · tokens, parts · width]`` → ``[parts, n · heads, tokens, width of a head]``."""
        tokens = rows.shape[0] // n
        split = rows.view(n, tokens, parts, self._heads, -1).permute(2, 0, 3, 1, 4)
        return split.reshape(parts, n * self._heads, tokens, -1)

    def _attended(
        self, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """All ``[n · heads, tokens, width of a head]`` → ``[n · tokens of the queries, width]``."""
        shares = torch.softmax(torch.bmm(queries, keys.transpose(1, 2)), dim=-1)
        mixed = torch.bmm(shares, values)
        tokens = mixed.shape[1]
        mixed = mixed.view(-1, self._heads, tokens, mixed.shape[2]).transpose(1, 2)
        return mixed.reshape(-1, self._width)


class _Norm:
    """A layer norm with its scale and shift."""

    def __init__(self, norm: nn.LayerNorm, dtype: torch.dtype, device: torch.device | str) -> None:
        self._weight = _weight(norm.weight).to(device, dtype)
        self._bias = _weight(norm.bias).to(device, dtype)
        self._eps = norm.eps

    def __call__(self, rows: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(rows, self._weight.shape, self._weight, self._bias, self._eps)


def can_freeze(visual: nn.Module) -> bool:
    """Whether a tower of open_clip is the plain vision transformer that `FrozenViT` is.

    Without a norm before the first block the stream has numbers of too many sizes for bfloat16.
    """
    return (
        isinstance(visual, VisionTransformer)
        and isinstance(visual.ln_pre, nn.LayerNorm)
        and visual.attn_pool is None
        and visual.pool_type == "tok"
        and visual.proj is not None
        and all(
            type(block) is ResidualAttentionBlock
            and isinstance(block.mlp.gelu, QuickGELU | nn.GELU)
            for block in visual.transformer.resblocks
        )
    )


@torch.no_grad()
def _folded(block: ResidualAttentionBlock, dtype: torch.dtype, device: torch.device) -> _Block:
    attention, mlp = block.attn, block.mlp
    width = attention.embed_dim
    maps, shifts = _after_norm(block.ln_1, attention.in_proj_weight, attention.in_proj_bias)
    scale = (width // attention.num_heads) ** -0.5
    out, out_bias = _weight(attention.out_proj.weight), _weight(attention.out_proj.bias)
    out_bias = out_bias + out @ shifts[2 * width :]
    inner, inner_bias = _after_norm(block.ln_2, mlp.c_fc.weight, mlp.c_fc.bias)
    outer, outer_bias = _weight(mlp.c_proj.weight), _weight(mlp.c_proj.bias)
    quick = isinstance(mlp.gelu, QuickGELU)
    if quick:
        inner, inner_bias, outer = _QUICK * inner, _QUICK * inner_bias, outer / _QUICK

    def linear(weight: torch.Tensor, bias: torch.Tensor) -> _Linear:
        return _Linear(weight.T.to(device, dtype).contiguous(), bias.to(device, dtype))

    return _Block(
        queries=linear(scale * maps[:width], scale * shifts[:width]),
        keys_values=linear(maps[width:], torch.zeros_like(shifts[width:])),
        out=linear(*_scaled(block.ls_1, out, out_bias)),
        inner=linear(inner, inner_bias),
        outer=linear(*_scaled(block.ls_2, outer, outer_bias)),
        eps=(block.ln_1.eps, block.ln_2.eps),
        approximate=None if quick else mlp.gelu.approximate,
    )


def _after_norm(
    norm: nn.LayerNorm, weight: torch.Tensor, bias: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """A linear map ``[out, in]`` and ``[out]`` that takes over a norm's scale and shift."""
    plain = _weight(weight)
    return plain * _weight(norm.weight), _weight(bias) + plain @ _weight(norm.bias)


def _scaled(
    scale: nn.Module, weight: torch.Tensor, bias: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """A linear map ``[out, in]`` and ``[out]`` that takes over the layer scale behind it."""
    if isinstance(scale, nn.Identity):
        return weight, bias
    assert isinstance(scale, LayerScale)
    gamma = _weight(scale.gamma)
    return gamma[:, None] * weight, gamma * bias


def _weight(parameter: torch.Tensor) -> torch.Tensor:
    return parameter.detach().float().cpu()
