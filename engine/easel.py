"""One job being drawn: its parameters, optimiser and random streams; can be saved and resumed."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.asks import Look, Part
from engine.cutouts import Views, choose_views
from engine.drawers import Start, grid_size, make_drawer, start_from_image
from engine.drawers.outline import asked_lines
from engine.dream import HOLD, octave_at, octave_look
from engine.flatness import Flatness
from engine.losses import init_loss, target_loss
from engine.masks import Spot, read_mask
from engine.picture_losses import weighted_losses
from engine.protocol import Provenance
from engine.settings import Settings
from engine.snapshots import writing_path
from engine.streams import stream

# A tenth at each drop, as clipit does.
LEARNING_RATE_DROP = 0.1

_T = TypeVar("_T")


class Easel:
    """A picture on its way: the studio asks it for cells and views, and tells it to step.

    Args:
        job: its name.
        settings: resolved.
        provenance: what else its bytes depend on; a snapshot of another kind is not resumed.
        start: the picture to start from, or None for noise.
        device: where to draw.
        pictures: by name, those that the settings name.

    Raises:
        SettingsError: a mask is no mask, or a line drawing has no lines.

    """

    def __init__(
        self,
        job: str,
        settings: Settings,
        provenance: Provenance,
        start: Start | None,
        device: torch.device,
        pictures: Mapping[str, Image.Image] | None = None,
    ) -> None:
        self.job = job
        self.settings = settings
        self.provenance = provenance
        self.iteration = 0
        self.loss = math.nan
        self.score = math.nan
        pictures = pictures or {}
        self.drawer = make_drawer(settings, start, device, asked_lines(settings, pictures))
        self._identity = _identity(settings, provenance)
        self._cutouts = stream(_known(settings.seed), "cutouts")
        self._before_step = self._cutouts.get_state()
        self._optimizer = self.drawer.optimizer(_known(settings.learning_rate), settings.optimizer)
        self._flatness = Flatness(self.iterations) if settings.early_stop else None
        self._start: torch.Tensor | None = None
        guessed = settings.start == "guess"
        self._hold = self.drawer.guess_weight if guessed else settings.init_weight
        if settings.dream:
            self._hold = HOLD * (1 + settings.init_weight)
        if start is not None and self._hold > 0:
            self._start = self.drawer.reference()
        self._losses = weighted_losses(settings, device)
        self._target = _target(settings, pictures, device)
        self._spots = _spots(settings, pictures)

    @property
    def iterations(self) -> int:
        """How many steps the whole drawing takes."""
        return _known(self.settings.iterations)

    @property
    def finished(self) -> bool:
        """Whether the last step has been taken, or the score no longer rises and that ends it."""
        flat = self._flatness is not None and self._flatness.flat
        return flat or self.iteration >= self.iterations

    @property
    def shows(self) -> bool:
        """Whether a progress frame is due after the step just taken."""
        return self.iteration % _known(self.settings.display_every) == 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the finished picture in pixels."""
        width, height = _known(self.settings.size)
        return width, height

    def looks(self, batch: int = 0) -> dict[Part, Look]:
        """What of the picture is judged in the next step, or in one batch of it.

        A step's noise has a stream of its own, so that a step taken again finds the same.
        """
        randomness = stream(_known(self.settings.seed), f"choice/{self.iteration}")
        progress = self.iteration / self.iterations
        grid = self.drawer.grid(progress, randomness)
        if batch == 0:
            self._before_step = self._cutouts.get_state()
        views = self._choose_views()
        looks: dict[Part, Look] = {"whole": Look(grid, views), "flat": Look(grid[:1], views)}
        if self.settings.dream:
            count = _known(self.settings.num_cuts)
            looks["octave"] = octave_look(grid, octave_at(progress), count, self._cutouts)
        for part, spot in self._spots.items():
            # What is elsewhere is cut away: there each view has another backdrop.
            place = grid[:1] * spot.share.to(grid.device)
            looks[part] = Look(place, self._spot_views(part, spot, batch))
        return looks

    def _choose_views(self) -> Views:
        columns, rows = grid_size(self.settings)
        count = _known(self.settings.num_cuts)
        return choose_views(
            count,
            columns,
            rows,
            self._cutouts,
            power=self.settings.cut_power,
            wraps=self.settings.tile,
        )

    def _spot_views(self, part: Part, spot: Spot, batch: int) -> Views:
        """Half as many views as the whole picture gets, close to a place; from their own stream."""
        left, top, right, bottom = spot.box
        purpose = f"views/{part}/{self.iteration}/{batch}"
        views = choose_views(
            -(-_known(self.settings.num_cuts) // 2),
            right - left,
            bottom - top,
            stream(_known(self.settings.seed), purpose),
        )
        return replace(spot.looked_at(views), wraps=self.settings.tile)

    def rewind(self) -> None:
        """Take back a step that failed, so that it can be taken again."""
        self._cutouts.set_state(self._before_step)
        self._optimizer.zero_grad()

    def own_loss(self, grid: torch.Tensor) -> torch.Tensor:
        """What is asked of the picture besides the prompts; a scalar."""
        asked = [weight * loss(grid) for weight, loss in self._losses]
        if self._start is not None:
            asked.append(self._hold * init_loss(grid, self._start))
        if self._target is not None:
            asked.append(_known(self.settings.target_weight) * target_loss(grid[0], self._target))
        return torch.stack(asked).sum() if asked else grid.new_zeros(())

    def step(self) -> None:
        """Improve the parameters by the gradients that the studio has put there."""
        done = 100 * self.iteration / self.iterations
        drops = sum(done >= percent for percent in self.settings.learning_rate_drops)
        self._optimizer.step(LEARNING_RATE_DROP**drops)
        self.iteration += 1
        if self._flatness is not None:
            self._flatness.add(self.score)

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on, atomically.

        The file is safetensors, so that reading one never runs code.
        """
        tensors = {f"parameter.{i}": p.detach() for i, p in enumerate(self.drawer.parameters)}
        tensors |= {f"constant.{i}": c for i, c in enumerate(self.drawer.constants)}
        tensors |= {f"adam.{name}": value for name, value in self._optimizer.state().items()}
        tensors["cutouts"] = self._cutouts.get_state()
        if self._flatness is not None:
            tensors["scores"] = self._flatness.state()
        temporary = writing_path(path)
        save_file(
            {name: tensor.contiguous() for name, tensor in tensors.items()},
            temporary,
            {"identity": self._identity, "iteration": str(self.iteration)},
        )
        temporary.replace(path)

    def resume(self, path: Path) -> bool:
        """Go on from a snapshot; False if there is none, or one of other settings or weights."""
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata()
                if metadata.get("identity") != self._identity:
                    return False
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no iterator
        except (OSError, SafetensorError):
            return False
        with torch.no_grad():
            for i, parameter in enumerate(self.drawer.parameters):
                parameter.copy_(tensors[f"parameter.{i}"])
            for i, constant in enumerate(self.drawer.constants):
                constant.copy_(tensors[f"constant.{i}"])
        self._optimizer.restore(
            {
                name.removeprefix("adam."): tensor
                for name, tensor in tensors.items()
                if name.startswith("adam.")
            }
        )
        self._cutouts.set_state(tensors["cutouts"])
        if self._flatness is not None:
            self._flatness.restore(tensors["scores"])
        self.iteration = int(metadata["iteration"])
        return True


def _target(
    settings: Settings, pictures: Mapping[str, Image.Image], device: torch.device
) -> torch.Tensor | None:
    """The picture that pulls, ``[4, rows, columns]`` of the size of the grid; None for none."""
    if settings.target_image is None:
        return None
    columns, rows = grid_size(settings)
    image = pictures[settings.target_image]
    return start_from_image(image, columns, rows, clear=settings.transparent).subject.to(device)


def _spots(settings: Settings, pictures: Mapping[str, Image.Image]) -> dict[Part, Spot]:
    """The sides of the mask that have prompts of their own."""
    if settings.mask is None:
        return {}
    inside, outside = read_mask(pictures[settings.mask], *grid_size(settings))
    spots: dict[Part, Spot] = {}
    if settings.spot_prompts is not None:
        spots["inside"] = inside
    if settings.spot_off_prompts is not None:
        spots["outside"] = outside
    return spots


def _identity(settings: Settings, provenance: Provenance) -> str:
    encoded = msgspec.json.encode([settings, provenance], order="sorted")
    return hashlib.sha256(encoded).hexdigest()


def _known(value: _T | None) -> _T:
    """A setting that `resolve` has filled in."""
    assert value is not None
    return value
