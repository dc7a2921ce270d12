"""Solving A x = r when A is too large to decompose."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["solve_large"]

Array = npt.NDArray[np.float64]

_TOLERANCE = 1e-12
_STEPS = 20_000


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
