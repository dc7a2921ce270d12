"""Remedies that scale coordinates: Jacobi's, and the best that there is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.linalg.operators import SparseOperator
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.compute import spectrum
from convex_analyzer.spectra.scaling.best_diagonal import LIMIT, best_diagonal, is_bipartite
from convex_analyzer.spectra.scaling.change import (
    Changed,
    Remedy,
    change_by_matrix,
    diagonal_of,
    require_definite,
)

__all__ = ["Jacobi", "OptimalDiagonal"]

Array = npt.NDArray[np.float64]

_LOST = 1e-4  # relative error of the smallest eigenvalue of XᵀX up to which it steers a scaling


@dataclass(frozen=True)
class Jacobi(Remedy):
    """Scale the coordinates until the diagonal of A is 1.

    κ is then at most p times the smallest that any diagonal scaling reaches, where no row has more
    than p entries that are not zero (van der Sluis 1969); and the smallest itself when coordinates
    are coupled across two sets only (Forsythe & Straus 1955).
    """

    title: ClassVar[str] = "Jacobi scaling"
    does: ClassVar[str] = "divides every coordinate by the root of its curvature"
    price: ClassVar[str] = "the diagonal of A, O(d)"
    effort: ClassVar[int] = 1

    def why_not(self, problem: Quadratic) -> str | None:
        """Ask for a diagonal that is known and positive; for data it is `Scale`."""
        if isinstance(problem, LeastSquares):
            return "for data this is the same as scaling the columns"
        return require_definite(problem)

    def change(self, problem: Quadratic) -> Changed:
        """Return the problem with unit diagonal."""
        diagonal = diagonal_of(problem)
        assert diagonal is not None  # else why_not said so
        roots = np.sqrt(diagonal)
        return change_by_matrix(problem, 1 / roots, roots)


@dataclass(frozen=True)
class OptimalDiagonal(Remedy):
    """The diagonal scaling with the smallest κ: the limit of every per-coordinate step size.

    Whatever Adam or RMSProp accumulate, once frozen it is one positive number per coordinate, so
    their κ cannot be below this one.
    """

    title: ClassVar[str] = "best diagonal"
    does: ClassVar[str] = "scales every coordinate by the best factor that there is"
    price: ClassVar[str] = "a semidefinite programme"
    effort: ClassVar[int] = 4

    def why_not(self, problem: Quadratic) -> str | None:
        """Ask for a small d or a bipartite coupling, and a positive diagonal."""
        why = require_definite(problem)
        if why is not None or problem.dimension <= LIMIT:
            return why
        operator = problem.operator
        if isinstance(operator, SparseOperator) and is_bipartite(operator.matrix):
            return None
        return f"d = {problem.dimension} is too large: it is computed up to d = {LIMIT}"

    def change(self, problem: Quadratic) -> Changed:
        """Return the problem with the best scaling.

        Raises
        ------
        InputError
            A is too ill-conditioned for it to be found.
        """
        diagonal = diagonal_of(problem)
        assert diagonal is not None
        roots = np.sqrt(diagonal)
        simple = change_by_matrix(problem, 1 / roots, roots)
        if problem.dimension > LIMIT:  # bipartite
            note = "a unit diagonal is optimal here (Forsythe & Straus 1955)"
            return replace(simple, note=note, best_possible=self._kappa(simple.problem))
        matrix = _unit_diagonal(simple.problem)
        found = None if matrix is None else best_diagonal(matrix)
        if found is None:
            raise InputError(
                "OptimalDiagonal cannot be applied: A is singular to rounding, even once scaled",
                argument="problem",
                hint="scale to a unit diagonal instead",
            )
        scale = found.scale / roots
        changed = change_by_matrix(problem, scale, 1 / scale)
        return replace(changed, note=found.why, best_possible=found.lower_bound)

    @staticmethod
    def _kappa(problem: Quadratic) -> float | None:
        return spectrum(problem).condition_number


def _unit_diagonal(problem: Quadratic) -> Array | None:
    """Return A with unit diagonal; None when rounding spoils its smallest eigenvalue.

    For data that is a product XᵀX of columns of unit length: it only steers the choice of the
    scaling, whose κ is then taken from the SVD.
    """
    if isinstance(problem, LeastSquares):
        singular = problem.decomposition.singular_values
        assert singular is not None  # data always have them
        eps = float(np.finfo(float).eps)
        if not singular[0] ** 2 * _LOST > eps * singular[-1] ** 2 * len(singular):
            return None
        factor = problem.operator.factor
        matrix = factor.T @ factor
    else:
        matrix = np.array(problem.operator.to_dense())
    np.fill_diagonal(matrix, 1.0)
    return np.asarray(matrix)
