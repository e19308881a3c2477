"""Tensors within dataclasses, tuples and mappings: taken out, and others put in their places."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import torch

_T = TypeVar("_T")


def leaves(tree: object) -> Iterator[torch.Tensor]:
    """The tensors of a tree, always in the same order."""
    if isinstance(tree, torch.Tensor):
        yield tree
        return
    for _, branch in _branches(tree):
        yield from leaves(branch)


def trunk(tree: object) -> Hashable:
    """All of a tree but the numbers in its tensors; of these the shapes.

    Raises:
        TypeError: something in it is neither a part of a tree nor hashable.

    """
    if isinstance(tree, torch.Tensor):
        return torch.Tensor, tuple(tree.shape), tree.dtype
    branches = _branches(tree)
    if isinstance(tree, tuple | Mapping) or is_dataclass(tree):
        return type(tree), tuple((name, trunk(branch)) for name, branch in branches)
    hash(tree)
    return tree


def planted(tree: _T, others: Iterator[torch.Tensor]) -> _T:
    """The same tree with the next of other tensors in the place of each of its own."""
    return _planted(tree, others)  # type: ignore[no-any-return]


def _planted(tree: Any, others: Iterator[torch.Tensor]) -> Any:  # noqa: ANN401
    if isinstance(tree, torch.Tensor):
        return next(others)
    grown = {name: _planted(branch, others) for name, branch in _branches(tree)}
    if isinstance(tree, tuple):
        return tuple(grown.values())
    if isinstance(tree, Mapping):
        return grown
    return replace(tree, **grown) if is_dataclass(tree) else tree  # type: ignore[type-var]


def _branches(tree: object) -> list[tuple[Any, object]]:
    if isinstance(tree, tuple):
        return list(enumerate(tree))
    if isinstance(tree, Mapping):
        return list(tree.items())
    if is_dataclass(tree) and not isinstance(tree, type):
        return [(field.name, getattr(tree, field.name)) for field in fields(tree)]
    return []
