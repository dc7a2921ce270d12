"""Gradient descent at 1/λmax, which nobody asked for, where it beats all that were compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.tables import format_count, format_number
from convex_analyzer.theory.analysis import Analysis, analyze

if TYPE_CHECKING:
    from convex_analyzer.comparison.results import Comparison

__all__ = ["PlainDescent", "plain_descent"]


@dataclass(frozen=True)
class PlainDescent:
    """Gradient descent with α = 1/λmax, from the start of a comparison.

    Attributes
    ----------
    learning_rate
        1/λmax.
    steps
        To the goal of the comparison, by formula.
    against_tuned
        Whether the winner among those compared was tuned.
    """

    learning_rate: float
    steps: int
    against_tuned: bool

    @property
    def name(self) -> str:
        """What it is, with its learning rate."""
        return f"gradient descent with α = 1/λmax = {format_number(self.learning_rate, 4)}"

    @property
    def count(self) -> str:
        """Its steps with their noun."""
        return f"{format_count(self.steps)} step{'' if self.steps == 1 else 's'}"

    @property
    def sentence(self) -> str:
        """That it needs fewer, and how that can be."""
        why = "; tuned settings are best in the long run, not from every start"
        return (
            f"Faster from this start: {self.name}, which was not run, needs {self.count} "
            f"(predicted){why if self.against_tuned else ''}."
        )


def plain_descent(comparison: Comparison) -> PlainDescent | None:
    """Return gradient descent at 1/λmax where it needs fewer steps than the winner; else None.

    Nor where tuned gradient descent needs no more, which is then the better advice. The best
    settings in the long run give up speed along the steep directions, which a start may consist of.
    The gap only falls, so that one look at it before the winner arrives decides.
    """
    best, spectrum = comparison.best, comparison.spectrum
    noisy = any(entry.trajectory.noise is not None for entry in comparison.entries)
    if best is None or noisy or spectrum.is_interval or comparison.problem.why_no_minimum:
        return None
    most = (best.steps_needed or 0) - 1
    if most < 1 or spectrum.lambda_min < 0 or not spectrum.lambda_max > 0:
        return None
    rate = 1 / spectrum.lambda_max_bracket.high
    analysis = Analysis(spectrum, GradientDescent(rate))
    error = analysis.relative_error(comparison.start, "gap")
    if not error(np.array([float(most)]))[0] <= comparison.tolerance * (1 + 1e-6):
        return None
    steps = analysis.steps_to(comparison.tolerance, comparison.start)
    if steps is None or steps > most:
        return None
    if not best.tuned:
        tuned = analyze(spectrum, GradientDescent).steps_to(comparison.tolerance, comparison.start)
        if tuned is not None and tuned <= steps:
            return None
    return PlainDescent(rate, steps, against_tuned=bool(best.tuned))
