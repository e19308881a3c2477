"""What drawings begin with: a picture, a first guess for their prompts, or noise."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from PIL import Image

from engine.drawers import Start, grid_size, start_from_image
from engine.drawers.noises import noise_start
from engine.drawers.outline import asked_lines, soft_colours
from engine.guess import FirstGuess, best
from engine.judges import Judges
from engine.masks import Spot, read_mask
from engine.perceptors import Perceptor
from engine.prompts import parse_prompts
from engine.settings import PIXELCLIP, Settings

GUESSES = 8


class Beginnings:
    """Begins drawings; the generator of first guesses is loaded when one is asked for.

    Args:
        judges: who hears the prompts.
        device: where guesses are drawn.

    """

    def __init__(self, judges: Judges, device: torch.device) -> None:
        self._judges, self._device = judges, device
        self._first_guess: FirstGuess | None = None

    def weights(self, settings: Settings) -> dict[str, str]:
        """The hashes of all weights that the beginning of a drawing depends on, by name."""
        if settings.start != "guess":
            return {}
        return {model.name: model.weights_hash for model in self._guessers()}

    def begin(self, settings: Settings, pictures: Mapping[str, Image.Image]) -> Start | None:
        """The picture that a drawing begins with, or None for the drawer's own noise.

        Args:
            settings: resolved.
            pictures: by name, those that the settings name.

        Raises:
            SettingsError: the mask is no mask, or the line drawing has no lines.

        """
        assert settings.seed is not None
        columns, rows = grid_size(settings)
        lines = asked_lines(settings, pictures)
        if lines is not None:
            return soft_colours(lines, (columns, rows), settings.seed)
        if settings.init_image is not None:
            clear = settings.transparent or bool(settings.layers)
            return start_from_image(pictures[settings.init_image], columns, rows, clear=clear)
        if settings.start == "guess":
            return self._guess(settings, pictures, columns, rows)
        return None if settings.init_noise == "pixels" else noise_start(settings, columns, rows)

    def _guess(
        self, settings: Settings, pictures: Mapping[str, Image.Image], columns: int, rows: int
    ) -> Start:
        """The first guess for the prompts, and for those of each side of a mask in its place."""
        anywhere, there = settings.prompts or settings.spot_off_prompts, settings.spot_prompts
        assert anywhere is not None
        start = self._best_guess(settings, anywhere, columns, rows)
        if settings.mask is None:
            return start
        inside, outside = read_mask(pictures[settings.mask], columns, rows)
        if settings.prompts and settings.spot_off_prompts is not None:
            other = self._best_guess(settings, settings.spot_off_prompts, columns, rows)
            start = _mixed(start, other, outside)
        if there is not None:
            left, top, right, bottom = inside.box
            part = self._best_guess(settings, there, right - left, bottom - top)
            start = _placed(start, part, inside)
        return start

    def _best_guess(self, settings: Settings, prompts: str, columns: int, rows: int) -> Start:
        """Of several guesses the one that fits the prompts best."""
        assert settings.seed is not None
        first_guess, ear = self._guessers()
        said = self._judges.targets(ear.name, parse_prompts(prompts))
        drawn = first_guess.draw(
            said.vectors, said.weights, settings.seed, columns, rows, count=GUESSES
        )
        return best(drawn, ear, said, settings.seed)

    def _guessers(self) -> tuple[FirstGuess, Perceptor]:
        """What makes a first guess, and the perceptor whose text vectors it hears."""
        if self._first_guess is None:
            self._first_guess = FirstGuess(device=self._device)
        return self._first_guess, self._judges.perceptor(PIXELCLIP)


def _mixed(start: Start, other: Start, spot: Spot) -> Start:
    """A start that is another one in a place."""
    assert start.background is not None
    assert other.background is not None
    return Start(
        torch.lerp(start.subject, other.subject, spot.share),
        torch.lerp(start.background, other.background, spot.share),
    )


def _placed(start: Start, part: Start, spot: Spot) -> Start:
    """A start with the subject of another one, of the size of a spot's box, in its place."""
    left, top, right, bottom = spot.box
    rows, columns = spot.share.shape
    border = (left, columns - right, top, rows - bottom)
    subject = spot.share * F.pad(part.subject, border)
    return Start(subject + (1 - subject[3:]) * start.subject, start.background)
