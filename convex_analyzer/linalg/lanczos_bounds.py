"""How far an end of the spectrum may be from the extreme Ritz value, after k Lanczos steps.

A Ritz value has *an* eigenvalue within its residual. That none lies outside is another question,
and products alone cannot prove it: a start without any component along an eigenvector never sees
it. It can be made unlikely at will. Let p_0, p_1, ..., p_k be the Lanczos polynomials,
p_j(A) v_0 = v_j. An eigenvalue λ along which v_0 has the component c obeys |c p_j(λ)| ≤ |v_j| = 1,
and, since v_0 ... v_k are orthonormal, c² Σ p_j(λ)² ≤ 1 (the Christoffel function). Outside all
Ritz values the sum grows with the distance; where it exceeds 1/s², only starts with |c| < s can
have missed an eigenvalue, and a random unit vector has so small a component with probability at
most s √(2d/π).

Sources: Kuczyński & Woźniakowski, SIAM J. Matrix Anal. Appl. 13 (1992) 1094, for the bound before
the run; van Dorsselaer, Hochstenbach & van der Vorst, SIAM J. Matrix Anal. Appl. 22 (2000) 837,
for the one after it, with p_k alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "gap_below",
    "genuine",
    "inverse_mass",
    "nearest_to_zero",
    "ritz_values",
    "values_up_to",
]

Array = npt.NDArray[np.float64]

_HUGE = 1e150
_NEAR = 6  # Ritz values that are looked at on each side of zero
_HALVINGS = 24  # of the logarithm of a distance over 36 decades: to a few parts in 10⁶


def ritz_values(
    diagonal: Sequence[float], beside: Sequence[float], first: int = 0
) -> tuple[float, float]:
    """Return the Ritz value of this rank (from 0, ascending) and the largest one."""
    from scipy.linalg import eigvalsh_tridiagonal

    main, off, last = np.array(diagonal), np.array(beside[:-1]), len(diagonal) - 1
    low = eigvalsh_tridiagonal(main, off, select="i", select_range=(first, first))[0]
    high = eigvalsh_tridiagonal(main, off, select="i", select_range=(last, last))[0]
    return float(low), float(high)


def values_up_to(diagonal: Sequence[float], beside: Sequence[float], limit: float) -> int:
    """Return how many Ritz values are at most `limit`: signs of the pivots of T - limit I."""
    count, pivot, before = 0, 1.0, 0.0
    for entry, after in zip(diagonal, beside, strict=True):
        pivot = entry - limit - before * before / pivot
        if pivot == 0:
            pivot = -5e-324 if before == 0 else -1e-300
        count += pivot < 0
        before = after
    return count


def inverse_mass(diagonal: Sequence[float], beside: Sequence[float], place: float) -> float:
    """Return the logarithm of Σ p_j(x)², j = 0 ... k: of 1 over the largest c² possible at x."""
    before, current, total, logarithm, above = 0.0, 1.0, 1.0, 0.0, 0.0
    for entry, after in zip(diagonal, beside, strict=True):
        if after == 0:
            return math.inf
        before, current = current, ((place - entry) * current - above * before) / after
        total += current * current
        above = after
        if total > _HUGE:
            shrink = 1 / math.sqrt(total) if math.isfinite(total) else 0.0
            if shrink == 0:
                return math.inf
            before, current = before * shrink, current * shrink
            logarithm += math.log(total)
            total = 1.0
    return logarithm + math.log(total)


def gap_below(
    diagonal: Sequence[float],
    beside: Sequence[float],
    value: float,
    most: float,
    limit: float,
) -> float:
    """Return how far below a Ritz value an eigenvalue may hide; infinite when `most` is too little.

    Parameters
    ----------
    diagonal, beside
        Of the tridiagonal matrix, k entries each; the last one beside it is the next norm.
    value
        The Ritz value.
    most
        Largest distance that is tried.
    limit
        What `inverse_mass` has to reach.
    """
    if inverse_mass(diagonal, beside, value - most) < limit:
        return math.inf
    high = math.log(most)
    low = min(math.log(max(1e-18 * abs(value), 1e-300)), high - 1)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if inverse_mass(diagonal, beside, value - math.exp(middle)) >= limit:
            high = middle
        else:
            low = middle
    return math.exp(high)


def genuine(
    diagonal: Sequence[float], beside: Sequence[float], first: int, last: int, limit: float
) -> list[tuple[float, float]]:
    """Return (Ritz value, residual) of these ranks, without copies that are still on their way.

    Rounding makes copies of converged eigenvalues. A new one wanders through the gaps from the
    inside to its place; until it is there it has next to no weight in the start: less than the
    eigenvalues that a start is taken to see.
    """
    from scipy.linalg import eigh_tridiagonal

    ranks = (max(first, 0), min(last, len(diagonal) - 1))
    if ranks[0] > ranks[1]:
        return []
    values, vectors = eigh_tridiagonal(
        np.array(diagonal), np.array(beside[:-1]), select="i", select_range=ranks
    )
    seen = vectors[0] ** 2 >= math.exp(-limit)
    residuals = np.abs(vectors[-1]) * beside[-1]
    return [(float(v), float(r)) for v, r in zip(values[seen], residuals[seen], strict=True)]


def nearest_to_zero(diagonal: Sequence[float], beside: Sequence[float], limit: float) -> float:
    """Return a size that some eigenvalue does not exceed: |Ritz value| + residual, the least."""
    middle = values_up_to(diagonal, beside, 0.0)
    found = genuine(diagonal, beside, middle - _NEAR, middle + _NEAR, limit)
    return min((abs(value) + residual for value, residual in found), default=math.inf)
