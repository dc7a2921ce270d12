"""Two points whose chord runs below the function: a counterexample to convexity, in short numbers.

The middle of the chord is enough: a measurable function with f((x+y)/2) ≤ (f(x)+f(y))/2 everywhere
is convex (Sierpiński 1920). Short numbers are tried first, so that a person can redo the sums; then
the curvature along segments is minimised, and what is found is rounded as far as it survives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.errors import InputError
from convex_analyzer.tables import format_number

__all__ = ["Counterexample", "Target", "rounding_of", "search"]

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int_]

_UNITS = (1.0, 0.5, 0.1, 10.0, 0.01, 100.0)
_REACH = 6  # units from the origin, on each side
_TRIES = 240  # segments per unit
_STARTS = 4
_EPS = float(np.finfo(float).eps)
_ROUNDING = 4096 * _EPS  # of values: below this a gap is noise
_SHOWN = 8  # coordinates of a point that words show
_PROBES = 6  # points at which the rounding of a callable is seen
_SINGLE = 256 * 2.0**-23  # relative: what single precision may add up to
_CLEAR = 1e-3  # a gap of this size, relative, is preferred: it shows in three digits


@dataclass(frozen=True)
class Counterexample:
    """Two points and a weight λ with f(λx + (1−λ)y) > λf(x) + (1−λ)f(y).

    Attributes
    ----------
    x, y, middle
        Points; the middle is λx + (1−λ)y.
    weight
        λ.
    value
        f at the middle.
    chord
        λf(x) + (1−λ)f(y), which is less.
    at_x, at_y
        f(x) and f(y).
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    middle: tuple[float, ...]
    weight: float
    value: float
    chord: float
    at_x: float
    at_y: float

    @property
    def words(self) -> str:
        """The sum that a person can redo."""
        x, y, middle = (_written(point) for point in (self.x, self.y, self.middle))
        values: list[str] = []
        for digits in (5, 8, 12, 17):  # as many as show the gap
            numbers = (self.value, self.chord, self.at_x, self.at_y)
            values = [format_number(v, digits) for v in numbers]
            if values[0] != values[1]:
                break
        return (
            f"f{middle} = {values[0]} lies above the chord from {x} to {y}, which is at "
            f"½·({values[2]}) + ½·({values[3]}) = {values[1]} there"
        )


def _written(point: tuple[float, ...]) -> str:
    shown = [format_number(entry, 12) for entry in point[:_SHOWN]]
    return f"({', '.join(shown + ['…'] * (len(point) > _SHOWN))})"


@dataclass(frozen=True)
class Target:
    """What is searched.

    Attributes
    ----------
    value
        f at points, (n, d) ↦ (n,); NaN where it is undefined.
    low, high
        The box, shape (d,); may be infinite.
    budget
        Values that may be computed.
    seed
        Of the segments.
    hessian
        Second derivatives at points, (n, d) ↦ (n, d, d), where they are known.
    rounding
        Relative error of the values: a smaller gap is noise.
    """

    value: Callable[[Array], Array]
    low: Array
    high: Array
    budget: int
    seed: int
    hessian: Callable[[Array], Array] | None = None
    rounding: float = _ROUNDING


def rounding_of(value: Callable[[Array], Array], low: Array, high: Array, seed: int) -> float:
    """Return the relative error of values: single precision shows in values that it holds exactly.

    Raises
    ------
    InputError
        The function answers the same point differently.
    """
    share = np.random.default_rng(seed).random((_PROBES, len(low)))
    ends = [np.where(np.isfinite(low), low, -1.0), np.where(np.isfinite(high), high, 1.0)]
    ends[1] = np.maximum(ends[1], ends[0] + np.where(np.isfinite(high), 0.0, 1.0))
    ends[0] = np.minimum(ends[0], ends[1] - np.where(np.isfinite(low), 0.0, 1.0))
    points = ends[0] + share * (ends[1] - ends[0])
    with np.errstate(all="ignore"):
        first, again = value(points), value(points)
        if not np.allclose(first, again, rtol=1e-12, atol=0.0, equal_nan=True):
            raise InputError(
                "f answers the same point differently each time",
                argument="f",
                hint="fix its random numbers, for instance by a seed inside",
            )
        single = np.all((first == first.astype(np.float32)) | np.isnan(first))
    return _SINGLE if single else _ROUNDING


def search(target: Target) -> tuple[Counterexample | None, int]:
    """Return a counterexample, if one is found, and how many segments were looked at."""
    rng = np.random.default_rng(target.seed)
    origin, unit, first, last = _lattice(target)
    looked, worst = 0, []
    tries = max(8, min(_TRIES, target.budget // (6 * len(_UNITS))))
    for scale in _UNITS:
        d = len(origin)
        middles = origin + scale * unit * rng.integers(first, last + 1, (tries, d))
        directions = rng.integers(-1, 2, (tries, d)).astype(float)
        directions[~directions.any(axis=1), rng.integers(d)] = 1.0
        steps = scale * unit * directions * rng.integers(1, 4, (tries, 1))
        gaps, clear = _gaps(target, middles, steps)
        looked += int(np.sum(np.isfinite(gaps)))
        if clear.any():
            return _simplest(target, middles[clear], steps[clear], gaps[clear]), looked
        order = np.argsort(np.where(np.isfinite(gaps), -gaps, np.inf))[:_STARTS]
        worst += [(middles[i], steps[i]) for i in order if np.isfinite(gaps[i])]
    if target.hessian is not None:
        return _where_it_bends_down(target, rng), looked
    found, more = _descend(target, worst)
    return found, looked + more


def _lattice(target: Target) -> tuple[Array, Array, Integers, Integers]:
    """Return origin and unit of short numbers in the box, and between which multiples to look."""
    low, high = target.low, target.high
    bounded, below, above = (
        np.isfinite(low) & np.isfinite(high),
        np.isfinite(low),
        np.isfinite(high),
    )
    width = np.where(bounded, np.where(bounded, high, 1.0) - np.where(bounded, low, 0.0), 1.0)
    unit = np.where(bounded, 10.0 ** np.floor(np.log10(width / 4)), 1.0)
    origin = np.where(below, low, np.where(above, high, 0.0))
    origin = np.where(np.isfinite(origin), origin, 0.0)
    first = np.where(below, 0, -2 * _REACH)
    first = np.where(~below & ~above, -_REACH, first)
    last = np.where(below, np.where(bounded, np.ceil(width / unit), 2 * _REACH), 0)
    last = np.where(~below & ~above, _REACH, last)
    return origin, unit, first.astype(int), last.astype(int)


def _gaps(target: Target, middles: Array, steps: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return f(middle) minus the chord, relative; and where that is beyond rounding."""
    x, y = middles - steps, middles + steps
    inside = np.all((x >= target.low) & (y <= target.high), axis=1)
    inside &= np.all((y >= target.low) & (x <= target.high), axis=1)
    gaps = np.full(len(middles), np.nan)
    if not inside.any():
        return gaps, np.zeros(len(middles), dtype=bool)
    values = target.value(np.concatenate([x[inside], y[inside], middles[inside]]))
    at_x, at_y, at_middle = values.reshape(3, -1)
    with np.errstate(all="ignore"):
        size = np.maximum(np.maximum(abs(at_x), abs(at_y)), abs(at_middle))
        size = np.where(size > 0, size, 1.0)
        gaps[inside] = (at_middle - (at_x / 2 + at_y / 2)) / size
    gaps[~np.isfinite(gaps)] = np.nan
    return gaps, np.nan_to_num(gaps) > target.rounding


def _simplest(target: Target, middles: Array, steps: Array, gaps: Array) -> Counterexample:
    """Return the counterexample with the shortest numbers among those that show clearly."""
    shows = gaps > min(_CLEAR, float(np.max(gaps)) / 2)
    points = np.concatenate([middles - steps, middles + steps, middles], axis=1)
    length = np.sum([[len(f"{v:.12g}") for v in row] for row in points], axis=1)
    cost = length + np.sum(np.abs(points), axis=1) / 100
    i = int(np.argmin(np.where(shows, cost, np.inf)))
    return _counterexample(target, middles[i], steps[i])


def _counterexample(target: Target, middle: Array, step: Array) -> Counterexample:
    x, y = middle - step, middle + step
    x, y = (np.array([float(f"{entry:.12g}") for entry in point]) for point in (x, y))
    middle = np.array([float(f"{entry:.13g}") for entry in (x + y) / 2])
    at_x, at_y, value = (float(v) for v in target.value(np.stack([x, y, middle])))
    left, right, centre = (tuple(float(v) + 0.0 for v in point) for point in (x, y, middle))
    return Counterexample(left, right, centre, 0.5, value, at_x / 2 + at_y / 2, at_x, at_y)


# -- beyond short numbers -------------------------------------------------------------------------


def _where_it_bends_down(target: Target, rng: np.random.Generator) -> Counterexample | None:
    """Look for negative curvature at many points at once, and take a segment along it."""
    assert target.hessian is not None
    n, d = 2 * target.budget // 3, len(target.low)
    points = rng.standard_normal((n, d)) * 10.0 ** rng.uniform(-1, 1, (n, 1))
    ends = [np.where(np.isfinite(end), end, 0.0) for end in (target.low, target.high)]
    spread = np.abs(points) * np.where(np.isfinite(target.low), 1, -1)
    one_sided = np.isfinite(target.low) ^ np.isfinite(target.high)
    points = np.where(one_sided, ends[0] + ends[1] + spread, points)
    bounded = np.isfinite(target.low) & np.isfinite(target.high)
    points = np.where(bounded, ends[0] + rng.random((n, d)) * (ends[1] - ends[0]), points)
    matrices = target.hessian(points)
    usable = np.all(np.isfinite(matrices), axis=(1, 2))
    if not usable.any():
        return None
    points, (values, vectors) = points[usable], np.linalg.eigh(matrices[usable])
    for i in np.argsort(values[:, 0] / (1 + np.abs(values[:, -1])))[:_STARTS]:
        if values[i, 0] >= 0:
            break
        for step in 2.0 ** -np.arange(24.0):
            move = step * vectors[i, :, 0]
            if _gaps(target, points[None, i], move[None])[1][0]:
                return _rounded(target, points[i], move)
    return None


def _descend(
    target: Target, starts: list[tuple[Array, Array]]
) -> tuple[Counterexample | None, int]:
    """Minimise the curvature along segments from the least convex ones."""
    from scipy.optimize import minimize

    d, looked = len(target.low), 0

    def curvature(z: Array) -> float:
        nonlocal looked
        looked += 1
        gap, _ = _gaps(target, z[None, :d], z[None, d:])
        if np.isnan(gap[0]):
            return math.inf
        return float(-gap[0] / max(float(z[d:] @ z[d:]), 1e-12))

    limit = max(50, target.budget // (6 * max(len(starts), 1)))
    for middle, step in starts:
        start = np.concatenate([middle, step])
        with np.errstate(all="ignore"):
            found = minimize(curvature, start, method="Nelder-Mead", options={"maxfev": limit}).x
        _, clear = _gaps(target, found[None, :d], found[None, d:])
        if clear[0]:
            return _rounded(target, found[:d], found[d:]), looked
    return None, looked


def _rounded(target: Target, middle: Array, step: Array) -> Counterexample:
    """Return the counterexample with as few decimals as it survives."""
    gap, _ = _gaps(target, middle[None], step[None])
    for digits in range(-2, 13):
        m, s = np.round(middle, digits), np.round(step, digits)
        if not s.any():
            continue
        again, clear = _gaps(target, m[None], s[None])
        if clear[0] and again[0] > 0.3 * gap[0]:
            return _counterexample(target, m, s)
    return _counterexample(target, middle, step)
