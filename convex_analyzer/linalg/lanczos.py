"""Both ends of a large spectrum from products alone.

Plain Lanczos (Lanczos 1950), without reorthogonalisation: the extreme Ritz values converge all the
same (Paige 1971), at 1.6 products' worth of work per step and with three vectors of memory. Each
Ritz value has an eigenvalue within its residual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import SpectrumError
from convex_analyzer.linalg.operators import SymmetricOperator

__all__ = ["Extremes", "extreme_eigenvalues"]

Array = npt.NDArray[np.float64]

_FIRST_CHECK, _GROWTH, _MOST = 40, 1.5, 3000


@dataclass(frozen=True)
class Extremes:
    """The two extreme Ritz values, with bounds of their distance to an eigenvalue."""

    smallest: float
    smallest_error: float
    largest: float
    largest_error: float
    steps: int


def extreme_eigenvalues(operator: SymmetricOperator, tolerance: float, seed: int) -> Extremes:
    """Return the smallest and the largest eigenvalue.

    Parameters
    ----------
    operator
        The matrix.
    tolerance
        Aim: relative error of each.
    seed
        Seed of the random starting vector.

    Raises
    ------
    SpectrumError
        A product returned numbers that are not finite.
    """
    size = operator.dimension
    vector = np.random.Generator(np.random.Philox(seed)).standard_normal(size)
    vector /= np.linalg.norm(vector)
    previous = np.zeros(size)
    diagonal: list[float] = []
    beside: list[float] = [0.0]
    check = min(_FIRST_CHECK, size)
    while True:
        product = operator.multiply(vector) - beside[-1] * previous
        diagonal.append(float(vector @ product))
        product -= diagonal[-1] * vector
        norm = float(np.linalg.norm(product))
        if not np.isfinite(norm):
            raise SpectrumError("A v is not finite for a random unit vector v")
        steps, scale = len(diagonal), max(abs(entry) for entry in diagonal)
        exhausted = norm <= 1e-14 * scale or steps >= min(_MOST, 4 * size)
        if steps >= check or exhausted:
            found = _extremes(diagonal, beside[1:], norm, scale)
            goal = [tolerance * abs(found.smallest), tolerance * abs(found.largest)]
            if exhausted or (found.smallest_error <= goal[0] and found.largest_error <= goal[1]):
                return found
            check = int(check * _GROWTH)
        beside.append(norm)
        previous, vector = vector, product / norm


def _extremes(diagonal: list[float], beside: list[float], norm: float, scale: float) -> Extremes:
    from scipy.linalg import eigh_tridiagonal

    main, off = np.array(diagonal), np.array(beside)
    last = len(main) - 1
    ends = []
    for index in (0, last):
        value, vector = eigh_tridiagonal(main, off, select="i", select_range=(index, index))
        rounding = 4 * np.sqrt(len(main)) * float(np.finfo(float).eps) * scale
        ends.append((float(value[0]), abs(float(vector[-1, 0])) * norm + rounding))
    return Extremes(*ends[0], *ends[1], steps=len(main))
