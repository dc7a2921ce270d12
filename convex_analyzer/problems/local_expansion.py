"""What a Taylor model of second order is made from, and the points where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.problems.calls import ScalarCall, point_words
from convex_analyzer.problems.smooth import SmoothProblem
from convex_analyzer.tables import format_number

__all__ = ["Expansion", "refuse_kinks"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Expansion:
    """Value, gradient and Hessian at a point.

    Attributes
    ----------
    at, value, gradient
        a, J(a), ∇J(a).
    hessian
        What `Quadratic` takes as A: an array, a SymPy matrix (exact), a LinearOperator.
    function
        The function itself.
    gradient_error, hessian_error
        Estimates of the errors: largest entry, and Frobenius norm.
    method
        How the derivatives were found.
    kind
        ``exact`` or ``numerical``.
    exact_at, exact_gradient
        SymPy numbers, where the point and all derivatives are rational; else None.
    asymmetry
        Of the Hessian before it was symmetrised.
    """

    at: Array
    value: float
    gradient: Array
    hessian: Any
    function: SmoothProblem
    gradient_error: float
    hessian_error: float
    method: str
    kind: str
    exact_at: tuple[Any, ...] | None = None
    exact_gradient: tuple[Any, ...] | None = None
    asymmetry: float | None = None


def refuse_kinks(
    call: ScalarCall,
    point: Array,
    labels: tuple[str, ...],
    slopes: Sequence[int],
    bends: Sequence[int],
) -> None:
    """Say along which coordinate the function is not smooth, and what to do."""
    if not slopes and not bends:
        return
    i = (*slopes, *bends)[0]
    h = 1e-6 * max(1.0, abs(float(point[i])))
    beside = f"expand beside it, for instance {1000 * h:g} further along {labels[i]}"
    if slopes:
        right, left = point.copy(), point.copy()
        right[i] += h
        left[i] -= h
        centre = call.value(point)
        sides = [(centre - call.at(left)) / h, (call.at(right) - centre) / h]
        before, after = (format_number(round(s, 6), 4) for s in sides)
        raise InputError(
            f"{call.name} is not differentiable at {point_words(point)}: along {labels[i]} its "
            f"slope is {before} before and {after} after",
            argument="at",
            hint=beside,
        )
    raise InputError(
        f"{call.name} has no Hessian at {point_words(point)}: its curvature along {labels[i]} "
        "jumps or is infinite",
        argument="at",
        hint=beside,
    )
