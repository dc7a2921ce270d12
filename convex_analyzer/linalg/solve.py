"""Solving A x = r when A is too large to decompose, or exact; least squares with all digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.linalg.accurate import matmul
from convex_analyzer.precise import DoubleDouble
from convex_analyzer.tables import format_number

__all__ = ["outside_range", "refined_least_squares", "solve_exactly", "solve_large"]

Array = npt.NDArray[np.float64]

_TOLERANCE = 1e-12
_STEPS = 20_000
_REFINE = 200_000  # entries of X up to which double-double residuals cost little
_OUTSIDE = 1e-10  # the part of r outside the range of A that rounding may explain, relative


def outside_range(part: float, whole: float) -> str | None:
    """Say that b leaves the range of A by `part`, unless rounding of size `whole` explains it."""
    if part <= _OUTSIDE * whole:
        return None
    return (
        f"b has a part of size {format_number(part, 3)} outside the range of A, "
        "so J falls without end along a flat direction"
    )


def solve_large(
    multiply: Callable[[Array], Array], right: Array
) -> tuple[Array | None, str | None]:
    """Return a solution of A x = r by MINRES, or why none was found.

    MINRES (Paige & Saunders 1975) needs only products, accepts indefinite and singular matrices,
    and from zero returns the solution of least norm when the system is consistent.
    """
    size = float(np.linalg.norm(right))
    if size == 0:
        return np.zeros(len(right)), None
    from scipy.sparse.linalg import LinearOperator, minres

    product = LinearOperator((len(right), len(right)), matvec=multiply, dtype=float)
    solution, _ = minres(product, right, rtol=_TOLERANCE, maxiter=_STEPS)
    residual = float(np.linalg.norm(multiply(solution) - right))
    if residual > 1e-6 * size:
        return None, (
            f"no critical point was found: MINRES leaves a residual of {residual / size:.1e} x |b| "
            "(A may be singular with b outside its range)"
        )
    return np.asarray(solution), None


def solve_exactly(matrix: Any, right: Array) -> tuple[Array | None, str | None]:
    """Return the least-norm solution of A x = r for a symmetric rational SymPy matrix, or why not.

    Along the null space N the matrix A + N Nᵀ replaces A; it has an inverse and the same solution.
    """
    import sympy

    vector = sympy.Matrix([sympy.Rational(float(entry)) for entry in right])
    null = matrix.nullspace()
    if null:
        basis = sympy.Matrix.hstack(*null)
        outside = basis * (basis.T * basis).LUsolve(basis.T * vector)
        why = outside_range(float(outside.norm()), float(vector.norm()))
        if why is not None:
            return None, why
        vector, matrix = vector - outside, matrix + basis * basis.T
    return np.array(matrix.LUsolve(vector).evalf(20).tolist(), dtype=float).ravel(), None


def refined_least_squares(X: Array, y: Array) -> Array:
    """Return the least-squares solution for X of full column rank, shape (n, d).

    Solution and residual are refined together with double-double residuals (Björck 1967, BIT 7,
    257-278), so that a large residual does not square the condition number.
    """
    from scipy.linalg import solve_triangular

    q, r = np.linalg.qr(X)
    solution, residual = np.zeros(X.shape[1]), y.copy()
    for _ in range(5 if X.size <= _REFINE else 1):
        if X.size <= _REFINE:
            first = (DoubleDouble(y) - residual - matmul(X, solution)).to_float()
            second = -matmul(X.T, residual).to_float()
        else:
            first, second = y - residual - X @ solution, -X.T @ residual
        inner = solve_triangular(r, second, trans="T")
        outer = q.T @ first
        solution = solution + solve_triangular(r, outer - inner)
        residual = residual + first - q @ (outer - inner)
    return solution
