"""CUDA as this project uses it, on a processor: what takes the place of `torch.cuda` in tests.

A graph here has the semantics of a CUDA graph. While it is captured, every operation of torch is
noted down with its arguments, Python numbers as they are and tensors by their addresses, in the
backward pass as well. A replay does the same operations and writes what comes out of each to where
it was in the capture. Whatever a capture forbids fails: asking for a number, sizes that depend on
numbers, numbers that come from Python lists, random numbers. What was written to meanwhile is as it
was before: a capture does none of the work.

Work that is asked of the device is done at once, but the host is not told so: copies that nothing
waits for arrive when an event that was recorded after them is waited for, or is asked about for the
second time. Until then the memory that they come from or go to holds garbage for whoever looks too
early, or fails the test if it is written to.
"""

import contextlib
import weakref

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

_aten = torch.ops.aten
# What reads a number, or has sizes that depend on numbers.
_ASKS_BACK = {
    _aten._local_scalar_dense,
    _aten.nonzero,
    _aten.masked_select,
    _aten._unique2,
    _aten.unique_consecutive,
    _aten.bincount,
    _aten.equal,
    _aten.is_nonzero,
}
_INDEXED = {_aten.index, _aten.index_put, _aten.index_put_, _aten._index_put_impl_}
# Numbers of a Python list are copied from memory that nobody keeps.
_COPIES_FROM_PYTHON = {_aten.lift_fresh, _aten.lift_fresh_copy}
# They bring what is there to the host, where it is already.
_TO_HOST = {torch.Tensor.cpu, torch.Tensor.numpy, torch.Tensor.tolist, torch.Tensor.item}


class IllegalCapture(RuntimeError):
    """What cannot be captured, as CUDA says: operation not permitted when stream is capturing."""


class _NothingToHost(TorchFunctionMode):
    def __torch_function__(self, function, types, arguments=(), options=None):
        if function in _TO_HOST:
            raise IllegalCapture(f"{function.__name__} is not permitted")
        return function(*arguments, **(options or {}))


class _Notes(TorchDispatchMode):
    """Notes operations down as they are done."""

    def __init__(self):
        super().__init__()
        self.operations = []
        self._made, self._before = set(), {}

    def undo(self):
        """Let everything that was there before be as it was."""
        for address, before in self._before.values():
            address.copy_(before)

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        options = options or {}
        packet = function._overloadpacket
        if packet in _ASKS_BACK or packet in _COPIES_FROM_PYTHON:
            raise IllegalCapture(f"{function} is not permitted")
        if torch.Tag.nondeterministic_seeded in function.tags:
            raise IllegalCapture(f"{function} draws numbers")
        if packet in _INDEXED and any(
            index is not None and index.dtype in {torch.bool, torch.uint8} for index in arguments[1]
        ):
            raise IllegalCapture("how many a mask chooses is not known")
        # Before it is done, since it may be that a tensor is pointed elsewhere later.
        noted = tree_map_only(torch.Tensor, _address, (arguments, options))
        if function._schema.is_mutable:
            self._keep(leaf for leaf in tree_flatten(noted)[0] if _is_tensor(leaf))
        result = function(*arguments, **options)
        given = {_storage(leaf) for leaf in tree_flatten(noted)[0] if _is_tensor(leaf)}
        made = [leaf for leaf in tree_flatten(result)[0] if _is_tensor(leaf)]
        new = [None if _storage(leaf) in given else _address(leaf) for leaf in made]
        # A view is no work: its numbers are those of what it is a view of.
        if function._schema.is_mutable or any(address is not None for address in new):
            self.operations.append((function, *noted, new))
        self._made |= {_storage(address) for address in new if address is not None}
        return result

    def _keep(self, tensors):
        """Keep what the storages of tensors hold, if they were there before."""
        for tensor in tensors:
            storage = _storage(tensor)
            if storage not in self._made and storage not in self._before:
                whole = tensor.new_empty(0).set_(tensor.untyped_storage())
                self._before[storage] = whole, whole.clone()


def _is_tensor(leaf):
    return isinstance(leaf, torch.Tensor)


def _storage(tensor):
    return tensor.untyped_storage().data_ptr()


def _address(tensor):
    """The same memory for as long as this is held, whatever becomes of the tensor."""
    with torch.utils._python_dispatch._disable_current_modes():
        return tensor.detach().as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())


class Tally:
    """How often a graph has been replayed, whether it is still there or not."""

    def __init__(self):
        self.replays = 0


class CUDAGraph:
    """Operations that can be done again."""

    def __init__(self):
        self.operations = None
        self.tally = Tally()

    def replay(self):
        """Do all of them again, into the memory of the first time."""
        assert self.operations is not None, "nothing was captured"
        self.tally.replays += 1
        with torch.no_grad():
            for function, arguments, options, new in self.operations:
                result = function(*arguments, **options)
                made = [leaf for leaf in tree_flatten(result)[0] if _is_tensor(leaf)]
                for address, leaf in zip(new, made, strict=True):
                    if address is not None:
                        address.copy_(leaf)


class Event:
    """When all that was asked before is done."""

    def __init__(self, cuda):
        self._cuda, self._copies, self._asked = cuda, None, 0

    def record(self):
        self._cuda.note("record")
        self._copies, self._cuda.copies = self._cuda.copies, []
        self._asked = 0

    def synchronize(self):
        assert self._copies is not None, "waited for an event that was not recorded"
        self._cuda.note("synchronize")
        self._arrive()

    def query(self):
        assert self._copies is not None, "asked about an event that was not recorded"
        self._cuda.note("query")
        self._asked += 1
        if self._asked > 1:
            self._arrive()
        return self._asked > 1

    def _arrive(self):
        for arrive in self._copies:
            arrive()
        self._copies = []


class Stream:
    """An order of work, of which this double has only one."""

    def __init__(self, cuda):
        self._cuda = cuda

    def wait_stream(self, other):
        assert other is not self
        self._cuda.note("wait_stream")
        self._cuda.waited.add((self, other))


class Pinned(torch.Tensor):
    """Host memory that the device copies from and to while the host goes on."""

    cuda = None

    @classmethod
    def __torch_function__(cls, function, types, arguments=(), options=None):
        options = options or {}
        if function is torch.Tensor.copy_ and options.pop("non_blocking", False):
            to, source = (each.as_subclass(torch.Tensor) for each in arguments)
            cls._copy(to, source, to_host=isinstance(arguments[0], Pinned))
            return arguments[0]
        return super().__torch_function__(function, types, arguments, options)

    @classmethod
    def _copy(cls, to, source, *, to_host):
        cls.cuda.note("copy to host" if to_host else "copy to device")
        before = source.clone()
        if to_host:
            to.fill_(torch.nan if to.is_floating_point() else 1)
            cls.cuda.copies.append(lambda: to.copy_(before))
            return
        to.copy_(source)

        def check():
            same = torch.equal(source.view(torch.uint8), before.view(torch.uint8))
            assert same, "host memory was written to while it was copied"

        cls.cuda.copies.append(check)


class Cuda:
    """`torch.cuda`, as far as `engine.gpu` uses it.

    Attributes:
        calls: the names of what was called.
        graphs: the tallies of all that were captured.
        fails: raised by the next capture, if it is set.
        freed: how often unused memory was given back.

    """

    def __init__(self):
        self.calls, self.graphs, self.fails, self.freed = [], [], None, 0
        self.copies, self.waited = [], set()
        self._pools, self._used = [], set()
        self._main = Stream(self)
        self._now = self._main

    def note(self, name):
        self.calls.append(name)

    def pinned(self, shape, dtype):
        """Host memory as `engine.gpu` makes it."""
        kind = type("PinnedHere", (Pinned,), {"cuda": self})
        return torch.empty(shape, dtype=dtype).as_subclass(kind)

    def Stream(self):  # noqa: N802 - as CUDA has it
        return Stream(self)

    def Event(self):  # noqa: N802
        return Event(self)

    def CUDAGraph(self):  # noqa: N802
        return CUDAGraph()

    def graph_pool_handle(self):
        self._pools.append(weakref.WeakSet())
        return 0, len(self._pools)

    def current_stream(self):
        return self._now

    @contextlib.contextmanager
    def stream(self, stream):
        assert (stream, self._now) in self.waited, "a stream did not wait for the one before it"
        self.waited.discard((stream, self._now))
        before, self._now = self._now, stream
        try:
            yield
        finally:
            self._now = before

    @contextlib.contextmanager
    def graph(self, graph, *, pool, stream, capture_error_mode):
        users = self._pools[pool[1] - 1]
        assert pool not in self._used or users, "a pool whose graphs are gone is used again"
        self._used.add(pool)
        assert stream is not self._main, "the main stream cannot be captured"
        assert capture_error_mode == "thread_local"
        assert graph.operations is None, "a graph is captured once"
        self.note("capture")
        if self.fails is not None:
            failure, self.fails = self.fails, None
            raise failure
        with torch.enable_grad(), _NothingToHost(), _Notes() as notes:
            try:
                yield
            finally:
                with torch.utils._python_dispatch._disable_current_modes():
                    notes.undo()
        users.add(graph)
        graph.operations = notes.operations
        self.graphs.append(graph.tally)

    def empty_cache(self):
        self.note("empty_cache")
        self.freed += 1
