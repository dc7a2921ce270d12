"""Arrays of any library, however nested: read, and thinned to a bounded number.

Nothing is imported: PyTorch is known by ``detach`` and ``cpu``, all else by what NumPy can read.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convex_analyzer.errors import InputError

__all__ = [
    "Sampler",
    "flat_vector",
    "gradients_of",
    "host",
    "in_order",
    "inner",
    "is_numbers",
    "is_single",
    "leaves_of",
    "norm",
    "scalar",
]

Array = NDArray[np.float64]
AnyArray = NDArray[Any]

_PIECE = 8192  # BLAS libraries share longer products among threads, at a price
_SMALL = 2.0**-100  # squares below may have lost digits in single precision


def leaves_of(given: Any, what: str) -> tuple[list[str], list[Any]]:
    """Return the names and the arrays among nested dicts, lists, pairs, or of a module.

    Parameters
    ----------
    given
        An array, a number, a mapping, a list, a generator such as ``model.parameters()`` or
        ``model.named_parameters()``, or an object that has the latter; None stands for an array
        without a gradient.
    what
        What messages call it.

    Raises
    ------
    InputError
        Something else, or nothing at all.

    Examples
    --------
    >>> leaves_of({"layer": {"w": np.ones((2, 3)), "b": [0.0, 1.0]}}, "parameters")[0]
    ['layer.w', 'layer.b']
    """
    names: list[str] = []
    leaves: list[Any] = []
    _walk(given, "", what, names, leaves)
    if not leaves or all(leaf is None for leaf in leaves):
        raise InputError(
            f"{what} holds no arrays", argument=what, hint="a generator is empty when used twice"
        )
    return names, leaves


def _walk(value: Any, name: str, what: str, names: list[str], leaves: list[Any]) -> None:
    if value is None or hasattr(value, "shape"):
        names.append(name or "θ")
        leaves.append(value)
    elif hasattr(value, "named_parameters"):
        _walk(value.named_parameters(), name, what, names, leaves)
    elif isinstance(value, Mapping):
        for key in value:
            _walk(value[key], _joined(name, key), what, names, leaves)
    elif is_numbers(value):
        names.append(name or "θ")
        leaves.append(np.asarray(value, dtype=np.float64))
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for i, entry in enumerate(value):
            if isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str):
                _walk(entry[1], _joined(name, entry[0]), what, names, leaves)
            else:
                _walk(entry, _joined(name, i), what, names, leaves)
    else:
        raise InputError(
            f"{what} must be arrays, or dicts and lists of them, got {type(value).__name__}",
            argument=what,
        )


def _joined(name: str, key: Any) -> str:
    return f"{name}.{key}" if name else str(key)


def is_numbers(value: Any) -> bool:
    """Tell a number, or a list of them, which is one array."""
    if isinstance(value, int | float):
        return True
    if not isinstance(value, list | tuple) or not value:
        return False
    return all(isinstance(v, int | float) for v in value)


def in_order(names: list[str], given: list[str], leaves: list[Any]) -> list[Any]:
    """Return arrays in the order of other names, where both go by the same names."""
    if not names or given == names or set(given) != set(names):
        return leaves
    place = dict(zip(given, leaves, strict=True))
    return [place[name] for name in names]


def gradients_of(leaves: list[Any]) -> list[Any]:
    """Return the gradients that parameters carry; arrays that are no parameters are themselves."""
    if any(getattr(x, "requires_grad", False) and getattr(x, "is_leaf", True) for x in leaves):
        return [getattr(leaf, "grad", None) for leaf in leaves]
    return leaves


def host(leaf: Any) -> AnyArray:
    """Return an array as NumPy sees it; without a copy where that is possible."""
    if type(leaf) is np.ndarray:
        return leaf
    if not hasattr(type(leaf), "detach"):  # asking arrays of JAX for attributes takes long
        return np.asarray(leaf)
    if getattr(leaf, "is_sparse", False):
        leaf = leaf.to_dense()
    for method in ("detach", "cpu"):
        leaf = getattr(leaf, method)() if hasattr(leaf, method) else leaf
    if hasattr(leaf, "numpy"):
        try:
            return np.asarray(leaf.numpy())
        except TypeError:  # bfloat16, of which NumPy knows nothing
            return np.asarray(leaf.float().numpy())
    return np.asarray(leaf)


def scalar(value: Any, what: str) -> float:
    """Return a number from a float, a 0-d array or a tensor that remembers its history.

    Examples
    --------
    >>> scalar(np.array([[2.0]]), "loss")
    2.0
    """
    if type(value) is float:
        return value
    try:
        array = host(value)
        if array.size == 1 and array.dtype.kind != "c":
            return float(array.reshape(()))
        found = f"shape {array.shape}" if array.size != 1 else "a complex number"
    except (TypeError, ValueError):
        found = repr(value)[:80]
    raise InputError(f"{what} must be one number, got {found}", argument=what)


def flat_vector(leaves: list[Any]) -> Array:
    """Return all arrays as one float64 vector."""
    return np.concatenate([host(leaf).ravel().astype(np.float64) for leaf in leaves])


@dataclass(frozen=True)
class _Part:
    """One array: how many of its entries are taken, and where they stand in the vector."""

    name: str
    shape: tuple[int, ...] | None  # None: nothing is known of it, and nothing is taken
    stride: int
    offset: int
    start: int
    stop: int

    def check(self, leaf: Any, what: str) -> None:
        """Refuse another shape than at the first step."""
        if self.shape is not None and tuple(leaf.shape) != self.shape:
            raise InputError(
                f"{what} {self.name} has shape {tuple(leaf.shape)}, at the first step it was "
                f"{self.shape}",
                argument=what,
                hint="a recorder follows one model; start another one",
            )

    def taken(self, leaf: Any, what: str) -> AnyArray:
        """Return the entries that are kept."""
        array = host(leaf)
        if array.shape != self.shape:
            self.check(array, what)
            return array.reshape(-1)[:0]
        if array.dtype.kind == "c":
            raise InputError(f"{what} {self.name} holds complex numbers", argument=what)
        return array.reshape(-1)[self.offset :: self.stride]


class Sampler:
    """Takes the same bounded number of entries from a set of arrays at every step.

    Entries are taken at a fixed stride that shares no factor with the size of the array, so that
    all rows and columns have their turn; each is scaled by the root of the stride, so that inner
    products of two such vectors estimate those of the whole ones. With stride 1 they are exact.

    Parameters
    ----------
    names, leaves
        The arrays; one that is None (no gradient, and no parameters given) is left out for good.
    most
        About how many entries are taken; None for all.
    seed
        Of where in its stride each array starts.
    """

    def __init__(self, names: list[str], leaves: list[Any], most: int | None, seed: int) -> None:
        shapes = [None if leaf is None else tuple(map(int, leaf.shape)) for leaf in leaves]
        sizes = [0 if shape is None else math.prod(shape) for shape in shapes]
        self.dimension = sum(sizes)
        strides = _strides(sizes, self.dimension if most is None else most)
        offsets = np.random.default_rng(seed).random(len(sizes))
        self.parts: list[_Part] = []
        place = 0
        for name, shape, size, stride, u in zip(
            names, shapes, sizes, strides, offsets, strict=True
        ):
            offset = int(u * min(stride, max(size, 1)))
            kept = len(range(offset, size, stride))
            self.parts.append(_Part(name, shape, stride, offset, place, place + kept))
            place += kept
        self.kept = place
        self.exact = place == self.dimension
        self._scales: AnyArray | None = None
        single = all(is_single(leaf) for leaf in leaves if leaf is not None)
        self.dtype = np.dtype(np.float32 if single else np.float64)
        if not self.exact:
            self._scales = np.empty(place, self.dtype)
            for part, size in zip(self.parts, sizes, strict=True):
                kept = part.stop - part.start
                self._scales[part.start : part.stop] = math.sqrt(size / max(kept, 1))

    def take(self, leaves: list[Any], what: str) -> AnyArray:
        """Return the entries as one new vector, shape (kept,).

        Raises
        ------
        InputError
            Another number of arrays, or another shape, than at the first step.
        """
        if len(leaves) != len(self.parts):
            raise InputError(
                f"{what} has {len(leaves)} arrays, the parameters have {len(self.parts)}",
                argument=what,
                hint="a recorder follows one model; start another one",
            )
        first = next((leaf for leaf in leaves if leaf is not None), None)
        if not _is_remote(first):
            out = np.empty(self.kept, self.dtype)
            for part, leaf in zip(self.parts, leaves, strict=True):
                out[part.start : part.stop] = 0 if leaf is None else part.taken(leaf, what)
        else:
            out = self._from_device(first, leaves, what)
        if self._scales is not None:
            out *= self._scales
        return out

    def _from_device(self, first: Any, leaves: list[Any], what: str) -> AnyArray:
        """Collect on the device, so that one transfer brings everything."""
        buffer = first.detach().float().new_empty((self.kept,))
        for part, leaf in zip(self.parts, leaves, strict=True):
            place = buffer[part.start : part.stop]
            if leaf is None or part.shape is None:
                place.zero_()
                continue
            part.check(leaf, what)
            place.copy_(leaf.detach().reshape(-1)[part.offset :: part.stride])
        return host(buffer).astype(self.dtype)

    def norms(self, vector: AnyArray) -> list[float]:
        """Return the norm of each array."""
        return [norm(vector[part.start : part.stop]) for part in self.parts]


def _strides(sizes: list[int], most: int) -> list[int]:
    """Return the stride of each array: small arrays whole, large ones alike."""
    whole = [size <= most / (4 * len(sizes)) for size in sizes]
    rest = sum(size for size, small in zip(sizes, whole, strict=True) if not small)
    left = most - (sum(sizes) - rest)
    common = max(1, math.ceil(rest / max(left, 1)))
    found = []
    for size, small in zip(sizes, whole, strict=True):
        stride = 1 if small else common
        while stride > 1 and math.gcd(stride, size) > 1:
            stride += 1
        found.append(stride)
    return found


def is_single(leaf: Any) -> bool:
    """Tell whether numbers are of single precision, or less."""
    name = str(getattr(leaf, "dtype", "float64")).rpartition(".")[2]
    return name.startswith(("float32", "float16", "bfloat16", "float8", "half"))


def _is_remote(leaf: Any) -> bool:
    if type(leaf) is np.ndarray or not hasattr(type(leaf), "new_empty"):
        return False
    return str(getattr(getattr(leaf, "device", "cpu"), "type", "cpu")) != "cpu"


def inner(a: AnyArray, b: AnyArray) -> float:
    """Return the inner product, in pieces for which no threads are woken up."""
    if len(a) <= _PIECE:
        return float(np.dot(a, b))
    starts = range(0, len(a), _PIECE)
    return sum(float(np.dot(a[i : i + _PIECE], b[i : i + _PIECE])) for i in starts)


def norm(vector: AnyArray) -> float:
    """Return the length; in double precision where squares leave the range of single."""
    square = inner(vector, vector)
    if vector.dtype == np.float64 or _SMALL < square < math.inf:
        return math.sqrt(square)
    return float(np.linalg.norm(vector.astype(np.float64)))
