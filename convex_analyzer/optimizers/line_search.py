"""What rules that search along a line share: step lengths, safe quotients, when to stop.

Along a direction p a quadratic is the parabola J(θ + αp) = J(θ) + α gᵀp + ½ α² pᵀAp. A search needs
the slope gᵀp and the curvature pᵀAp only: the change of J is then α (φ'(0) + φ'(α))/2, where a
difference of two losses would drown in rounding near the minimum (Hager & Zhang (2005) replace it
by this expression for that reason).
"""

from __future__ import annotations

from typing import Annotated, Any

from convex_analyzer.domains import Domain, Interval
from convex_analyzer.ops import absolute, dot, maximum, minimum, where

__all__ = ["Tolerance", "exact_length", "quotient", "still_moving", "wolfe_length"]

Tolerance = Annotated[
    Any, Domain("in [0, 1)", Interval(0.0, 1.0, open_high=True), Interval(0.0, 1e-6))
]

ARMIJO, CURVATURE = 1e-4, 0.9  # c1 and c2 of Nocedal & Wright (2006), eq. 3.7, as in torch
GROWTH = 10  # a trial is at most so many times longer than the one before
TRIES = 12  # what lies beyond GROWTH**TRIES first lengths is not reached in one step


def quotient(numerator: Any, denominator: Any) -> Any:
    """Return numerator / denominator, and 0 where the denominator is 0."""
    safe = where(denominator != 0, denominator, 1)
    return where(denominator != 0, numerator / safe, 0)


def exact_length(slope: Any, curvature: Any, otherwise: Any) -> Any:
    """Return the step to the lowest point of the line, -gᵀp / pᵀAp.

    Parameters
    ----------
    slope, curvature
        gᵀp and pᵀAp, shape (runs, 1).
    otherwise
        The step where the line has no lowest point, because the curvature is not positive.
    """
    bends = curvature > 0
    return where(bends, -slope / where(bends, curvature, 1), otherwise)


def wolfe_length(slope: Any, curvature: Any, first: Any) -> Any:
    """Return a step that satisfies the strong Wolfe conditions with c1 = 1e-4 and c2 = 0.9.

    The first trial is taken if it does; each next one is the lowest point of the parabola through
    the last, at most ten times as far. Where the curvature is not positive no step may satisfy them
    and the first is taken.

    Parameters
    ----------
    slope, curvature
        gᵀp and pᵀAp, shape (runs, 1).
    first
        The first trial.
    """
    lowest = exact_length(slope, curvature, first)
    length = first
    for _ in range(TRIES):
        there = slope + length * curvature
        change = length * (slope + there) / 2
        lower = change <= ARMIJO * length * slope
        flat = absolute(there) <= -CURVATURE * slope
        length = where(lower & flat, length, minimum(lowest, GROWTH * length))
    return length


def still_moving(gradient: Any, steepest: Any, tolerance: Any) -> tuple[Any, Any]:
    """Tell where |g| > tolerance x the largest |g| so far; below it gradients are rounding.

    Parameters
    ----------
    gradient
        g, shape (runs, d).
    steepest
        The square of the largest |g| before this step, as a slot: shape (runs, d).
    tolerance
        Relative to the largest.

    Returns
    -------
    tuple
        Where to move, and the new value of the slot.
    """
    square = dot(gradient, gradient)
    steepest = maximum(steepest, square)
    return square > tolerance * tolerance * steepest, steepest
