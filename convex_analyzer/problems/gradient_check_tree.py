"""Parameters as users keep them (arrays, dicts, lists of arrays) as one vector with names."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.problems.checks import float_array
from convex_analyzer.tables import join_words

__all__ = ["Layout", "Leaf", "chosen_blocks", "layout_of"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Leaf:
    """One array among the parameters.

    Attributes
    ----------
    path
        Keys and positions that lead to it; empty when it is all there is.
    shape
        Its shape.
    start, stop
        Where it lies in the vector.
    """

    path: tuple[Any, ...]
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def name(self) -> str:
        """``layer1.weight``, ``θ[0]`` of a plain list; ``θ`` when it is all there is."""
        first, *rest = self.path or ("θ",)
        words = f"θ[{first}]" if isinstance(first, int) else str(first)
        return ".".join([words, *(str(part) for part in rest)])

    def coordinate(self, index: int) -> str:
        """Return the name of an entry, by its position in the vector."""
        if not self.shape:
            return self.name
        where = np.unravel_index(index - self.start, self.shape)
        return f"{self.name}[{', '.join(str(int(i)) for i in where)}]"


@dataclass(frozen=True)
class Layout:
    """How the parameters lie in one vector."""

    template: Any
    leaves: tuple[Leaf, ...]
    dimension: int

    @property
    def is_vector(self) -> bool:
        """Whether the parameters are one vector, or one number, already."""
        return len(self.leaves) == 1 and not self.leaves[0].path and len(self.leaves[0].shape) < 2

    def name(self, index: int) -> str:
        """Return the name of a coordinate."""
        leaf = next(leaf for leaf in self.leaves if leaf.start <= index < leaf.stop)
        return leaf.coordinate(index)

    def build(self, theta: Array) -> Any:
        """Return the parameters that a vector stands for, as fresh arrays."""
        leaves = iter(self.leaves)

        def fill(template: Any) -> Any:
            if isinstance(template, Mapping):
                return {key: fill(entry) for key, entry in template.items()}
            if _is_branch(template):
                entries = [fill(entry) for entry in template]
                if hasattr(template, "_fields"):  # a named tuple
                    return type(template)(*entries)
                return tuple(entries) if isinstance(template, tuple) else entries
            leaf = next(leaves)
            part = theta[leaf.start : leaf.stop].reshape(leaf.shape).copy()
            return part if leaf.shape else part[()]

        return fill(self.template)

    def read(self, given: Any, who: str = "gradient") -> tuple[Array, str]:
        """Return a gradient in the same form as a vector, and the kind of its numbers.

        Raises
        ------
        InputError
            A part is missing, or has another shape: named, with what to do.
        """
        theta = np.empty(self.dimension)
        kinds = set()
        for leaf in self.leaves:
            part = given
            for key in leaf.path:
                part = _part(part, key, leaf, who)
            array = _numbers(part, leaf, who)
            kinds.add("single" if array.dtype.itemsize < 8 else array.dtype.kind)
            theta[leaf.start : leaf.stop] = _shaped(array, leaf, who).ravel()
        return theta, "single" if "single" in kinds else "iu" if kinds <= {"i", "u"} else "f"


def layout_of(at: Any) -> tuple[Layout, Array]:
    """Return how the parameters lie in one vector, and that vector.

    Raises
    ------
    InputError
        No parameters, or entries that are not finite real numbers.

    Examples
    --------
    >>> layout, theta = layout_of({"w": [[1, 2], [3, 4]], "b": [5]})
    >>> theta, layout.name(3)
    (array([1., 2., 3., 4., 5.]), 'w[1, 1]')
    """
    leaves: list[Leaf] = []
    parts: list[Array] = []

    def visit(template: Any, path: tuple[Any, ...]) -> None:
        if isinstance(template, Mapping):
            for key, entry in template.items():
                visit(entry, (*path, key))
        elif _is_branch(template):
            for i, entry in enumerate(template):
                visit(entry, (*path, i))
        else:
            what = ".".join(["at", *(str(key) for key in path)])
            array = float_array(_plain(template), what)
            start = leaves[-1].stop if leaves else 0
            leaves.append(Leaf(path, array.shape, start, start + array.size))
            parts.append(array.ravel())

    visit(at, ())
    theta = np.concatenate(parts) if parts else np.empty(0)
    if not theta.size:
        raise InputError("at holds no numbers", argument="at", hint="give the point to check at")
    return Layout(at, tuple(leaves), len(theta)), theta


def _is_branch(value: Any) -> bool:
    """Tell a list of arrays from a list of numbers."""
    if not isinstance(value, list | tuple) or not value:
        return False
    if any(
        isinstance(entry, Mapping) or (hasattr(entry, "shape") and entry.shape) for entry in value
    ):
        return True
    if not any(isinstance(entry, list | tuple) for entry in value):
        return False
    try:
        return bool(np.asarray(value).dtype == object)
    except ValueError:  # rows of different lengths: several arrays, not one
        return True


def _plain(value: Any) -> Any:
    for method in ("detach", "cpu"):
        if hasattr(value, method) and not isinstance(value, np.ndarray):
            value = getattr(value, method)()
    return value


def _part(given: Any, key: Any, leaf: Leaf, who: str) -> Any:
    flat = isinstance(given, np.ndarray) and given.ndim == 1 and given.dtype.kind in "iuf"
    if flat and leaf.shape not in {(), (1,)}:
        raise InputError(
            f"{who} must have the parts that the parameters have, got one array of shape "
            f"{given.shape}",
            argument=who,
            hint="return the same dicts and lists as the parameters have",
        )
    try:
        return given[key]
    except (KeyError, IndexError, TypeError):
        raise InputError(
            f"{who} has no part {leaf.name}",
            argument=who,
            hint="return the same dicts and lists as the parameters have",
        ) from None


def _numbers(part: Any, leaf: Leaf, who: str) -> npt.NDArray[Any]:
    if part is None:
        raise InputError(
            f"{who} returned None for {leaf.name}",
            argument=who,
            hint="a return is missing, or this part takes no part in the loss: return zeros",
        )
    array = np.asarray(_plain(part))
    if array.dtype.kind == "O":
        with contextlib.suppress(TypeError, ValueError):
            array = array.astype(float)
    if array.dtype.kind not in "iufb":
        kind = "complex numbers" if array.dtype.kind == "c" else str(array.dtype)
        raise InputError(f"{who} must hold real numbers, got {kind} for {leaf.name}", argument=who)
    return array


def _shaped(array: npt.NDArray[Any], leaf: Leaf, who: str) -> npt.NDArray[Any]:
    squeezed = tuple(n for n in array.shape if n != 1) == tuple(n for n in leaf.shape if n != 1)
    if array.shape == leaf.shape or (squeezed and array.size == np.prod(leaf.shape)):
        return array.reshape(leaf.shape)
    hint = "a gradient has one number for each parameter"
    if array.shape == leaf.shape[::-1]:
        hint = "it is transposed"
    elif array.ndim == len(leaf.shape) + 1 and array.shape[1:] == leaf.shape:
        hint = "sum or average over the first axis, the rows of data"
    raise InputError(
        f"{who} must have shape {leaf.shape} for {leaf.name}, got {array.shape}",
        argument=who,
        hint=hint,
    )


def chosen_blocks(blocks: Any, layout: Layout) -> dict[str, npt.NDArray[np.intp]]:
    """Return the coordinates of every block by name: those given, else one per array.

    Raises
    ------
    InputError
        A block reaches beyond the parameters, is empty or overlaps another one.
    """
    every = np.arange(layout.dimension)
    if blocks is None:
        return {leaf.name: every[leaf.start : leaf.stop] for leaf in layout.leaves}
    if not isinstance(blocks, Mapping) or not blocks:
        raise InputError(
            "blocks must map names to slices or index arrays",
            argument="blocks",
            hint='for instance blocks={"weights": slice(0, 12), "bias": [12, 13]}',
        )
    found: dict[str, npt.NDArray[np.intp]] = {}
    owner = np.full(layout.dimension, -1)
    for number, (name, where) in enumerate(blocks.items()):
        try:
            members = np.unique(every[where if isinstance(where, slice) else np.asarray(where)])
        except (IndexError, TypeError, ValueError):
            members = np.empty(0, dtype=int)
        if not members.size:
            raise InputError(
                f"block {name!r} must name some of the coordinates 0 to {layout.dimension - 1}, "
                f"got {where!r}",
                argument="blocks",
            )
        if np.any(owner[members] >= 0):
            both = [str(list(blocks)[int(owner[members].max())]), str(name)]
            raise InputError(f"blocks {join_words(both)} overlap", argument="blocks")
        owner[members] = number
        found[str(name)] = members
    rest, title = every[owner < 0], "the rest"
    while title in found:  # a user's name
        title = f"all of {title}"
    return {**found, title: rest} if rest.size else found
