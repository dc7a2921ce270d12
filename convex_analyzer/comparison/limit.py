"""The line that no method that adds up past gradients can cross on the instance at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotConvexError, NotDerivableError
from convex_analyzer.tables import format_count, format_number, join_words
from convex_analyzer.theory.limits import cg_curve, cg_steps

if TYPE_CHECKING:
    from convex_analyzer.comparison.results import Comparison

__all__ = ["krylov_gaps", "krylov_steps", "limit_note"]

_MOST = 2000  # eigenvalues up to which the limit of the instance is computed
_SHOWN = 6  # distances in the note


def krylov_steps(comparison: Comparison) -> int | None:
    """Return the fewest steps to the goal; None where there is no instance or no minimum."""
    spectrum = comparison.spectrum
    if len(spectrum.eigenvalues) > _MOST or comparison.problem.critical_point is None:
        return None
    try:
        return cg_steps(spectrum, comparison.start, comparison.tolerance)
    except (InputError, NotConvexError, NotDerivableError):
        return None


def krylov_gaps(comparison: Comparison, steps: Any) -> npt.NDArray[np.float64] | None:
    """Return the smallest gaps after k steps relative to the first, (K,); None without a limit."""
    if not comparison.krylov_limit:
        return None
    curve = np.asarray(cg_curve(comparison.spectrum, comparison.start, [0, *steps]))
    return curve[1:] / curve[0] if curve[0] > 0 else None


def limit_note(comparison: Comparison) -> list[str]:
    """Say how far each optimizer is from the limit."""
    limit = comparison.krylov_limit
    if not limit:
        return []
    counts = [(e.label, e.steps_needed) for e in comparison.entries if e.steps_needed]
    ratios = [f"{label} ×{format_number(n / limit, 3)}" for label, n in counts[:_SHOWN]]
    below = [label for label, n in counts if n < limit]
    steps = f"{format_count(limit)} step{'s' if limit > 1 else ''}"
    text = f"No method that adds up past gradients needs fewer than {steps} here"
    text += f": {', '.join(ratios)} of that." if ratios else "."
    if below:
        verb = "do" if len(below) > 1 else "does"
        text += f" {join_words(below)} {verb} more than add up gradients, and may be faster."
    return [text]
