"""What the settings of a job ask of whom."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from PIL import Image

from engine.asks import Answer, Ask, Encoding, Layers, Part
from engine.cutouts import choose_views, sample
from engine.drawers import Drawer, grid_size, start_from_image
from engine.dream import Dream, begin_dream, dream_loss
from engine.judges import Judges, shares
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
from engine.perceptors import Perceptor
from engine.prompts import Prompt, parse_prompts
from engine.settings import Settings
from engine.streams import stream
from engine.style import style_ask
from engine.vector_prompts import VECTOR_PROMPTS

if TYPE_CHECKING:
    from engine.perceptors.classifier import Classifier

# Views of a picture that stands for a prompt.
_PICTURE_VIEWS = 24


def questions(
    judges: Judges,
    settings: Settings,
    drawer: Drawer,
    pictures: Mapping[str, Image.Image],
) -> tuple[Ask, ...]:
    """Everything that a job asks.

    Args:
        judges: those who may be asked.
        settings: resolved.
        drawer: the job's own, before the first step.
        pictures: by name, those that the settings name.

    Raises:
        PerceptorError: one of those who are asked is not there.

    """
    asked = [*_prompt_asks(judges, settings, pictures), *_label_asks(judges, settings)]
    asked += _vector_asks(judges, settings)
    asked += _style_asks(judges, settings, pictures)
    if settings.dream:
        asked += _dream_asks(judges, settings, drawer)
    return tuple(asked)


def _prompt_asks(
    judges: Judges, settings: Settings, pictures: Mapping[str, Image.Image]
) -> Iterator[Ask]:
    """That each part of the picture fits what is said of it, in words and in pictures."""
    said: Mapping[Part, str | None] = {
        "whole": settings.prompts,
        "inside": settings.spot_prompts,
        "outside": settings.spot_off_prompts,
    }
    for part, words in said.items():
        shown = settings.image_prompts if part == "whole" else None
        for name, share in shares(settings) if words or shown else ():
            wanted = []
            if words:
                wanted.append(judges.targets(name, parse_prompts(words)))
            if shown:
                wanted.append(_shown_targets(judges, name, shown, pictures))
            yield _fit(judges.perceptor(name), part, join_targets(wanted), share)


def _shown_targets(
    judges: Judges, name: str, image_prompts: str, pictures: Mapping[str, Image.Image]
) -> Targets:
    """Pictures by name, with their weights, in a perceptor's space."""
    prompts = parse_prompts(image_prompts)
    perceptor = judges.perceptor(name)
    vectors = [_seen(perceptor, pictures[prompt.text], judges.device) for prompt in prompts]
    return make_targets(prompts, torch.stack(vectors))


def _dream_asks(judges: Judges, settings: Settings, drawer: Drawer) -> Sequence[Ask]:
    assert settings.seed is not None
    perceptors = [(judges.perceptor(name), share) for name, share in shares(settings)]
    return [
        _amplify(perceptor, begin_dream(perceptor, drawer.reference(), settings.seed), share)
        for perceptor, share in perceptors
    ]


def _label_asks(judges: Judges, settings: Settings) -> Sequence[Ask]:
    """Every classifier is asked: what several take it for is seldom one's own illusion."""
    if settings.labels is None:
        return []
    labels = parse_prompts(settings.labels)
    classes = torch.tensor([find_class(label.text) for label in labels], device=judges.device)
    weights = torch.tensor([label.weight for label in labels], device=judges.device)
    classifiers = judges.classifiers()
    return [_taken_for(each, classes, weights, 1 / len(classifiers)) for each in classifiers]


def _vector_asks(judges: Judges, settings: Settings) -> Iterator[Ask]:
    """That the picture keeps away from what is seldom wanted; its fit says nothing of it."""
    away = [VECTOR_PROMPTS[name] for name in settings.vector_prompts]
    if not away:
        return
    for name, share in shares(settings):
        vectors = [
            judges.targets(name, [Prompt(phrase) for phrase in each.phrases]).vectors.mean(0)
            for each in away
        ]
        prompts = [Prompt(each.phrases[0], each.weight) for each in away]
        targets = make_targets(prompts, F.normalize(torch.stack(vectors), dim=1))
        yield replace(_fit(judges.perceptor(name), "whole", targets, share), score=None)


def _style_asks(
    judges: Judges, settings: Settings, pictures: Mapping[str, Image.Image]
) -> Iterator[Ask]:
    """That the picture has the style of the target image, or else of the init image."""
    named = settings.target_image or settings.init_image
    if settings.style_weight == 0 or named is None:
        return
    assert settings.seed is not None
    start = start_from_image(pictures[named], *grid_size(settings), clear=False)
    picture = start.subject.to(judges.device)
    for name, share in shares(settings):
        weight = share * settings.style_weight
        yield style_ask(judges.perceptor(name), weight, picture, settings.seed, wraps=settings.tile)


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

    return Ask(Encoding(perceptor), part, share, loss, score)


def _amplify(perceptor: Perceptor, dream: Dream, share: float) -> Ask:
    """That the perceptor sees more in the picture than at first."""

    def loss(answer: Answer) -> torch.Tensor:
        assert isinstance(answer, tuple)
        return dream_loss(answer, dream)

    return Ask(Layers(perceptor), "octave", share, loss)


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
