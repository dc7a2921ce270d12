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
_WORTH = 4  # times that: a scan is begun where it may well end in time
_FOLLOWED = 8192  # steps up to which the peaks between sampled eigenvalues are followed
_ROUNDING = 1 + 4e-15  # what two ways of computing the same error may differ by
_BLOCK = 262_144  # evaluations of one direction that are made at once
_SECTIONS = 16  # candidates of a bisection that are tried at a time
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
            above=_above(analysis, goal, start, criterion),
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
    above: Callable[[int], int] | None = None,
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
    above
        Tells of a k before which the error is above the tolerance, looking no further than its
        argument.

    Any other curve is scanned as long as that is affordable, so that dips of an oscillating error
    count, and bisected beyond: to a step that has arrived and follows one that has not.
    """
    if float(error(np.zeros(1))[0]) <= tolerance:  # a start at the minimiser
        return 0
    high = max(1.0, hint / 8)
    while float(error(np.array([math.floor(high)]))[0]) > tolerance:
        high *= 1.5
        if high > _LARGEST:
            return None
    top, low = math.floor(high), 0
    if above is not None and not monotone and top * directions > _BLOCK:
        low = above(top)
    if not monotone and (top - low) * directions <= _WORTH * _SCAN:
        last = min(top, low + _SCAN // directions)
        found = _scan(error, tolerance, low, last, directions, part)
        if found is not None or last == top:
            return top if found is None else found
        low = last
    return _bisected(lambda k: error(k) <= tolerance, low, top, directions)


def _bisected(
    arrived: Callable[[Array], npt.NDArray[np.bool_]], low: int, top: int, directions: int
) -> int:
    """Return a step that has arrived and follows one that has not; many candidates at a time."""
    sections = max(2, min(_SECTIONS, _BLOCK // directions))
    while top - low > max(1, math.ulp(float(top))):
        inner = np.unique(np.floor(np.linspace(float(low), float(top), sections + 1)))[1:-1]
        inner = inner[(inner > low) & (inner < top)]
        if not inner.size:
            break
        hits = np.flatnonzero(arrived(inner))
        first = int(hits[0]) if hits.size else len(inner)
        top = int(inner[first]) if hits.size else top
        low = int(inner[first - 1]) if first > 0 else low
    return top


def _scan(
    error: Callable[[Array], Array],
    tolerance: float,
    low: int,
    top: int,
    directions: int,
    part: Callable[[Array], Array] | None,
) -> int | None:
    wide, block = _BLOCK // _FEW, max(1, _BLOCK // directions)
    for first in range(low, top + 1, wide if part else block):
        k = np.arange(first, min(first + (wide if part else block), top + 1), dtype=float)
        if part:
            k = k[part(k) <= tolerance * (1 + 1e-9)]
        size = min(64, block) if part else block
        while k.size:  # most candidates are the first of their kind, or far from it
            hits = np.flatnonzero(error(k[:size]) <= tolerance)
            if hits.size:
                return int(k[hits[0]])
            k, size = k[size:], min(2 * size, block)
    return None


def _above(
    analysis: Analysis, tolerance: float, start: Any, criterion: str
) -> Callable[[int], int] | None:
    """Return what tells of a k before which single directions are above the tolerance already.

    With two roots of the same sign, and |e₁| no less than their mean, |e_k| falls, or rises once
    and then falls, up to its first zero: there is none for real roots, and for complex ones it
    comes no earlier than after a quarter of a turn.
    """
    modes = analysis.modes
    if start is None or criterion != "gap" or modes.slots != 2:
        return None
    whole = float(analysis.gap(start, 0))
    if not whole > 0:
        return None
    shares, after = (analysis.gap_by_direction(start, k) / whole for k in (0, 1))
    first, mean = from_rest(modes, np.ones(1))[0], modes.roots.real.mean(axis=1)
    usual = (modes.roots.prod(axis=1).real > 0) & (first * np.sign(mean) >= np.abs(mean))
    at_rest = np.abs(after - shares * first**2) <= 1e-6 * shares  # and tending to the minimum
    open_ = np.flatnonzero((modes.eigenvalues > 0) & (shares > tolerance) & usual & at_rest)
    angle = np.abs(np.angle(modes.roots[open_, 0]))
    with np.errstate(divide="ignore"):
        turns = np.floor(np.pi / 2 / np.minimum(angle, np.pi - angle))
    late = np.argsort(-turns, kind="stable")[: 2 * _FEW]
    y0 = analysis.coordinates(start)

    def above(top: int) -> int:
        found = 0
        for direction, turn in zip(open_[late], turns[late], strict=True):
            last = int(min(top, turn))

            chosen = np.array([direction])
            alone = Dynamics(modes.take(chosen), analysis.products.linear[chosen])

            def below(k: Array, alone: Dynamics = alone, y: Array = y0[chosen]) -> Any:
                return alone.gap_by_direction(y, k)[:, 0] <= tolerance * whole

            found = max(found, _bisected(below, 0, last, 1) - 1)
        return max(found, 0)

    return above


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
