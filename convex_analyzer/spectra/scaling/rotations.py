"""Remedies that turn the coordinates: principal axes, whitening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.collinearity import find_intercept
from convex_analyzer.spectra.scaling.change import (
    Changed,
    Remedy,
    change_by_matrix,
    change_of_columns,
    diagonal_of,
)
from convex_analyzer.spectra.scaling.columns import shifted_and_scaled

__all__ = ["Rotate", "Whiten", "prescaled"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rotate(Remedy):
    """Turn the coordinates onto the principal axes (PCA without whitening).

    κ stays what it was: nothing but a rotation. What changes is that a per-coordinate step size
    (Adam, RMSProp) can then do everything.
    """

    title: ClassVar[str] = "rotate (PCA)"
    does: ClassVar[str] = "turns the coordinates onto the principal axes; κ stays"
    price: ClassVar[str] = "eigenvectors, O(d³)"
    effort: ClassVar[int] = 4
    keeps_spectrum: ClassVar[bool] = True

    def why_not(self, problem: Quadratic) -> str | None:
        """Ask for eigenvectors that are at hand."""
        return _needs_eigenvectors(problem)

    def change(self, problem: Quadratic) -> Changed:
        """Return the problem along its eigenvectors."""
        axes = problem.decomposition.eigenvectors
        return change_by_matrix(problem, axes, axes.T)


@dataclass(frozen=True)
class Whiten(Remedy):
    """Give every direction unit curvature: κ = 1, which is Newton's method in other words.

    Columns are standardised (a matrix: scaled to a unit diagonal) first, so that digits are lost to
    collinearity only. Flat directions stay flat.
    """

    title: ClassVar[str] = "whiten (Newton)"
    does: ClassVar[str] = "turns and stretches the coordinates until every curvature is 1"
    price: ClassVar[str] = "eigenvectors, O(nd²) or O(d³)"
    effort: ClassVar[int] = 4

    def why_not(self, problem: Quadratic) -> str | None:
        """Ask for eigenvectors that are at hand, and no negative curvature."""
        why = _needs_eigenvectors(problem)
        if why is not None:
            return why
        parts = problem.decomposition
        negative = parts.eigenvalues < 0
        if np.any(negative & ~problem.is_zero_mode):
            return "A has negative curvature, which no scaling removes"
        return None

    def change(self, problem: Quadratic) -> Changed:
        """Return the problem with unit curvature."""
        first = prescaled(problem)
        parts, zero = first.problem.decomposition, first.problem.is_zero_mode
        roots = np.sqrt(np.where(zero, 1.0, np.abs(parts.eigenvalues)))
        second = change_by_matrix(
            first.problem, parts.eigenvectors / roots, (parts.eigenvectors * roots).T
        )
        if isinstance(second.problem, LeastSquares) and zero.any():
            flat = np.where(zero, 0.0, second.problem.X)  # else rounding would count as curvature
            second = change_of_columns(second.problem, flat, second.back, second.forward)
        return Changed(
            second.problem,
            lambda z: first.back(second.back(z)),
            lambda theta: second.forward(first.forward(theta)),
        )


def _needs_eigenvectors(problem: Quadratic) -> str | None:
    if not problem.operator.can_decompose:
        return "A is too large to decompose"
    return None


def prescaled(problem: Quadratic) -> Changed:
    """Return the problem with the cheap part done: standardised, scaled, or a unit diagonal."""
    if isinstance(problem, LeastSquares):
        centre = find_intercept(problem.X) is not None
        return shifted_and_scaled(problem, centre=centre, scale=True)
    diagonal = diagonal_of(problem)
    if diagonal is None:
        diagonal = problem.operator.to_dense().diagonal()
    roots = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    return change_by_matrix(problem, 1 / roots, roots)
