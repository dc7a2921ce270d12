"""Matrices whose spectrum is known from theory; part of `convex_analyzer.gallery`."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.tables import format_number

__all__ = [
    "clement_shifted",
    "hilbert",
    "identity",
    "kms",
    "laplacian_1d",
    "laplacian_2d",
    "lehmer",
    "minij",
    "pascal",
    "pei",
    "trefethen",
    "wilson",
]

Array = npt.NDArray[np.float64]

_LARGEST_DENSE = 10_000
_LARGEST_SPARSE = 10_000_000


def _size(n: Any, largest: int = _LARGEST_DENSE) -> int:
    try:
        size = operator.index(n)
    except TypeError:
        size = 0
    if isinstance(n, bool) or not 1 <= size <= largest:
        raise InputError(f"n must be an integer from 1 to {largest:,}, got {n!r}", argument="n")
    return size


def identity(n: int = 6) -> Quadratic:
    """Return A = I: κ = 1, and gradient descent with α = 1 arrives in one step."""
    return Quadratic.diagonal(np.ones(_size(n)), name=f"identity, n = {n}")


def hilbert(n: int = 5) -> Quadratic:
    """A_ij = 1/(i + j - 1), exact (SymPy): the standard example of ill-conditioning (Hilbert 1894).

    κ = 19.28, 524.1, 1.551e4, 4.766e5, 1.495e7 for n = 2 ... 6. The inverse has integer entries.

    Examples
    --------
    >>> hilbert(3).exact.inv()[0, 0]
    9
    """
    import sympy

    size = _size(n, 200)
    A = sympy.Matrix(size, size, lambda i, j: sympy.Rational(1, i + j + 1))
    return Quadratic(A, name=f"Hilbert matrix, n = {size}")


def laplacian_1d(n: int = 10) -> Quadratic:
    """Tridiagonal (-1, 2, -1), sparse: eigenvalues 4 sin²(kπ/(2(n+1))), k = 1 ... n.

    The second difference with both ends fixed; κ ≈ 4(n+1)²/π².

    Examples
    --------
    >>> laplacian_1d(2).decomposition.eigenvalues.round(12)
    array([1., 3.])
    """
    size = _size(n, _LARGEST_SPARSE)
    return Quadratic(_tridiagonal(size, 2.0, -1.0), name=f"1-D Laplacian, n = {size}")


def laplacian_2d(n: int = 8, points: int = 5) -> Quadratic:
    """Return the Laplacian on an n x n grid, sparse, d = n².

    Parameters
    ----------
    n
        Grid points per side; the boundary is fixed.
    points
        5: the sum of two 1-D Laplacians, eigenvalues 4 sin²(iπ/(2(n+1))) + 4 sin²(jπ/(2(n+1))).
        9: eight neighbours of equal weight, eigenvalues
        9 - (1 + 2 cos(iπ/(n+1)))(1 + 2 cos(jπ/(n+1))); for n = 30 this is Harwell-Boeing GR_30_30.

    Examples
    --------
    >>> laplacian_2d(2).decomposition.eigenvalues.round(12)
    array([2., 4., 4., 6.])
    """
    from scipy import sparse

    size = _size(n, math.isqrt(_LARGEST_SPARSE))
    if points == 5:
        line, unit = _tridiagonal(size, 2.0, -1.0), sparse.eye_array(size)
        A = sparse.kron(line, unit) + sparse.kron(unit, line)
    elif points == 9:
        band = _tridiagonal(size, 1.0, 1.0)
        A = 9 * sparse.eye_array(size * size) - sparse.kron(band, band)
    else:
        raise InputError(f"points must be 5 or 9, got {points!r}", argument="points", value=points)
    return Quadratic(A.tocsr(), name=f"2-D Laplacian, {size} x {size}")


def _tridiagonal(n: int, diagonal: float, beside: float) -> Any:
    from scipy import sparse

    off = np.full(n - 1, beside)
    return sparse.diags_array([off, np.full(n, diagonal), off], offsets=[-1, 0, 1], format="csr")


def _dense(name: str, n: int, entry: Any) -> Quadratic:
    """Return A_ij = entry(i, j), indices from 1, evaluated on whole arrays."""
    i, j = np.indices((n, n), dtype=float) + 1
    return Quadratic(entry(i, j), name=f"{name} matrix, n = {n}")


def minij(n: int = 10) -> Quadratic:
    """A_ij = min(i, j): eigenvalues 1/(4 sin²((2k-1)π/(2(2n+1)))), k = 1 ... n; determinant 1.

    The inverse is the 1-D Laplacian with one free end.
    """
    return _dense("min(i, j)", _size(n), np.minimum)


def lehmer(n: int = 5) -> Quadratic:
    """A_ij = min(i, j)/max(i, j): n ≤ κ ≤ 4n² (Newman & Todd 1958)."""
    return _dense("Lehmer", _size(n), lambda i, j: np.minimum(i, j) / np.maximum(i, j))


def kms(n: int = 8, rho: float = 0.5) -> Quadratic:
    """A_ij = ρ^|i-j|: the Kac-Murdock-Szegő matrix, correlations of a first-order process.

    The spectrum lies inside ((1-ρ)/(1+ρ), (1+ρ)/(1-ρ)); the determinant is (1-ρ²)^(n-1).
    """
    if not 0 < abs(rho) < 1:
        raise InputError(f"rho must be in (-1, 1) and not 0, got {rho!r}", argument="rho")
    return _dense("Kac-Murdock-Szegő", _size(n), lambda i, j: rho ** np.abs(i - j))


def pei(n: int = 10, alpha: float = 1.0) -> Quadratic:
    """Return αI + a matrix of ones: eigenvalues α (n - 1 times) and n + α (Pei 1962)."""
    return _dense("Pei", _size(n), lambda i, j: 1.0 + float(alpha) * (i == j))


def pascal(n: int = 5) -> Quadratic:
    """A_ij = binomial(i+j-2, i-1): determinant 1, eigenvalues in pairs r, 1/r, so κ = λmax²."""
    size = _size(n, 30)  # larger entries are not exact in float64
    rows = [[math.comb(i + j, i) for j in range(size)] for i in range(size)]
    return Quadratic(np.array(rows, dtype=float), name=f"Pascal matrix, n = {size}")


def wilson() -> Quadratic:
    """T. S. Wilson's 4 x 4 matrix of integers: determinant 1, κ = 2984.09 (Higham 2002)."""
    A = [[5, 7, 6, 5], [7, 10, 8, 7], [6, 8, 10, 9], [5, 7, 9, 10]]
    return Quadratic(A, name="Wilson matrix")


def clement_shifted(n: int = 8, shift: float | None = None) -> Quadratic:
    """Return the Clement (Kac) matrix plus a shift: eigenvalues shift + (1-n, 3-n ... n-1).

    Parameters
    ----------
    n
        Size.
    shift
        n when left out: positive definite, with eigenvalues 1, 3 ... 2n - 1. With shift 0 the
        matrix is indefinite, and singular when n is odd.
    """
    size = _size(n)
    k = np.arange(1, size)
    off = np.sqrt(k * (size - k))
    added = float(size if shift is None else shift)
    A = np.diag(off, 1) + np.diag(off, -1) + added * np.eye(size)
    return Quadratic(A, name=f"Clement matrix, n = {size}, shift {format_number(added, 4)}")


def trefethen(n: int = 20) -> Quadratic:
    """Return primes on the diagonal, ones where |i - j| is a power of two, sparse (Trefethen 2002).

    κ = 63.08860 for n = 20, 769.9215 for n = 150 and 3185.639 for n = 500 (SuiteSparse index).
    """
    from scipy import sparse

    size = _size(n, 1_000_000)
    offsets = [1 << j for j in range(size.bit_length()) if 1 << j < size]
    diagonals = [_primes(size), *[np.ones(size - k) for k in offsets for _ in range(2)]]
    places = [0, *[sign * k for k in offsets for sign in (-1, 1)]]
    A = sparse.diags_array(diagonals, offsets=places, format="csr")
    return Quadratic(A, name=f"Trefethen matrix, n = {size}")


def _primes(count: int) -> Array:
    """Return the first `count` primes (sieve of Eratosthenes, Rosser's upper bound)."""
    bound = max(15, int(count * (math.log(count) + math.log(math.log(count + 2) + 1) + 1)) + 1)
    sieve = np.ones(bound + 1, dtype=bool)
    sieve[:2] = False
    for p in range(2, math.isqrt(bound) + 1):
        if sieve[p]:
            sieve[p * p :: p] = False
    return np.flatnonzero(sieve)[:count].astype(float)
