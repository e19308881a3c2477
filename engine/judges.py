"""Everything that judges pictures, by name."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch

from engine.errors import PerceptorError
from engine.losses import Targets, make_targets
from engine.memory import kept_for_view
from engine.models import TORCHVISION, classifiers_at_hand
from engine.perceptors import Perceptor
from engine.prompts import Prompt
from engine.settings import PIXELCLIP, Settings, split_weight

if TYPE_CHECKING:
    from engine.perceptors.classifier import Classifier

_MAX_CACHED_TEXTS = 4096


class Judges:
    """Perceptors and classifiers, each loaded when it is first asked for.

    Args:
        load: loads a perceptor by name, for a device.
        device: where they judge.

    """

    def __init__(
        self, load: Callable[[str, torch.device], Perceptor], device: torch.device
    ) -> None:
        self._load, self.device = load, device
        self._perceptors: dict[str, Perceptor] = {}
        self._classifiers: dict[str, Classifier] = {}
        self._kept: dict[str, int] = {}
        self._texts: dict[tuple[str, str], torch.Tensor] = {}

    def perceptor(self, name: str) -> Perceptor:
        """A perceptor by its name, without a weight; raises `PerceptorError`."""
        if name not in self._perceptors:
            self._perceptors[name] = self._load(name, self.device)
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

                self._classifiers[name] = Classifier(name, self.device)
        return tuple(self._classifiers[name] for name in names)

    def weights(self, settings: Settings) -> dict[str, str]:
        """The hashes of all weights that judge a job of resolved settings, by name."""
        hashes = {name: self.perceptor(name).weights_hash for name, _ in shares(settings)}
        if settings.labels is not None:
            hashes |= {judge.name: judge.weights_hash for judge in self.classifiers()}
        return hashes

    def dtype(self, settings: Settings) -> str:
        """The coarsest numbers that a job of resolved settings depends on.

        Those of its perceptors; a first guess is made in those of pixelclip, which chooses it.
        """
        names = [name for name, _ in shares(settings)]
        if settings.start == "guess":
            names.append(PIXELCLIP)
        used = {self.perceptor(name).dtype for name in names}
        return "bfloat16" if "bfloat16" in used else "float32"

    def needed(self, settings: Settings) -> int:
        """How many bytes a step of a job of resolved settings keeps at least, for its views."""
        assert settings.num_cuts is not None
        return sum(self._kept_for_view(name) for name, _ in shares(settings)) * settings.num_cuts

    def _kept_for_view(self, name: str) -> int:
        if name not in self._kept:
            judge = self.perceptor(name)
            self._kept[name] = kept_for_view(judge.encode_views, judge.view_size, self.device)
        return self._kept[name]

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


def shares(settings: Settings) -> list[tuple[str, float]]:
    """Perceptors and what each one's word counts; together 1."""
    weighted = [split_weight(name) for name in settings.perceptors or ()]
    total = sum(weight for _, weight in weighted)
    return [(name, weight / total) for name, weight in weighted]
