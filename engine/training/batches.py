"""A training batch: captions chosen, pictures put together to make each caption true."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from engine.training import augment
from engine.training.captions import Captions, Kind, by_kind
from engine.training.recolour import COLOURS, prototypes, recolour
from engine.training.scenes import paint_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.training.data import Pictures

_NOTHING = -1


@dataclass(frozen=True)
class Mix:
    """How often the captions of a batch are of which kind.

    Attributes:
        scenes: share of the pictures that show a place and nothing in it.
        bank: share of the rest that shows what several pictures are called.
        unsaid: share of the things whose place is not in the caption.
        kinds: weights of the kinds of caption, among those that a concept has.
        sets: weights of the sets of pictures, among those that draw a concept; 1 if left out.

    """

    scenes: float
    bank: float
    unsaid: float
    kinds: Mapping[Kind, float]
    sets: Mapping[str, float] = field(default_factory=dict)


LOOKING = Mix(
    scenes=0.05,
    bank=0.85,
    unsaid=0.08,
    kinds={
        Kind.PLAIN: 0.52,
        Kind.KEYWORD: 0.06,
        Kind.COLOURED: 0.2,
        Kind.BACKGROUND: 0.06,
        Kind.PLACED: 0.1,
        Kind.PAIR: 0.06,
    },
)
"""What the image tower is shown."""


@dataclass(frozen=True)
class Batch:
    """Views with what is true of them; −1 where there is nothing to say.

    Attributes:
        views: [n, 3, 64, 64] RGB in 0..1.
        texts: [n] number of the caption.
        names: [n] class in the bank of names.
        colours: [n] number of the colour of the thing.

    """

    views: torch.Tensor
    texts: torch.Tensor
    names: torch.Tensor
    colours: torch.Tensor


@dataclass
class Plan:
    """What one picture will show; −1 for what it does not have.

    Attributes:
        text: number of the caption.
        name: class in the bank of names.
        colour: number of the colour that the thing takes.
        picture: number of the thing's picture, counted among those trained on.
        partner: number of the picture beside it.
        scene: number of the scene behind it.
        backdrop: number of the plain colour behind it.

    """

    text: int
    name: int = _NOTHING
    colour: int = _NOTHING
    picture: int = _NOTHING
    partner: int = _NOTHING
    scene: int = _NOTHING
    backdrop: int = _NOTHING


class BatchMaker:
    """Makes batches from pictures and captions; that of a step depends on (seed, step) alone.

    The pictures are those for training, unless the indices of those that the captions are about
    are given.
    """

    def __init__(
        self,
        pictures: Pictures,
        captions: Captions,
        seed: int,
        device: torch.device,
        scenes_each: int = 96,
        indices: Sequence[int] | None = None,
    ) -> None:
        self._seed, self.device = seed, device
        indices = pictures.training_indices() if indices is None else list(indices)
        pixels = np.ascontiguousarray(pictures.pixels[indices].transpose(0, 3, 1, 2))
        self._pixels = torch.from_numpy(pixels).to(device)
        self._scenes = torch.from_numpy(paint_all(scenes_each, seed)).permute(0, 1, 4, 2, 3)
        self._scenes = self._scenes.contiguous().to(device)
        self._prototypes = prototypes().to(device)
        self._captions = {c: by_kind(said) for c, said in captions.of_concept.items()}
        self._scene_texts = captions.of_scene
        self._class = {concept: number for number, concept in enumerate(captions.bank)}
        self._sources = [pictures.records[index].source for index in indices]
        self._single_colour = [pictures.records[index].single_colour for index in indices]
        self._of_concept: dict[int, list[int]] = defaultdict(list)
        for number, index in enumerate(indices):
            self._of_concept[pictures.records[index].concept].append(number)
        self._bank = list(captions.bank)
        # A name is looked at as often as sets draw it: what many draw is what people ask for.
        sets: dict[int, set[str]] = defaultdict(set)
        for index in indices:
            sets[pictures.records[index].concept].add(pictures.records[index].source)
        self._weights = [len(sets[concept]) for concept in captions.bank]
        self._rest = sorted(set(self._of_concept) - set(captions.bank))

    def batch(self, step: int, size: int) -> Batch:
        """The batch of a step."""
        choice = random.Random(f"{self._seed}/{step}")
        plans = [self.plan(choice, LOOKING) for _ in range(size)]
        generator = torch.Generator(self.device)
        generator.manual_seed(choice.getrandbits(62))
        return Batch(
            self._views(plans, generator),
            *(
                torch.tensor([getattr(plan, name) for plan in plans], device=self.device)
                for name in ("text", "name", "colour")
            ),
        )

    def plan(self, choice: random.Random, mix: Mix) -> Plan:
        """Choose a caption and what makes it true."""
        if choice.random() < mix.scenes:
            scene = choice.randrange(len(self._scene_texts))
            return Plan(choice.choice(self._scene_texts[scene]), scene=scene)
        several = not self._rest or choice.random() < mix.bank
        if several:
            concept = choice.choices(self._bank, self._weights)[0]
        else:
            concept = choice.choice(self._rest)
        groups = self._captions[concept]
        kind = choice.choices(list(groups), [mix.kinds[kind] for kind in groups])[0]
        caption = choice.choice(groups[kind])
        shown = self._of_concept[concept]
        weights = [mix.sets.get(self._sources[picture], 1.0) for picture in shown]
        picture = choice.choices(shown, weights)[0]
        plan = Plan(caption.text, self._class.get(concept, _NOTHING), picture=picture)
        if kind == Kind.COLOURED:
            plan.colour = caption.detail
        elif self._single_colour[picture]:
            plan.colour = choice.randrange(len(COLOURS))
        if kind == Kind.PLACED:
            plan.scene = caption.detail
        elif kind == Kind.BACKGROUND:
            plan.backdrop = caption.detail
        elif kind == Kind.PAIR:
            plan.partner = choice.choice(self._of_concept[caption.detail])
            plan.name = _NOTHING
        elif choice.random() < mix.unsaid:
            plan.scene = choice.randrange(len(self._scene_texts))
        return plan

    def _views(self, plans: list[Plan], generator: torch.Generator) -> torch.Tensor:
        n, device = len(plans), self.device
        pair = torch.tensor([plan.partner >= 0 for plan in plans], device=device)
        alone = torch.tensor([plan.picture < 0 for plan in plans], device=device)
        # A side of 0.45 to 1.3 views, most of them around 0.85; the further from filling the view,
        # the further the picture may be from the middle.
        scale = (0.85 * torch.exp(0.25 * torch.randn(n, generator=generator, device=device))).clamp(
            0.45, 1.3
        )
        reach = 0.12 + 0.75 * (1 - scale).abs()
        shift = augment.uniform(generator, n, 2, low=-1, high=1) * reach[:, None]
        scale = torch.where(pair, scale * 0.6, scale)
        shift[:, 0] = torch.where(pair, -0.45, shift[:, 0])
        cut_outs = self._redrawn(self.cut_outs([plan.picture for plan in plans], plans, generator))
        foreground = augment.place(cut_outs, scale, shift, generator)
        foreground[alone] = 0
        if pair.any():
            chosen = [plan.partner for plan in plans if plan.partner >= 0]
            beside = self._redrawn(self.cut_outs(chosen, None, generator))
            second = augment.place(beside, scale[pair], -shift[pair], generator)
            foreground[pair] = second + (1 - second[:, 3:]) * foreground[pair]
        background = augment.contrasting(augment.backgrounds(n, generator), foreground)
        self._put_scenes(background, plans, generator)
        return augment.degrade(augment.over(foreground, background), generator)

    @property
    def sources(self) -> tuple[str, ...]:
        """The sets that the pictures come from, each once."""
        return tuple(dict.fromkeys(self._sources))

    def source_of(self, picture: int) -> str:
        """The set that a picture comes from."""
        return self._sources[picture]

    def scene(self, scene: int, number: int) -> torch.Tensor:
        """One of the paintings of a scene: [3, 64, 64] RGB in 0..1."""
        return self._scenes[scene, number % self._scenes.shape[1]].float() / 255

    def backdrop(self, colour: int, generator: torch.Generator) -> torch.Tensor:
        """A colour much like the prototype: [3, 1, 1] RGB in 0..1."""
        spread = torch.randn(3, generator=generator, device=self.device) * 0.04
        return (self._prototypes[colour] + spread).clamp(0, 1)[:, None, None]

    def cut_outs(
        self, chosen: list[int], plans: list[Plan] | None, generator: torch.Generator
    ) -> torch.Tensor:
        """Premultiplied RGBA of the chosen pictures, recoloured where the plan says so."""
        rgba = self._pixels[torch.tensor(chosen, device=self.device).clamp_min(0)].float() / 255
        if plans is not None:
            rows = [row for row, plan in enumerate(plans) if plan.colour >= 0]
            if rows:
                colours = torch.tensor([plans[row].colour for row in rows], device=self.device)
                target = self._prototypes[colours]
                spread = torch.randn(target.shape, generator=generator, device=self.device)
                rgba[rows] = recolour(rgba[rows], (target + 0.04 * spread).clamp(0, 1))
        return torch.cat((rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]), dim=1)

    def _redrawn(self, cut_outs: torch.Tensor) -> torch.Tensor:
        """Some of the cut-outs in coarse cells, some with outlines."""
        # The batch is in random order: its first quarter is redrawn in cells of three sizes, its
        # last sixth with outlines.
        share = len(cut_outs) // 12
        if share:
            cut_outs[-2 * share :] = augment.ink(cut_outs[-2 * share :])
        for number, factor in enumerate((2, 3, 4)):
            part = cut_outs[number * share : (number + 1) * share]
            if len(part):
                part.copy_(augment.pixelate_cut_out(part, factor))
        return cut_outs

    def _put_scenes(
        self, background: torch.Tensor, plans: list[Plan], generator: torch.Generator
    ) -> None:
        """Write the planned scenes and coloured backdrops into the backgrounds."""
        for row, plan in enumerate(plans):
            if plan.scene >= 0:
                number, mirrored, left, top = torch.randint(
                    0, 2**16, (4,), generator=generator, device=self.device
                ).tolist()
                painted = self.scene(plan.scene, number)
                # A crop of 48 to 64 pixels, drawn as large as the view.
                side = 48 + (left + top) % 17
                left, top = left % (65 - side), top % (65 - side)
                crop = painted[:, top : top + side, left : left + side]
                crop = torch.nn.functional.interpolate(crop[None], size=64, mode="nearest")[0]
                background[row] = crop.flip(-1) if mirrored % 2 else crop
            elif plan.backdrop >= 0:
                background[row] = self.backdrop(plan.backdrop, generator)
