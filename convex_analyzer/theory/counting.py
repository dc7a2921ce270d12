"""Counting steps on a curve that is known in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.theory.arguments import checked_tolerance
from convex_analyzer.theory.dynamics import Dynamics, from_rest
from convex_analyzer.theory.modes import Modes
from convex_analyzer.theory.products import MOST_FACTORS, Products

if TYPE_CHECKING:
    from convex_analyzer.theory.analysis import Analysis

__all__ = ["count_steps", "first_crossing", "per_step", "steps_at_rate"]

Array = npt.NDArray[np.float64]

_SCAN = 20_000_000  # evaluations of one direction that a scan may cost (about a second)
_FOLLOWED = 8192  # steps up to which the peaks between sampled eigenvalues are followed
_ROUNDING = 1 + 4e-15  # what two ways of computing the same error may differ by
_FEW = 2  # directions that stand for all where steps are scanned
_LARGEST = 1e307
_WHOLE = 2**50  # below this both neighbours of a count can be told apart


def steps_at_rate(one_minus_rate: float, tolerance: float) -> int | None:
    """Return the smallest k with ρᵏ ≤ tolerance, or None when ρ ≥ 1.

    The rounded quotient of logarithms is off by one on exact powers; both neighbours are checked.

    Examples
    --------
    >>> steps_at_rate(0.1, 0.9**7)
    7
    """
    if one_minus_rate <= 0:
        return None
    if one_minus_rate >= 1:
        return 1
    log = math.log1p(-one_minus_rate)
    quotient = math.log(tolerance) / log
    if quotient > _LARGEST:
        return None  # as good as never
    guess = max(1, math.ceil(quotient))
    if guess > _WHOLE:  # float64 has no odd numbers there
        return guess
    goal = math.log(tolerance) + _slack(tolerance)
    if guess > 1 and (guess - 1) * log <= goal:
        return guess - 1
    return guess if guess * log <= goal else guess + 1


def _slack(tolerance: float) -> float:
    """Return how far, relatively, a rounded power may be off that is meant to be the tolerance."""
    return 4 * float(np.finfo(float).eps) * max(1.0, abs(math.log(tolerance)))


def per_step(one_minus_rate: float, steps: int) -> float:
    """Return 1 - ρ of one step from 1 - ρ of several, without cancellation.

    Examples
    --------
    >>> per_step(0.75, 2)
    0.5
    """
    if steps == 1:
        return one_minus_rate
    return -math.expm1(math.log1p(-one_minus_rate) / steps) if one_minus_rate < 1 else 1.0


def count_steps(analysis: Analysis, tolerance: float, start: Any, criterion: str) -> int | None:
    """Return the first step at which the error of an analysis is at most tolerance x the first."""
    tolerance = checked_tolerance(tolerance)
    if criterion not in {"gap", "norm", "rate"}:
        raise InputError(
            f"criterion must be 'gap', 'norm' or 'rate', got {criterion!r}", argument="criterion"
        )
    if analysis.scope != "product" and analysis.outcome != "stable":
        return None
    if criterion == "rate":
        return steps_at_rate(analysis.one_minus_rate, tolerance)
    error = analysis.relative_error(start, criterion)
    goal = tolerance * (1 + _slack(tolerance))  # an error that equals the tolerance has arrived
    if isinstance(error, Products):
        start = analysis.coordinates(start)
        return error.first_within(start, goal, criterion, MOST_FACTORS)
    if analysis.scope != "global":
        found = _first_of_many(error, goal)
    else:
        found = first_crossing(
            error,
            goal,
            hint=float(steps_at_rate(analysis.one_minus_rate, tolerance) or 1),
            directions=len(analysis.modes.eigenvalues),
            monotone=_never_rises(analysis.modes),
            part=_slow_part(analysis, tolerance, start, criterion),
        )
    spectrum = analysis.spectrum
    if found is None or not spectrum.is_interval or spectrum.lambda_min <= 0:
        return found
    power = 2 if criterion == "gap" else 1
    return _between_samples(analysis, found, tolerance ** (1 / power))


def _never_rises(modes: Modes) -> bool:
    """Tell whether |e_k| falls with k along every direction, from rest.

    With one slot it is a power. With two, e_k = A r₁ᵏ + B r₂ᵏ falls without a change of sign if
    both roots are real and positive and e₁ lies between r₂e₀ and e₀: then A is not negative, and
    such a sum has no second extremum.
    """
    if modes.slots != 2:
        return modes.slots == 1
    curved = modes.eigenvalues != 0
    roots, first = modes.roots[curved], from_rest(modes, np.ones(1))[0][curved]
    smaller = roots.real.min(axis=1)
    real = (roots.imag == 0).all() and bool((smaller > 0).all())
    return real and bool(((first >= smaller) & (first <= 1)).all())


def _between_samples(analysis: Analysis, first: int, tolerance: float) -> int:
    """Return the first step from which on no eigenvalue of an interval is above the tolerance.

    Sampled eigenvalues have led to `first`, which can only be too early.
    """
    width = 1
    while first <= _FOLLOWED:
        k = np.arange(first, first + width, dtype=float)
        hits = np.flatnonzero(analysis.worst_error(k) <= tolerance * _ROUNDING)
        if hits.size:
            return first + int(hits[0])
        first, width = first + width, min(2 * width, 64)
    return first


def _first_of_many(error: Callable[[Array], Array], tolerance: float) -> int | None:
    """Scan a curve whose evaluation at k costs k steps, in stretches that double."""
    top = 128
    while True:
        k = np.arange(top + 1, dtype=float)
        hits = np.flatnonzero(error(k) <= tolerance)
        if hits.size:
            return int(hits[0])
        if top >= MOST_FACTORS:
            return None
        top = min(4 * top, MOST_FACTORS)


def first_crossing(
    error: Callable[[Array], Array],
    tolerance: float,
    *,
    hint: float,
    directions: int,
    monotone: bool = False,
    part: Callable[[Array], Array] | None = None,
) -> int | None:
    """Return the first k at which the relative error is at most the tolerance.

    Parameters
    ----------
    error
        Relative error at numbers of steps of shape (K,).
    tolerance
        Goal.
    hint
        A guess of the order of k.
    directions
        What one evaluation costs.
    monotone
        Whether the curve never rises: then it is bisected, which is exact.
    part
        What is never above the error and quick to evaluate; it tells which k to look at.

    Any other curve is scanned completely as long as that is affordable, so that dips of an
    oscillating error count, and bisected beyond.
    """
    if float(error(np.zeros(1))[0]) <= tolerance:  # a start at the minimiser
        return 0
    high = max(1.0, hint / 8)
    while float(error(np.array([math.floor(high)]))[0]) > tolerance:
        high *= 1.5
        if high > _LARGEST:
            return None
    top = math.floor(high)
    if not monotone and top * directions <= _SCAN:
        return _scan(error, tolerance, top, directions, part)
    low = 0
    while top - low > max(1, math.ulp(float(top))):
        middle = (low + top) // 2
        if float(error(np.array([float(middle)]))[0]) <= tolerance:
            top = middle
        else:
            low = middle
    return top


def _scan(
    error: Callable[[Array], Array],
    tolerance: float,
    top: int,
    directions: int,
    part: Callable[[Array], Array] | None,
) -> int:
    wide, block = 262_144 // _FEW, max(1, 262_144 // directions)
    for first in range(0, top + 1, wide if part else block):
        k = np.arange(first, min(first + (wide if part else block), top + 1), dtype=float)
        if part:
            k = k[part(k) <= tolerance * (1 + 1e-9)]
        size = min(64, block) if part else block
        while k.size:  # most candidates are the first of their kind, or far from it
            hits = np.flatnonzero(error(k[:size]) <= tolerance)
            if hits.size:
                return int(k[hits[0]])
            k, size = k[size:], min(2 * size, block)
    return top


def _slow_part(
    analysis: Analysis, tolerance: float, start: Any, criterion: str
) -> Callable[[Array], Array] | None:
    """Return the part of the error that the last directions to arrive have in it."""
    modes = analysis.modes
    if len(modes.eigenvalues) <= 2 * _FEW:
        return None
    power = 2 if criterion == "gap" else 1
    shares = (modes.eigenvalues != 0).astype(float)
    if start is not None:
        y0 = analysis.coordinates(start)
        away = analysis.errors(start, 0)
        shares *= away**2 * (modes.eigenvalues if criterion == "gap" else 1.0)
        shares = shares / shares.sum() if shares.sum() > 0 else shares
    last = steps_at_rate(analysis.one_minus_rate, tolerance) or 1
    with np.errstate(all="ignore"):
        late = np.log(shares) + 2 * last * np.log1p(-np.minimum(modes.one_minus_rate, 1 - 1e-16))
    chosen = np.sort(np.argsort(-late, kind="stable")[:_FEW])
    few = modes.take(chosen)
    if start is None:
        return lambda k: np.abs(from_rest(few, k)).max(axis=1) ** power
    linear = analysis.spectrum.linear
    dynamics = Dynamics(few, np.zeros(len(chosen)) if linear is None else linear[chosen])
    weights = shares[chosen] / np.where(away[chosen] != 0, away[chosen], 1.0) ** 2
    at = y0[chosen]

    def part(k: Array) -> Array:
        total = (weights * dynamics.errors(at, k) ** 2).sum(axis=1)
        return np.asarray(total if criterion == "gap" else np.sqrt(total))

    return part
