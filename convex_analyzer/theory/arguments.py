"""Arguments of the theory, checked: starts, tolerances, numbers of steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer

__all__ = ["checked_counts", "checked_start", "checked_tolerance", "require_one_setting"]

Array = npt.NDArray[np.float64]

LARGEST = 1e150  # of a start; a run that gets there has diverged


def checked_start(start: Any, size: int) -> Array:
    """Return θ₀ as a float vector (d,), or say what is wrong with it."""
    try:
        vector = np.array(start, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"start must hold numbers, got {start!r}", argument="start") from None
    if vector.shape != (size,):
        raise InputError(f"start must have shape ({size},), got {vector.shape}", argument="start")
    if not np.all(np.isfinite(vector)):
        raise InputError("start has entries that are not finite", argument="start")
    if np.max(np.abs(vector), initial=0.0) > LARGEST:
        raise InputError(
            f"start has entries beyond {LARGEST:.0e}, whose squares leave the range of float64",
            argument="start",
        )
    return vector


def checked_tolerance(tolerance: Any) -> float:
    """Return a tolerance strictly between 0 and 1."""
    number = isinstance(tolerance, (float, int, np.number)) and not isinstance(tolerance, bool)
    if not number or not 0 < tolerance < 1:
        raise InputError(f"tolerance must be in (0, 1), got {tolerance!r}", argument="tolerance")
    return float(tolerance)


def checked_counts(steps: Any) -> Array:
    """Return numbers of steps as a float vector, checked."""
    try:
        k = np.atleast_1d(np.asarray(steps, dtype=float))
    except (TypeError, ValueError, OverflowError):
        k = np.array([np.nan])
    if k.ndim != 1 or not np.all((k >= 0) & (k == np.floor(k)) & np.isfinite(k)):
        raise InputError("steps must be whole numbers, at least 0", argument="steps", value=steps)
    return k


def require_one_setting(optimizer: Optimizer) -> None:
    """Refuse hyper-parameters for several runs at once."""
    for name, value in optimizer.values.items():
        if isinstance(value, np.ndarray) and value.ndim:
            raise InputError(
                f"an analysis takes one setting, but {name} holds {value.size}",
                argument=name,
                hint="analyse them one by one; simulate takes all at once",
            )
