"""The line that no method that adds up past gradients can cross on the instance at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError, NotConvexError, NotDerivableError
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.tables import format_count, format_number, join_words
from convex_analyzer.theory.limits import cg_curve, cg_steps

if TYPE_CHECKING:
    from convex_analyzer.comparison.results import Comparison, Entry

__all__ = ["krylov_gaps", "krylov_steps", "limit_note"]

_MOST = 2000  # eigenvalues up to which the limit of the instance is computed
_SHOWN = 6  # distances in the note
_LOOKED = 2  # steps by which a rule is judged


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
    """Say how far each optimizer is from the limit, and which ones it does not hold for."""
    limit = comparison.krylov_limit
    if not limit:
        return []
    counts = [(e, e.steps_needed) for e in comparison.entries if e.steps_needed]
    free = [e for e, n in counts if n < limit or not _adds_up_gradients(comparison, e)]
    held = [(e.label, n) for e, n in counts if e not in free]
    ratios = [f"{label} ×{format_number(n / limit, 3)}" for label, n in held[:_SHOWN]]
    steps = f"{format_count(limit)} step{'s' if limit > 1 else ''}"
    text = f"No method that adds up past gradients needs fewer than {steps} here"
    text += f": {', '.join(ratios)} of that." if ratios else "."
    if free:
        verb, them = ("do", "them") if len(free) > 1 else ("does", "it")
        names = join_words([e.label for e in free])
        text += f" {names} {verb} more than add up gradients: the limit does not hold for {them}."
    return [text]


def _adds_up_gradients(comparison: Comparison, entry: Entry) -> bool:
    """Tell whether the first moves of a rule lie in the Krylov space of the first gradient.

    The space of g, Ag, …, which holds all that sums of past gradients reach (Nemirovsky and Yudin
    1983); signs, roots and inverses of matrices lead out of it. Two steps are taken.
    """
    problem, rule, start = comparison.problem, entry.optimizer, comparison.start
    if rule.random or getattr(rule, "noise", None) is not None:
        return False
    steps = min(_LOOKED, entry.trajectory.steps)  # a schedule may be as short
    moves = simulate(problem, rule, start, steps, record="path").theta - start
    if not np.all(np.isfinite(moves)):
        return True  # nothing can be told of it
    basis = np.zeros((0, len(start)))
    vector = np.asarray(problem.gradient(start), dtype=float)
    for move in moves[1:]:
        for _ in range(2):  # orthogonal to rounding
            vector = vector - basis.T @ (basis @ vector)
        size = float(np.linalg.norm(vector))
        if size > 0:
            basis = np.vstack([basis, vector / size])
        left = move - basis.T @ (basis @ move)
        rounding = 1e-12 * float(np.linalg.norm(start))
        if np.linalg.norm(left) > 1e-6 * np.linalg.norm(move) + rounding:
            return False
        vector = np.asarray(problem.hessian_vector(start, basis[-1])) if size > 0 else vector
    return True
