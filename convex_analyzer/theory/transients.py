"""How far a method swings out before it settles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.theory.modes import Modes

__all__ = ["Peak", "worst_peak"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Peak:
    """The largest |e_k/e_0| from rest.

    Attributes
    ----------
    size
        1 when nothing overshoots; the loss along that direction rises by its square.
    step
        Where it occurs.
    eigenvalue
        In which direction.
    grows
        True when the error grows without end, so that there is no largest.
    """

    size: float
    step: int
    eigenvalue: float
    grows: bool = False


def worst_peak(
    modes: Modes, follow: Callable[[Modes, Array], Array], active: npt.NDArray[np.bool_]
) -> Peak:
    """Return the worst transient over the active directions (Polyak's pair: about √κ/e).

    Parameters
    ----------
    modes
        All directions.
    follow
        Returns e_k/e_0 from rest, shape (K, n), for some directions and step counts.
    active
        Which directions carry loss.

    Sources: Hagedorn & Jarre (2022); Mohammadi, Samuelson & Jovanović (2021).
    """
    if not active.any():
        return Peak(1.0, 0, float(modes.eigenvalues[0]))
    w = np.where(active, modes.one_minus_rate, np.inf)
    if np.min(w) < -1e-12:
        worst = int(np.argmin(w))
        return Peak(float("inf"), 0, float(modes.eigenvalues[worst]), grows=True)
    if modes.slots == 1:
        return Peak(1.0, 0, float(modes.eigenvalues[0]))  # |f| ≤ 1: the error never grows
    chosen = modes.take(_representatives(active))
    # The peak lies within a few time constants of the slowest direction.
    slowest = float(np.min(np.where(w > 1e-15, w, np.inf)))
    horizon = min(1e15, 20.0 / slowest) if np.isfinite(slowest) else 1000.0
    late = np.geomspace(200, max(201, horizon), 300)
    k = np.unique(np.floor(np.concatenate([np.arange(200.0), late])))
    while True:
        curves = np.abs(follow(chosen, k))
        at, direction = np.unravel_index(int(np.argmax(curves)), curves.shape)
        size, step = float(curves[at, direction]), float(k[at])
        low, high = k[max(0, int(at) - 1)], k[min(len(k) - 1, int(at) + 1)]
        if high - low <= 2:
            break
        chosen = chosen.take(np.array([direction]))
        k = np.unique(np.floor(np.linspace(low, high, 400)))
    where = float(chosen.eigenvalues[direction])
    return Peak(max(1.0, size), int(step) if size > 1 else 0, where)


def _representatives(active: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return at most 65 active directions, both ends among them."""
    indices = np.flatnonzero(active)
    if len(indices) <= 65:
        return indices
    return np.unique(indices[np.linspace(0, len(indices) - 1, 65).astype(int)])
