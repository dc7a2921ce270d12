"""For which learning rates a rule is stable, as a sentence."""

from __future__ import annotations

import math
from typing import Any

from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.notation import symbol_of
from convex_analyzer.ops import is_symbolic
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.parsing.latex_math import to_plain
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.tables import format_number
from convex_analyzer.theory.analysis import Analysis

__all__ = ["stability_of"]


def stability_of(rule: Optimizer) -> str:
    """Say for which learning rates a rule is stable: a formula, or numbers for these settings.

    Empty when that is not known. Of a rule that is not linear it is meant next to the minimum.

    Examples
    --------
    >>> from convex_analyzer.optimizers.momentum import HeavyBall
    >>> stability_of(HeavyBall(0.1))
    'stable if and only if αλ < 2·(1 + μ)'
    """
    ends = [_largest_rate(rule, eigenvalue) for eigenvalue in (1.0, 4.0)]
    if ends[0] is None or ends[1] is None:
        return ""
    formula = _published(rule, ends[0])
    if formula:
        return formula
    if math.isinf(ends[0]):
        return "stable for every learning rate"
    if ends[0] == 0:
        return "stable for no learning rate"
    number, here = format_number(ends[0]), "with the settings shown"
    if math.isclose(ends[0], 4 * ends[1], rel_tol=1e-9):
        return f"stable if and only if αλ < {number}, {here}"
    if math.isclose(ends[0], ends[1], rel_tol=1e-9):
        return f"stable if and only if α < {number}, whatever the curvature"
    return f"stable at λ = 1 if and only if α < {number}, {here}"


def _largest_rate(rule: Optimizer, eigenvalue: float) -> float | None:
    """Return up to where learning rates are stable; None if that is not known, or has gaps."""
    try:
        found = Analysis(Spectrum.from_eigenvalues([eigenvalue]), rule).stable_learning_rates
    except ConvexAnalyzerError:
        return None
    if found is None or len(found) > 1 or (found and found[0][0] > 0):
        return None
    return found[0][1] if found else 0.0


def _published(rule: Optimizer, derived: float) -> str:
    """Return the published limit as a formula, if it is the derived one."""
    number = rule.published_limit()
    if number is None or not math.isclose(float(number), derived, rel_tol=1e-6):
        return ""
    try:
        formula = _with_letters(rule).published_limit()
    except TypeError:  # it looks at numbers, and symbols are none
        formula = number
    if is_symbolic(formula):
        import sympy

        shown = to_plain(sympy.factor_terms(formula))
    else:
        shown = format_number(formula)
    return f"stable if and only if αλ < {shown}"


def _with_letters(rule: Optimizer) -> Optimizer:
    """Return a copy with symbols for its hyper-parameters; what is zero stays out of formulas."""
    import sympy

    changes: dict[str, Any] = {}
    for name, value in rule.values.items():
        if isinstance(value, Optimizer):
            changes[name] = _with_letters(value)
        elif name in rule.hyperparameters() and value != 0:
            changes[name] = sympy.Symbol(symbol_of(name), positive=True)
    return rule.unchecked(**changes)
