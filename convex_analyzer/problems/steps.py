"""The step of a central difference: where truncation and rounding together are least.

A ladder of steps, each four times the one below, starts at eps^(1/3) max(1, |x|). Truncation shows
in the difference between neighbouring rungs, rounding follows from the size of the values.

Source: Press et al., Numerical Recipes, section 5.7.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["EPS", "EPS_SINGLE", "exact_step", "first_step", "slope_at"]

EPS = float(np.finfo(float).eps)
EPS_SINGLE = float(np.finfo(np.float32).eps)
_RATIO = 4.0  # between neighbouring rungs
_DEEP = -6  # the rung that tells whether the first step has missed something
_RUNGS = 7  # a step moves at most this many rungs up or down
_GOOD = 1e-9  # relative error of a slope with which the search for a better step stops
_RETREATS = 12  # times that a step is cut by 16 to stay where the function is defined


def first_step(x: Any, eps: float = EPS) -> Any:
    """Return the step of a central difference at coordinates x: eps^(1/3) max(1, |x|).

    Examples
    --------
    >>> float(first_step(0.0)), float(first_step(100.0))
    (6.055454452393343e-06, 0.0006055454452393343)
    """
    return eps ** (1 / 3) * np.maximum(1.0, np.abs(x))


def exact_step(step: float, scale: float) -> float:
    """Return a step that is added to numbers up to `scale` without rounding."""
    return (scale + step) - scale


class _Ladder:
    """Central differences of s ↦ f(x + s) at 0, one per rung, computed when asked for."""

    def __init__(
        self, along: Callable[[float], float], step: float, scale: float, centre: float, eps: float
    ) -> None:
        self.along, self.step, self.scale = along, step, scale
        self.centre, self.eps = abs(centre), eps
        self._found: dict[int, float] = {}

    def length(self, rung: int) -> float:
        return self.step * _RATIO**rung

    def slope(self, rung: int) -> float:
        if rung not in self._found:
            h = exact_step(self.length(rung), self.scale)
            difference = self.along(h) - self.along(-h) if h else math.nan
            self._found[rung] = difference / (2 * h) if h else math.nan
        return self._found[rung]

    def errors(self, rung: int) -> tuple[float, float]:
        """Return truncation, were it to fall with the square of the step, and rounding."""
        near, far = self.slope(rung), self.slope(rung + 1)
        if not (math.isfinite(near) and math.isfinite(far)):
            return math.inf, 0.0
        size = self.centre + abs(near) * self.scale
        return abs(far - near) / (_RATIO**2 - 1), self.eps * size / self.length(rung)

    def misses_detail(self) -> bool:
        """Tell whether a far shorter step gives another slope: a fast wave, a kink close by."""
        truncation, _ = self.errors(0)
        deep = self.errors(_DEEP)[1] + self.eps * self.centre / self.length(_DEEP)
        return abs(self.slope(_DEEP) - self.slope(0)) > 10 * (deep + truncation)

    def honest_truncation(self, rung: int, truncation: float) -> float:
        """Return what is left where it does not fall with the square: noise, a kink."""
        inner = abs(self.slope(rung) - self.slope(rung - 1))
        outer = abs(self.slope(rung + 1) - self.slope(rung))
        if not math.isfinite(inner) or inner <= outer / 8:
            return truncation
        return max(truncation, min(inner, outer))


def slope_at(
    along: Callable[[float], float], scale: float, centre: float, eps: float = EPS
) -> tuple[float, float]:
    """Return the slope of a function of one number at 0, and an estimate of its error.

    Parameters
    ----------
    along
        s ↦ f(x + s); NaN where f is undefined.
    scale
        max(1, |x|).
    centre
        f(x).
    eps
        Relative precision of the values.

    Returns
    -------
    (slope, error)
        (NaN, infinity) where f is undefined on one side, however short the step.

    Examples
    --------
    >>> slope, error = slope_at(lambda s: math.exp(1 + s), 1.0, math.e)
    >>> abs(slope - math.e) < error < 1e-9
    True
    """
    step = eps ** (1 / 3) * scale
    for _ in range(_RETREATS):
        if all(math.isfinite(along(sign * _RATIO * step)) for sign in (1, -1)):
            break
        step /= 16
    else:
        return math.nan, math.inf
    ladder = _Ladder(along, step, scale, centre, eps)
    best = _DEEP if ladder.misses_detail() else 0
    truncation, rounding = ladder.errors(best)
    direction = 1 if rounding > truncation else -1
    for _ in range(_RUNGS):
        if truncation + rounding <= _GOOD * abs(ladder.slope(best)):
            break
        candidate = ladder.errors(best + direction)
        if not sum(candidate) < truncation + rounding:
            break
        best, (truncation, rounding) = best + direction, candidate
    return ladder.slope(best), 2 * (ladder.honest_truncation(best, truncation) + rounding)
