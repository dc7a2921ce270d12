"""What a gradient check consists of: coordinates, blocks, Taylor tests, the ladder of steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from convex_analyzer.problems.calls import ScalarCall
from convex_analyzer.problems.gradient_check_measure import EPS, EPS_SINGLE, Slope

__all__ = ["Block", "Coordinate", "Ladder", "Limits", "Taylor", "judge", "ladder_of", "taylor_of"]

Array = npt.NDArray[np.float64]

_NEGLIGIBLE = 1e-6  # of the largest entry: what may stay unresolved without harm
_CLAIMED_ROUNDING = 64.0  # units of rounding of the largest entry that a gradient may be off
_SLACK = 2.0
_TAYLOR_STEPS = 24
_LADDER_STEPS = 27


@dataclass(frozen=True)
class Limits:
    """From which relative error on an entry is judged suspicious, and wrong."""

    suspicious: float = 1e-5
    wrong: float = 1e-3


@dataclass(frozen=True)
class Coordinate:
    """One entry of the gradient, as claimed and as measured.

    Attributes
    ----------
    index, name, block
        Which one.
    claimed, numeric
        The two numbers.
    error
        What the numeric one, and rounding in the claimed one, may be off.
    relative_error
        The difference beyond that, over the larger of the two.
    status
        ``right``, ``suspicious``, ``wrong``, ``kink`` (slopes left and right differ, and the
        claimed one is not their mean), ``edge`` (f is undefined on one side), ``unresolved``.
    """

    index: int
    name: str
    block: str
    claimed: float
    numeric: float
    error: float
    relative_error: float
    status: str


@dataclass(frozen=True)
class Block:
    """One block of the gradient.

    Attributes
    ----------
    name, size
        Which one, and how many coordinates it has.
    checked, wrong, kinks
        How many were measured one by one, are wrong, lie on a kink.
    relative_error
        |claimed − numeric|/|numeric| over the measured ones, kinks left out.
    verdict
        As that of the whole.
    """

    name: str
    size: int
    checked: int
    wrong: int
    kinks: int
    relative_error: float
    verdict: str


@dataclass(frozen=True, eq=False)
class Taylor:
    """The Taylor remainder |f(θ + su) − f(θ) − s g·u| along one direction.

    Attributes
    ----------
    steps, remainders
        s and the remainder, shape (n,).
    slope
        log₂ of the factor by which it falls when s is halved, where s is short: 2 when the
        gradient is right, 1 when it is wrong; None when all that is left is rounding.
    """

    steps: Array
    remainders: Array
    slope: float | None


@dataclass(frozen=True, eq=False)
class Ladder:
    """Central differences over many steps along one direction: data of the V-shaped figure.

    Attributes
    ----------
    direction
        What the direction is, in words.
    steps
        h, descending, shape (n,).
    differences
        The central differences, shape (n,); NaN where f is not finite.
    claimed
        The slope that the gradient claims.
    noise
        Absolute noise of the values of f.
    best
        Index of the step with the least estimated error.
    """

    direction: str
    steps: Array
    differences: Array
    claimed: float
    noise: float
    best: int

    @property
    def scale(self) -> float:
        """What errors are relative to; 1 where both slopes are 0 or undefined."""
        sizes = [abs(self.claimed), abs(float(self.differences[self.best]))]
        return max(size if math.isfinite(size) else 0.0 for size in sizes) or 1.0

    @property
    def errors(self) -> Array:
        """|difference − claimed slope|, relative."""
        return np.abs(self.differences - self.claimed) / self.scale

    @property
    def rounding(self) -> Array:
        """The part of it that rounding explains: noise/h."""
        return self.noise / self.steps / self.scale


def judge(
    claimed: float, slope: Slope, largest: float, limits: Limits, *, single: bool
) -> tuple[str, float, float]:
    """Return the status of an entry, its relative error, and what it may be off.

    Parameters
    ----------
    claimed
        The entry of the gradient.
    slope
        What was measured.
    largest
        The largest entry of the gradient.
    limits
        Thresholds.
    single
        Whether the gradient was computed in single precision.

    Notes
    -----
    On a kink nothing is wrong: where several units lie on theirs at once, backpropagation may
    return, quite regularly, a number outside the one-sided slopes.
    """
    if not math.isfinite(claimed):
        return "wrong", math.inf, slope.error
    if math.isinf(slope.error):
        return "edge", 0.0, slope.error
    slack = _SLACK * slope.error
    slack += _CLAIMED_ROUNDING * (EPS_SINGLE if single else EPS) * largest
    size = max(abs(claimed), abs(slope.value))
    excess = max(0.0, abs(claimed - slope.value) - slack) / (size or 1.0)
    if slope.is_kinked and excess > 0:
        return "kink", 0.0, slack
    if excess > limits.suspicious:
        return ("wrong" if excess > limits.wrong else "suspicious"), excess, slack
    resolved = slack <= limits.wrong * size or slack <= _NEGLIGIBLE * largest
    exact_zero = claimed == slope.value == 0
    return ("right" if resolved or exact_zero else "unresolved"), excess, slack


def taylor_of(
    call: ScalarCall, theta: Array, direction: Array, claimed: float, noise: float
) -> Taylor:
    """Return the Taylor remainder along a direction, and its slope where steps are short.

    Parameters
    ----------
    call
        The function.
    theta, direction
        The point and the direction, shape (d,).
    claimed
        g·u.
    noise
        Absolute noise of values.
    """
    centre = call.value(theta)
    steps: Array = 0.25 * 0.5 ** np.arange(float(_TAYLOR_STEPS))
    values = np.array([call.near(theta + s * direction) for s in steps])
    remainders = np.abs(values - centre - steps * claimed)
    blur = 32 * noise + 8 * EPS * np.abs(steps * claimed)
    usable = np.isfinite(remainders) & (remainders > blur)
    ends = np.flatnonzero(usable[:-1] & usable[1:])
    slope = None
    if len(ends) >= 3:
        some = ends[-4:]
        slope = float(np.median(np.log2(remainders[some] / remainders[some + 1])))
    return Taylor(steps, remainders, slope)


def ladder_of(
    call: ScalarCall,
    theta: Array,
    direction: Array,
    claimed: float,
    noise: float,
    size: float,
    words: str,
) -> Ladder:
    """Return central differences over thirteen decades of steps along a direction."""
    steps = size * 10.0 ** np.linspace(0, -13, _LADDER_STEPS)
    ahead = np.array([call.near(theta + h * direction) for h in steps])
    behind = np.array([call.near(theta - h * direction) for h in steps])
    with np.errstate(all="ignore"):
        differences = (ahead - behind) / (2 * steps)
        truncation = np.abs(differences[:-3] - differences[2:-1]) / 99  # a tenth of the step
        chance = np.abs(differences[3:] - differences[2:-1]) / 2
        errors = np.maximum(truncation, chance) + noise / steps[2:-1]
    best = 2 + int(np.argmin(np.where(np.isfinite(errors), errors, np.inf)))
    return Ladder(words, steps, differences, claimed, noise, best)
