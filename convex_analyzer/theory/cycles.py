"""Cycles in which rules with steps of a fixed size end on quadratics: RMSProp and signSGD."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.problems.quadratic import Quadratic

__all__ = ["rmsprop_cycle", "sign_cycle"]

Array = npt.NDArray[np.float64]

_CLOSE = 0.1  # of half a step, how far from the cycle the last point of a run may be
_STILL = 1e-6  # of a step: what a coordinate at rest has left
_TURNS = 60  # of the fixed-point iteration for ε, which converges like ε/|g|


def rmsprop_cycle(problem: Quadratic, optimizer: Optimizer, point: Array) -> Array | None:
    """Return the deviation x of the 2-cycle x → -x of RMSProp that a run has reached, or None.

    On it the mean square is g², so that every step is ±α (less with ε, in proportion to
    |g|/(|g| + ε)) and must be 2x: x = (α/2)s with signs s for which sign(A s) = s, at the gap
    α² sᵀAs/8. So a constant α stalls there; the floor falls with α².

    Parameters
    ----------
    problem
        What was minimised.
    optimizer
        `RMSProp` with one learning rate, neither centred nor with momentum or weight decay; of any
        other there is no such formula.
    point
        The last point of the run less the minimiser, (d,).

    Examples
    --------
    >>> from convex_analyzer.optimizers.adaptive import RMSProp
    >>> rule = RMSProp(0.1, decay=0.9, epsilon=0.0)
    >>> x = rmsprop_cycle(Quadratic.diagonal([0.2, 4.0]), rule, np.array([0.04, -0.05]))
    >>> [float(value) for value in x]
    [0.05, -0.05]
    """
    values = optimizer.values
    alpha, epsilon = values.get("learning_rate"), values.get("epsilon")
    others = values.get("momentum") != 0.0 or values.get("weight_decay") != 0.0
    if others or values.get("centered") or not isinstance(alpha, float):
        return None
    if not isinstance(epsilon, float):
        return None
    signs = np.sign(point)
    half = np.full(len(point), alpha / 2)
    for _ in range(_TURNS):
        g = np.abs(problem.hessian_vector(half * signs, half * signs))
        root = np.sqrt(g * g + epsilon) if values.get("epsilon_inside") else g + epsilon
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


def sign_cycle(
    problem: Quadratic, optimizer: Optimizer, point: Array
) -> tuple[Array, Array] | None:
    """Return the two points x and x - α sign(A x) between which signSGD jumps, or None.

    Parameters
    ----------
    problem
        What was minimised.
    optimizer
        `SignSGD` with one learning rate.
    point
        The last point of the run less the minimiser, (d,).

    Returns
    -------
    tuple of ndarray
        Both less the minimiser, (d,); None where the run has not come back to its point.

    Examples
    --------
    >>> from convex_analyzer.optimizers import find
    >>> rule = find("SignSGD")(0.125)
    >>> there, back = sign_cycle(Quadratic.diagonal([1.0]), rule, np.array([0.03125]))
    >>> float(there[0]), float(back[0])
    (0.03125, -0.09375)
    """
    alpha = optimizer.values.get("learning_rate")
    if not isinstance(alpha, float):
        return None
    other = point - alpha * np.sign(problem.hessian_vector(point, point))
    back = other - alpha * np.sign(problem.hessian_vector(other, other))
    if not np.allclose(back, point, rtol=0, atol=1e-6 * alpha):
        return None
    return np.asarray(point), np.asarray(other)
