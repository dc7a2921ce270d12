"""How errors in the data are magnified in a least-squares solution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.spectra.collinearity import EPSILON, unit_svd

__all__ = ["DataSensitivity", "solution_sensitivity"]


@dataclass(frozen=True)
class DataSensitivity:
    """How errors in the data are magnified in the least-squares solution (first order).

    With columns at unit length and relative errors of size ε in X and y (2-norm), the relative
    change of the solution is at most ε times `amplification`, the sum of three terms (Wedin 1973;
    Björck 1996, theorem 1.4.6): κ for X, κ|y|/(|X||θ|) for y, and κ²|r|/(|X||θ|), which counts
    only where the fit leaves a residual r.

    Attributes
    ----------
    condition_number
        κ of X with columns of unit length.
    from_matrix, from_target, from_residual
        The three terms.
    """

    condition_number: float
    from_matrix: float
    from_target: float
    from_residual: float

    @property
    def amplification(self) -> float:
        """The sum."""
        return self.from_matrix + self.from_target + self.from_residual


def solution_sensitivity(problem: LeastSquares) -> DataSensitivity:
    """Return how errors in X and y are magnified in the solution.

    Examples
    --------
    >>> from convex_analyzer.problems.least_squares import least_squares
    >>> found = solution_sensitivity(least_squares([[1.0], [1.0]], [1.0, 3.0]))
    >>> found.condition_number, round(found.from_residual, 6)
    (1.0, 0.5)
    """
    factor = problem.operator.factor  # of √s X and the penalty, reduced by QR
    norms = np.linalg.norm(factor, axis=0)
    norms = np.where(norms > 0, norms, 1.0)
    singular, _ = unit_svd(factor / norms)
    limit = max(*problem.X.shape, problem.dimension) * EPSILON
    if not singular[-1] > limit * singular[0]:
        return DataSensitivity(math.inf, math.inf, math.inf, math.inf)
    kappa = float(singular[0] / singular[-1])
    size = float(singular[0]) * float(np.linalg.norm(problem.coefficients * norms))
    residual = math.sqrt(2 * float(problem.value(problem.coefficients)))
    target = math.sqrt(problem.factor) * float(np.linalg.norm(problem.y))
    if size == 0:
        rest = math.inf if target > 0 else 0.0
        return DataSensitivity(kappa, kappa, rest, rest)
    return DataSensitivity(kappa, kappa, kappa * target / size, kappa**2 * residual / size)
