"""Arithmetic on the parameters of schedules, whatever kind of number they are."""

from __future__ import annotations

from typing import Any

import numpy as np

from convex_analyzer.ops import is_symbolic
from convex_analyzer.precise import DoubleDouble

__all__ = ["capped", "faded", "is_plain", "power", "ratio"]


def is_plain(value: Any) -> bool:
    """Tell whether a value is a number or an array of numbers, and no symbol or exact number."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "iuf"
    return isinstance(value, (int, float, np.number))


def ratio(k: Any, n: Any, *values: Any) -> Any:
    """Return k/n; as a fraction when it is to meet symbols."""
    if is_symbolic(*values):
        import sympy

        return sympy.Rational(k, n)
    return k / n


def power(base: Any, exponent: Any) -> Any:
    """Return a power of any kind of number; infinity where it leaves the range of float64."""
    if isinstance(exponent, DoubleDouble):
        exponent = exponent.to_float()  # exponents weight values: rounding them costs no digits
    if not (is_plain(base) and is_plain(exponent)):
        return base**exponent
    with np.errstate(over="ignore", under="ignore"):
        result = np.power(np.asarray(base, dtype=float), exponent)
    return float(result) if np.ndim(result) == 0 else result


def capped(k: Any, most: int) -> Any:
    """Return the smaller of two counts, elementwise; an int stays one."""
    return min(k, most) if isinstance(k, int) else np.minimum(k, most)


def faded(initial: Any, stays: Any) -> Any:
    """Return the limit of a decay: `initial` where it `stays`, and zero elsewhere."""
    kept = np.asarray(stays, dtype=float)
    return initial * (float(kept) if kept.ndim == 0 else kept)
