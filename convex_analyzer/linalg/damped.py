"""Solving (A + τI) x = v through the decomposition of A, with a damping τ for each run."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.linalg.decompositions import Decomposition

__all__ = ["solve_damped"]

Array = npt.NDArray[np.float64]


def solve_damped(
    parts: Decomposition,
    is_zero: npt.NDArray[np.bool_],
    rounding: float,
    vectors: Array,
    damping: Any,
) -> Array:
    """Return (A + damping I)⁻¹ v.

    Parameters
    ----------
    parts
        Of A.
    is_zero
        Which eigenvalues cannot be told from zero. They are taken as zero, so that a small damping
        means what it says.
    rounding
        Size up to which the sum of a damping and another eigenvalue counts as zero.
    vectors
        v, shape (..., d).
    damping
        A number, or one for each run: shape (..., 1), or a slot that repeats it, shape (..., d).

    Returns
    -------
    array of shape (..., d)
        Not finite in runs whose own damping makes A + damping I singular: one run must not end the
        others.

    Raises
    ------
    InputError
        A + damping I is singular for a damping that is one number, or the damping differs between
        coordinates.
    """
    eigenvalues = np.where(is_zero, 0.0, parts.eigenvalues)
    shifted = eigenvalues + _one_per_run(damping)
    singular = np.abs(shifted) <= np.where(is_zero, 0.0, rounding)
    if np.any(singular) and np.ndim(damping) == 0:
        what, hint = "A plus the damping is", "use another damping"
        if damping == 0:
            what, hint = "A is", "damp it, as DampedNewton does"
        raise InputError(f"{what} singular, so its inverse is not at hand", argument="A", hint=hint)
    with np.errstate(divide="ignore", invalid="ignore"):
        solved = vectors @ parts.eigenvectors / np.where(singular, 0.0, shifted)
        return np.asarray(solved @ parts.eigenvectors.T)


def _one_per_run(damping: Any) -> Array:
    values = np.asarray(damping, dtype=float)
    first = values[..., :1] if values.ndim else values
    if not np.array_equal(np.broadcast_to(first, values.shape), values, equal_nan=True):
        raise InputError(
            "damping differs between coordinates, but it must be one number per run",
            argument="damping",
            hint="give it the shape (runs, 1)",
        )
    return first
