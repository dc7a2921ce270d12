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
import numpy.typing as npt

__all__ = ["EPS", "EPS_SINGLE", "exact_step", "first_step", "slope_at", "slopes_at"]

Array = npt.NDArray[np.float64]

EPS = float(np.finfo(float).eps)
EPS_SINGLE = float(np.finfo(np.float32).eps)
_RATIO = 4.0  # between neighbouring rungs
_DEEP = -6  # the rung that tells whether the first step has missed something
_RUNGS = 7  # a step moves at most this many rungs up or down
_GOOD = 1e-9  # relative error of a slope with which the search for a better step stops
_HUGE = 1e300
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
    """Central differences of s ↦ F(x + s) at 0, one per rung, computed when asked for."""

    def __init__(
        self, along: Callable[[float], Array], step: float, scale: float, size: float, eps: float
    ) -> None:
        self.along, self.step, self.scale = along, step, scale
        self.size, self.eps = size, eps
        self._found: dict[int, Array] = {}

    def length(self, rung: int) -> float:
        return self.step * _RATIO**rung

    def slope(self, rung: int) -> Array:
        if rung not in self._found:
            h = exact_step(self.length(rung), self.scale)
            ahead, behind = self.along(h), self.along(-h)
            self._found[rung] = (ahead - behind) / (2 * h) if h else np.full_like(ahead, np.nan)
        return self._found[rung]

    def apart(self, one: int, other: int) -> float:
        """Return the largest difference between two rungs; infinite where one is undefined."""
        return _largest(self.slope(one) - self.slope(other))

    def errors(self, rung: int) -> tuple[float, float]:
        """Return truncation, were it to fall with the square of the step, and rounding."""
        size = self.size + min(_largest(self.slope(rung)), _HUGE) * self.scale
        truncation = self.apart(rung, rung + 1) / (_RATIO**2 - 1)
        return truncation, self.eps * size / self.length(rung)

    def misses_detail(self) -> bool:
        """Tell whether a far shorter step gives another slope: a fast wave, a kink close by."""
        truncation, _ = self.errors(0)
        deep = self.errors(_DEEP)[1] + self.eps * self.size / self.length(_DEEP)
        return self.apart(_DEEP, 0) > 10 * (deep + truncation)

    def all_errors(self, rung: int) -> Array:
        """Return the error of each entry; truncation that falls slower is noise or a kink."""
        inner = np.abs(self.slope(rung) - self.slope(rung - 1))
        outer = np.abs(self.slope(rung + 1) - self.slope(rung))
        slow = np.isfinite(inner) & (inner > outer / 8)
        truncation = outer / (_RATIO**2 - 1)
        truncation = np.where(slow, np.maximum(truncation, np.minimum(inner, outer)), truncation)
        return np.asarray(2 * (truncation + self.errors(rung)[1]))


def _largest(values: Array) -> float:
    size = float(np.max(np.abs(values), initial=0.0))
    return size if math.isfinite(size) else math.inf


def slopes_at(
    along: Callable[[float], Array], scale: float, size: float, eps: float = EPS
) -> tuple[Array, Array]:
    """Return the slopes at 0 of several functions of one number, and estimates of their errors.

    Parameters
    ----------
    along
        s ↦ F(x + s), shape (m,); NaN where F is undefined.
    scale
        max(1, |x|).
    size
        Of the largest entry of F(x), to whose rounding all entries are exposed.
    eps
        Relative precision of the values.

    Returns
    -------
    (slopes, errors)
        Each of shape (m,); NaN and infinity where F is undefined on one side, however short the
        step.
    """
    step = eps ** (1 / 3) * scale
    for _ in range(_RETREATS):
        ends = [along(sign * _RATIO * step) for sign in (1, -1)]
        if all(np.all(np.isfinite(end)) for end in ends):
            break
        step /= 16
    else:
        return np.full_like(ends[0], np.nan), np.full_like(ends[0], np.inf)
    ladder = _Ladder(along, step, scale, size, eps)
    best = _DEEP if ladder.misses_detail() else 0
    truncation, rounding = ladder.errors(best)
    direction = 1 if rounding > truncation else -1
    for _ in range(_RUNGS):
        if truncation + rounding <= _GOOD * _largest(ladder.slope(best)):
            break
        candidate = ladder.errors(best + direction)
        if not sum(candidate) < truncation + rounding:
            break
        best, (truncation, rounding) = best + direction, candidate
    return ladder.slope(best), ladder.all_errors(best)


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

    Examples
    --------
    >>> slope, error = slope_at(lambda s: math.exp(1 + s), 1.0, math.e)
    >>> abs(slope - math.e) < error < 1e-9
    True
    """
    slopes, errors = slopes_at(lambda s: np.array([along(s)]), scale, abs(centre), eps)
    return float(slopes[0]), float(errors[0])
