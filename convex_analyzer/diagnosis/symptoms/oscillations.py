"""Oscillations: directions whose sign flips, or that swing with a period.

The exact border for gradient descent is αλ = 1. A direction that flips but dies out much faster
than the slowest one is "possible": visible in the iterates early on, harmless for the count
(heuristic).
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from convex_analyzer.diagnosis.findings import Finding, Row
from convex_analyzer.diagnosis.prospect import Prospect
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.precise import Polynomial
from convex_analyzer.tables import format_count, format_factor, format_number
from convex_analyzer.theory.counting import steps_at_rate
from convex_analyzer.theory.iteration import linearise

ROW = Row(
    6, "oscillation", "oscillations", "fluctuations in training curve", "decrease α; momentum"
)


def test(prospect: Prospect) -> Finding:
    """Look for roots that are negative or complex."""
    analysis = prospect.analysis
    if analysis is None or analysis.outcome not in {"stable", "marginal"}:
        return Finding("not tested", "", needs="a run that stays bounded and has a closed form")
    m = analysis.modes
    root = m.roots[:, 0]
    turning = (np.abs(root.imag) > 1e-9 * np.abs(root)) | (root.real < -1e-12)
    turning &= m.eigenvalues != 0
    if not turning.any():
        return Finding("absent", "every root is real and positive: no direction changes its sign")
    w = np.where(turning, m.one_minus_rate, np.inf)
    worst = int(np.argmin(w))
    how, period = _how(complex(root[worst]))
    count = steps_at_rate(float(w[worst]), 1e-3)
    fades = "never fades" if count is None else f"below 0.1 % after {format_count(count)} steps"
    name = "" if prospect.spectrum.is_interval else f"q{worst + 1}, "
    sentence = (
        f"{name}λ = {format_number(m.eigenvalues[worst], 4)} {how}, factor "
        f"{format_factor(abs(root[worst]), float(w[worst]), 4)} per step: {fades}"
    )
    harmless = analysis.is_stable and float(w[worst]) > 2 * analysis.one_minus_rate
    if harmless:
        return Finding("possible", sentence)
    others = np.unique(m.eigenvalues[m.eigenvalues != 0]).size > 1
    cure = _prediction(analysis.optimizer, float(m.eigenvalues[worst]), period, others=others)
    return Finding("present", sentence, prediction=cure)


def _how(root: complex) -> tuple[str, float]:
    if abs(root.imag) <= 1e-9 * abs(root):
        return "flips its sign every step", 2.0
    period = 2 * math.pi / abs(math.atan2(root.imag, root.real))
    return f"swings with a period of {format_number(period, 3)} steps", period


def _prediction(optimizer: Optimizer, eigenvalue: float, period: float, *, others: bool) -> str:
    """Say which change of one hyper-parameter stops this direction's oscillation."""
    if not optimizer.memory:
        best = _where_it_stops(optimizer, "learning_rate", eigenvalue)
        slower = " (others slow down)" if others else ""
        return f"α = {format_number(best, 3)} stops this direction's flips{slower}" if best else ""
    if period > 2:
        critical = _where_it_stops(optimizer, "momentum", eigenvalue)
        if critical is not None:
            return f"μ = {format_number(critical, 3)} damps this direction critically"
    return ""


def _where_it_stops(optimizer: Optimizer, name: str, eigenvalue: float) -> float | None:
    """Return the next smaller value of a hyper-parameter at which a direction stops turning.

    From the rule's own matrix, as exact polynomials in that hyper-parameter: the factor of a rule
    without memory becomes 0 there, and the roots of one with a velocity meet, both positive.
    """
    values = {n: Fraction(v) for n, v in optimizer.values.items() if isinstance(v, float)}
    if name not in values or len(optimizer.memory) > 1:
        return None
    opened = optimizer.unchecked(**{**values, name: Polynomial([0, 1])})
    try:
        matrix = linearise(opened, Fraction(eigenvalue)).matrix
    except (TypeError, ValueError):  # not a polynomial in this hyper-parameter
        return None
    one = Polynomial([1])
    if len(matrix) == 1:
        trace, condition = one, one * matrix[0][0]
    else:
        (a, b), (c, e) = matrix
        trace, determinant = one * (a + e), one * (a * e) - one * (b * c)
        condition = trace * trace - 4 * determinant
    now = optimizer.values[name]
    roots = [root for root in condition.real_roots() if 0 <= root < now and trace(root) >= 0]
    return max(roots, default=None)
