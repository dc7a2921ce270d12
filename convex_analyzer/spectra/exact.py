"""Eigenvalues of SymPy matrices: exact where the characteristic polynomial is rational."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["exact_eigenvalues"]

_DIGITS = 40


def exact_eigenvalues(
    matrix: Any,
) -> tuple[tuple[Any, ...] | None, npt.NDArray[np.float64], str, str]:
    """Return (exact values or None, float values, kind, method), ascending.

    Rational entries: roots of the characteristic polynomial, isolated exactly. Other numbers
    (square roots, π): 40 digits of multi-precision arithmetic.
    """
    import sympy

    if all(entry.is_Rational for entry in matrix):
        unknown = sympy.Symbol("z")
        polynomial = sympy.Poly(matrix.charpoly(unknown).as_expr(), unknown)
        roots = tuple(sorted(polynomial.real_roots(), key=lambda root: root.evalf(_DIGITS)))
        values = np.array([float(root.evalf(_DIGITS)) for root in roots])
        return roots, values, "exact", "roots of the exact characteristic polynomial"
    import mpmath

    with mpmath.workdps(_DIGITS):
        numbers = mpmath.matrix(
            [[mpmath.mpf(str(entry.evalf(_DIGITS))) for entry in row] for row in matrix.tolist()]
        )
        found = sorted(mpmath.eigsy(numbers, eigvals_only=True))
        values = np.array([float(value) for value in found])
    return None, values, "numerical", f"{_DIGITS}-digit Jacobi iteration (mpmath)"
