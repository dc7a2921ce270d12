"""Schedules that follow one formula: constant, linear, polynomial, exponential, 1/t, power."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from convex_analyzer.domains import NonNegative, Positive, Real, Whole
from convex_analyzer.errors import InputError
from convex_analyzer.ops import is_symbolic, maximum
from convex_analyzer.schedules.arithmetic import capped, faded, is_plain, power, ratio
from convex_analyzer.schedules.base import Schedule
from convex_analyzer.schedules.settings import RealOrNone

__all__ = ["Constant", "Exponential", "InverseTime", "Linear", "Polynomial", "Power"]


class Constant(Schedule):
    """The same value in every step.

    Examples
    --------
    >>> Constant(0.1).at(1000), Constant(0.1).period
    (0.1, 1)
    """

    value: Real

    source: ClassVar[str] = "lecture 004; torch ConstantLR(factor=1), optax.constant_schedule"

    def value_after(self, k: Any) -> Any:
        """ε₀."""
        del k
        return self.value

    def ends(self) -> tuple[Any, ...]:
        """Return the value."""
        return (self.value,)

    @property
    def period(self) -> int:
        """One step."""
        return 1

    @property
    def limit(self) -> Any:
        """The value."""
        return self.value


class Linear(Schedule):
    """From `initial` to `final` in a straight line, and `final` from then on.

    ε(k) = (1 - k/τ) ε₀ + (k/τ) ε_τ for k ≤ τ, and ε_τ afterwards. It is what torch calls
    ``LinearLR(start_factor=1, end_factor=final/initial, total_iters=steps)``, optax
    ``linear_schedule(initial, final, steps)`` and Keras ``PolynomialDecay(initial, steps, final)``.
    Without the freeze after τ the line would go on, below zero: the printed formula of lecture 004
    has lost it, and its minus sign.

    Parameters
    ----------
    initial, final
        ε₀ and ε_τ.
    steps
        τ: the value after this many steps is `final` for the first time.

    Notes
    -----
    The first step uses k = 0, in the libraries and here: `at` (t) is ε(t - 1). The loop of lecture
    004 (algorithm 8.1) starts at k = 1, so that its first step is already one below ε₀; it is the
    line from ε(1) in one step less.

    Examples
    --------
    >>> line = Linear(1.0, 0.01, 100)
    >>> line.at(1), line.at(2), line.at(101), line.at(103)
    (1.0, 0.9901, 0.01, 0.01)
    >>> lecture = Linear(line.at(2), 0.01, 99)
    >>> bool(abs(lecture.table(200) - line.table(201)[1:]).max() < 1e-15)
    True
    """

    initial: Real
    final: Real
    steps: Whole

    source: ClassVar[str] = (
        "Goodfellow, Bengio & Courville (2016), eq. 8.14; lecture 004, linear decay; "
        "torch LinearLR, optax.linear_schedule, Keras PolynomialDecay"
    )

    def value_after(self, k: Any) -> Any:
        """(1 - k/τ) ε₀ + (k/τ) ε_τ, frozen at τ."""
        share = ratio(capped(k, self.steps), self.steps, self.initial, self.final)
        return (1 - share) * self.initial + share * self.final

    def ends(self) -> tuple[Any, ...]:
        """Return both ends of the line."""
        return self.initial, self.final

    @property
    def limit(self) -> Any:
        """The final value."""
        return self.final


class Polynomial(Schedule):
    """From `initial` to `final` along a power of the time left.

    ε(k) = (ε₀ - ε_τ)(1 - k/τ)^p + ε_τ for k ≤ τ, and ε_τ afterwards; p = 1 is `Linear`.

    Parameters
    ----------
    initial, final
        ε₀ and ε_τ.
    steps
        τ.
    power
        p, positive.

    Examples
    --------
    >>> Polynomial(1.0, 0.0, 4, power=2).table(6)
    array([1.    , 0.5625, 0.25  , 0.0625, 0.    , 0.    ])
    """

    initial: Real
    final: Real
    steps: Whole
    power: Positive = 1.0

    source: ClassVar[str] = (
        "torch PolynomialLR (final 0), optax.polynomial_schedule, Keras PolynomialDecay"
    )

    def value_after(self, k: Any) -> Any:
        """(ε₀ - ε_τ)(1 - k/τ)^p + ε_τ, frozen at τ."""
        left = 1 - ratio(capped(k, self.steps), self.steps, *self.numbers())
        weight = power(left, self.power)
        return weight * self.initial + (1 - weight) * self.final

    def ends(self) -> tuple[Any, ...]:
        """Return both ends of the curve."""
        return self.initial, self.final

    @property
    def limit(self) -> Any:
        """The final value."""
        return self.final


class Exponential(Schedule):
    """A constant factor per step.

    ε(k) = ε₀ · rate^(k/steps); with `final` it stops there. In torch it is
    ``ExponentialLR(gamma=rate**(1/steps))``; optax and Keras call it ``exponential_decay`` and
    ``ExponentialDecay``. A `rate` above 1 grows, and needs `final`.

    Parameters
    ----------
    initial
        ε₀, positive.
    rate
        Factor per `steps` steps, positive.
    steps
        Number of steps in which the value is multiplied by `rate`.
    final
        Where to stop: the least value of a decay, the largest of a growth.

    Examples
    --------
    >>> Exponential(0.1, rate=0.01, steps=2).table(3)
    array([0.1  , 0.01 , 0.001])
    >>> Exponential(1e-3, rate=10.0, final=1.0).table(6)  # to find the largest stable rate
    array([0.001, 0.01 , 0.1  , 1.   , 1.   , 1.   ])
    """

    initial: Positive
    rate: Positive
    steps: Whole = 1
    final: RealOrNone = None

    source: ClassVar[str] = (
        "lecture 004, exponential decay; torch ExponentialLR, optax.exponential_decay, "
        "Keras ExponentialDecay"
    )

    def _check(self) -> None:
        if not is_plain(self.rate):
            return
        if self.final is None and np.any(np.asarray(self.rate) > 1):
            raise InputError(
                f"Exponential: a rate above 1 grows without end, got {np.max(self.rate):g}",
                argument="rate",
                value=self.rate,
                hint="say where to stop: final=...",
            )
        if self.final is None or not (is_plain(self.initial) and is_plain(self.final)):
            return
        away = np.asarray(self.rate - 1) * np.asarray(self.final - self.initial)
        mixed = np.any(np.asarray(self.rate) > 1) and np.any(np.asarray(self.rate) < 1)
        if mixed or np.any(away < 0):
            raise InputError(
                "Exponential: final must lie below initial if rate is below 1, and above it if "
                "rate is above 1, for all runs alike",
                argument="final",
                value=self.final,
            )

    def value_after(self, k: Any) -> Any:
        """ε₀ · rate^(k/steps), stopped at final."""
        with np.errstate(over="ignore", under="ignore"):
            value = self.initial * power(self.rate, ratio(k, self.steps, *self.numbers()))
        if self.final is None:
            return value
        return -maximum(-value, -self.final) if self._grows else maximum(value, self.final)

    @property
    def _grows(self) -> bool:
        """Whether the rate is above 1; a symbol is taken to decay."""
        if is_symbolic(self.rate):
            import sympy

            return (self.rate > 1) is sympy.true
        return bool(np.any(self.rate > 1))

    def ends(self) -> tuple[Any, ...]:
        """Return the first value, and the last or the limit."""
        return self.initial, self.limit

    @property
    def limit(self) -> Any:
        """The final value; else zero, or the initial value if the rate is 1."""
        if self.final is not None:
            return self.final
        return faded(self.initial, self.rate == 1) if is_plain(self.rate) else None


class InverseTime(Schedule):
    """Decay like 1/t: ε(k) = ε₀ / (1 + c k).

    Parameters
    ----------
    initial
        ε₀.
    rate
        c, non-negative; Keras ``InverseTimeDecay`` gives it as ``decay_rate / decay_steps``, torch
        ``Adagrad`` as ``lr_decay``.

    Examples
    --------
    >>> InverseTime(1.0, 0.5).at(3)
    0.5
    """

    initial: Real
    rate: NonNegative

    source: ClassVar[str] = (
        "Darken & Moody (1990); Keras InverseTimeDecay, torch Adagrad's lr_decay"
    )

    def value_after(self, k: Any) -> Any:
        """ε₀ / (1 + c k)."""
        return self.initial / (1 + self.rate * k)

    def ends(self) -> tuple[Any, ...]:
        """Return the first value and the limit."""
        return self.initial, self.limit

    @property
    def limit(self) -> Any:
        """Zero, unless c = 0."""
        return faded(self.initial, self.rate == 0) if is_plain(self.rate) else None


class Power(Schedule):
    """Decay like a power of t: ε(k) = ε₀ / (k + 1)^p.

    For 1/2 < p ≤ 1 the steps sum to infinity and their squares do not, which are the conditions of
    Robbins and Monro for stochastic gradients.

    Parameters
    ----------
    initial
        ε₀.
    exponent
        p, positive.

    Examples
    --------
    >>> Power(1.0, 0.5).at(4)
    0.5
    """

    initial: Real
    exponent: Positive = 1.0

    aliases: ClassVar[tuple[str, ...]] = ("RobbinsMonro",)
    source: ClassVar[str] = "Robbins & Monro (1951); Polyak & Juditsky (1992)"

    def value_after(self, k: Any) -> Any:
        """ε₀ / (k + 1)^p."""
        return self.initial / power(k + 1, self.exponent)

    def ends(self) -> tuple[Any, ...]:
        """Return the first value and the limit."""
        return self.initial, self.limit

    @property
    def limit(self) -> Any:
        """Zero."""
        return self.initial * 0
