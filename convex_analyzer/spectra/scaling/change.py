"""What a remedy is: a change of the problem, with the way back.

A remedy writes θ = T z + t and minimises over z. It has a name, says what it does and what it
costs, and gives the changed problem with maps in both directions, so that a run before and a run
after can be compared point by point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.linalg.operators import (
    SPARSE_LIMIT,
    DenseOperator,
    DiagonalOperator,
    SparseOperator,
)
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic

__all__ = [
    "Changed",
    "Remedy",
    "change_by_factor",
    "change_by_matrix",
    "change_of_columns",
    "diagonal_of",
    "require_definite",
]

Array = npt.NDArray[np.float64]
Map = Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Changed:
    """A problem after a remedy.

    Attributes
    ----------
    problem
        In the new coordinates z.
    back
        z -> θ, shape (..., d).
    forward
        θ -> z, shape (..., d).
    note
        Something to know about it, or "".
    best_possible
        A lower bound of κ over all remedies of this kind, when one is known.
    """

    problem: Quadratic
    back: Map
    forward: Map
    note: str = ""
    best_possible: float | None = None


class Remedy:
    """Base of all remedies: subclasses are frozen dataclasses.

    Attributes
    ----------
    title
        What it is called in tables.
    does
        What it does, in one sentence.
    price
        What it costs, in words.
    effort
        0 (nothing) to 4 (a full factorisation): orders remedies that are equally good.
    keeps_solution
        Whether the minimiser stays the same; otherwise it has a bias.
    keeps_spectrum
        Whether the curvature stays what it was, seen from other axes.
    """

    title: ClassVar[str]
    does: ClassVar[str]
    price: ClassVar[str]
    effort: ClassVar[int]
    keeps_solution: ClassVar[bool] = True
    keeps_spectrum: ClassVar[bool] = False

    def why_not(self, problem: Quadratic) -> str | None:
        """Return why it cannot be applied, in a few words; None when it can."""
        raise NotImplementedError

    def change(self, problem: Quadratic) -> Changed:
        """Return the changed problem, knowing that `why_not` is None."""
        raise NotImplementedError

    def apply(self, problem: Quadratic) -> Changed:
        """Return the changed problem, with the way back.

        Raises
        ------
        InputError
            It cannot be applied to this problem.
        """
        why = self.why_not(problem)
        if why is not None:
            raise InputError(f"{type(self).__name__} cannot be applied: {why}", argument="problem")
        changed = self.change(problem)
        changed.problem.name = f"{problem.name}, {self.title}"
        return changed


def diagonal_of(problem: Quadratic) -> Array | None:
    """Return the diagonal of A, shape (d,); None where only products are known."""
    operator = problem.operator
    match operator:
        case DiagonalOperator():
            return operator.diagonal
        case SparseOperator():
            return np.asarray(operator.matrix.diagonal(), dtype=float)
        case DenseOperator():
            return np.asarray(operator.matrix.diagonal(), dtype=float)
        case _ if operator.kind == "data":
            factor = operator.factor  # type: ignore[attr-defined]  # a GramOperator
            return np.asarray(np.einsum("ij,ij->j", factor, factor))
    return None


def require_definite(problem: Quadratic) -> str | None:
    """Return why square roots of A's diagonal do not exist, or None."""
    diagonal = diagonal_of(problem)
    if diagonal is None:
        return "only products with A are known, not its entries"
    if np.any(diagonal < 0):
        return "A has a negative diagonal entry, so it is not convex"
    if np.any(diagonal == 0):
        return "A has a zero on its diagonal: that coordinate carries no curvature"
    return None


def change_of_columns(problem: LeastSquares, X: Array, back: Map, forward: Map) -> Changed:
    """Return least squares with other columns X, shape (n, d); a penalty follows along."""
    if problem.l2 == 0:
        new = LeastSquares(
            X, problem.y, problem.labels, l2=0.0, intercept=problem.intercept, loss=problem.loss
        )
        return Changed(new, back, forward)
    size = problem.dimension
    root, penalty = np.sqrt(problem.factor), np.sqrt(problem.l2) * np.eye(size)
    rows = penalty[int(problem.intercept) :] @ back(np.eye(size)).T
    new = LeastSquares(
        np.vstack([root * X, rows]),
        np.concatenate([root * problem.y, np.zeros(len(rows))]),
        problem.labels,
        l2=0.0,
        intercept=False,
        loss="half_rss",
    )
    return Changed(new, back, forward)


def change_by_matrix(problem: Quadratic, T: Array, inverse: Array) -> Changed:
    """Return the problem in θ = T z for a dense T, shape (d, d), or a diagonal, shape (d,)."""

    def back(z: Array) -> Array:
        return z * T if T.ndim == 1 else z @ T.T

    def forward(theta: Array) -> Array:
        return theta * inverse if T.ndim == 1 else theta @ inverse.T

    if isinstance(problem, LeastSquares):
        X = problem.X * T if T.ndim == 1 else problem.X @ T
        return change_of_columns(problem, X, back, forward)
    linear = T * problem.linear if T.ndim == 1 else T.T @ problem.linear
    operator = problem.operator
    if T.ndim == 1 and isinstance(operator, DiagonalOperator):
        new = Quadratic.diagonal(operator.diagonal * T * T, linear, problem.constant)
        return Changed(new, back, forward)
    if T.ndim == 1 and isinstance(operator, SparseOperator):
        from scipy.sparse import diags_array

        scale = diags_array(T)
        matrix: Any = (scale @ operator.matrix @ scale).tocsr()
    elif T.ndim == 1:
        matrix = operator.to_dense() * T * T[:, None]
    else:
        matrix = T.T @ operator.to_dense() @ T
        matrix = (matrix + matrix.T) / 2
    return Changed(Quadratic(matrix, linear, problem.constant), back, forward)


def change_by_factor(problem: Quadratic, lower: Any, note: str = "") -> Changed:
    """Return the problem preconditioned by M = C Cᵀ, with z = Cᵀθ.

    Parameters
    ----------
    problem
        With matrix A.
    lower
        C, lower triangular: dense or scipy.sparse, shape (d, d).
    note
        Handed on.
    """
    if problem.dimension <= SPARSE_LIMIT:
        return _dense_factor(problem, lower, note)
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator, spsolve_triangular

    C = csr_array(lower)
    upper = csr_array(C.T)
    size = problem.dimension

    def back(z: Array) -> Array:
        return np.asarray(spsolve_triangular(upper, z.T, lower=False)).T

    def forward(theta: Array) -> Array:
        return np.asarray(theta @ C)

    def multiply(vectors: Array) -> Array:
        image = problem.operator.multiply(back(vectors.T).T)
        return np.asarray(spsolve_triangular(C, image, lower=True))

    product = LinearOperator((size, size), matvec=multiply, matmat=multiply, dtype=float)
    linear = np.asarray(spsolve_triangular(C, problem.linear, lower=True))
    return Changed(Quadratic(product, linear, problem.constant), back, forward, note)


def _dense_factor(problem: Quadratic, lower: Any, note: str) -> Changed:
    from scipy.linalg import solve_triangular

    C = np.asarray(lower.toarray() if hasattr(lower, "toarray") else lower, dtype=float)
    half = solve_triangular(C, problem.operator.to_dense(), lower=True)
    matrix = solve_triangular(C, half.T, lower=True)
    linear = solve_triangular(C, problem.linear, lower=True)

    def back(z: Array) -> Array:
        flat = np.atleast_2d(z)
        theta = solve_triangular(C, flat.T, lower=True, trans="T").T
        return np.asarray(theta.reshape(np.shape(z)))

    new = Quadratic((matrix + matrix.T) / 2, linear, problem.constant)
    return Changed(new, back, lambda theta: theta @ C, note)
