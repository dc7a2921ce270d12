"""Slopes of a function of one number from a ladder of steps, and the noise of its values.

Central differences err by truncation, which falls with the square of the step, and by rounding,
which grows with its inverse: a V on double logarithmic paper. The step at its bottom is chosen from
what is measured: neighbouring rungs show truncation, repeated differences of values show the noise.

Sources: Hamming 1962, chapter 6, and Moré and Wild 2011 (noise from differences); Press et al.,
Numerical Recipes, section 5.7 (steps).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from convex_analyzer.problems.calls import ScalarCall

__all__ = ["QuickCall", "Slope", "noise_of", "slope_along"]

Array = npt.NDArray[np.float64]

EPS = float(np.finfo(float).eps)
EPS_SINGLE = float(np.finfo(np.float32).eps)
RATIO = 4.0  # between neighbouring rungs
_TOP, _BOTTOM = 0.25, 1e-14  # ends of the ladder, relative to the size of the coordinate
_SPACINGS = (1e-5, 1e-6, 1e-8, 1e-10)  # of values whose differences show noise
_ORDER = 6
_EXACT = 2.0**53
_PLAIN = (float, np.float64)
_GAMMA = math.factorial(_ORDER) ** 2 / math.factorial(2 * _ORDER)
_SAFETY = 2.0
_NOISE_SAFETY = 2.0  # the least of several estimates is low
_KINK_RUNGS = 6  # shortest usable rungs at which a kink must stay


@dataclass(frozen=True)
class Slope:
    """A slope with its error.

    Attributes
    ----------
    value
        The central difference at the best step.
    error
        Estimate of its absolute error; infinite when f is not finite on one side.
    step
        The best step.
    left, right
        One-sided slopes where they disagree however short the step; None where f is smooth.
    """

    value: float
    error: float
    step: float
    left: float | None = None
    right: float | None = None

    @property
    def is_kinked(self) -> bool:
        """Whether the slopes to the left and right disagree."""
        return self.left is not None


def noise_of(call: ScalarCall, theta: Array, sizes: Array, seed: int) -> float:
    """Return the absolute noise of the values of f next to a point.

    Parameters
    ----------
    call
        The function.
    theta
        The point, shape (d,).
    sizes
        Scales of the coordinates, (d,).
    seed
        Of the direction.

    Notes
    -----
    Differences of order 6 of equally spaced values remove what is smooth and leave the noise. The
    least over several spacings counts: wide ones may jump over details of f. At a spacing so narrow
    that most values are equal only the distance of neighbouring values is seen.
    """
    centre = call.value(theta)
    floor = (EPS_SINGLE if call.single else EPS) * abs(centre) / 2
    direction = np.random.default_rng([seed, 1]).uniform(0.5, 1.0, len(theta)) * sizes
    levels: list[float] = []
    grains: list[float] = []
    seen: list[float] = []
    for spacing in _SPACINGS:
        values = np.array([call.near(theta + i * spacing * direction) for i in range(-6, 7)])
        if not np.all(np.isfinite(values)):
            continue
        seen += values.tolist()
        distinct = np.unique(values)
        if len(distinct) <= len(values) // 2:
            grains += [float(np.min(np.diff(distinct))) / 2] if len(distinct) > 1 else []
            continue
        differences = np.diff(values, _ORDER)
        size = float(np.max(np.abs(differences))) or 1.0  # squares of huge values overflow
        levels.append(size * math.sqrt(_GAMMA * float(np.mean((differences / size) ** 2))))
    if levels:
        return max(_NOISE_SAFETY * min(levels), floor, _grain(seen, centre))
    return max([*grains[:1], floor])


def _grain(values: list[float], centre: float) -> float:
    """Return half the largest unit of which all differences are multiples: of single precision."""
    unit = float(np.spacing(min(abs(value) for value in [*values, centre])))
    counts = [(value - centre) / unit for value in values]
    if max(map(abs, counts)) > _EXACT:
        return 0.0
    return math.gcd(*(int(count) for count in counts)) * unit / 2


class QuickCall(ScalarCall):
    """A function whose plain values are taken without ceremony; all else is judged with care.

    A check evaluates f thousands of times; it silences NumPy's warnings once, around all of them.
    """

    def near(self, point: Array) -> float:
        """Return the value next to the point of interest: NaN where the function breaks down."""
        self.evaluations += 1
        result: Any = None
        with contextlib.suppress(Exception):  # it is called again below, and judged in words
            result = self.function(*self._arguments(point))
        return float(result) if type(result) in _PLAIN else super().near(point)


class _Ladder:
    """Values of one function at steps up and down, each computed once."""

    def __init__(self, along: Callable[[float], float], centre: float, noise: float) -> None:
        self._along, self.centre, self.noise = along, centre, noise
        self._values: dict[float, float] = {0.0: centre}

    def at(self, step: float) -> float:
        if step not in self._values:
            self._values[step] = self._along(step)
        return self._values[step]

    def slope(self, step: float) -> float:
        return (self.at(step) - self.at(-step)) / (2 * step)

    def error(self, step: float) -> float:
        """Return truncation plus rounding.

        Truncation falls by 16 from rung to rung; where it does not, two rungs agree by chance.
        """
        middle = self.slope(step)
        above = abs(self.slope(RATIO * step) - middle) / (RATIO**2 - 1)
        below = abs(self.slope(step / RATIO) - middle) / 2
        total = max(above, below) + self.noise / step
        return total if math.isfinite(total) else math.inf

    def jump(self, step: float) -> float:
        return (self.at(step) + self.at(-step) - 2 * self.centre) / step


def slope_along(
    along: Callable[[float], float],
    centre: float,
    noise: float,
    size: float,
    *,
    near: float | None = None,
    expected: float | None = None,
    settle: bool = False,
) -> Slope:
    """Return the slope at 0 of a function of one number.

    Parameters
    ----------
    along
        s ↦ f(x + s); may be NaN where f is undefined.
    centre, noise
        f(x), and the absolute noise of values.
    size
        Scale of x, from which the ladder starts.
    near
        A step that was best before: it is tried first.
    expected
        The slope that is claimed; when that step confirms it the rest of the ladder is saved.
    settle
        Whether that step may refute it too, where it does so clearly.

    Examples
    --------
    >>> slope = slope_along(lambda s: math.exp(1 + s), math.e, 4e-16, 1.0)
    >>> abs(slope.value - math.e) < slope.error < 1e-9
    True
    """
    ladder = _Ladder(along, centre, noise)
    if near is not None and expected is not None:
        quick = _best(ladder, [near])
        apart = abs(quick.value - expected)
        sharp = quick.error <= 1e-6 * abs(quick.value)
        if sharp and (apart <= quick.error or (settle and apart > 20 * quick.error)):
            return quick
    count = math.ceil(math.log(_TOP / _BOTTOM, RATIO))
    steps = [_power_of_two(size * _TOP) / RATIO**k for k in range(1, count)]
    best = _best(ladder, steps)
    left_right = _kink(ladder, steps)
    if left_right is None:
        return best
    return Slope(best.value, best.error, best.step, *left_right)


def _power_of_two(value: float) -> float:
    """Return the power of two below: a step that is added with the least rounding."""
    return 2.0 ** math.floor(math.log2(value))


def _best(ladder: _Ladder, steps: list[float]) -> Slope:
    errors = [ladder.error(step) for step in steps]
    i = int(np.argmin(errors))
    if math.isinf(errors[i]):
        return Slope(math.nan, math.inf, steps[i])
    return Slope(ladder.slope(steps[i]), _SAFETY * errors[i], steps[i])


def _kink(ladder: _Ladder, steps: list[float]) -> tuple[float, float] | None:
    """Return the one-sided slopes where their difference does not shrink with the step.

    Of a smooth function it falls with the step, a quarter from rung to rung.
    """
    usable = [h for h in steps if abs(ladder.jump(h)) > 64 * ladder.noise / h]
    usable = [h for h in usable if math.isfinite(ladder.jump(h))][-_KINK_RUNGS:]
    if len(usable) < 3:
        return None
    jumps = [abs(ladder.jump(h)) for h in usable]
    if any(near < 0.6 * far for far, near in zip(jumps[-3:], jumps[-2:], strict=False)):
        return None
    h = usable[-3]
    left = (ladder.centre - ladder.at(-h)) / h
    right = (ladder.at(h) - ladder.centre) / h
    return left, right
