"""Sums of products with twice the digits (double-double), for residuals and Rayleigh quotients."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.precise import DoubleDouble

__all__ = ["matmul", "total"]

Array = npt.NDArray[np.float64]


def total(values: DoubleDouble, axis: int = 0) -> DoubleDouble:
    """Sum along an axis, pairwise, in double-double."""
    high, low = (
        np.moveaxis(values.high, axis, 0),
        np.moveaxis(np.broadcast_to(values.low, values.high.shape), axis, 0),
    )
    while high.shape[0] > 1:
        if high.shape[0] % 2:
            pad = np.zeros((1, *high.shape[1:]))
            high, low = np.concatenate([high, pad]), np.concatenate([low, pad])
        half = DoubleDouble(high[::2], low[::2]) + DoubleDouble(high[1::2], low[1::2])
        high, low = half.high, half.low
    if not high.shape[0]:
        return DoubleDouble(np.zeros(high.shape[1:]), np.zeros(high.shape[1:]))
    return DoubleDouble(high[0], low[0])


def matmul(a: Array, b: Array | DoubleDouble) -> DoubleDouble:
    """Product of a matrix (n, p) with a vector (p,) or a matrix (p, k), in double-double.

    Meant for small sizes: it makes n*p*k intermediate numbers, in slices of rows.

    Examples
    --------
    >>> matmul(np.array([[1e16, 1.0]]), np.array([1.0, 1.0]) ).low
    array([1.])
    """
    right: Any = b if isinstance(b, DoubleDouble) else DoubleDouble(b)
    vector = right.high.ndim == 1
    if vector:
        right = DoubleDouble(
            right.high[:, None], np.broadcast_to(right.low, right.high.shape)[:, None]
        )
    rows = max(1, 2**18 // max(1, right.high.size))
    parts = []
    for first in range(0, a.shape[0], rows):
        block = a[first : first + rows, :, None]
        parts.append(
            total(DoubleDouble(block) * DoubleDouble(right.high[None], right.low[None]), 1)
        )
    columns = right.high.shape[1]
    high = np.concatenate([part.high for part in parts] or [np.zeros((0, columns))])
    low = np.concatenate([part.low for part in parts] or [np.zeros((0, columns))])
    return DoubleDouble(high[:, 0], low[:, 0]) if vector else DoubleDouble(high, low)
