"""Remedies for data: centre, scale, standardise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.collinearity import centred_columns, find_intercept
from convex_analyzer.spectra.scaling.change import Changed, Remedy, change_of_columns

__all__ = ["Centre", "Scale", "Standardise", "shifted_and_scaled"]

Array = npt.NDArray[np.float64]

_CONSTANT = 1e-13  # spread of a column relative to its size that is rounding


@dataclass(frozen=True)
class Centre(Remedy):
    """Take the mean off every column (lecture 001, slide 26, first half).

    With an intercept this is the same model in other coordinates, and never makes κ larger:
    A = Tᵀ diag(C, 1) T with T unit triangular. Without one it would be another model, and may make
    κ larger as well.
    """

    title: ClassVar[str] = "centre"
    does: ClassVar[str] = "takes the mean off every column; the intercept takes it up"
    price: ClassVar[str] = "one pass over the data"
    effort: ClassVar[int] = 1

    def why_not(self, problem: Quadratic) -> str | None:
        """Ask for an intercept: without one the model would change."""
        return _needs_intercept(problem, "centring")

    def change(self, problem: Quadratic) -> Changed:
        """Return the problem with centred columns."""
        assert isinstance(problem, LeastSquares)  # else why_not said so
        return shifted_and_scaled(problem, centre=True, scale=False)


@dataclass(frozen=True)
class Scale(Remedy):
    """Divide every column by its root mean square: Jacobi's preconditioner on XᵀX."""

    title: ClassVar[str] = "scale columns"
    does: ClassVar[str] = "divides every column by its root mean square"
    price: ClassVar[str] = "one pass over the data"
    effort: ClassVar[int] = 1

    def why_not(self, problem: Quadratic) -> str | None:
        """Ask for data: a matrix has no columns to scale."""
        return None if isinstance(problem, LeastSquares) else "there are no columns of data"

    def change(self, problem: Quadratic) -> Changed:
        """Return the problem with columns of equal size."""
        assert isinstance(problem, LeastSquares)
        return shifted_and_scaled(problem, centre=False, scale=True)


@dataclass(frozen=True)
class Standardise(Remedy):
    """Zero mean and unit variance for every column (lecture 001, slide 26)."""

    title: ClassVar[str] = "standardise"
    does: ClassVar[str] = "takes the mean off every column and divides by its standard deviation"
    price: ClassVar[str] = "one pass over the data"
    effort: ClassVar[int] = 1

    def why_not(self, problem: Quadratic) -> str | None:
        """Ask for an intercept: without one the model would change."""
        return _needs_intercept(problem, "standardising")

    def change(self, problem: Quadratic) -> Changed:
        """Return the problem with standardised columns."""
        assert isinstance(problem, LeastSquares)
        return shifted_and_scaled(problem, centre=True, scale=True)


def _needs_intercept(problem: Quadratic, what: str) -> str | None:
    if not isinstance(problem, LeastSquares):
        return "there are no columns of data"
    if find_intercept(problem.X) is None:
        return f"without an intercept {what} changes the model"
    return None


def shifted_and_scaled(problem: LeastSquares, *, centre: bool, scale: bool) -> Changed:
    """Return the problem with columns about their means, divided by their root mean square.

    θ_j = z_j/s_j, and the intercept, a column of c, takes up what the means contribute:
    θ_0 = z_0/s_0 - Σ m_j z_j/(s_j c).
    """
    at = find_intercept(problem.X) if centre else None
    X, means = centred_columns(problem.X, at)
    size = np.sqrt(np.mean(X**2, axis=0))
    whole = np.sqrt(np.mean(problem.X**2, axis=0))
    usable = size > _CONSTANT * whole
    units = np.where(usable, size, 1.0) if scale else np.ones(X.shape[1])
    X = np.where(usable, X, 0.0)  # what is left of a constant column is rounding
    constant = 1.0 if at is None else float(problem.X[0, at])

    def back(z: Array) -> Array:
        theta = np.asarray(z / units)
        if at is not None:
            theta[..., at] -= theta @ means / constant
        return theta

    def forward(theta: Array) -> Array:
        z = np.array(theta, dtype=float)
        if at is not None:
            z[..., at] += z @ means / constant
        return np.asarray(z * units)

    return change_of_columns(problem, X / units, back, forward)
