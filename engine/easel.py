"""One job being drawn: its parameters, optimiser and random streams; can be saved and resumed."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import msgspec
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from engine.adam import Pace
from engine.asks import Look, Part
from engine.cutouts import DrawnViews, Views, choose_views, draw_views
from engine.drawers import Start, grid_size, make_drawer, start_from_image
from engine.drawers.base import Moment
from engine.drawers.outline import asked_lines
from engine.dream import HOLD, octave_at, octave_grid, octave_views
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


@dataclass(frozen=True)
class Chosen:
    """Where one batch of a step looks.

    Attributes:
        whole: at the whole picture; the views are made of it on the device.
        views: at other parts.
        octave: of a dream.

    """

    whole: DrawnViews
    views: Mapping[Part, Views]
    octave: int | None = None


@dataclass(frozen=True)
class Numbers:
    """All that one step takes from the host; the rest of it is worked out on the device.

    Attributes:
        moment: of the drawer.
        batches: where each looks.
        pace: of the optimiser.

    """

    moment: Moment
    batches: tuple[Chosen, ...]
    pace: Pace

    def for_device(self) -> "Numbers":
        """The same with views for a device."""
        batches = [
            replace(
                batch,
                whole=batch.whole.for_device(),
                views={part: views.for_device() for part, views in batch.views.items()},
            )
            for batch in self.batches
        ]
        return replace(self, batches=tuple(batches))


class Canvas:
    """A picture that was drawn by other work than that which judges it.

    Attributes:
        grid: as `engine.drawers.Drawer.grid` gives it, a leaf.
        pull: its gradient, once it has been judged.

    """

    def __init__(self, grid: torch.Tensor) -> None:
        self.grid = grid.detach().clone().requires_grad_()
        self.pull = torch.zeros_like(grid)

    def keep_pull(self) -> None:
        """Move the gradient that the grid has got."""
        assert self.grid.grad is not None
        self.pull.copy_(self.grid.grad)
        self.grid.grad = None


class Easel:
    """A picture on its way: the studio asks it for cells and views, and tells it to step.

    A step has two parts. `numbers` draws on the host what changes from step to step. `looks`,
    `own_loss` and `move` work with tensors of the device and with these numbers alone, ask nothing
    back and make no tensor on the host, so that the device can do it all by itself. `count` says
    that the step is taken.

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
        self.taken = torch.full((2,), math.nan, device=device)
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
        self._places = {part: spot.share.to(device) for part, spot in self._spots.items()}
        self.canvas: Canvas | None = None

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

    @property
    def loss(self) -> float:
        """The loss of the last step; NaN before the first."""
        return self.taken[0].item()

    @property
    def score(self) -> float:
        """How well the picture fits, in the last step; NaN before the first."""
        return self.taken[1].item()

    def numbers(self, *, for_device: bool = False) -> Numbers:
        """What the next step takes from the host.

        A step's noise has a stream of its own, so that a step taken again finds the same.

        Args:
            for_device: whether all noise is a part of what a device has stored; otherwise it is
                drawn here.

        """
        randomness = stream(_known(self.settings.seed), f"choice/{self.iteration}")
        progress = self.iteration / self.iterations
        moment = self.drawer.moment(progress, randomness, stored=for_device)
        self._before_step = self._cutouts.get_state()
        batches = tuple(self._choose(progress, batch) for batch in range(self.settings.batches))
        done = 100 * self.iteration / self.iterations
        drops = sum(done >= percent for percent in self.settings.learning_rate_drops)
        numbers = Numbers(moment, batches, self._optimizer.pace(LEARNING_RATE_DROP**drops))
        return numbers.for_device() if for_device else numbers

    def looks(self, numbers: Numbers, batch: int = 0) -> dict[Part, Look]:
        """What of the picture is judged in a step, or in one batch of it."""
        grid = self.drawer.grid(numbers.moment) if self.canvas is None else self.canvas.grid
        chosen = numbers.batches[batch]
        views = chosen.whole.views()
        looks: dict[Part, Look] = {"whole": Look(grid, views), "flat": Look(grid[:1], views)}
        if chosen.octave is not None:
            looks["octave"] = Look(octave_grid(grid, chosen.octave), chosen.views["octave"])
        for part, share in self._places.items():
            # What is elsewhere is cut away: there each view has another backdrop.
            looks[part] = Look(grid[:1] * share, chosen.views[part])
        return looks

    def _choose(self, progress: float, batch: int) -> Chosen:
        whole, views = self._draw_views(), dict[Part, Views]()
        octave = None
        if self.settings.dream:
            octave = octave_at(progress)
            size, count = grid_size(self.settings), _known(self.settings.num_cuts)
            views["octave"] = octave_views(size, octave, count, self._cutouts)
        for part, spot in self._spots.items():
            views[part] = self._spot_views(part, spot, batch)
        return Chosen(whole, views, octave)

    def _draw_views(self) -> DrawnViews:
        columns, rows = grid_size(self.settings)
        count = _known(self.settings.num_cuts)
        return draw_views(
            count,
            columns,
            rows,
            self._cutouts,
            power=self.settings.cut_power,
            wraps=self.settings.tile,
            solid=not self.settings.transparent,
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
        self.forget_gradients()

    def forget_gradients(self) -> None:
        """Let go of what a step that was not taken to its end has left."""
        self._optimizer.zero_grad()
        if self.canvas is not None:
            self.canvas.grid.grad = None

    def own_loss(self, grid: torch.Tensor) -> torch.Tensor:
        """What is asked of the picture besides the prompts; a scalar."""
        asked = [weight * loss(grid) for weight, loss in self._losses]
        if self._start is not None:
            asked.append(self._hold * init_loss(grid, self._start))
        if self._target is not None:
            asked.append(_known(self.settings.target_weight) * target_loss(grid[0], self._target))
        return torch.stack(asked).sum() if asked else grid.new_zeros(())

    @property
    def parts(self) -> tuple[object, ...]:
        """All that `looks`, `own_loss` and `move` use besides numbers: what its form is made of."""
        drawn = (self.drawer, self._optimizer) if self.canvas is None else self.canvas
        return (
            *(drawn, self._losses, self._start, self._hold),
            *(self._target, self.settings.target_weight, self._places, self.taken),
        )

    def move(self, numbers: Numbers) -> None:
        """Improve the parameters by the gradients that the studio has put there."""
        self._optimizer.move(numbers.pace)

    def count(self) -> None:
        """Note that a step has been taken."""
        self._optimizer.count()
        self.iteration += 1
        if self._flatness is not None:
            self._flatness.add(self.score)

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on, atomically.

        The file is safetensors, so that reading one never runs code.

        Raises:
            OSError: it cannot be written.

        """
        tensors = {f"parameter.{i}": p.detach() for i, p in enumerate(self.drawer.parameters)}
        tensors |= {f"constant.{i}": c for i, c in enumerate(self.drawer.constants)}
        tensors |= {f"adam.{name}": value for name, value in self._optimizer.state().items()}
        tensors["cutouts"] = self._cutouts.get_state()
        if self._flatness is not None:
            tensors["scores"] = self._flatness.state()
        temporary = writing_path(path)
        try:
            save_file(
                {name: tensor.contiguous() for name, tensor in tensors.items()},
                temporary,
                {"identity": self._identity, "iteration": str(self.iteration)},
            )
        except SafetensorError as error:
            # Whatever the disk says comes as this, which is no OSError.
            raise OSError(str(error)) from error
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
