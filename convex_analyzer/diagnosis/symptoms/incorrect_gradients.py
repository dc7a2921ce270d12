"""Incorrect gradients: central differences against the gradient that the runs used.

Thresholds: 200 correct random functions stayed below 1e-6, and 1e-3 is far above rounding; between
the two the test abstains (heuristic, measured).
"""

from __future__ import annotations

import numpy as np

from convex_analyzer.diagnosis.findings import Evidence, Finding, Row
from convex_analyzer.tables import format_number

ROW = Row(
    1,
    "incorrect_gradient",
    "incorrect gradients",
    "finite differences",
    "fix them, or use autodiff",
)

SUSPICIOUS, WRONG = 1e-5, 1e-3
_DIRECTIONS = 12


def test(evidence: Evidence) -> Finding:
    """Compare gradient and loss along random directions from the start."""
    problem, start = evidence.problem, np.asarray(evidence.comparison.start, dtype=float)
    rng = np.random.Generator(np.random.Philox(0))
    directions = rng.standard_normal((_DIRECTIONS, problem.dimension))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        curvature = np.abs((directions * problem.hessian_vector(start, directions)).sum(axis=1))
        claimed = directions @ problem.gradient(start)
        # The third derivative is zero, so a long step costs nothing and loses no digits: go as far
        # as the loss changes by its own size.
        size = abs(float(problem.value(start))) + 1e-300
        step = np.sqrt(size / np.where(curvature > 0, curvature, 1.0))
        ahead = problem.value(start + step[:, None] * directions)
        behind = problem.value(start - step[:, None] * directions)
        measured = (ahead - behind) / (2 * step)
        scale = np.abs(claimed).max() + float(np.median(np.sqrt(size * curvature)))
        error = float(np.max(np.abs(measured - claimed)) / scale) if scale > 0 else 0.0
    if not np.isfinite(error):
        return Finding("not tested", "", needs="a start where the loss is finite")
    verdict = "present" if error > WRONG else "possible" if error > SUSPICIOUS else "absent"
    sentence = (
        f"central differences along {_DIRECTIONS} directions: largest relative error "
        f"{format_number(error, 1)}"
    )
    return Finding(verdict, sentence, "numerical")
