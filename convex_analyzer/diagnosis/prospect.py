"""A comparison seen from one optimizer: what is known before training."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.conditioning.cost import DescentSteps, descent_steps
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.least_squares import LeastSquares
from convex_analyzer.spectra.collinearity import find_intercept
from convex_analyzer.spectra.compute import spectrum as compute_spectrum
from convex_analyzer.spectra.scaling import registered
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import Analysis, analyze

__all__ = ["Prospect", "Standardised"]


_WORTH = 0.5  # of κ: a scaling that leaves more is no help


def _all_tuned(analysis: Analysis) -> bool:
    return set(analysis.tuned) == set(analysis.optimizer.hyperparameters())


@dataclass(frozen=True, eq=False)
class Prospect:
    """A comparison, seen from the optimizer under diagnosis."""

    comparison: Comparison
    entry: Entry

    @property
    def problem(self) -> Any:
        """The problem."""
        return self.comparison.problem

    @property
    def spectrum(self) -> Any:
        """Its spectrum."""
        return self.comparison.spectrum

    @property
    def analysis(self) -> Analysis | None:
        """Theory of the optimizer under diagnosis, if it has one."""
        return self.entry.analysis

    @property
    def learning_rate(self) -> float | None:
        """α of the optimizer under diagnosis; None for a rule without one constant α."""
        value = self.entry.optimizer.values.get("learning_rate")
        return value if isinstance(value, float) else None

    @functools.cached_property
    def stability_limit(self) -> float | None:
        """Supremum of the stable learning rates; None if there are none, or no learning rate."""
        if self.analysis is None or self.learning_rate is None:
            return None
        return self.analysis.stability_limit

    def steps(self, analysis: Analysis) -> int | None:
        """Return predicted steps to the tolerance from this start (worst start if unknown)."""
        start = None if self.spectrum.is_interval else self.comparison.start
        return analysis.steps_to(self.comparison.tolerance, start)

    def tuned(self, rule: type[Optimizer]) -> tuple[Analysis, int | None]:
        """Return a rule with its best settings, and its steps, as the comparison counts them."""
        for entry in self.comparison.entries:
            analysis = entry.analysis
            if type(entry.optimizer) is rule and analysis is not None and _all_tuned(analysis):
                return analysis, entry.predicted_steps
        found = analyze(self.spectrum, rule).as_run()
        return found, self.steps(found)

    @functools.cached_property
    def best_of_class(self) -> tuple[Analysis, int | None] | None:
        """The same rule, tuned, with its step count; None when it has no theory."""
        return None if self.analysis is None else self.tuned(type(self.entry.optimizer))

    @functools.cached_property
    def standardised(self) -> Standardised | None:
        """For data: what standardising would lead to, as the condition report counts it."""
        if not isinstance(self.problem, LeastSquares) or self.problem.dimension < 2:
            return None
        centred = find_intercept(self.problem.X) is not None
        try:
            changed = registered()["Standardise" if centred else "Scale"]().apply(self.problem)
            start = changed.forward(self.comparison.start)
            curvature = compute_spectrum(changed.problem)
            steps = descent_steps(curvature, start, self.comparison.tolerance)
        except ConvexAnalyzerError:
            return None
        return Standardised(curvature, steps, intercept=centred)


@dataclass(frozen=True, eq=False)
class Standardised:
    """The same data with standardised columns.

    Attributes
    ----------
    spectrum
        Of the new problem.
    steps
        Of gradient descent, from the same start, to the same goal.
    intercept
        Whether the columns are centred; without an intercept they are only scaled.
    """

    spectrum: Spectrum
    steps: DescentSteps
    intercept: bool

    def helps(self, before: Spectrum) -> bool:
        """Tell whether κ falls below half of what it was."""
        old, new = before.condition_number, self.spectrum.condition_number
        return old is not None and new is not None and new <= _WORTH * old
