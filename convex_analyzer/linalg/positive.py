"""Proofs in floating point that a symmetric matrix has no eigenvalue below a bound.

A factorisation that runs to its end with positive pivots shows that a matrix *near* the given one
is positive definite; how near, the analysis of its rounding says (Higham 2002, theorems 9.3 and
10.3; Rump 2006, BIT 46, 433-452). Rayleigh quotients bound the smallest eigenvalue from above.
Every error of float64 is counted, underflow apart.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "BandFactor",
    "Factored",
    "band_floor",
    "dense_floor",
    "rayleigh_ceiling",
    "sparse_floor",
]

Array = npt.NDArray[np.float64]

_U = 2.0**-53
_SAFE = 1 + 1e-9  # covers the rounding in computing a bound itself: sums of positive numbers


def _gamma(count: int) -> float:
    return count * _U / (1 - count * _U)


def dense_floor(matrix: Array, shift: float) -> float | None:
    """Return a number that no eigenvalue of a dense A is below, near `shift`; None if none is seen.

    The Cholesky factor R of B = fl(A - σI) obeys RᵀR = B + E with |E| ≤ γ |Rᵀ||R|, whose 2-norm is
    at most γ/(1 - γ) times the trace of B.
    """
    shifted = matrix.copy()
    diagonal = np.einsum("ii->i", shifted)
    diagonal -= shift
    try:
        np.linalg.cholesky(shifted)
    except np.linalg.LinAlgError:
        return None
    bound = _gamma(len(matrix) + 2)
    error = bound / (1 - bound) * float(diagonal.sum()) + _U * float(np.max(np.abs(diagonal)))
    return math.nextafter(shift - error * _SAFE, -math.inf)


class Factored:
    """A sparse A - σI as L D Lᵀ, with a proof, for solving.

    Attributes
    ----------
    floor
        No eigenvalue of A is below it.
    """

    def __init__(self, floor: float, factors: Any) -> None:
        self.floor, self._factors = floor, factors

    def solve(self, right: Array) -> Array:
        """Return (A - σI)⁻¹ r, approximately."""
        return np.asarray(self._factors.solve(right))


def sparse_floor(matrix: Any, shift: float) -> Factored | None:
    """Return a factorisation of a sparse A - σI and the bound it proves; None if it proves none.

    SuperLU without pivoting gives B + E = L U in a symmetric ordering, |E| ≤ γ |L||U|. With the
    pivots D > 0 and U = D Lᵀ + F, vᵀBv ≥ -(|L F| + |E|) |v|². Norms of products of matrices without
    negative entries cost two products with a vector each.
    """
    from scipy import sparse
    from scipy.sparse.linalg import splu

    size = matrix.shape[0]
    shifted = (matrix - shift * sparse.eye_array(size)).tocsc()
    try:
        factors = splu(
            shifted,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
    except RuntimeError:  # exactly singular
        return None
    lower, upper = factors.L, factors.U
    pivots = upper.diagonal()
    if not np.array_equal(factors.perm_r, factors.perm_c) or not pivots.min() > 0:
        return None
    product = sparse.diags_array(pivots) @ abs(lower).T
    lower_size, upper_size = abs(lower), abs(upper)
    defect = abs(upper - sparse.diags_array(pivots) @ lower.T) + 4 * _U * (upper_size + product)
    terms = int(np.max(np.diff(lower.tocsr().indptr)))
    error = _product_norm(lower_size, defect) + _gamma(terms + 2) * _product_norm(
        lower_size, upper_size
    )
    error += _U * float(np.max(np.abs(shifted.diagonal())))
    return Factored(math.nextafter(shift - error * _SAFE, -math.inf), factors)


class BandFactor:
    """The Cholesky factor of a banded A - σI, with a proof, for solving.

    Attributes
    ----------
    shift
        σ.
    floor
        No eigenvalue of A is below it.
    """

    def __init__(self, shift: float, floor: float, factor: Array) -> None:
        self.shift, self.floor, self._factor = shift, floor, factor

    def solve(self, right: Array) -> Array:
        """Return (A - σI)⁻¹ r, approximately."""
        from scipy.linalg.lapack import dpbtrs

        return np.asarray(dpbtrs(self._factor, right, lower=1)[0])


def band_floor(band: Array, shift: float) -> BandFactor | None:
    """Return the Cholesky factor of a banded A - σI and the bound it proves; None if it fails.

    Parameters
    ----------
    band
        The diagonals from the main one downwards, (w + 1, n), padded at the end.
    shift
        σ.

    The factor obeys RᵀR = B + E with |E| ≤ γ |Rᵀ||R|, γ of w + 2 operations. By Cauchy's inequality
    entry (i, j) of |Rᵀ||R| is at most √(b_ii b_jj)/(1 - γ), and a row has 2w + 1 of them: so the
    2-norm of E is at most (2w + 1) γ/(1 - γ) times the largest diagonal entry of B.
    """
    from scipy.linalg.lapack import dpbtrf

    width, shifted = len(band) - 1, np.array(band, order="F")
    shifted[0] -= shift
    largest = float(np.max(np.abs(shifted[0])))
    factor, failed = dpbtrf(shifted, lower=1, overwrite_ab=1)
    if failed or not np.isfinite(factor[0]).all():
        return None
    bound = _gamma(width + 2)
    error = ((2 * width + 1) * bound / (1 - bound) + _U) * largest
    return BandFactor(shift, math.nextafter(shift - error * _SAFE, -math.inf), factor)


def _product_norm(left: Any, right: Any) -> float:
    """Return a bound of the 2-norm of L R, for matrices without negative entries."""
    ones = np.ones(left.shape[0])
    rows, columns = left @ (right @ ones), right.T @ (left.T @ ones)
    return math.sqrt(float(rows.max()) * float(columns.max()))


def rayleigh_ceiling(matrix: Any, vector: Array) -> float:
    """Return a number that the smallest eigenvalue is not above: the Rayleigh quotient of a vector.

    Parameters
    ----------
    matrix
        Dense or sparse, symmetric.
    vector
        Near the eigenvector, not zero; what it exactly is does not matter.
    """
    sparse = not isinstance(matrix, np.ndarray)
    terms = int(np.max(np.diff(matrix.tocsr().indptr))) if sparse else len(matrix)
    sizes = np.abs(vector)
    top = math.fsum(vector * (matrix @ vector))
    error = _gamma(terms + 4) * math.fsum(sizes * (abs(matrix) @ sizes)) * _SAFE
    length = math.fsum(vector * vector)
    above = top + error
    length *= 1 - 4 * _U if above > 0 else 1 + 4 * _U
    return math.nextafter(above / length, math.inf)
