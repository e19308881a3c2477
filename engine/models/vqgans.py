"""VQGANs by name: the sizes of their networks, and where the published ones come from.

All are of the kind that Esser et al. 2021 describe ("Taming Transformers"). `mini` ships with the
project; the others are brought by ``pixel models pull NAME``. Their sizes are those of the
configurations published with them.

Nobody who made them published a hash. The hashes here are those of PyTTI Portable's copies of the
same files (huggingface.co/pxlpshr/pytti-models), whose sizes in bytes agree with what others
report of the originals; where there is None, a hash is recorded when the file comes, and only later
reading is checked against that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.models import SHIPPED, models_folder

MINI = "mini"


@dataclass(frozen=True)
class Shape:
    """Sizes of the networks; the defaults are those of `mini`.

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
        features: channels between the encoder and a code's numbers; None for `channels`.
        attention: stages that attend over the whole canvas, as the middle does then; None for no
            attention at all, not even in the middle.
        gumbel: whether codes were chosen by their logits in training (Jang et al. 2017), and not
            by their distance.

    """

    patch: int = 4
    channels: int = 128
    multipliers: tuple[int, ...] = (1, 1)
    encoder_blocks: int = 1
    decoder_blocks: int = 1
    width: int = 32
    codes: int = 2048
    features: int | None = None
    attention: tuple[int, ...] | None = None
    gumbel: bool = False

    @property
    def factor(self) -> int:
        """Side in pixels of the square that one code stands for."""
        return self.patch << len(self.multipliers) - 1

    def rounded(self, width: float, height: float) -> tuple[int, int]:
        """The nearest size, in pixels, that the grid of codes fits; at least one code each way."""
        across, down = (max(1, round(side / self.factor)) for side in (width, height))
        return across * self.factor, down * self.factor


@dataclass(frozen=True)
class Published:
    """A checkpoint that others made.

    Attributes:
        url: where it is downloaded.
        shape: sizes of its networks.
        trained_on: the pictures that it knows.
        source: who made it, and who keeps it where that is someone else.
        licence: as stated where it is published.
        sha256: of the download, in hexadecimal, if known.

    """

    url: str
    shape: Shape
    trained_on: str
    source: str
    licence: str
    sha256: str | None = None


def _f16(codes: int) -> Shape:
    """256 × 256 pixels as 16 × 16 codes, the configuration of most."""
    return Shape(
        patch=1,
        multipliers=(1, 1, 2, 2, 4),
        encoder_blocks=2,
        decoder_blocks=2,
        width=256,
        codes=codes,
        features=256,
        attention=(4,),
    )


_F8_GUMBEL = Shape(
    patch=1,
    multipliers=(1, 1, 2, 4),
    encoder_blocks=2,
    decoder_blocks=2,
    width=256,
    codes=8192,
    features=256,
    attention=(3,),
    gumbel=True,
)

_COMPVIS = "CompVis, taming-transformers"
_MIT = "MIT, that of taming-transformers"
_UNSTATED = "not stated"

PUBLISHED: Mapping[str, Published] = {
    "imagenet_f16_16384": Published(
        "https://heibox.uni-heidelberg.de/f/867b05fc8c4841768640/?dl=1",
        _f16(16384),
        "ImageNet",
        _COMPVIS,
        _MIT,
        "845a68805098cb666420d5db93df53f3a3b6dd443e6dd85c05759c5b998cd663",
    ),
    "imagenet_f16_1024": Published(
        "https://heibox.uni-heidelberg.de/f/140747ba53464f49b476/?dl=1",
        _f16(1024),
        "ImageNet",
        _COMPVIS,
        _MIT,
    ),
    "coco": Published(
        "https://batbot.ai/models/VQGAN/coco_first_stage.ckpt",
        _f16(8192),
        "COCO",
        f"{_COMPVIS}; its first stage alone is kept by batbot.ai",
        _MIT,
        "106cc20fde571df14afc4349d62218d8213cf47177c682ecaa78a8c28b12f9de",
    ),
    "faceshq": Published(
        "https://github.com/ieee8023/latentshift/releases/download/weights/"
        "2020-11-13T21-41-45_faceshq.pth",
        _f16(1024),
        "faces of CelebA-HQ and FFHQ",
        f"{_COMPVIS}; its first stage alone is kept by latentshift",
        _MIT,
    ),
    "sflckr": Published(
        "https://heibox.uni-heidelberg.de/d/73487ab6e5314cb5adba/files/"
        "?p=%2Fcheckpoints%2Flast.ckpt&dl=1",
        _f16(1024),
        "landscapes of Flickr",
        _COMPVIS,
        _MIT,
        "8a8adea3da8dab412675772831370dd948e0aa97bb11a9488a2f328b58dbc929",
    ),
    "wikiart_16384": Published(
        "https://github.com/pixray/pixray/releases/download/v1.7.1/vqgan_wikiart_16384.ckpt",
        _f16(16384),
        "paintings of WikiArt",
        "unknown, first published at eaidata.bmk.sh; kept by pixray",
        _UNSTATED,
        "bd08bb46301f98be1712bb2be9f8868cea30b53137cd985d4d6e8da8b3e02c36",
    ),
    "wikiart_1024": Published(
        "https://github.com/pixray/pixray/releases/download/v1.7.1/vqgan_wikiart_1024.ckpt",
        _f16(1024),
        "paintings of WikiArt",
        "unknown; kept by pixray",
        _UNSTATED,
    ),
    "openimages_f8_8192": Published(
        "https://heibox.uni-heidelberg.de/d/2e5662443a6b4307b470/files/"
        "?p=%2Fckpts%2Flast.ckpt&dl=1",
        _F8_GUMBEL,
        "Open Images",
        _COMPVIS,
        _MIT,
        "5cd6c74810ab97e00e942c25403f73afc081e8b19987b31ec0d9ff5b68e7ab14",
    ),
}

VQGAN_NAMES = (MINI, *PUBLISHED)


def vqgan_shape(name: str) -> Shape:
    """The sizes of a VQGAN; raises `KeyError` for an unknown name."""
    return Shape() if name == MINI else PUBLISHED[name].shape


def vqgan_path(name: str) -> Path:
    """Where the weights of a VQGAN lie, once they are pulled."""
    folder = SHIPPED if name == MINI else models_folder()
    return folder / f"vqgan-{name}.safetensors"
