"""Steps of jobs on a GPU, by CUDA graphs wherever that is possible.

A step is hundreds of small kernels, and starting them from Python takes longer than they do. A CUDA
graph starts all of them at once, but does the same work on the same addresses each time. So what a
job's steps need lies in a seat: static tensors that the graph was captured with. A job takes a seat
by having its tensors copied there and being pointed at them, and leaves it with copies of its own:
no graph is captured anew because a job comes or goes. Those of one form share graphs of one, two,
four and eight seats; five jobs sit in one of four and one of one.

The work of some drawers depends on their parameters. They draw by hand, onto a canvas that lies on
the seat; a graph judges what is there, and the gradient of the canvas is passed on by hand.

Some jobs are drawn without a graph: those of which something is of no known kind, and those that
could not be captured. So is the first step of each form, which sets the libraries up.
"""

import itertools
import logging
import traceback
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from engine.easel import Canvas, Easel, Numbers
from engine.forms import Form, NoFormError
from engine.gpu import Gpu, cut
from engine.memory import ran_out
from engine.stopwatch import span
from engine.trees import leaves, planted, trunk

log = logging.getLogger(__name__)

SIZES = (8, 4, 2, 1)
"""How many jobs a graph has seats for."""

# So many graphs are kept, those that were used last.
_MOST = 32
# So many forms are known again.
_REMEMBERED = 512

# The part of a step that is worked out on the device.
Moved = Callable[[Sequence[Easel], Sequence[Numbers]], None]


@dataclass(frozen=True)
class Work:
    """A part of a tick.

    Attributes:
        easels: whose step it is.
        run: takes it.

    """

    easels: Sequence[Easel]
    run: Callable[[], None]


class Graphs:
    """The graphs of one process, and who sits where.

    Args:
        gpu: where it is drawn.
        moved: the part of a step that is worked out there.
        form: that of an easel; raises `NoFormError`.
        capture: whether there may be graphs at all.

    """

    def __init__(
        self, gpu: Gpu, moved: Moved, form: Callable[[Easel], Form], *, capture: bool
    ) -> None:
        self._gpu, self._moved, self._form, self._capture = gpu, moved, form, capture
        # The form of each easel that has one, with a short number for it.
        self._forms: dict[Easel, tuple[int, Form] | None] = {}
        self._numbers: OrderedDict[Hashable, int] = OrderedDict()
        self._next_number = itertools.count()
        # Of each tensor the easel whose it is.
        self._owners: dict[int, Easel] = {}
        self._tables: OrderedDict[Hashable, _Table] = OrderedDict()
        self._seen: set[Hashable] = set()
        self._refused: set[Hashable] = set()
        # Those for which there was no memory; when a job leaves there may be.
        self._crowded: set[Hashable] = set()

    def works(self, easels: Sequence[Easel]) -> list[Work]:
        """A step of some easels, in parts that do not depend on each other."""
        drawn = {easel: easel.numbers(for_device=True) for easel in easels}
        plain: list[Easel] = []
        alike: dict[Hashable, list[Easel]] = defaultdict(list)
        for easel in easels:
            numbered = self._form_of(easel)
            if numbered is None:
                plain.append(easel)
            else:
                alike[numbered[0], trunk(drawn[easel])].append(easel)
        parties = [_Party(None, plain)] if plain else []
        for key, members in alike.items():
            parties += self._parties(key, members)
        numbers = [[drawn[easel] for easel in party.easels] for party in parties]
        like = [list(leaves(tuple(each))) for each in numbers]
        rows = self._gpu.place(like)
        return [
            Work(party.easels, partial(self._step, party, _Placed(tuple(each), tensors, row)))
            for party, each, tensors, row in zip(parties, numbers, like, rows, strict=True)
        ]

    def leave(self, easel: Easel) -> None:
        """Let an easel that is not drawn any more go, with its tensors."""
        for table in self._tables.values():
            table.leave(easel)
        self._crowded.clear()
        numbered = self._forms.pop(easel, None)
        for tensor in () if numbered is None else numbered[1].tensors:
            self._owners.pop(id(tensor), None)

    def clear(self) -> None:
        """Give all memory of graphs back."""
        for table in self._tables.values():
            table.clear()
        self._tables.clear()
        self._gpu.free()

    def _form_of(self, easel: Easel) -> tuple[int, Form] | None:
        if easel not in self._forms:
            form = self._found(easel)
            self._forms[easel] = None if form is None else (self._number(form), form)
        return self._forms[easel]

    def _number(self, form: Form) -> int:
        """A number that stands for a form, the same again if it was seen not too long ago."""
        if form.key not in self._numbers:
            self._numbers[form.key] = next(self._next_number)
            if len(self._numbers) > _REMEMBERED:
                self._numbers.popitem(last=False)
        self._numbers.move_to_end(form.key)
        for keys in (self._seen, self._refused):
            if len(keys) > _REMEMBERED * len(SIZES):
                keys.clear()
        return self._numbers[form.key]

    def _found(self, easel: Easel) -> Form | None:
        """The form of an easel that may sit at a table."""
        form = None
        if not easel.drawer.steady:
            easel.canvas = Canvas(easel.drawer.reference())
        if self._capture:
            try:
                form = self._form(easel)
            except NoFormError as error:
                log.info("job %s is drawn without a graph: %s", easel.job, error)
        if form is not None and any(id(tensor) in self._owners for tensor in form.tensors):
            # To point one of two jobs at a seat would take the other one there.
            return None
        if form is not None:
            self._owners |= {id(tensor): easel for tensor in form.tensors}
        return form

    def _parties(self, key: Hashable, easels: Sequence[Easel]) -> "list[_Party]":
        """Jobs of one form at tables, each with as many of them as it has seats."""
        parties = []
        begin = 0
        while begin < len(easels):
            size = next(size for size in SIZES if size <= len(easels) - begin)
            members = list(easels[begin : begin + size])
            whole = key, size, begin
            table = self._tables.get(whole)
            parties.append(_Party(whole, members if table is None else table.arranged(members)))
            begin += size
        return parties

    def _step(self, party: "_Party", placed: "_Placed") -> None:
        """A step of easels at one table, or without one."""

        def by_hand() -> None:
            numbers = placed.numbers(placed.row)
            self._taken(party.easels, numbers, partial(self._moved, party.easels, numbers))

        if party.key is None or party.key in self._refused | self._crowded:
            self._gpu.work(by_hand)
            return
        if party.key not in self._seen:
            self._gpu.warm_up(by_hand)
            self._seen.add(party.key)
            return
        table = self._tables.get(party.key) or self._captured(party, placed)
        if table is None:
            self._gpu.work(by_hand)
            return
        self._tables.move_to_end(party.key)
        for easel in party.easels:
            for other in self._tables.values():
                if other is not table:
                    other.leave(easel)
        step = partial(table.step, party.easels, placed.row)
        canvas = any(easel.canvas is not None for easel in party.easels)
        numbers = placed.numbers(placed.row) if canvas else placed.drawn
        self._taken(party.easels, numbers, step)

    def _taken(
        self, easels: Sequence[Easel], numbers: Sequence[Numbers], moved: Callable[[], None]
    ) -> None:
        """A step, of which what draws onto a canvas is by hand, before and after what moves."""
        onto = [each for each in zip(easels, numbers, strict=True) if each[0].canvas is not None]
        with span("render"):
            grids = [easel.drawer.grid(each.moment) for easel, each in onto]
            for (easel, _), grid in zip(onto, grids, strict=True):
                _canvas(easel).grid.detach().copy_(grid.detach())
        moved()
        if onto:
            with span("backward"):
                torch.autograd.backward(grids, [_canvas(easel).pull for easel, _ in onto])
            with span("step"):
                for easel, each in onto:
                    easel.move(each)

    def _captured(self, party: "_Party", placed: "_Placed") -> "_Table | None":
        """A new table for a party; None if its step cannot be captured."""
        for easel in party.easels:
            for other in self._tables.values():
                other.leave(easel)
        while len(self._tables) >= _MOST:
            _, oldest = self._tables.popitem(last=False)
            oldest.clear()
        try:
            table = _Table(self._gpu, self._moved, party.easels, self._tensors_of, placed)
        except Exception as error:  # noqa: BLE001 - a capture may fail for any reason
            traceback.clear_frames(error.__traceback__)
            jobs = [easel.job for easel in party.easels]
            log.warning("steps as those of jobs %s are drawn without a graph: %s", jobs, error)
            for easel in party.easels:
                easel.forget_gradients()
            if ran_out(error):
                self._crowded.add(party.key)
                self.clear()
            else:
                self._refused.add(party.key)
            return None
        self._tables[party.key] = table
        return table

    def _tensors_of(self, easel: Easel) -> Sequence[torch.Tensor]:
        numbered = self._forms[easel]
        assert numbered is not None
        return numbered[1].tensors


@dataclass(frozen=True)
class _Party:
    """Easels that take their step together, in the order of their seats.

    Attributes:
        key: of their table; None for none.
        easels: they.

    """

    key: Hashable
    easels: Sequence[Easel]


@dataclass(frozen=True)
class _Placed:
    """What the step of a party takes from the host.

    Attributes:
        drawn: as it was drawn.
        like: its tensors, in their order.
        row: their numbers on the device.

    """

    drawn: tuple[Numbers, ...]
    like: Sequence[torch.Tensor]
    row: torch.Tensor

    def numbers(self, row: torch.Tensor) -> tuple[Numbers, ...]:
        """What was drawn, as it lies in a row on the device."""
        return planted(self.drawn, iter(cut(row, self.like)))


class _Table:
    """The graph of a step of some jobs, and their seats.

    Args:
        gpu: where it is drawn.
        moved: what is captured.
        easels: who sits there first.
        tensors_of: what an easel takes along.
        placed: what their step takes from the host.

    """

    def __init__(
        self,
        gpu: Gpu,
        moved: Moved,
        easels: Sequence[Easel],
        tensors_of: Callable[[Easel], Sequence[torch.Tensor]],
        placed: _Placed,
    ) -> None:
        self._tensors_of = tensors_of
        self._row = placed.row.clone()
        self._seats = [[_copy(tensor) for tensor in tensors_of(easel)] for easel in easels]
        self._sitting: list[Easel | None] = [None for _ in easels]
        for seat, easel in enumerate(easels):
            self._take(seat, easel)
        static = placed.numbers(self._row)
        try:
            self._replay = gpu.capture(partial(moved, easels, static))
        except Exception:
            self.clear()
            raise

    def arranged(self, easels: Sequence[Easel]) -> list[Easel]:
        """As many easels as there are seats, in the order of the seats; who sits stays."""
        new = iter([easel for easel in easels if easel not in self._sitting])
        return [
            easel if easel is not None and easel in easels else next(new) for easel in self._sitting
        ]

    def step(self, easels: Sequence[Easel], row: torch.Tensor) -> None:
        """Take the step of easels, as `arranged` has them, with the numbers of a row."""
        for seat, easel in enumerate(easels):
            sitting = self._sitting[seat]
            if sitting is easel:
                continue
            if sitting is not None:
                self.leave(sitting)
            for tensor, own in zip(self._seats[seat], self._tensors_of(easel), strict=True):
                tensor.copy_(own.detach())
            self._take(seat, easel)
        with span("graph"):
            self._row.copy_(row)
            self._replay()

    def leave(self, easel: Easel) -> None:
        """Let an easel go with copies of what lies on its seat, if it sits there."""
        if easel not in self._sitting:
            return
        tensors = self._tensors_of(easel)
        # If there is no memory for all of them it stays where it is.
        copies = [_copy(own) for own in tensors]
        for own, copy in zip(tensors, copies, strict=True):
            own.data = copy
        self._sitting[self._sitting.index(easel)] = None

    def clear(self) -> None:
        """Let everyone go."""
        for easel in self._sitting:
            if easel is not None:
                self.leave(easel)

    def _take(self, seat: int, easel: Easel) -> None:
        for tensor, own in zip(self._seats[seat], self._tensors_of(easel), strict=True):
            own.data = tensor
        self._sitting[seat] = easel


def _canvas(easel: Easel) -> Canvas:
    assert easel.canvas is not None
    return easel.canvas


def _copy(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().clone()
