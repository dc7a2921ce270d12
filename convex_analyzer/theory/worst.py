"""The largest |e_k/e_0| over very many directions, without looking at most of them.

Directions are taken in blocks of neighbours, and a block only when what bounds it is larger than
what was found: |e_k| ≤ r^k (|e_0| + |b| min(k/r, 1/s)), with b the part of the second solution of
the recurrence and s half the distance of the roots.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convex_analyzer.theory.curves import propagate
from convex_analyzer.theory.dynamics import from_rest
from convex_analyzer.theory.modes import MANY, Modes
from convex_analyzer.theory.pairs import angle_of, is_flipped, log_rates
from convex_analyzer.theory.squares import unit_response

__all__ = ["worst_from_rest"]

Array = npt.NDArray[np.float64]

_BLOCK = 256  # neighbouring directions
_AT_ONCE = 8  # blocks
_ENTRIES = 1_000_000  # of a table of steps and directions


def worst_from_rest(modes: Modes, steps: Array, active: npt.NDArray[np.bool_]) -> Array:
    """Return max over active directions of |e_k/e_0| from rest, (K,); 1 when none is active.

    Parameters
    ----------
    modes
        All directions, (n,).
    steps
        k, shape (K,).
    active
        Which of them carry loss, (n,).
    """
    k = np.asarray(steps, dtype=float)
    if not active.any():
        return np.ones(len(k))
    chosen = modes if active.all() else modes.take(np.flatnonzero(active))
    if len(chosen.eigenvalues) < MANY or modes.slots > 2:
        return _plain(chosen, k)
    if modes.slots == 1 and (unit_response(chosen)[0] == 1).all():
        slowest = chosen.take(np.array([np.argmax(log_rates(chosen))]))
        return np.abs(from_rest(slowest, k))[:, 0]
    return _searched(chosen, k)


def _plain(modes: Modes, k: Array) -> Array:
    result = np.zeros(len(k))
    size = len(modes.eigenvalues)
    rows = max(1, _ENTRIES // size)
    wide = size if modes.slots <= 2 else max(1, _ENTRIES // 16)
    for left in range(0, size, wide):
        some = modes if wide >= size else modes.take(slice(left, left + wide))
        for begin in range(0, len(k), rows):
            part = slice(begin, begin + rows)
            largest = np.abs(from_rest(some, k[part])).max(axis=1)
            result[part] = np.maximum(result[part], largest)
    return result


def _searched(modes: Modes, k: Array) -> Array:
    first, change = unit_response(modes)
    logs, sizes, seconds, distances = _bounds(modes, first, change)
    result = np.empty(len(k))
    size = len(first)
    for i, count in enumerate(k):
        with np.errstate(all="ignore"):
            reach = np.minimum(count * np.exp(-logs), 1 / distances)
            bounds = np.exp(count * logs) * (sizes + seconds * reach) * (1 + 1e-9)
        bounds = np.where(np.isnan(bounds), np.inf, bounds)
        best, left = 0.0, np.argsort(-bounds)
        while left.size and bounds[left[0]] > best:
            some, left = left[:_AT_ONCE], left[_AT_ONCE:]
            places = (some[:, None] * _BLOCK + np.arange(_BLOCK)).ravel()
            places = places[places < size]
            at = np.array([count])
            values = propagate(modes.take(places), first[places], change[places], at)
            best = max(best, float(np.abs(values).max()))
        result[i] = best
    return result


def _bounds(modes: Modes, first: Array, change: Array) -> tuple[Array, Array, Array, Array]:
    """Return the largest log r, |e₀|, |b| and the smallest s of each block."""
    if modes.slots == 1:
        zero = np.zeros(len(first))
        columns = [log_rates(modes), np.abs(first), zero, zero + 1]
    else:
        step = np.where(is_flipped(modes), -change - 2 * first, change)
        turning = modes.discriminant < 0
        root = np.abs(modes.roots[:, 0])
        half = np.abs(modes.trace) / 2
        second = np.abs(np.where(turning, 1 - half, 1 - root) * first + step)
        crossed = (modes.trace < 0) & (modes.determinant < 0)
        second = np.where(crossed, (1 + root) * np.abs(first) + np.abs(change), second)
        turned = np.sqrt(np.abs(modes.determinant)) * np.sin(angle_of(modes))
        apart = np.sqrt(np.maximum(modes.discriminant, 0.0)) / 2
        columns = [log_rates(modes), np.abs(first), second, np.where(turning, turned, apart)]
    starts = np.arange(0, len(first), _BLOCK)
    tops = [np.maximum.reduceat(column, starts) for column in columns[:3]]
    return tops[0], tops[1], tops[2], np.minimum.reduceat(columns[3], starts)
