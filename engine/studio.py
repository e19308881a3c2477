"""All easels of one process, stepped together: one sampling and one perceptor pass for everyone.

A tick takes every easel one step. Views of all easels are sampled in one call and go through each
perceptor in one batch; since every easel's loss depends on its own views alone, one backward pass
gives each the gradient that it would have had by itself.
"""

import io
import logging
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import torch
from PIL import Image

from engine.asks import Ask, answered
from engine.beginnings import Beginnings
from engine.blend import partner_settings
from engine.easel import Easel, Numbers
from engine.errors import EngineError, PerceptorError, SettingsError
from engine.forms import Form, form_of
from engine.gpu import Fetched, Gpu, Here, graphs_wanted
from engine.graphs import Graphs, Work
from engine.images import NORMAL_SIDE
from engine.judges import Judges
from engine.memory import TooLarge, capacity, check_fits, ran_out, smaller
from engine.outbox import Outbox
from engine.perceptors import Perceptor, auto_perceptors, load_perceptor
from engine.png import encode_png
from engine.protocol import (
    MAX_FRAME,
    Cancelled,
    DeviceClass,
    Done,
    Draw,
    Failed,
    JobEvent,
    Progress,
    Provenance,
    Snapshot,
    Started,
    Statistics,
)
from engine.questions import questions
from engine.recipe import Recipe, make_recipe, write_recipe
from engine.settings import BLEND_FRAMES, DRAWING_VERSION, Settings, picture_names, resolve
from engine.snapshots import PARTNER, remove_snapshots, snapshot_path
from engine.stopwatch import span
from engine.vqgan import load_vqgan
from engine.walk import Walk

log = logging.getLogger(__name__)

SNAPSHOT_SECONDS = 5.0
_LONGEST_SVG = MAX_FRAME // 2
_LONGEST_WALK = MAX_FRAME // 4


@dataclass(frozen=True)
class _Asked:
    """A job as it was put on its easel, and what is different from what was asked."""

    draw: Draw
    note: str | None = None


class Studio:
    """Draws any number of jobs side by side; jobs join and leave between ticks.

    Args:
        snapshots: folder where running jobs are saved, or None to save nothing.
        device: where to draw; the first CUDA device, else the CPU, if left out.
        perceptor: loads a perceptor by name (tests count its calls).
        clock: monotonic seconds.
        snapshot_seconds: how much time may pass between two snapshots of a job.
        gpu: the device as what is asked of it; that of CUDA if it is left out and there is one.
        capture: whether its steps may be CUDA graphs; as the environment says if it is left out.

    Raises:
        EngineError: `engine.gpu.GRAPHS` in the environment is neither “auto” nor “off”.

    """

    def __init__(
        self,
        snapshots: Path | None = None,
        *,
        device: torch.device | None = None,
        perceptor: Callable[[str, torch.device], Perceptor] = load_perceptor,
        clock: Callable[[], float] = time.monotonic,
        snapshot_seconds: float = SNAPSHOT_SECONDS,
        gpu: Gpu | None = None,
        capture: bool | None = None,
    ) -> None:
        wanted = graphs_wanted()
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._snapshots = snapshots
        self._judges = Judges(perceptor, self.device)
        self._clock = clock
        self._snapshot_seconds = snapshot_seconds
        self._beginnings = Beginnings(self._judges, self.device)
        self._easels: dict[str, Easel] = {}
        self._asks: dict[str, tuple[Ask, ...]] = {}
        self._recipes: dict[str, Recipe] = {}
        self._asked: dict[str, _Asked] = {}
        self._walks: dict[str, Walk] = {}
        self._began: dict[str, float] = {}
        self._saved: dict[str, float] = {}
        self._outbox = Outbox()
        self._ending: set[str] = set()
        self._fresh: list[str] = []
        if gpu is None and self.device.type == "cuda":
            gpu = Gpu(self.device)
        self._gpu = gpu
        self._graphs = None
        if gpu is not None:
            captures = wanted if capture is None else capture
            self._graphs = Graphs(gpu, self._moved, self._form, capture=captures)
        if snapshots is not None:
            snapshots.mkdir(parents=True, exist_ok=True)

    @property
    def device_class(self) -> DeviceClass:
        """The class of machine that the bytes of a picture depend on."""
        return "cuda" if self.device.type == "cuda" else "cpu"

    @property
    def idle(self) -> bool:
        """Whether nothing is being drawn."""
        return not self._easels

    def perceptor(self, name: str) -> Perceptor:
        """A perceptor, loaded when it is first asked for; raises `PerceptorError`."""
        return self._judges.perceptor(name)

    def add(self, draw: Draw) -> JobEvent:
        """Put a job on an easel, from its snapshot if one fits; `Started`, or `Failed`.

        Of an earlier job of the same name nothing more is told.
        """
        self._forget(draw.job)
        return self._add(_Asked(draw))

    def _add(self, asked: _Asked) -> JobEvent:
        job = asked.draw.job
        try:
            easels, event = self._prepare(asked)
        except SettingsError as error:
            return Failed(job, "settings", str(error))
        except PerceptorError as error:
            return Failed(job, "perceptor", str(error))
        except EngineError as error:
            # Of a file that is damaged its sentence says more than the log would.
            log.exception("job %s could not be begun", job)
            return Failed(job, "internal", str(error))
        except Exception as error:
            # One job that cannot even begin must not end the process for the others.
            log.exception("job %s could not be begun", job)
            return self._add_smaller(asked, error)
        self._asked[job] = asked
        if not (easels[0].iteration or easels[0].finished):
            self._fresh.append(job)
        for easel in easels:
            self._easels[easel.job] = easel
            self._began[easel.job] = self._saved[easel.job] = self._clock()
        return event

    def _add_smaller(self, asked: _Asked, error: Exception) -> JobEvent:
        """A job that ran out of memory begins again with less, once; any other one has failed."""
        if asked.note is None and ran_out(error):
            less = smaller(self._resolved(asked.draw))
            if less is not None:
                settings, note = less
                log.warning("job %s: %s", asked.draw.job, note)
                if self._graphs is not None:
                    self._graphs.clear()
                return self._add(
                    _Asked(msgspec.structs.replace(asked.draw, settings=settings), note)
                )
        return _failure(asked.draw.job, error)

    def cancel(self, job: str) -> Cancelled | None:
        """Take a job off its easel, if it is on one, and forget its snapshot; None if it is not."""
        easel = self._easels.get(job)
        self._remove(job)
        return None if easel is None else Cancelled(job, easel.iteration)

    def put_aside(self, job: str) -> list[JobEvent]:
        """Take a job off its easel, saved, so that it can be added again and go on.

        What it has shown until then is told, which nobody would show again. Of a finished picture
        nothing is: it is finished once more when it is added again.
        """
        told = []
        if job in self._easels:
            for easel in self._easels_of(job):
                self._save(easel)
            while job not in self._ending and self._outbox.waits(job):
                told.append(self._outbox.next(job))
            self._forget(job)
        return told

    def look(self, job: str) -> tuple[int, bytes, bytes, str | None]:
        """A job as it stands: its iteration, PNGs at output and at native size, and its SVG."""
        easel = self._easels[job]
        return easel.iteration, *_files(easel)

    def frame(self, job: str) -> bytes:
        """A progress frame of a job as it stands: a PNG of the output size."""
        easel = self._easels[job]
        return encode_png(easel.drawer.enlarged(easel.size))

    def save_all(self) -> None:
        """Save every job as it stands, so that another process can go on from there."""
        for easel in self._easels.values():
            self._save(easel)

    def tick(self) -> Iterator[JobEvent]:
        """Take every easel one step; yields what became of it, or of one of the steps before.

        Pictures are encoded beside the drawing, so that an event may come later than its step, but
        those of a job come in order. A job that begins is shown as it begins before the step, which
        may take a while.

        A job that fails does not disturb the others: if a step of several fails, each of them takes
        it alone, and the ones that fail again are given up, or begun again smaller if it was the
        memory that they ran out of.
        """
        while self._fresh:
            yield self._beginning(self._fresh.pop(0))
        easels = [easel for easel in self._easels.values() if not easel.finished]
        if self._gpu is not None:
            self._gpu.begin_tick()
        failures = self._step(easels)
        if failures and len(easels) > 1:
            again = [easel for easel in easels if easel.job in failures]
            for easel in again:
                easel.rewind()
            failures = {job: error for easel in again for job, error in self._step([easel]).items()}
        if self._gpu is not None:
            self._gpu.end_tick()
        failed = {_owner(name): error for name, error in failures.items()}
        for job, error in failed.items():
            asked = self._asked[job]
            self._remove(job)
            yield self._add_smaller(asked, error)
        for job in [name for name in self._easels if _owner(name) == name and name not in failed]:
            try:
                yield from self._events(job, wait=not easels)
            except Exception as error:
                # As in a step, what fails for one must not end the others.
                log.exception("what job %s has drawn could not be shown", job)
                self._remove(job)
                yield _failure(job, error)

    def _prepare(self, asked: _Asked) -> tuple[list[Easel], Started]:
        """The easels of a job, its own first and then that of what its walk leads to."""
        draw = asked.draw
        pictures = _opened(draw)
        settings = self._resolved(draw, pictures)
        partner = partner_settings(settings, draw.partner)
        needed = self._judges.needed(settings) * (1 if partner is None else 2)
        check_fits(needed, capacity(self.device), settings)
        begun = [self._begun(draw.job, settings, pictures)]
        if partner is not None:
            begun.append(self._begun(draw.job + PARTNER, partner, pictures))
        self._asks |= {one.job: asks for one, asks in begun}
        easels = [one for one, _ in begun]
        easel = easels[0]
        if settings.iterations:
            self._recipes[draw.job] = make_recipe(settings, easel.provenance, draw.pictures)
        started = Started(
            draw.job, settings, easel.provenance, easel.iteration, easel.size, asked.note
        )
        return easels, started

    def _resolved(self, draw: Draw, pictures: Mapping[str, Image.Image] | None = None) -> Settings:
        """A job's settings with everything filled in."""
        name = draw.settings.init_image
        image = None if name is None else (pictures or _opened(draw))[name]
        return resolve(
            draw.settings,
            perceptors=auto_perceptors(draw.settings.quality, self.device_class),
            init_size=None if image is None else image.size,
        )

    def _begun(
        self, name: str, settings: Settings, pictures: Mapping[str, Image.Image]
    ) -> tuple[Easel, tuple[Ask, ...]]:
        """An easel for resolved settings, gone on from its snapshot if one fits; what it asks."""
        weights = self._judges.weights(settings) | self._beginnings.weights(settings)
        if settings.vqgan_model is not None:
            vqgan = load_vqgan(settings.vqgan_model, self.device)
            weights[f"vqgan-{settings.vqgan_model}"] = vqgan.weights_hash
        provenance = Provenance(
            drawing_version=DRAWING_VERSION,
            device=self.device_class,
            dtype=self._judges.dtype(settings),
            weights=weights,
        )
        start = self._beginnings.begin(settings, pictures)
        easel = Easel(name, settings, provenance, start, self.device, pictures)
        # Before it goes on from a snapshot: what is asked may depend on how the picture began.
        asked = questions(self._judges, settings, easel.drawer, pictures)
        snapshot = self._snapshot_path(name)
        if snapshot is not None:
            easel.resume(snapshot)
        return easel, asked

    def _step(self, easels: Sequence[Easel]) -> Mapping[str, Exception]:
        """Step easels together as far as they are; those that were not stepped are named."""
        failures: dict[str, Exception] = {}
        for work in self._works(easels) if easels else ():
            try:
                work.run()
            except Exception as error:
                # Whatever a kernel raises, out of memory above all, must not end the other jobs.
                log.exception("a step of jobs %s failed", [easel.job for easel in work.easels])
                # What the step had made so far would stay in the memory as long as the error.
                traceback.clear_frames(error.__traceback__)
                if self._graphs is not None and ran_out(error):
                    self._graphs.clear()
                failures |= {easel.job: error for easel in work.easels}
            else:
                for easel in work.easels:
                    easel.count()
        return failures

    def _works(self, easels: Sequence[Easel]) -> Sequence[Work]:
        """A step of easels in parts, of which one may fail without the others."""
        if self._graphs is not None:
            return self._graphs.works(easels)
        drawn = [easel.numbers() for easel in easels]
        return [Work(easels, partial(self._moved, easels, drawn))]

    def _form(self, easel: Easel) -> Form:
        return form_of((easel.parts, self._asks[easel.job]), self.device)

    def _moved(self, easels: Sequence[Easel], drawn: Sequence[Numbers]) -> None:
        """The part of a step that is worked out on the device, from the numbers of each easel.

        Of a picture on a `Canvas`, the part that judges it.
        """
        self._backward(easels, drawn)
        with span("step"):
            for easel, numbers in zip(easels, drawn, strict=True):
                if easel.canvas is None:
                    easel.move(numbers)
                else:
                    easel.canvas.keep_pull()

    def _backward(self, easels: Sequence[Easel], drawn: Sequence[Numbers]) -> None:
        """Put every easel's gradient in place, and its loss and score, the means of its batches."""
        taken: list[list[torch.Tensor]] = [[] for _ in easels]
        for batch in range(max(easel.settings.batches for easel in easels)):
            due = [i for i, easel in enumerate(easels) if batch < easel.settings.batches]
            with span("render"):
                looks = [easels[i].looks(drawn[i], batch) for i in due]
            losses, scores = answered([self._asks[easels[i].job] for i in due], looks)
            parts = []
            for i, look, loss, score in zip(due, looks, losses, scores, strict=True):
                easel = easels[i]
                whole = (loss + easel.own_loss(look["whole"].grid)) / easel.settings.batches
                taken[i].append(torch.stack([whole.detach(), score / easel.settings.batches]))
                parts.append(whole)
            with span("backward"):
                torch.autograd.backward(torch.stack(parts).sum())
        for easel, means in zip(easels, taken, strict=True):
            easel.taken.copy_(torch.stack(means).sum(0))

    def _beginning(self, job: str) -> JobEvent:
        """What a job begins with, as a frame; or that it cannot be shown."""
        try:
            self._show(self._easels[job])
            return self._outbox.next(job)
        except Exception as error:
            # As in a step, what fails for one must not end the others.
            log.exception("what job %s begins with could not be shown", job)
            self._remove(job)
            return _failure(job, error)

    def _events(self, job: str, *, wait: bool) -> Iterator[JobEvent]:
        """What became of a job; with `wait`, nothing else is drawn meanwhile."""
        easel, *others = self._easels_of(job)
        if easel.finished and all(other.finished for other in others):
            if job not in self._ending:
                walk = self._walk(easel, *others)
                if walk is not None and not walk.done:
                    # One frame a tick, so that nobody waits for all of them.
                    walk.step()
                    return
                self._end(easel, walk)
        else:
            if easel.shows and not easel.finished:
                if self._outbox.full(job):
                    yield self._outbox.next(job)
                self._show(easel)
            if self._clock() - self._saved[job] >= self._snapshot_seconds:
                # Who goes on from there would not show again what is on its way.
                while self._outbox.waits(job):
                    yield self._outbox.next(job)
                saved = [self._save(one) for one in (easel, *others)]
                if all(saved):
                    yield Snapshot(job, easel.iteration)
        while wait and self._outbox.waits(job):
            yield self._told(self._outbox.next(job))
        for event in self._outbox.ready(job):
            yield self._told(event)

    def _told(self, event: JobEvent) -> JobEvent:
        if isinstance(event, Done):
            self._remove(event.job)
        return event

    def _show(self, easel: Easel) -> None:
        """Put a frame of a job into the outbox."""
        job, taken, asked = easel.job, easel.iteration, easel.iterations
        with span("encode"):
            shown = easel.drawer.shown(easel.size)

            def told(found: Sequence[torch.Tensor]) -> Progress:
                pixels, (loss, score) = found[0], found[1].tolist()
                return Progress(job, taken, asked, loss, score, encode_png(shown.image(pixels)))

            self._outbox.put(job, self._fetched([shown.pixels, easel.taken]), told)

    def _end(self, easel: Easel, walk: Walk | None) -> None:
        """Put a finished picture into the outbox."""
        job, taken = easel.job, easel.iteration
        seconds = self._clock() - self._began[job]
        # Only the finished picture says how it was drawn: from that, it can be drawn again. One
        # that was taken as it is was not drawn.
        recipe = self._recipes.get(job)
        texts = None if recipe is None else write_recipe(recipe)
        large, native = easel.drawer.shown(easel.size), easel.drawer.shown()
        svg = _svg(easel)
        frames = () if walk is None else walk.frames

        def told(found: Sequence[torch.Tensor]) -> Done:
            loss, score = found[2].tolist()
            statistics = Statistics(taken, seconds, loss, score)
            png = encode_png(large.image(found[0]), texts)
            native_png = encode_png(native.image(found[1]), texts)
            return Done(job, png, native_png, statistics, svg, frames)

        self._outbox.put(job, self._fetched([large.pixels, native.pixels, easel.taken]), told)
        self._ending.add(job)

    def _fetched(self, tensors: Sequence[torch.Tensor]) -> Fetched:
        """Tensors as they are now, on their way to the host."""
        if self._gpu is not None:
            return self._gpu.fetch(tensors)
        # The next step writes to the same tensors.
        return Here([tensor.clone() for tensor in tensors])

    def _walk(self, easel: Easel, partner: Easel | None = None) -> Walk | None:
        """The frames from a finished picture to its partner's, begun if they were not."""
        if partner is None:
            return None
        if easel.job not in self._walks:
            self._walks[easel.job] = Walk(
                easel.drawer,
                partner.drawer,
                easel.settings.blend_frames or BLEND_FRAMES,
                easel.size,
                _LONGEST_WALK,
            )
        return self._walks[easel.job]

    def _easels_of(self, job: str) -> list[Easel]:
        """A job's own easel, and that of what its walk leads to."""
        return [self._easels[name] for name in (job, job + PARTNER) if name in self._easels]

    def _save(self, easel: Easel) -> bool:
        path = self._snapshot_path(easel.job)
        if path is None:
            return False
        self._saved[easel.job] = self._clock()
        try:
            easel.save(path)
        except OSError:
            # A full disk costs a resume point, not the picture.
            log.exception("job %s could not be saved", easel.job)
            return False
        return True

    def _forget(self, job: str) -> None:
        if self._graphs is not None:
            for easel in self._easels_of(job):
                self._graphs.leave(easel)
        kept: tuple[dict[str, Any], ...] = (
            *(self._easels, self._asks, self._asked, self._recipes, self._walks),
            *(self._began, self._saved),
        )
        for records in kept:
            for name in (job, job + PARTNER):
                records.pop(name, None)
        self._outbox.forget(job)
        self._ending.discard(job)
        self._fresh = [name for name in self._fresh if name != job]

    def _remove(self, job: str) -> None:
        self._forget(job)
        if self._snapshots is not None:
            remove_snapshots(self._snapshots, job)

    def _snapshot_path(self, job: str) -> Path | None:
        return None if self._snapshots is None else snapshot_path(self._snapshots, job)


def _files(easel: Easel) -> tuple[bytes, bytes, str | None]:
    """A picture as it stands: PNGs at output and at native size, and its SVG."""
    drawer = easel.drawer
    return encode_png(drawer.enlarged(easel.size)), encode_png(drawer.native()), _svg(easel)


def _svg(easel: Easel) -> str | None:
    """A picture's SVG, unless it would not fit into the frame that the pictures are sent in."""
    svg = easel.drawer.svg(easel.size)
    return None if svg is None or len(svg) > _LONGEST_SVG else svg


def _owner(name: str) -> str:
    """The job that an easel of this name belongs to."""
    return name.removesuffix(PARTNER)


def _opened(draw: Draw) -> dict[str, Image.Image]:
    """The pictures that a job's settings name, by name; raises `SettingsError`."""
    opened: dict[str, Image.Image] = {}
    wanted = [draw.settings, *([] if draw.partner is None else [draw.partner])]
    for name in dict.fromkeys(name for asked in wanted for name in picture_names(asked)):
        if name not in draw.pictures:
            raise SettingsError("The settings name a picture, but it was not sent along.")
        opened[name] = _open(draw.pictures[name])
    return opened


def _open(png: bytes) -> Image.Image:
    """A picture as `engine.images.read_picture` gives it; no other is decoded in this process."""
    try:
        image = Image.open(io.BytesIO(png), formats=["PNG"])
        if max(image.size) <= NORMAL_SIDE:
            image.load()
            return image
    except Exception as error:
        raise SettingsError("A picture that was sent along is damaged; send it again.") from error
    width, height = image.size
    raise SettingsError(
        f"A picture that was sent along is {width} × {height} pixels; "
        f"allowed are {NORMAL_SIDE} a side."
    )


def _failure(job: str, error: Exception) -> Failed:
    if isinstance(error, TooLarge):
        return Failed(job, "memory", str(error))
    if ran_out(error):
        return Failed(
            job,
            "memory",
            "The picture does not fit into the memory; try a lower quality or fewer cuts.",
        )
    return Failed(job, "internal", "The drawing failed; the cause is in the engine's log.")
