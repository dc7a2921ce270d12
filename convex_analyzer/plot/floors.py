"""Where a method stalls, from a formula: noise, weight decay, the cycles of RMSProp and signSGD."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison import Comparison, Entry
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.theory.analysis import Analysis

__all__ = ["floor_of", "rmsprop_cycle"]

Array = npt.NDArray[np.float64]

_LONG = 1e15  # steps after which a linear rule has settled
_CLOSE = 0.1  # of half a step, how far from the cycle the last point of a run may be
_STILL = 1e-6  # of a step: what a coordinate at rest has left
_TURNS = 60  # of the fixed-point iteration for ε, which converges like ε/|g|


def floor_of(comparison: Comparison, entry: Entry) -> float | None:
    """Return J - J* where a method ends, over the first gap, by a formula; None without one.

    Of a linear rule with noise the mean in the stationary state, without noise what weight decay
    leaves; of RMSProp and signSGD that of the cycle which the run has reached.
    """
    first = float(entry.gap[0])
    if not (first > 0 and math.isfinite(first)) or comparison.spectrum.lambda_min < 0:
        return None
    value = _gap(comparison, entry)
    return value / first if value is not None and 0 < value < math.inf else None


def _gap(comparison: Comparison, entry: Entry) -> float | None:
    noise, analysis = entry.trajectory.noise, entry.analysis
    if analysis is not None:
        if noise is not None or entry.optimizer.random:
            return _under_noise(analysis, noise, comparison.problem)
        if analysis.outcome == "stable" and entry.predicted_steps is None:
            if analysis.spectrum.is_interval:
                return None
            return float(analysis.gap(comparison.start, _LONG))
        return None
    if noise is not None or comparison.problem.critical_point is None:
        return None
    name = type(entry.optimizer).__name__
    point = entry.trajectory.theta[-1] - comparison.problem.critical_point
    if not np.all(np.isfinite(point)):
        return None
    if name == "RMSProp":
        away = rmsprop_cycle(comparison.problem, entry.optimizer, point)
        return None if away is None else _energy(comparison.problem, away)
    if name == "SignSGD":
        return _sign_cycle(comparison.problem, entry.optimizer, point)
    return None


def _under_noise(analysis: Analysis, noise: Any, problem: Any) -> float | None:
    try:
        return float(analysis.noise_floor(noise, problem).value)
    except ConvexAnalyzerError:
        return None


def _energy(problem: Any, away: Array) -> float:
    return float(away @ problem.hessian_vector(away, away)) / 2


def rmsprop_cycle(problem: Any, rule: Any, point: Array) -> Array | None:
    """Return the deviation x of the 2-cycle x → -x of RMSProp that a run has reached, or None.

    On it the mean square is g², so that every step is ±α (less with ε, in proportion to
    |g|/(|g| + ε)) and must be 2x: x = (α/2)s with signs s for which sign(A s) = s, at the gap
    α² sᵀAs/8.

    Parameters
    ----------
    problem
        What was minimised.
    rule
        `RMSProp`.
    point
        The last point of the run less the minimiser, (d,).
    """
    values = rule.values
    alpha = values.get("learning_rate")
    others = rule.centered or values.get("momentum") != 0.0 or values.get("weight_decay") != 0.0
    if not isinstance(alpha, float) or others or not isinstance(values.get("epsilon"), float):
        return None
    epsilon = float(values["epsilon"])
    signs = np.sign(point)
    half = np.full(len(point), alpha / 2)
    for _ in range(_TURNS):
        g = np.abs(problem.hessian_vector(half * signs, half * signs))
        root = np.sqrt(g * g + epsilon) if rule.epsilon_inside else g + epsilon
        with np.errstate(all="ignore"):
            half = np.where(root > 0, alpha / 2 * g / root, 0.0)
    moving = half > _STILL * alpha  # a large ε lets a coordinate come to rest
    away = np.where(moving, half * signs, 0.0)
    pulls = np.asarray(problem.hessian_vector(away, away))
    settled = bool(np.all(np.abs(np.abs(point) - np.abs(away)) <= _CLOSE * alpha / 2))
    separate = problem.operator.kind == "diagonal" and bool(np.all(signs != 0))
    if not np.all(np.sign(pulls[moving]) == signs[moving]) or not (settled or separate):
        return None
    return np.asarray(away)


def _sign_cycle(problem: Any, rule: Any, point: Array) -> float | None:
    """Return the mean gap of the 2-cycle of signSGD from its last point: x and x - α sign(A x)."""
    alpha = rule.values.get("learning_rate")
    if not isinstance(alpha, float):
        return None
    other = point - alpha * np.sign(problem.hessian_vector(point, point))
    back = other - alpha * np.sign(problem.hessian_vector(other, other))
    if not np.allclose(back, point, rtol=0, atol=1e-6 * alpha):
        return None
    return (_energy(problem, point) + _energy(problem, other)) / 2
