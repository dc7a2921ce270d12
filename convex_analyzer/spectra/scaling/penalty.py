"""The remedy that changes the answer: a ridge penalty, or weight decay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.spectra.collinearity import find_intercept
from convex_analyzer.spectra.scaling.change import Changed, Remedy, require_definite
from convex_analyzer.spectra.scaling.rotations import prescaled
from convex_analyzer.tables import format_number

__all__ = ["Ridge"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ridge(Remedy):
    """Standardise, then add ½ γ|z|², without the intercept: λ becomes λ + γ.

    κ falls to (λmax + γ)/(λmin + γ), and the minimiser moves: the price is a bias.

    Parameters
    ----------
    condition_number
        The γ is chosen such that κ comes down to this.
    """

    condition_number: float = 100.0

    title: ClassVar[str] = "scale + ridge"
    does: ClassVar[str] = "adds a penalty on large coefficients; the answer moves"
    price: ClassVar[str] = "a bias"
    effort: ClassVar[int] = 1
    keeps_solution: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.condition_number > 1:
            raise InputError(
                f"condition_number must be above 1, got {self.condition_number!r}",
                argument="condition_number",
            )

    def why_not(self, problem: Quadratic) -> str | None:
        """Ask for a κ above the aim once everything is scaled, and no negative curvature."""
        if not problem.operator.can_decompose:
            return "A is too large to decompose"
        if not isinstance(problem, LeastSquares):
            why = require_definite(problem)
            if why is not None:
                return why
        if not self._penalised(problem).any():
            return "there is nothing to penalise but the intercept"
        curvature = self._curvature(prescaled(problem).problem)
        if curvature[0] < 0:
            return "A has negative curvature"
        if curvature[-1] <= self.condition_number * curvature[0]:
            aim = format_number(self.condition_number, 3)
            return f"κ is at most {aim} already, once scaled"
        return None

    @staticmethod
    def _penalised(problem: Quadratic) -> npt.NDArray[np.bool_]:
        kept = np.ones(problem.dimension, dtype=bool)
        at = find_intercept(problem.X) if isinstance(problem, LeastSquares) else None
        if at is not None:
            kept[at] = False
        return kept

    def _curvature(self, scaled: Quadratic) -> Array:
        """Return the eigenvalues of the part that is penalised, ascending."""
        kept = self._penalised(scaled)
        if isinstance(scaled, LeastSquares):
            values = np.linalg.svd(scaled.operator.factor[:, kept], compute_uv=False)[::-1] ** 2
            short = int(kept.sum()) - len(values)
            return np.concatenate([np.zeros(short), values])
        values = scaled.decomposition.eigenvalues.copy()
        values[scaled.is_zero_mode] = 0.0
        return values

    def strength(self, problem: Quadratic) -> float:
        """Return γ, in the scaled coordinates."""
        curvature = self._curvature(prescaled(problem).problem)
        aim = self.condition_number
        return float((curvature[-1] - aim * curvature[0]) / (aim - 1))

    def change(self, problem: Quadratic) -> Changed:
        """Return the penalised problem in scaled coordinates."""
        first = prescaled(problem)
        scaled, gamma = first.problem, self.strength(problem)
        note = f"γ = {format_number(gamma, 3)} on scaled coordinates"
        if isinstance(scaled, LeastSquares):
            rows = np.sqrt(gamma) * np.eye(scaled.dimension)[self._penalised(scaled)]
            root = np.sqrt(scaled.factor)
            new: Quadratic = LeastSquares(
                np.vstack([root * scaled.X, rows]),
                np.concatenate([root * scaled.y, np.zeros(len(rows))]),
                scaled.labels,
                l2=0.0,
                intercept=False,
                loss="half_rss",
            )
        else:
            matrix = scaled.operator.to_dense() + gamma * np.eye(scaled.dimension)
            new = Quadratic(matrix, scaled.linear, scaled.constant)
        return Changed(new, first.back, first.forward, note)
