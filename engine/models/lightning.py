"""Tensors out of others' checkpoints, without running what is in them.

A checkpoint of PyTorch Lightning is a pickle, and reading a pickle runs whatever it names. The
published ones name classes of Lightning and OmegaConf, which `torch.load(weights_only=True)`
refuses. Here the pickle is read by an unpickler that knows plain containers and the two functions
that stand for tensors, and puts an inert placeholder in the place of everything else. Tensors are
only described at first; of these the ones that are wanted are read.
"""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import torch

from engine.errors import EngineError

_DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class _Placeholder:
    """Stands for a class, a function or an object that is not let in; takes all, does nothing."""

    def __new__(cls, *_args: object, **_named: object) -> Self:
        return super().__new__(cls)

    def __init__(self, *_args: object, **_named: object) -> None: ...

    def __call__(self, *_args: object, **_named: object) -> Self:
        return self

    def __setstate__(self, _state: object) -> None: ...

    def __setitem__(self, _key: object, _value: object) -> None: ...

    def append(self, _item: object) -> None:
        """Ignore an item of what would be a list."""

    def extend(self, _items: object) -> None:
        """Ignore items of what would be a list."""


@dataclass(frozen=True)
class _Storage:
    """Numbers that lie in the archive."""

    dtype: torch.dtype
    key: str


@dataclass(frozen=True)
class _Described:
    """A tensor that was not read yet: its numbers, and how they are laid out."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def read(self, archive: zipfile.ZipFile, root: str) -> torch.Tensor:
        content = bytearray(archive.read(f"{root}data/{self.storage.key}"))
        dtype = self.storage.dtype
        # Of no bytes at all no buffer can be made.
        flat = torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)
        return flat.as_strided(self.size, self.stride, self.offset).clone()


class _Unpickler(pickle.Unpickler):
    """Knows tensors and plain containers; nothing that it is given is ever called."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self._known: Mapping[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): self._tensor,
            ("torch._utils", "_rebuild_parameter"): self._parameter,
            **{("torch", name): dtype for name, dtype in _DTYPES.items()},
        }

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        # Each gets a class of its own, which a pickle could spoil for nobody but itself.
        return self._known.get((module, name)) or type(name, (_Placeholder,), {})

    def persistent_load(self, identity: Any) -> _Storage:  # noqa: ANN401
        _, dtype, key, *_ = identity
        if not isinstance(dtype, torch.dtype) or not isinstance(key, str):
            raise pickle.UnpicklingError("not a storage of numbers")
        return _Storage(dtype, key)

    def _tensor(self, storage: Any, offset: Any, size: Any, stride: Any, *_: object) -> _Described:  # noqa: ANN401
        return _Described(storage, offset, tuple(size), tuple(stride))

    def _parameter(self, described: Any, *_: object) -> Any:  # noqa: ANN401
        return described


def read_checkpoint(path: Path, wanted: Callable[[str], bool]) -> dict[str, torch.Tensor]:
    """The tensors of a checkpoint whose names are wanted, on the CPU.

    Args:
        path: as `torch.save` wrote it: the state of a model, or a dictionary with a ``state_dict``.
        wanted: says of a tensor's name whether it is read.

    Raises:
        EngineError: the file is not a checkpoint, or is damaged.

    """
    try:
        return _read(path, wanted)
    except OSError:
        raise
    except Exception as error:
        # A damaged pickle may fail in any way at all.
        message = f"{path.name} is not a checkpoint that can be read: {error or type(error)}."
        raise EngineError(message) from error


def _read(path: Path, wanted: Callable[[str], bool]) -> dict[str, torch.Tensor]:
    if not zipfile.is_zipfile(path):
        # Before torch 1.6 a checkpoint was no archive.
        state = _state(torch.load(path, map_location="cpu", weights_only=True))
        return {name: state[name] for name in state if wanted(name)}
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        root = name.removesuffix("data.pkl")
        with archive.open(name) as file:
            state = _state(_Unpickler(file).load())
        return {
            name: described.read(archive, root)
            for name, described in state.items()
            if isinstance(described, _Described) and wanted(name)
        }


def _state(checkpoint: Any) -> Mapping[str, Any]:  # noqa: ANN401
    state = checkpoint.get("state_dict", checkpoint)
    return {name: value for name, value in state.items() if isinstance(name, str)}
