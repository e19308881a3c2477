"""pixelclip: the small image–text model that ships with the project and needs no download.

An image tower for 64 × 64 views and a text tower meet in one space of 384 numbers, as in CLIP
(Radford et al. 2021). `docs/small-models.md` says how it was made and what it can do.
"""

from __future__ import annotations

import json
import math
import unicodedata
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from torch import nn
from torch.nn import functional as F

from engine.errors import PerceptorError
from engine.models import SHIPPED
from engine.models.shipped import metadata, read_weights
from engine.perceptors.dtype import best_dtype

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WEIGHTS = SHIPPED / "pixelclip.safetensors"
VOCABULARY = SHIPPED / "wordpiece.txt"

VIEW_SIZE = 64
"""Side of a view in pixels."""

WIDTH = 384
"""Numbers in an embedding."""

_EMOJI_PLANE = "\U0001f000"
_MODIFIERS = frozenset("\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


@dataclass(frozen=True)
class ImageShape:
    """Sizes of the image tower; the defaults are those of the file that ships.

    `channels` are those of the stages at 16², 8² and 4², and `blocks` their residual blocks.
    """

    channels: tuple[int, ...] = (48, 96, 192)
    blocks: tuple[int, ...] = (1, 1, 2)
    queries: int = 4


@dataclass(frozen=True)
class TextShape:
    """Sizes of the text tower; the defaults are those of the file that ships."""

    vocabulary: int = 30522
    table: int = 128
    width: int = 256
    layers: int = 2
    heads: int = 4
    tokens: int = 40


class ResidualBlock(nn.Module):
    """Two 3 × 3 convolutions, each after a SiLU, beside the identity (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[n, c, h, w] → the same shape."""
        change: torch.Tensor = self.second(F.silu(self.first(F.silu(features))))
        return features + change


class AttentionPool(nn.Module):
    """The mean of all places, and for each learnt query the mean of the places that answer it.

    [n, c, h, w] → [n, (1 + queries) · c]. Products and sums are spelled out: what `bmm` and a
    1 × 1 convolution round depends on the size of the batch.
    """

    def __init__(self, channels: int, queries: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(queries, channels) / math.sqrt(channels))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Pool the places away."""
        places = features.flatten(2).contiguous().unsqueeze(1)
        weights = (places * self.query.unsqueeze(-1)).sum(dim=2, keepdim=True).softmax(dim=-1)
        attended = (weights * places).sum(dim=-1)
        return torch.cat((places.mean(dim=-1), attended), dim=1).flatten(1)


class ImageTower(nn.Module):
    """A view to an embedding: [n, 3, 64, 64] RGB in 0..1 → [n, 384], not normalised.

    Pixel-unshuffle by 4 and plain 3 × 3 convolutions, because those are what a CPU does fast
    (depthwise ones took ten times as long an operation). The stages may be in bfloat16; what comes
    before and after them is in fp32.
    """

    def __init__(self, shape: ImageShape | None = None) -> None:
        super().__init__()
        shape = shape or ImageShape()
        stages: list[nn.Module] = [nn.PixelUnshuffle(4)]
        before = 3 * 4 * 4
        for number, (channels, blocks) in enumerate(zip(shape.channels, shape.blocks, strict=True)):
            stages.append(nn.Conv2d(before, channels, 3, stride=2 if number else 1, padding=1))
            stages += [ResidualBlock(channels) for _ in range(blocks)]
            before = channels
        self.stages = nn.Sequential(*stages)
        self.pool = AttentionPool(before, shape.queries)
        self.project = nn.Linear((1 + shape.queries) * before, WIDTH)

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        """Embed the views."""
        embedding: torch.Tensor = self.project(self.pooled(views))
        return embedding

    def embed_alike(self, views: torch.Tensor) -> torch.Tensor:
        """`forward` with rounding that does not depend on how many views or threads there are.

        On a CPU that holds for convolutions of two views and more, and not for a matrix product,
        whose kernel is chosen by its rows: so one view is joined by another, and the last product
        is made for eight views at a time, with the weights on the left, whose sums are not divided
        between threads.
        """
        n = len(views)
        pooled = self.pooled(views if n > 1 else torch.cat((views, views)))
        filled = F.pad(pooled, (0, 0, 0, -len(pooled) % 8))
        weight, bias = self.project.weight, self.project.bias[:, None]
        embedded = [torch.addmm(bias, weight, rows.T).T for rows in torch.split(filled, 8)]
        return torch.cat(embedded)[:n]

    def pooled(self, views: torch.Tensor) -> torch.Tensor:
        """All but the last product: [n, (1 + queries) · c]."""
        features = self.stages(self._centred(views)).float()
        pooled: torch.Tensor = self.pool(F.silu(features))
        return pooled

    def layers_alike(self, views: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The features that each stage ends with, rounded alike however many views there are."""
        n = len(views)
        features = self._centred(views if n > 1 else torch.cat((views, views)))
        ends = []
        for number, module in enumerate(self.stages):
            if number > 1 and isinstance(module, nn.Conv2d):
                ends.append(features[:n].float())
            features = module(features)
        return (*ends, features[:n].float())

    def _centred(self, views: torch.Tensor) -> torch.Tensor:
        dtype = next(self.stages.parameters()).dtype
        return (views * 2 - 1).to(dtype, memory_format=torch.channels_last)


class TransformerLayer(nn.Module):
    """Self-attention and a two-layer perceptron, normalised before (Xiong et al. 2020)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.attention_in = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.perceptron_norm = nn.LayerNorm(width)
        self.perceptron_in = nn.Linear(width, 4 * width)
        self.perceptron_out = nn.Linear(4 * width, width)

    def forward(self, tokens: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """[n, t, w] tokens, of which `present` [n, t] are real → [n, t, w]."""
        n, length, width = tokens.shape
        parts = self.attention_in(self.attention_norm(tokens))
        query, key, value = parts.view(n, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(
            query, key, value, attn_mask=present[:, None, None, :]
        )
        tokens = tokens + self.attention_out(mixed.transpose(1, 2).reshape(n, length, width))
        hidden = F.gelu(self.perceptron_in(self.perceptron_norm(tokens)))
        changed: torch.Tensor = tokens + self.perceptron_out(hidden)
        return changed


class TextTower(nn.Module):
    """Tokens to an embedding: [n, t] WordPiece ids, 0 where padded → [n, 384], not normalised.

    A narrow table of word pieces, widened, two transformer layers, and the mean over the tokens.
    """

    def __init__(self, shape: TextShape | None = None) -> None:
        super().__init__()
        shape = shape or TextShape()
        self.table = nn.Embedding(shape.vocabulary, shape.table)
        self.widen = nn.Linear(shape.table, shape.width)
        self.positions = nn.Parameter(torch.zeros(shape.tokens, shape.width))
        self.layers = nn.ModuleList(
            TransformerLayer(shape.width, shape.heads) for _ in range(shape.layers)
        )
        self.norm = nn.LayerNorm(shape.width)
        self.project = nn.Linear(shape.width, WIDTH)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Embed the texts."""
        present = ids != 0
        tokens = self.widen(self.table(ids)) + self.positions[: ids.shape[1]]
        for layer in self.layers:
            tokens = layer(tokens, present)
        kept = self.norm(tokens) * present.unsqueeze(-1)
        embedding: torch.Tensor = self.project(kept.sum(1) / present.sum(1, keepdim=True))
        return embedding


class WordPieces:
    """BERT's uncased word pieces, with emoji read out: any string → at most `longest` ids."""

    def __init__(self, vocabulary: Path = VOCABULARY, longest: int = TextShape.tokens) -> None:
        try:
            words = vocabulary.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            message = f"The vocabulary {vocabulary.name} is missing from {vocabulary.parent}."
            raise PerceptorError(message) from error
        numbers = {word: number for number, word in enumerate(words)}
        self._tokenizer = Tokenizer(WordPiece(numbers, unk_token="[UNK]"))  # noqa: S106
        self._tokenizer.normalizer = BertNormalizer(lowercase=True)
        self._tokenizer.pre_tokenizer = BertPreTokenizer()
        self._first, self._last = numbers["[CLS]"], numbers["[SEP]"]
        self._longest = longest

    def __call__(self, text: str) -> list[int]:
        """The ids of a text between BERT's two marks, never empty and never 0."""
        pieces = self._tokenizer.encode(read_out(text)).ids[: self._longest - 2]
        return [self._first, *pieces, self._last]


def read_out(text: str) -> str:
    """Replace each symbol by its Unicode name: "🍎" → "red apple".

    In the older blocks "black" and "white" mean filled and outlined ("black sun with rays"), and
    "heavy" a thick line, so they are left out there. What only changes how a symbol looks goes:
    joiners, variation selectors, skin tones; and so do halves of surrogate pairs.
    """
    if text.isascii():
        return text
    said = []
    for character in text:
        category = unicodedata.category(character)
        if category == "So":
            words = unicodedata.name(character, "").lower().split()
            if character < _EMOJI_PLANE:
                words = [word for word in words if word not in {"black", "white", "heavy"}]
            said.append(f" {' '.join(words)} ")
        elif category not in {"Cf", "Cs"} and character not in _MODIFIERS:
            said.append(character)
    return "".join(said)


class PixelClip:
    """The perceptor: embeds prompts and views, so that their agreement is a dot product.

    Its parameters are frozen; gradients flow to the views. On a CPU the embedding of a view and
    the gradient that it gets are the same bytes whatever else is in the batch.

    Args:
        path: of other weights than those that ship.
        device: where it judges.
        dtype: what the convolutions are computed in; by default the fastest that the device has.

    Raises:
        PerceptorError: the weights or the vocabulary are missing or damaged.

    """

    name = "pixelclip"
    view_size = VIEW_SIZE
    alike = True

    def __init__(
        self,
        path: Path | None = None,
        device: torch.device | str = "cpu",
        dtype: torch.dtype | None = None,
    ) -> None:
        file = WEIGHTS if path is None else path
        content, self.weights_hash = read_weights(file, "pixelclip", PerceptorError)
        self.device = torch.device(device)
        self._image, self._text = unpack(content)
        for tower in (self._image, self._text):
            tower.to(self.device).eval().requires_grad_(requires_grad=False)
        self._dtype = dtype or best_dtype(self.device, convolutions=True)
        self._image.stages.to(self._dtype).to(memory_format=torch.channels_last)
        self._word_pieces = WordPieces()

    @property
    def dtype(self) -> str:
        """What its convolutions are computed in: "float32" or "bfloat16"."""
        return str(self._dtype).removeprefix("torch.")

    def encode_text(self, texts: Sequence[str]) -> torch.Tensor:
        """Embed any strings: [n, 384] of unit length, fp32.

        Each text passes alone, so its vector does not depend on its company.
        """
        rows = [
            self._text(torch.tensor([self._word_pieces(text)], device=self.device))
            for text in texts
        ]
        if not rows:
            return torch.empty(0, WIDTH, device=self.device)
        return F.normalize(torch.cat(rows), dim=-1)

    def encode_views(self, views: torch.Tensor) -> torch.Tensor:
        """Embed [n, 3, 64, 64] RGB views in 0..1: [n, 384] of unit length, fp32."""
        _check(views)
        return F.normalize(self._image.embed_alike(views), dim=-1)

    def layers(self, views: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The features that its stages end with: [n, c, 16, 16], [n, 2c, 8, 8], [n, 4c, 4, 4]."""
        _check(views)
        return self._image.layers_alike(views)


def _check(views: torch.Tensor) -> None:
    if views.shape[1:] != (3, VIEW_SIZE, VIEW_SIZE):
        message = f"pixelclip sees views of 3 × 64 × 64, not {tuple(views.shape[1:])}."
        raise PerceptorError(message)


def pack(image: ImageTower, text: TextTower, shapes: tuple[ImageShape, TextShape]) -> bytes:
    """The file of a model: all in fp16, but the word table in int8 with a scale for each row."""
    tensors = {f"image.{name}": value.half() for name, value in image.state_dict().items()}
    tensors |= {f"text.{name}": value.half() for name, value in text.state_dict().items()}
    table = text.table.weight.detach().float()
    scale = (table.abs().amax(dim=1, keepdim=True) / 127).clamp_min(1e-8).half()
    tensors["text.table.weight"] = (table / scale.float()).round().clamp(-127, 127).to(torch.int8)
    tensors["text.table.scale"] = scale
    said = {
        "format": "pixelclip 1",
        "image": json.dumps(asdict(shapes[0])),
        "text": json.dumps(asdict(shapes[1])),
    }
    return save_safetensors({name: t.contiguous().cpu() for name, t in tensors.items()}, said)


def unpack(content: bytes) -> tuple[ImageTower, TextTower]:
    """The two towers of a file that `pack` made.

    Raises:
        PerceptorError: the bytes are not such a file.

    """
    try:
        image_shape, text_shape = _shapes(content)
        tensors = {name: value.float() for name, value in load_safetensors(content).items()}
        scale = tensors.pop("text.table.scale")
        tensors["text.table.weight"] *= scale
        image, text = ImageTower(image_shape), TextTower(text_shape)
        for name, tower in (("image.", image), ("text.", text)):
            own = {k.removeprefix(name): v for k, v in tensors.items() if k.startswith(name)}
            tower.load_state_dict(own, assign=True)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        message = "The weights of pixelclip are damaged: the file is not one of its kind."
        raise PerceptorError(message) from error
    return image, text


def _shapes(content: bytes) -> tuple[ImageShape, TextShape]:
    said = metadata(content)
    image: dict[str, Any] = json.loads(said["image"])
    channels, blocks = tuple(image["channels"]), tuple(image["blocks"])
    return ImageShape(channels, blocks, image["queries"]), TextShape(**json.loads(said["text"]))
