"""The error along eigendirections after k steps, for any k, without looping over steps.

`propagate` continues the sequence e₀, e₁ of a direction; `displacement` sums it, which gives
theta_k - theta_0 without ever mentioning the minimiser (so that λ = 0, tiny λ and a b outside the
range of A are ordinary cases).

A direction has one formula for all k, so real and complex roots are treated as groups of columns,
and entries that have decayed below the smallest float are not computed at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from convex_analyzer.theory.modes import Modes
from convex_analyzer.theory.pairs import alternating, is_flipped, log_rates, pair, pair_sums, times

__all__ = [
    "decaying_sum",
    "displacement",
    "displacements",
    "powers",
    "propagate",
]

Array = npt.NDArray[np.float64]

_DEAD = -746.0  # exp of this is 0 in float64
_ROWS = 32  # rows of a curve computed at once: they stay in cache
_TILE = 16_384  # entries computed at once: larger temporaries are page-faulted afresh each time


def propagate(modes: Modes, first: Array, change: Array, steps: Array) -> Array:
    """Return e_k for the given k, shape (K, n), from e₀ and e₁ - e₀.

    Parameters
    ----------
    modes
        Directions of a rule with one or two slots.
    first
        e₀ per direction, (n,).
    change
        e₁ - e₀ per direction, without cancellation, (n,).
    steps
        k, shape (K,), non-negative whole numbers (as floats, so that 1e20 is possible).
    """
    return _in_tiles(_propagate, modes, first, change, steps)


def _in_tiles(
    formula: Callable[[Modes, Array, Array, Array], Array],
    modes: Modes,
    first: Array,
    change: Array,
    steps: Array,
) -> Array:
    """Evaluate a formula of shape (K, n) in pieces that stay in cache."""
    k, size = np.asarray(steps, dtype=float), len(first)
    if len(k) * size <= 2 * _TILE:
        return formula(modes, first, change, k[:, None])
    result = np.empty((len(k), size))
    rows = min(len(k), max(64, _TILE // size))
    columns = max(1, _TILE // rows)
    for left in range(0, size, columns):
        part = slice(left, left + columns)
        some = modes.take(part)
        for down in (slice(top, top + rows) for top in range(0, len(k), rows)):
            result[down, part] = formula(some, first[part], change[part], k[down, None])
    return result


def _propagate(modes: Modes, first: Array, change: Array, k: Array) -> Array:
    with np.errstate(all="ignore"):
        if modes.slots == 1:
            result = first * _power(modes, k)
        else:
            flipped = is_flipped(modes)
            # Along -t the sequence (-1)^k e_k has trace |t|; its first change is -e1 - e0.
            step = np.where(flipped, -change - 2 * first, change)
            v, u = pair(modes, k)
            result = alternating(v * first + u * step, k, flipped)
            # A growing root that is not excited must not come in as 0 · ∞ (flat, at rest).
            still = (change == 0) & (modes.at_one == 0)
            result[:, still] = first[still]
    return _without_nan(result)


def displacement(modes: Modes, first: Array, change: Array, steps: Array) -> Array:
    """Return e₀ + ... + e_{k-1}, shape (K, n); arguments as for `propagate`.

    With e the displacement per step, this is the total displacement after k steps.
    """
    return _in_tiles(_displacement, modes, first, change, steps)


def displacements(modes: Modes, starts: Sequence[tuple[Array, Array]], steps: Array) -> list[Array]:
    """Return `displacement` of several sequences, (first, change) each, along the same directions.

    What they share, the powers of the roots, is computed once. Not in tiles: for few directions.
    """
    k = np.asarray(steps, dtype=float)[:, None]
    with np.errstate(all="ignore"):
        if modes.slots == 1:
            sums = _geometric_sum(modes, k)
            return [_without_nan(first * sums) for first, _ in starts]
        # The sum of e_j is U_k (e1 - e0) + V_k e0, where V_k sums what continues (1, 1).
        u_sum, v_sum = pair_sums(modes, k)
        results = []
        for first, change in starts:
            result = u_sum * change
            result += v_sum * first
            still = (change == 0) & (first == 0)
            if still.any():
                result[:, still] = 0.0  # not 0 · ∞ where a root grows unseen
            results.append(_without_nan(result))
        return results


def _displacement(modes: Modes, first: Array, change: Array, k: Array) -> Array:
    return displacements(modes, [(first, change)], k[:, 0])[0]


def decaying_sum(log_factors: Array, weights: Array, steps: Array) -> Array:
    """Return the sum over i of w_i exp(k L_i) for each k, shape (K,).

    Directions are sorted by decay, so that for a block of step counts the dead ones are a slice
    that is left out.
    """
    order = np.argsort(log_factors)[::-1]
    logs, shares = log_factors[order], weights[order]
    by_size = np.argsort(steps, kind="stable")
    k = np.asarray(steps, dtype=float)[by_size]
    sums = np.empty(len(k))
    with np.errstate(all="ignore"):
        for begin in range(0, len(k), _ROWS):
            part = k[begin : begin + _ROWS]
            alive = len(logs)
            if part[0] > 0:
                alive = int(np.searchsorted(-logs, -_DEAD / part[0], side="right"))
            exponents = np.multiply.outer(part, logs[:alive])
            if part[0] == 0:
                exponents[part == 0] = 0.0  # also where the factor is 0
            np.exp(exponents, out=exponents)
            sums[begin : begin + _ROWS] = exponents @ shares[:alive]
    result = np.empty(len(k))
    result[by_size] = sums
    return result


def powers(matrix: Array, count: int, vector: Array) -> Array:
    """Return M^count v for matrices (n, s, s) and vectors (n, s), by repeated squaring."""
    result, base = vector.copy(), matrix.copy()
    with np.errstate(all="ignore"):
        while count:
            if count & 1:
                result = np.einsum("nij,nj->ni", base, result)
            count >>= 1
            if count:
                base = base @ base
    return _without_nan(result)


def _without_nan(values: Array) -> Array:
    """Replace ∞ - ∞ and 0 · ∞, which only a diverging direction produces."""
    bad = np.isnan(values)
    if bad.any():
        values[bad] = np.inf
    return values


# -- one slot ------------------------------------------------------------------------------------


def _power(modes: Modes, k: Array) -> Array:
    """Return f^k."""
    power = np.exp(times(k, log_rates(modes)))
    negative = modes.trace < 0
    if negative.any():
        odd = np.flatnonzero(k[:, 0] % 2 == 1)
        power[np.ix_(odd, negative)] *= -1
    return power


def _geometric_sum(modes: Modes, k: Array) -> Array:
    """Return 1 + f + ... + f^{k-1}."""
    w, factor = modes.one_minus_rate, modes.trace
    flat, negative = w == 0, factor < 0
    result = np.expm1(times(k, log_rates(modes)))
    result /= -np.where(flat, 1.0, w)
    if flat.any():
        result[:, flat] = k
    if negative.any():
        result[:, negative] = (1 - _power(modes.take(negative), k)) / (1 - factor[negative])
    return result
