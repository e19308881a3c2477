"""A job on a CUDA device that is not there: its tensors have no numbers, as torch's own fakes.

An operation on such tensors fails where it would ask for a number, where its size would depend on
one, and where a tensor of the host is mixed in. Copies from the host are failures too, but for the
first time that something is done: then what is always the same is brought there.
"""

import types

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode

CUDA = torch.device("cuda", 0)


class _NoCopies(TorchFunctionMode):
    def __torch_function__(self, function, types, arguments=(), options=None):
        result = function(*arguments, **(options or {}))
        for given in arguments:
            if (
                isinstance(given, torch.Tensor)
                and isinstance(result, torch.Tensor)
                and given.device != result.device
            ):
                raise AssertionError(f"{function} copies from {given.device} to {result.device}")
        if function in {torch.tensor, torch.as_tensor} and not isinstance(
            arguments[0], torch.Tensor
        ):
            raise AssertionError("numbers of Python are copied to the device")
        made = isinstance(result, torch.Tensor) and result.device.type != "cuda"
        if made and not any(isinstance(given, torch.Tensor) for given in arguments):
            raise AssertionError(f"{function} makes a tensor on the host")
        return result


class FakeCuda:
    """Everything that roots reach, moved to the device; what is done in it is done there."""

    def __init__(self):
        self._mode = FakeTensorMode(allow_non_fake_inputs=True)
        self._moved = {}
        # While these are held no other object has their identity.
        self._held = []

    def __enter__(self):
        self._mode.__enter__()
        return self

    def __exit__(self, *error):
        self._mode.__exit__(*error)

    def twice(self, work):
        """Do work twice, the second time without copies from the host or back."""
        work()
        self.once(work)

    def once(self, work):
        """Do work without copies from the host or back."""
        with _NoCopies():
            work()

    def move(self, value):
        """A value whose tensors, in place wherever that is possible, are those of the device."""
        if id(value) in self._moved:
            return self._moved[id(value)]
        self._held.append(value)
        self._moved[id(value)] = value
        self._moved[id(value)] = moved = self._move(value)
        return moved

    def _move(self, value):
        if isinstance(value, torch.Tensor):
            with self._mode:
                return torch.empty_strided(
                    value.shape, value.stride(), dtype=value.dtype, device=CUDA
                )
        if isinstance(value, torch.device):
            return CUDA
        if isinstance(value, tuple):
            return type(value)([self.move(each) for each in value])
        if isinstance(value, list):
            value[:] = [self.move(each) for each in value]
        elif isinstance(value, dict):
            value.update({name: self.move(each) for name, each in value.items()})
        elif isinstance(value, types.FunctionType):
            for cell in value.__closure__ or ():
                cell.cell_contents = self.move(cell.cell_contents)
        elif isinstance(value, nn.Module) or (
            type(value).__module__.startswith("engine.") and hasattr(value, "__dict__")
        ):
            for name, each in vars(value).items():
                moved = self.move(each)
                if moved is not each:
                    vars(value)[name] = moved
        return value
