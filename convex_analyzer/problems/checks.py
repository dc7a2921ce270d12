"""Arrays as users give them: checked, with one sentence for everything that is wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError

__all__ = ["float_array", "float_number", "float_vector", "whole_number"]

Array = npt.NDArray[np.float64]


def float_array(value: Any, name: str) -> Array:
    """Return a float array, or say what it holds that is not a finite real number."""
    if value is None:
        raise InputError(f"{name} is missing: got None", argument=name)
    if np.ma.is_masked(value):
        raise InputError(f"{name} has masked entries", argument=name, hint="fill them first")
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputError(
            f"{name} is ragged: its rows have different lengths", argument=name
        ) from None
    if array.dtype.kind == "c":
        raise InputError(f"{name} must be real, got complex numbers", argument=name, value=value)
    if array.dtype.kind not in "iufb":
        try:
            array = array.astype(float)
        except (TypeError, ValueError):
            raise InputError(
                f"{name} must hold numbers, got {array.dtype} data", argument=name, value=value
            ) from None
    array = array.astype(float)
    if not np.all(np.isfinite(array)):
        if not array.ndim:
            raise InputError(f"{name} must be a finite number, got {value}", argument=name)
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(
            f"{name} has entries that are not finite: {array[where]} at index {where}",
            argument=name,
        )
    return array


def float_vector(value: Any, dimension: int, name: str) -> Array:
    """Return a vector of the given length; zeros for None."""
    if value is None:
        return np.zeros(dimension)
    if hasattr(value, "free_symbols"):
        value = np.array(value.evalf(20).tolist(), dtype=float).ravel()
    vector = float_array(value, name)
    if vector.shape != (dimension,):
        raise InputError(
            f"{name} must have shape ({dimension},) to match A, got {vector.shape}", argument=name
        )
    return vector


def float_number(value: Any, name: str) -> float:
    """Return a finite number."""
    array = float_array(value, name)
    if array.ndim:
        raise InputError(f"{name} must be a number, got shape {array.shape}", argument=name)
    return float(array)


def whole_number(value: Any, name: str, least: int = 0, most: float = math.inf) -> int:
    """Return a whole number within bounds.

    Examples
    --------
    >>> whole_number(3, "seed")
    3
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or not least <= value <= most:
        bounds = f"from {least}" if most == math.inf else f"from {least} to {most:g}"
        raise InputError(
            f"{name} must be a whole number {bounds}, got {value!r}", argument=name, value=value
        )
    return int(value)
