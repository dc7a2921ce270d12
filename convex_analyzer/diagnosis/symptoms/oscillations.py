"""Oscillations: directions whose sign flips, or that swing with a period.

The exact border for gradient descent is αλ = 1. A direction that flips but dies out much faster
than the slowest one is "possible": visible in the iterates early on, harmless for the count
(heuristic).
"""

from __future__ import annotations

import math

import numpy as np

from convex_analyzer.diagnosis.findings import Evidence, Finding, Row
from convex_analyzer.tables import format_count, format_factor, format_number
from convex_analyzer.theory.counting import steps_at_rate

ROW = Row(
    6, "oscillation", "oscillations", "fluctuations in training curve", "decrease α; momentum"
)


def test(evidence: Evidence) -> Finding:
    """Look for roots that are negative or complex."""
    analysis = evidence.analysis
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
    name = "" if evidence.spectrum.is_interval else f"q{worst + 1}, "
    sentence = (
        f"{name}λ = {format_number(m.eigenvalues[worst], 4)} {how}, factor "
        f"{format_factor(abs(root[worst]), float(w[worst]), 4)} per step: {fades}"
    )
    slow = float(w[worst]) <= 2 * analysis.one_minus_rate
    if not slow:
        return Finding("possible", sentence)
    lam, alpha = float(m.eigenvalues[worst]), analysis.optimizer.values.get("learning_rate")
    return Finding("present", sentence, prediction=_prediction(m.slots, lam, alpha, period))


def _how(root: complex) -> tuple[str, float]:
    if abs(root.imag) <= 1e-9 * abs(root):
        return "flips its sign every step", 2.0
    period = 2 * math.pi / abs(math.atan2(root.imag, root.real))
    return f"swings with a period of {format_number(period, 3)} steps", period


def _prediction(slots: int, eigenvalue: float, alpha: float | None, period: float) -> str:
    if alpha is None:
        return ""
    if slots == 1:
        best = format_number(1 / eigenvalue, 3)
        return f"α = {best} stops this direction's flips (others slow down)"
    if period > 2:
        critical = (1 - math.sqrt(min(alpha * eigenvalue, 1.0))) ** 2
        return f"μ = {format_number(critical, 3)} damps this direction critically"
    return ""
