"""Where a method stalls, from a formula: noise, weight decay, the cycles of RMSProp and signSGD."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.comparison.results import Comparison, Entry
from convex_analyzer.errors import ConvexAnalyzerError
from convex_analyzer.theory.analysis import Analysis
from convex_analyzer.theory.cycles import rmsprop_cycle, sign_cycle

__all__ = ["floor_of"]

_LONG = 1e15  # steps after which a linear rule has settled


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
    point = entry.trajectory.theta[-1] - comparison.problem.critical_point
    return _of_cycle(comparison.problem, entry, point) if np.all(np.isfinite(point)) else None


def _of_cycle(problem: Any, entry: Entry, point: npt.NDArray[np.float64]) -> float | None:
    """Return the mean gap over the points of the cycle that a run ends in."""
    match type(entry.optimizer).__name__:
        case "RMSProp":
            away = rmsprop_cycle(problem, entry.optimizer, point)
            points = None if away is None else (away, -away)
        case "SignSGD":
            points = sign_cycle(problem, entry.optimizer, point)
        case _:
            return None
    if points is None:
        return None
    return sum(float(x @ problem.hessian_vector(x, x)) / 2 for x in points) / len(points)


def _under_noise(analysis: Analysis, noise: Any, problem: Any) -> float | None:
    try:
        return float(analysis.noise_floor(noise, problem).value)
    except ConvexAnalyzerError:
        return None
