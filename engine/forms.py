"""The form of a job: all that its steps are made of, but for the numbers in its tensors.

A CUDA graph is a list of kernels with the addresses that they read and write, and with every Python
number that went into them. Two jobs may use one graph if they differ in nothing but what lies in
their tensors, and if all of these can be exchanged. So everything that a job can reach is looked
at: what is a tensor is listed, and whatever else there is belongs to the form. What is of an
unknown kind has no form, and its job is drawn without a graph.
"""

import functools
import types
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import torch
from PIL import Image
from torch import nn

# Values that say all there is to say.
_PLAIN = (int, float, complex, str, bytes, bool, types.NoneType, torch.dtype, torch.device)


class NoFormError(TypeError):
    """Something is of a kind that could be anything."""


@dataclass(frozen=True)
class Form:
    """What is alike in jobs that may be drawn by one graph, and what is each one's own.

    Attributes:
        key: equal for such jobs.
        tensors: of this job on its device, in an order that is the same for all of them.

    """

    key: Hashable
    tensors: tuple[torch.Tensor, ...]


def form_of(roots: object, device: torch.device) -> Form:
    """The form of all that can be reached from some roots.

    - Tensors on another device, and pictures, are left out: a step on this device cannot use them
      without a copy, which no graph allows.
    - Models (with a `weights_hash`, or of `torch.nn`) are shared by all jobs and never change: they
      are known by their identity.
    - A class may name attributes that a step does not use in `HOST_ONLY`.

    Raises:
        NoFormError: something is of an unknown kind.

    """
    walk = _Walk(device)
    return Form(walk.key(roots), tuple(walk.tensors))


class _Walk:
    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._numbers: dict[int, int] = {}
        self._storages: set[int] = set()
        # While these are held no other object has their identity.
        self._held: list[object] = []
        self.tensors: list[torch.Tensor] = []

    def key(self, value: object) -> Hashable:
        if isinstance(value, _PLAIN):
            return type(value), value
        if id(value) in self._numbers:
            return "again", self._numbers[id(value)]
        self._numbers[id(value)] = len(self._numbers)
        self._held.append(value)
        return type(value), self._key(value)

    def _key(self, value: object) -> Hashable:
        if isinstance(value, torch.Tensor):
            return self._of_tensor(value)
        if isinstance(value, Image.Image):
            return None
        if isinstance(value, nn.Module) or hasattr(value, "weights_hash"):
            return _Same(value)
        if isinstance(value, tuple | list):
            return tuple(self.key(each) for each in value)
        if isinstance(value, Mapping):
            return tuple((self.key(name), self.key(each)) for name, each in value.items())
        if isinstance(value, types.FunctionType):
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            defaults = value.__defaults__, value.__kwdefaults__
            return value.__code__, self.key([cells, *defaults])
        if isinstance(value, types.MethodType):
            return self.key([value.__func__, value.__self__])
        if isinstance(value, functools.partial):
            return self.key([value.func, value.args, value.keywords])
        if isinstance(value, types.BuiltinFunctionType):
            return value
        if type(value).__module__.startswith("engine.") and hasattr(value, "__dict__"):
            return self._of_attributes(value)
        raise NoFormError(f"a {type(value).__name__} has no form")

    def _of_tensor(self, tensor: torch.Tensor) -> Hashable:
        if tensor.device.type != self._device.type:
            return None
        # Where two tensors lie in one storage, one that is written to changes the other.
        storage = tensor.untyped_storage().data_ptr()
        if tensor.numel() and storage in self._storages:
            raise NoFormError("two tensors share their storage")
        self._storages.add(storage)
        self.tensors.append(tensor)
        return tuple(tensor.shape), tensor.dtype, tensor.requires_grad

    def _of_attributes(self, value: object) -> Hashable:
        ignored: frozenset[str] = getattr(type(value), "HOST_ONLY", frozenset())
        attributes = sorted(vars(value).items())
        return tuple((name, self.key(each)) for name, each in attributes if name not in ignored)


class _Same:
    """Equal to another one of the same object only, which it holds."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._value is self._value

    def __hash__(self) -> int:
        return id(self._value)
