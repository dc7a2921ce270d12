"""Where gradients vanish far from any minimum: thresholds, saturated and dead units.

Each problem is the loss of one unit as a function of its input z, target 1. What gradient descent
does there is exact: times are those of the flow dz/dt = −J′(z), so steps are about time/α.

Source: lecture 001, slides 17-19 (plateaux); the times are elementary integrals.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from convex_analyzer.errors import InputError
from convex_analyzer.problems.checks import float_number
from convex_analyzer.results import Result
from convex_analyzer.tables import Table, format_count, format_number

__all__ = [
    "PlateauPoint",
    "PlateauProblem",
    "dead_relu",
    "hard_threshold",
    "plateaus",
    "saturated_logistic",
    "saturation_border",
    "zero_one_loss",
]

SATURATED = 0.05  # of its maximum: below, a unit's slope counts as saturated
_ENOUGH = 10_000_000  # steps that a count may take
_LARGEST = 700.0  # exponents that float64 holds

_FARTHEST = 1e150  # whose square float64 holds

Scalar = Callable[[float], float]


@dataclass(frozen=True)
class PlateauPoint(Result):
    """What the loss looks like around one input of the unit.

    Attributes
    ----------
    problem, z
        Where.
    value, slope, curvature
        J, J′ and J″ there, exact up to rounding.
    kind
        ``dead`` (J does not change around here), ``plateau`` (the unit is saturated), ``slope``,
        ``jump`` (J is not continuous) or ``minimum``.
    escape_time
        Time of the gradient flow from here to z = 0; None when it never gets there, 0 beyond.
    stable_learning_rate
        2/J″, where that is positive: what the local model allows.
    words
        What it means for training.
    """

    schema: ClassVar[str] = "convex_analyzer.plateau_point/1"

    problem: str
    z: float
    value: float
    slope: float
    curvature: float
    kind: str
    escape_time: float | None
    stable_learning_rate: float | None
    words: str

    def summary(self) -> Table:
        """Return the local analysis as a table."""
        rows = (
            ("z", format_number(self.z)),
            ("loss J", format_number(self.value)),
            ("slope J′", format_number(self.slope)),
            ("curvature J″", format_number(self.curvature)),
            ("kind", self.kind),
            ("time to z = 0", format_number(self.escape_time)),
            ("locally stable below α", format_number(self.stable_learning_rate)),
        )
        return Table(("quantity", "value"), rows, self.problem, (self.words,))


@dataclass(frozen=True)
class PlateauProblem:
    """The loss of one unit as a function of its input.

    Attributes
    ----------
    name
        In words.
    formula
        J(z) as text that `local_quadratic` reads; empty when J has jumps.
    value, gradient, curvature
        J, J′ and J″ as functions of a number.
    jump
        Where J is not continuous, or its slope jumps; None when it is smooth.
    """

    name: str
    formula: str
    value: Scalar = field(repr=False)
    gradient: Scalar = field(repr=False)
    curvature: Scalar = field(repr=False)
    jump: float | None = None
    _time: Scalar | None = field(default=None, repr=False)  # an antiderivative of −1/J′
    _is_saturated: Callable[[float], bool] = field(default=lambda z: False, repr=False)
    _remedy: str = field(default="", repr=False)

    def flow_time(self, start: float, end: float = 0.0) -> float | None:
        """Return the time that the gradient flow takes from `start` up to `end`; None for never.

        Examples
        --------
        >>> [round(saturated_logistic(loss).flow_time(-8.0), 4) for loss in LOSSES]
        [3007.457, 8.9997]
        """
        a, b = float_number(start, "start"), float_number(end, "end")
        if b <= a:
            return 0.0
        if self._time is None:
            return None
        if max(abs(a), abs(b)) > _LARGEST:
            raise InputError(f"start and end must lie within ±{_LARGEST:g}", argument="start")
        return self._time(b) - self._time(a)

    def steps_to(self, end: float, start: float, learning_rate: float) -> int | None:
        """Count the steps of gradient descent from `start` until z ≥ `end`; None for never.

        Raises
        ------
        InputError
            The flow says that it takes more than ten million steps.
        """
        alpha = float_number(learning_rate, "learning_rate")
        if not alpha > 0:
            raise InputError(
                f"learning_rate must be positive, got {alpha}", argument="learning_rate"
            )
        z = float_number(start, "start")
        time = self.flow_time(z, end)
        if time is not None and time / alpha > _ENOUGH:
            raise InputError(
                f"that takes about {format_count(time / alpha)} steps",
                argument="start",
                hint="flow_time gives the time without counting",
            )
        for step in range(2 * _ENOUGH):
            if z >= end:
                return step
            slope = self.gradient(z)
            if slope == 0:
                return None
            z -= alpha * slope
        return None

    def at(self, z: float) -> PlateauPoint:
        """Return the local analysis at an input of the unit.

        Examples
        --------
        >>> saturated_logistic().at(-8.0).kind, dead_relu().at(-0.1).kind
        ('plateau', 'dead')
        """
        z = float_number(z, "z")
        if abs(z) > _FARTHEST:
            raise InputError(f"z must lie within ±{_FARTHEST:g}, got {z:g}", argument="z", value=z)
        slope, curvature = self.gradient(z), self.curvature(z)
        if z == self.jump:
            kind = "jump"
        elif slope == 0:
            kind = "minimum" if curvature > 0 else "dead"
        else:
            kind = "plateau" if self._is_saturated(z) else "slope"
        time = self.flow_time(z) if kind not in {"dead", "jump"} and abs(z) <= _LARGEST else None
        stable = 2 / curvature if curvature > 0 else None
        words = self._words(kind, z, slope, time)
        return PlateauPoint(
            self.name, z, self.value(z), slope, curvature, kind, time, stable, words
        )  # fmt: skip

    def _words(self, kind: str, z: float, slope: float, time: float | None) -> str:
        if kind == "jump":
            return "J or its slope jumps here: there is no local model."
        if kind == "minimum":
            return "A minimum: the gradient is 0 because nothing is left to gain."
        if kind == "dead":
            if self.value(z) == 0:
                return "J is 0 around here: nothing is left to gain."
            return (
                "The gradient is exactly 0 around here, so no optimizer that uses it moves, "
                f"whatever its learning rate. {self._remedy}"
            ).rstrip()
        took = f"time {format_number(time, 4)} to z = 0" if time else ""
        size = format_number(slope, 3)
        if kind == "plateau" and z > 0:
            return f"Saturated where it should be: J is {format_number(self.value(z), 2)}."
        if kind == "plateau":
            return f"Saturated: the slope is {size}, and the flow needs {took}. {self._remedy}"
        return f"The slope is {size}, and gradient descent moves{': ' if took else ''}{took}."


def _logistic(z: float) -> float:
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    e = math.exp(max(z, -745.0))
    return e / (1 + e)


def saturation_border(activation: str = "logistic", share: float = SATURATED) -> float:
    """Return |z| beyond which the slope of a unit is less than a share of its largest slope.

    Parameters
    ----------
    activation
        ``logistic``: 2 arcosh(1/√share); ``tanh``: half of that.
    share
        Between 0 and 1.

    Examples
    --------
    >>> round(saturation_border("logistic"), 3), round(saturation_border("tanh"), 3)
    (4.357, 2.178)
    """
    if activation not in {"logistic", "tanh"}:
        raise InputError(
            f"activation must be logistic or tanh, got {activation!r}", argument="activation"
        )
    if not 0 < share < 1:
        raise InputError(f"share must lie between 0 and 1, got {share!r}", argument="share")
    border = math.acosh(1 / math.sqrt(share))
    return 2 * border if activation == "logistic" else border


LOSSES = ("squared_error", "cross_entropy")


def saturated_logistic(loss: str = "squared_error") -> PlateauProblem:
    """Return a logistic output with target 1, which starts out sure of the contrary.

    Parameters
    ----------
    loss
        ``squared_error``, ½(σ(z) − 1)²: the slope (σ−1)σ(1−σ) vanishes as e^z, and the flow from
        −Z to 0 takes about e^Z. ``cross_entropy``, log(1 + e^−z): the slope is σ − 1, and it takes
        Z + 1 − e^−Z.

    Examples
    --------
    >>> saturated_logistic("cross_entropy").at(-8.0).words
    'The slope is −1, and gradient descent moves: time 9 to z = 0.'
    """
    if loss not in LOSSES:
        raise InputError(f"loss must be one of {', '.join(LOSSES)}, got {loss!r}", argument="loss")
    border = saturation_border("logistic")
    if loss == "cross_entropy":
        return PlateauProblem(
            "logistic output, cross-entropy, target 1",
            "log(1 + exp(-z))",
            lambda z: math.log1p(math.exp(-z)) if z > -_LARGEST else -z,
            lambda z: -_logistic(-z),
            lambda z: _logistic(z) * _logistic(-z),
            _time=lambda z: z + math.exp(z),
            _is_saturated=lambda z: z > border,  # below, the logarithm undoes the saturation
        )
    return PlateauProblem(
        "logistic output, squared error, target 1",
        "(1/(1 + exp(-z)) - 1)**2/2",
        lambda z: _logistic(-z) ** 2 / 2,
        lambda z: -_logistic(z) * _logistic(-z) ** 2,
        lambda z: _logistic(z) * _logistic(-z) ** 2 * (3 * _logistic(z) - 1),
        _time=_squared_error_time,
        _is_saturated=lambda z: abs(z) > border,
        _remedy="With cross-entropy the slope would be nearly −1: time |z| + 1.",
    )


def _squared_error_time(z: float) -> float:
    """Return −1/y + 3 ln(y/(1−y)) + 2/(1−y) + 1/(2(1−y)²) at y = σ(z), without rounding 1 − y."""
    up, down = 1 + math.exp(z), 1 + math.exp(-z)  # 1/(1-y) and 1/y
    return -down + 3 * z + 2 * up + up**2 / 2


def zero_one_loss() -> PlateauProblem:
    """Return the 0-1 loss of a margin: 1 for z < 0, else 0. Its gradient is 0 wherever it has one.

    Examples
    --------
    >>> point = zero_one_loss().at(-0.5)
    >>> point.slope, point.kind, point.escape_time
    (0.0, 'dead', None)
    """
    return PlateauProblem(
        "0–1 loss", "", lambda z: float(z < 0), lambda z: 0.0, lambda z: 0.0, 0.0,
        _remedy="Minimise a convex bound instead: the logistic or the hinge loss.",
    )  # fmt: skip


def hard_threshold() -> PlateauProblem:
    """Return a unit with a hard threshold and squared error, target 1: ½([z ≥ 0] − 1)²."""
    return PlateauProblem(
        "hard threshold, squared error, target 1",
        "",
        lambda z: 0.5 * (z < 0),
        lambda z: 0.0,
        lambda z: 0.0,
        0.0,
        _remedy="Replace the threshold by a logistic unit.",
    )


def dead_relu() -> PlateauProblem:
    """Return a ReLU unit with squared error, target 1: ½(max(z, 0) − 1)², dead for z < 0.

    Examples
    --------
    >>> dead_relu().steps_to(0.9, start=-0.1, learning_rate=0.1) is None
    True
    >>> dead_relu().steps_to(0.9, start=0.1, learning_rate=0.1)
    21
    """
    return PlateauProblem(
        "ReLU unit, squared error, target 1",
        "(max(z, 0) - 1)**2/2",
        lambda z: (max(z, 0.0) - 1) ** 2 / 2,
        lambda z: z - 1 if z > 0 else 0.0,
        lambda z: 1.0 if z > 0 else 0.0,
        0.0,
        _remedy="A smaller initial scale, a positive bias or a leaky ReLU keeps it alive.",
    )


def plateaus() -> dict[str, PlateauProblem]:
    """Return all of them by name.

    Examples
    --------
    >>> sorted(plateaus())[:2]
    ['dead_relu', 'hard_threshold']
    """
    return {
        "zero_one_loss": zero_one_loss(),
        "hard_threshold": hard_threshold(),
        "saturated_squared_error": saturated_logistic("squared_error"),
        "saturated_cross_entropy": saturated_logistic("cross_entropy"),
        "dead_relu": dead_relu(),
    }
