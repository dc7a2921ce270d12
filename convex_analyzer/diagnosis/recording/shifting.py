"""A loss at parameters moved along a direction, in the library that the parameters come from."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.diagnosis.recording.trees import host, is_numbers, is_single, leaves_of
from convex_analyzer.errors import InputError

__all__ = ["Shifting", "required_arguments"]

AnyArray = NDArray[Any]


class Shifting:
    """Evaluates a loss at parameters moved along a direction, in the library they come from.

    Parameters
    ----------
    loss_fn
        Takes the parameters in the form in which they are given (a dict by name, of a module or of
        named pairs), or nothing: then they are moved in place, and put back.
    parameters
        Arrays in any form; a generator is used up.
    """

    def __init__(self, loss_fn: Callable[..., Any], parameters: Any) -> None:
        self.loss_fn, self.in_place = loss_fn, required_arguments(loss_fn) == 0
        self.template = _held(parameters)
        self.names, self.leaves = leaves_of(self.template, "parameters")
        self.single = any(is_single(leaf) for leaf in self.leaves)
        self.half = any(_is_half(leaf) for leaf in self.leaves)
        self.evaluations = 0

    def at(self, direction: Sequence[Any] | None = None, length: float = 0.0) -> Any:
        """Return the loss at θ + length · direction, as the function gives it."""
        self.evaluations += 1
        if direction is None or not length:
            return self.loss_fn() if self.in_place else self.loss_fn(self.built(self.leaves))
        moved = [
            leaf if part is None else _moved(leaf, part, length)
            for leaf, part in zip(self.leaves, direction, strict=True)
        ]
        if not self.in_place:
            return self.loss_fn(self.built(moved))
        kept = [np.array(host(leaf)) for leaf in self.leaves]
        try:
            for leaf, new in zip(self.leaves, moved, strict=True):
                _write(leaf, new)
            return self.loss_fn()
        finally:
            for leaf, old in zip(self.leaves, kept, strict=True):
                _write(leaf, _like(leaf, old))

    def along(self, vector: AnyArray) -> list[Any]:
        """Return a flat vector as arrays of the same library and shapes as the parameters."""
        parts, place = [], 0
        for leaf in self.leaves:
            size = math.prod(leaf.shape)
            parts.append(_like(leaf, vector[place : place + size].reshape(tuple(leaf.shape))))
            place += size
        return parts

    def built(self, leaves: list[Any]) -> Any:
        """Return arrays in the form of the parameters."""
        return _filled(self.template, leaves)


def required_arguments(function: Callable[..., Any]) -> int:
    """Return how many positional arguments must be given; 1 where that is not known."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is p.empty for p in parameters)


def _held(parameters: Any) -> Any:
    """Return what a loss function shall be given (generators as lists, modules as dicts)."""
    if hasattr(parameters, "named_parameters"):
        parameters = dict(parameters.named_parameters())
    elif not isinstance(parameters, Mapping | list | tuple) and not hasattr(parameters, "shape"):
        parameters = list(parameters) if isinstance(parameters, Iterable) else parameters
    if isinstance(parameters, list) and parameters:
        named = all(isinstance(e, tuple) and len(e) == 2 for e in parameters)
        if named and all(isinstance(e[0], str) for e in parameters):
            parameters = dict(parameters)
    return parameters


def _filled(template: Any, leaves: Iterable[Any]) -> Any:
    source = iter(leaves)

    def fill(value: Any) -> Any:
        if value is None or hasattr(value, "shape") or is_numbers(value):
            return next(source)
        if isinstance(value, Mapping):
            return {key: fill(value[key]) for key in value}
        entries = [fill(entry) for entry in value]
        if hasattr(value, "_fields"):  # a named tuple
            return type(value)(*entries)
        return tuple(entries) if isinstance(value, tuple) else entries

    return fill(template)


def _is_half(leaf: Any) -> bool:
    name = str(getattr(leaf, "dtype", "float64")).rpartition(".")[2]
    return is_single(leaf) and not name.startswith("float32")


def _moved(leaf: Any, part: Any, length: float) -> Any:
    start = leaf.detach() if hasattr(leaf, "detach") else leaf
    end = start + length * (part.detach() if hasattr(part, "detach") else part)
    if end.dtype != start.dtype:
        end = end.to(start.dtype) if hasattr(end, "to") else end.astype(start.dtype)
    return end


def _like(leaf: Any, array: AnyArray) -> Any:
    """Return a NumPy array as the library of `leaf` has it, on its device and in its precision."""
    if hasattr(leaf, "new_tensor"):
        return leaf.detach().new_tensor(array)
    return array.astype(getattr(leaf, "dtype", array.dtype), copy=False)


def _write(leaf: Any, values: Any) -> None:
    """Overwrite parameters in place, behind the back of automatic differentiation."""
    if hasattr(leaf, "detach") and hasattr(getattr(leaf, "data", None), "copy_"):
        leaf.data.copy_(values)
    elif isinstance(leaf, np.ndarray):
        leaf[...] = values
    else:
        raise InputError(
            f"a {type(leaf).__name__} cannot be changed in place",
            argument="loss_fn",
            hint="let loss_fn take the parameters",
        )
