"""Both ends of a large sparse spectrum whose matrix has a narrow band, proved by factorisation.

A band of width w is factored in n w² operations, so that inverse iteration and a proof that no
eigenvalue lies below a shift are as cheap as a few products: a tridiagonal matrix with κ = 1e12,
for which products alone would need millions, takes seconds. The Lanczos method on (A - σI)⁻¹ finds
the end that the shift is next to (Ericsson & Ruhe, Math. Comp. 35 (1980) 1251); the shift follows
it as far as a Cholesky factorisation proves that it is not above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.linalg.lanczos import start_vector
from convex_analyzer.linalg.operators import SparseOperator
from convex_analyzer.linalg.positive import BandFactor, band_floor, rayleigh_ceiling
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.brackets import Bracket
from convex_analyzer.spectra.spectrum import Spectrum

__all__ = ["band_of", "narrow"]

Array = npt.NDArray[np.float64]

_WIDEST = 64  # entries beside the diagonal
_ENTRIES = 20_000_000  # of the band: 160 MB
_TINY = 1e-100
_ROUNDS, _STEPS = 20, 8
_TRIALS = (0.05, 0.5)  # of the distance from the shift, how far below the value to try next


def band_of(matrix: Any) -> tuple[Any, int] | None:
    """Return a sparse symmetric matrix in an order that makes its band narrow, and its width.

    The order is that given, or that of Cuthill and McKee; None where both leave the band wide.
    """
    size = matrix.shape[0]
    most = min(_WIDEST, _ENTRIES // size - 1)
    if matrix.nnz > (2 * most + 1) * size:
        return None
    if (width := _width(matrix)) <= most:
        return matrix, width
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    order = reverse_cuthill_mckee(matrix.tocsr(), symmetric_mode=True)
    turned = matrix.tocsr()[order][:, order]
    return (turned, width) if (width := _width(turned)) <= most else None


def _width(matrix: Any) -> int:
    rows, columns = matrix.tocoo().coords
    return int(np.abs(rows.astype(np.int64) - columns).max(initial=0))


def _band(matrix: Any, width: int) -> Array:
    """Return the diagonals from the main one downwards, (w + 1, n), as LAPACK stores them."""
    band = np.zeros((width + 1, matrix.shape[0]))
    for below in range(width + 1):
        diagonal = matrix.diagonal(-below)
        band[below, : len(diagonal)] = diagonal
    return band


@dataclass(frozen=True)
class _End:
    """The smallest eigenvalue: the best value, and what is proved."""

    value: float
    bracket: Bracket
    factorisations: int


def _smallest(matrix: Any, band: Array, below: float, tolerance: float, seed: int) -> _End | None:
    """Return the smallest eigenvalue; None where none of it is proved to be above `below`.

    The matrix and its band are the same. Shifts rise towards the end as far as that is proved.
    """
    factor = band_floor(band, below)
    if factor is None:
        return None
    vector, made, value = start_vector(band.shape[1], seed), 1, math.inf
    for _ in range(_ROUNDS):
        vector, value, residual = _improved(matrix, factor, vector)
        rounding = factor.shift - factor.floor
        if value - factor.floor <= max(tolerance * abs(value), 3 * rounding):
            break
        better, apart = None, value - factor.shift
        for distance in (2 * residual, *(share * apart for share in _TRIALS)):
            if better is None and distance <= max(_TRIALS) * apart:
                better = band_floor(band, value - max(distance, rounding))
                made += 1
        if better is None and residual <= max(tolerance * abs(value), rounding):
            break
        factor = better or factor
    bracket = Bracket(factor.floor, max(rayleigh_ceiling(matrix, vector), factor.floor))
    return _End(min(max(value, bracket.low), bracket.high), bracket, made)


def _improved(matrix: Any, factor: BandFactor, start: Array) -> tuple[Array, float, float]:
    """Return a vector nearer to the lowest eigenvector, its Rayleigh quotient, and the residual.

    A few steps of the Lanczos method on the inverse, every vector kept orthogonal to all before.
    """
    basis = np.empty((_STEPS, len(start)))
    small = np.zeros((_STEPS, _STEPS))
    basis[0] = start / np.linalg.norm(start)
    size = _STEPS
    for step in range(_STEPS):
        image = factor.solve(basis[step])
        for _ in range(2):
            along = basis[: step + 1] @ image
            small[: step + 1, step] += along
            image -= along @ basis[: step + 1]
        length = float(np.linalg.norm(image))
        if length <= 1e-13 * float(np.abs(small[: step + 1, step]).max()):
            size = step + 1
            break
        if step + 1 < _STEPS:
            basis[step + 1] = image / length
            small[step + 1, step] = length
    projected = np.triu(small[:size, :size])
    projected = projected + np.triu(projected, 1).T
    vector = np.linalg.eigh(projected)[1][:, -1] @ basis[:size]
    vector /= np.linalg.norm(vector)
    image = matrix @ vector
    value = float(vector @ image)
    return vector, value, float(np.linalg.norm(image - value * vector))


def narrow(problem: Quadratic, tolerance: float, seed: int) -> Spectrum | None:
    """Return both ends of a sparse matrix with a narrow band that is positive definite, else None.

    Parameters
    ----------
    problem
        Its operator is a `SparseOperator`, or there is no answer.
    tolerance
        Relative width of the brackets that is aimed at; rounding in a factorisation, some units in
        the last place of the largest entry, is what they cannot fall below.
    seed
        Of the starting vectors.
    """
    operator = problem.operator
    if not isinstance(operator, SparseOperator):
        return None
    highest = operator.norm_bound() or 0.0
    if not _TINY < highest < 1 / _TINY:  # squares would leave the range of float64
        return None
    found = band_of(operator.matrix)
    if found is None:
        return None
    matrix, width = found
    band = _band(matrix, width)
    low = _smallest(matrix, band, 0.0, tolerance, seed)
    if low is None or low.bracket.low <= 0:
        return None
    margin = 64 * (width + 2) ** 2 * float(np.finfo(float).eps) * highest
    high = _smallest(-matrix, -band, -highest - margin, tolerance, seed)
    if high is None:
        return None
    made = low.factorisations + high.factorisations
    return Spectrum(
        eigenvalues=np.array([low.value, -high.value]),
        lambda_min_bracket=low.bracket,
        lambda_max_bracket=Bracket(-high.bracket.high, -high.bracket.low),
        linear=None,
        method=f"band of width {width}, {made} Cholesky factorisations with bounded rounding",
        kind="bracketed",
        is_interval=True,
        dimension=problem.dimension,
        name=problem.name,
    )
