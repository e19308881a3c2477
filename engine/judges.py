"""Perceptors by name, and what the settings of a job ask of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from PIL import Image

from engine.asks import Answer, Ask, Part
from engine.cutouts import choose_views, sample
from engine.drawers import Drawer, grid_size, start_from_image
from engine.dream import Dream, begin_dream, dream_loss
from engine.errors import PerceptorError
from engine.labels import find_class
from engine.losses import (
    Targets,
    join_targets,
    label_loss,
    label_score,
    make_targets,
    prompt_loss,
    prompt_score,
)
from engine.models import TORCHVISION, classifiers_at_hand
from engine.perceptors import Perceptor
from engine.prompts import Prompt, parse_prompts
from engine.settings import Settings, split_weight
from engine.streams import stream
from engine.style import style_ask
from engine.vector_prompts import VECTOR_PROMPTS

if TYPE_CHECKING:
    from engine.perceptors.classifier import Classifier

_MAX_CACHED_TEXTS = 4096
# Views of a picture that stands for a prompt.
_PICTURE_VIEWS = 24


@dataclass(frozen=True)
class _Encoding:
    """A perceptor's embedding of views, as a judge."""

    perceptor: Perceptor

    @property
    def view_size(self) -> int:
        return self.perceptor.view_size

    def __call__(self, views: torch.Tensor) -> torch.Tensor:
        return self.perceptor.encode_views(views)


@dataclass(frozen=True)
class _Layers:
    """What a perceptor's stages answer to views, as a judge."""

    perceptor: Perceptor

    @property
    def view_size(self) -> int:
        return self.perceptor.view_size

    def __call__(self, views: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.perceptor.layers(views)


class Judges:
    """Everything that judges pictures, each loaded when it is first asked for.

    Args:
        load: loads a perceptor by name, for a device.
        device: where they judge.

    """

    def __init__(
        self, load: Callable[[str, torch.device], Perceptor], device: torch.device
    ) -> None:
        self._load, self._device = load, device
        self._perceptors: dict[str, Perceptor] = {}
        self._classifiers: dict[str, Classifier] = {}
        self._texts: dict[tuple[str, str], torch.Tensor] = {}

    def perceptor(self, name: str) -> Perceptor:
        """A perceptor by its name, without a weight; raises `PerceptorError`."""
        if name not in self._perceptors:
            self._perceptors[name] = self._load(name, self._device)
        return self._perceptors[name]

    def classifiers(self) -> tuple["Classifier", ...]:
        """Every classifier whose weights are on this machine; raises `PerceptorError` if none."""
        names = classifiers_at_hand()
        if not names:
            raise PerceptorError(
                "No classifier that could judge labels is on this machine; its operator can bring "
                f"one with “pixel models pull {TORCHVISION}/resnet50”."
            )
        for name in names:
            if name not in self._classifiers:
                # torchvision takes seconds to import.
                from engine.perceptors.classifier import Classifier

                self._classifiers[name] = Classifier(name, self._device)
        return tuple(self._classifiers[name] for name in names)

    def weights(self, settings: Settings) -> dict[str, str]:
        """The hashes of all weights that judge a job of resolved settings, by name."""
        hashes = {name: self.perceptor(name).weights_hash for name, _ in _shares(settings)}
        if settings.labels is not None:
            hashes |= {judge.name: judge.weights_hash for judge in self.classifiers()}
        return hashes

    def asks(
        self,
        settings: Settings,
        drawer: Drawer,
        pictures: Mapping[str, Image.Image] | None = None,
    ) -> tuple[Ask, ...]:
        """What a job asks of whom.

        Args:
            settings: resolved.
            drawer: the job's own, before the first step.
            pictures: by name, those that the settings name.

        Raises:
            PerceptorError: one of those who are asked is not there.

        """
        asked = [*self._prompt_asks(settings, pictures or {}), *self._label_asks(settings)]
        asked += self._vector_asks(settings)
        asked += self._style_asks(settings, pictures or {})
        if settings.dream:
            asked += self._dream_asks(settings, drawer)
        return tuple(asked)

    def targets(self, name: str, prompts: Sequence[Prompt]) -> Targets:
        """Prompts in a perceptor's space.

        Text vectors are kept across jobs: a channel's favourite prompts come again.
        """
        if len(self._texts) > _MAX_CACHED_TEXTS:
            self._texts.clear()
        for prompt in prompts:
            if (name, prompt.text) not in self._texts:
                vector = self.perceptor(name).encode_text([prompt.text])[0]
                self._texts[name, prompt.text] = vector
        vectors = torch.stack([self._texts[name, prompt.text] for prompt in prompts])
        return make_targets(prompts, vectors)

    def _prompt_asks(
        self, settings: Settings, pictures: Mapping[str, Image.Image]
    ) -> Iterator[Ask]:
        """That each part of the picture fits what is said of it, in words and in pictures."""
        said: Mapping[Part, str | None] = {
            "whole": settings.prompts,
            "inside": settings.spot_prompts,
            "outside": settings.spot_off_prompts,
        }
        for part, words in said.items():
            shown = settings.image_prompts if part == "whole" else None
            for name, share in _shares(settings) if words or shown else ():
                wanted = []
                if words:
                    wanted.append(self.targets(name, parse_prompts(words)))
                if shown:
                    wanted.append(self._shown_targets(name, shown, pictures))
                yield _fit(self.perceptor(name), part, join_targets(wanted), share)

    def _shown_targets(
        self, name: str, image_prompts: str, pictures: Mapping[str, Image.Image]
    ) -> Targets:
        """Pictures by name, with their weights, in a perceptor's space."""
        prompts = parse_prompts(image_prompts)
        perceptor = self.perceptor(name)
        vectors = [_seen(perceptor, pictures[prompt.text], self._device) for prompt in prompts]
        return make_targets(prompts, torch.stack(vectors))

    def _dream_asks(self, settings: Settings, drawer: Drawer) -> Sequence[Ask]:
        assert settings.seed is not None
        perceptors = [(self.perceptor(name), share) for name, share in _shares(settings)]
        return [
            _amplify(perceptor, begin_dream(perceptor, drawer.reference(), settings.seed), share)
            for perceptor, share in perceptors
        ]

    def _label_asks(self, settings: Settings) -> Sequence[Ask]:
        """Every classifier is asked: what several take it for is seldom one's own illusion."""
        if settings.labels is None:
            return []
        labels = parse_prompts(settings.labels)
        classes = torch.tensor([find_class(label.text) for label in labels], device=self._device)
        weights = torch.tensor([label.weight for label in labels], device=self._device)
        judges = self.classifiers()
        return [_taken_for(judge, classes, weights, 1 / len(judges)) for judge in judges]

    def _vector_asks(self, settings: Settings) -> Iterator[Ask]:
        """That the picture keeps away from what is seldom wanted; its fit says nothing of it."""
        away = [VECTOR_PROMPTS[name] for name in settings.vector_prompts]
        if not away:
            return
        for name, share in _shares(settings):
            vectors = [
                self.targets(name, [Prompt(phrase) for phrase in each.phrases]).vectors.mean(0)
                for each in away
            ]
            prompts = [Prompt(each.phrases[0], each.weight) for each in away]
            targets = make_targets(prompts, F.normalize(torch.stack(vectors), dim=1))
            yield replace(_fit(self.perceptor(name), "whole", targets, share), score=None)

    def _style_asks(self, settings: Settings, pictures: Mapping[str, Image.Image]) -> Iterator[Ask]:
        """That the picture has the style of the target image, or else of the init image."""
        named = settings.target_image or settings.init_image
        if settings.style_weight == 0 or named is None:
            return
        assert settings.seed is not None
        start = start_from_image(pictures[named], *grid_size(settings), clear=False)
        picture = start.subject.to(self._device)
        for name, share in _shares(settings):
            weight = share * settings.style_weight
            yield style_ask(
                self.perceptor(name), weight, picture, settings.seed, wraps=settings.tile
            )


@torch.no_grad()
def _seen(perceptor: Perceptor, image: Image.Image, device: torch.device) -> torch.Tensor:
    """What a perceptor sees in a picture: ``[d]``, unit length.

    It is the mean of many views, the same for every job and of the kind that a drawing is seen
    through: what they have in common is what the picture shows, and not what is behind it.
    """
    # Twice as many dots as a view has: more would be skipped, fewer would be blocks. Of a strip,
    # though, no more than there is to see.
    size = perceptor.view_size
    scale = min(2 * size / min(image.size), 8 * size / max(image.size))
    columns, rows = (max(1, round(side * scale)) for side in image.size)
    grid = start_from_image(image, columns, rows, clear=True).subject[None].to(device)
    views = choose_views(_PICTURE_VIEWS, columns, rows, stream(0, "image_prompts"))
    embedded = perceptor.encode_views(sample([grid], [views], size))
    return F.normalize(embedded.mean(0), dim=0)


def _fit(perceptor: Perceptor, part: Part, targets: Targets, share: float) -> Ask:
    """That a part of the picture fits targets."""

    def loss(answer: Answer) -> torch.Tensor:
        assert isinstance(answer, torch.Tensor)
        return prompt_loss(answer, targets)

    def score(answer: Answer) -> torch.Tensor:
        assert isinstance(answer, torch.Tensor)
        return prompt_score(answer, targets)

    return Ask(_Encoding(perceptor), part, share, loss, score)


def _amplify(perceptor: Perceptor, dream: Dream, share: float) -> Ask:
    """That the perceptor sees more in the picture than at first."""

    def loss(answer: Answer) -> torch.Tensor:
        assert isinstance(answer, tuple)
        return dream_loss(answer, dream)

    return Ask(_Layers(perceptor), "octave", share, loss)


def _taken_for(
    judge: "Classifier", classes: torch.Tensor, weights: torch.Tensor, share: float
) -> Ask:
    """That a classifier takes the whole picture for classes."""

    def loss(answer: Answer) -> torch.Tensor:
        assert isinstance(answer, torch.Tensor)
        return label_loss(answer, classes, weights)

    def score(answer: Answer) -> torch.Tensor:
        assert isinstance(answer, torch.Tensor)
        return label_score(answer, classes, weights)

    return Ask(judge, "whole", share, loss, score)


def _shares(settings: Settings) -> list[tuple[str, float]]:
    """Perceptors and what each one's word counts; together 1."""
    weighted = [split_weight(name) for name in settings.perceptors or ()]
    total = sum(weight for _, weight in weighted)
    return [(name, weight / total) for name, weight in weighted]
