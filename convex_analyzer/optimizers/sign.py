"""Rules that look at signs of gradients: steps of one size, and step sizes that signs set.

Signs are taken per coordinate, so none of these rules turns with the axes: on a rotated problem
they run differently. With a constant learning rate the pure sign methods do not settle but end in a
cycle about as wide as the learning rate.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar

import numpy as np

from convex_analyzer.domains import (
    BelowOne,
    Choice,
    Domain,
    Interval,
    NonNegative,
    Positive,
    is_schedule,
)
from convex_analyzer.errors import InputError
from convex_analyzer.ops import maximum, minimum, sign, where
from convex_analyzer.optimizers.base import Optimizer

__all__ = ["DeltaBarDelta", "Lion", "LocalGains", "Rprop", "SignSGD", "Signum"]


def _positive(low: float, high: float) -> Domain:
    """Return the domain of a bound: positive, and usually between two numbers."""
    return Domain(
        "positive", Interval(0.0, math.inf, open_low=True, open_high=True), Interval(low, high)
    )


_Growth = Annotated[
    Any, Domain("at least 1", Interval(1.0, math.inf, open_high=True), Interval(1.0, 2.0))
]
_Shrinkage = Annotated[
    Any, Domain("between 0 and 1", *2 * (Interval(0.0, 1.0, open_low=True, open_high=True),))
]


class SignSGD(Optimizer):
    """signSGD: every coordinate moves by the learning rate, θ ← θ - α sign(g).

    Where a component of g is exactly zero the coordinate stays.

    Parameters
    ----------
    learning_rate
        α, positive: the length of each coordinate's step, in units of θ.

    Examples
    --------
    >>> SignSGD()
    SignSGD(learning_rate=0.001)
    """

    learning_rate: Positive = 0.001

    aliases: ClassVar[tuple[str, ...]] = ("SignGD", "SignDescent")
    source: ClassVar[str] = "Bernstein et al. (2018), algorithm 1; optax.sign_sgd"

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        return theta - self.learning_rate * sign(problem.gradient(theta))


class Signum(Optimizer):
    """signSGD with the momentum inside the sign: m ← μ m + (1 - μ) g, θ ← θ - α sign(m).

    The factor 1 - μ changes nothing but the size of m. (A momentum outside, of signs, is another
    method.) At μ = 0 it is signSGD.

    Parameters
    ----------
    learning_rate
        α, positive: the length of each coordinate's step, in units of θ.
    momentum
        μ in [0, 1).

    Examples
    --------
    >>> Signum().momentum
    0.9
    """

    learning_rate: Positive = 0.001
    momentum: BelowOne = 0.9

    aliases: ClassVar[tuple[str, ...]] = ("SignMomentum",)
    source: ClassVar[str] = "Bernstein et al. (2018), algorithm 2; optax.signum"

    def step(self, problem: Any, t: int, theta: Any, mean: Any) -> Any:
        mean = self.momentum * mean + (1 - self.momentum) * problem.gradient(theta)
        return theta - self.learning_rate * sign(mean), mean


class Lion(Optimizer):
    """Lion: the sign of an average that the newest gradient enters twice; decoupled weight decay.

    u = sign(β1 m + (1 - β1) g), θ ← θ - α (u + w θ), m ← β2 m + (1 - β2) g. The decay is multiplied
    by α, as in optax and Keras. At β1 = 0 it is signSGD; at β1 = β2, Signum.

    Parameters
    ----------
    learning_rate
        α, positive: the length of each coordinate's step, in units of θ.
    beta1
        β1 in [0, 1): how much of the average enters the step.
    beta2
        β2 in [0, 1): decay of the average.
    weight_decay
        w, non-negative; with w > 0 the method does not aim at the minimum of J.

    Examples
    --------
    >>> Lion().beta2
    0.99
    """

    learning_rate: Positive = 0.0001
    beta1: BelowOne = 0.9
    beta2: BelowOne = 0.99
    weight_decay: NonNegative = 0.0

    source: ClassVar[str] = "Chen et al. (2023), algorithm 2; optax.lion (weight_decay 1e-3)"

    def step(self, problem: Any, t: int, theta: Any, mean: Any) -> Any:
        gradient = problem.gradient(theta)
        move = sign(self.beta1 * mean + (1 - self.beta1) * gradient)
        mean = self.beta2 * mean + (1 - self.beta2) * gradient
        return theta - self.learning_rate * (move + self.weight_decay * theta), mean


class Rprop(Optimizer):
    """Rprop: every coordinate has a step width, changed by agreement of successive gradient signs.

    Δ ← η⁺ Δ where g and the gradient before agree in sign, η⁻ Δ where they differ, Δ where either
    is zero; Δ is kept in [Δmin, Δmax]; θ ← θ - Δ sign(g). The first step has Δ = learning_rate.

    Parameters
    ----------
    learning_rate
        Δ of the first step, positive.
    increase
        η⁺, at least 1.
    decrease
        η⁻, between 0 and 1.
    smallest, largest
        Δmin and Δmax, positive.
    variant
        ``"stay"``: iRprop⁻, in torch: where the sign differs the coordinate stays, and the next
        step counts as the first; ``"move"``: Rprop⁻, it moves by the smaller Δ; ``"lecture"``: the
        letter of lecture 002, which states the two factors only: as ``"move"``, but a zero product
        shrinks Δ too (not in the first step, which has no gradient before it); ``"optax"``: optax
        0.2.8, which makes every step one step late, the first is zero.

    Examples
    --------
    >>> Rprop().increase, Rprop().decrease
    (1.2, 0.5)
    """

    learning_rate: Positive = 0.01
    increase: _Growth = 1.2
    decrease: _Shrinkage = 0.5
    smallest: Annotated[Any, _positive(1e-12, 1e-2)] = 1e-6
    largest: Annotated[Any, _positive(1.0, 1e6)] = 50.0
    variant: Annotated[str, Choice(("stay", "move", "lecture", "optax"))] = "stay"

    settles: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("ResilientPropagation", "iRprop")
    source: ClassVar[str] = (
        "Riedmiller & Braun (1993); Igel & Hüsken (2003), algorithms 2 and 4; torch.optim.Rprop; "
        "lecture 002, rprop"
    )

    @property
    def period(self) -> int | None:  # type: ignore[override]  # depends on the fields
        """None where the first step is an exception."""
        return None if self.variant == "lecture" else 1

    def _check(self) -> None:
        _in_order(self)

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        return theta * 0 + self.learning_rate, theta * 0

    def step(self, problem: Any, t: int, theta: Any, width: Any, previous_gradient: Any) -> Any:
        gradient = problem.gradient(theta)
        product = gradient * previous_gradient
        shrinks = product <= 0 if self.variant == "lecture" and t > 1 else product < 0
        factor = where(product > 0, self.increase, where(shrinks, self.decrease, 1))
        kept = minimum(maximum(width * factor, self.smallest), self.largest)
        if self.variant == "optax":  # what is remembered is the step, which has the sign of g
            width = where(product != 0, kept, width)
            late = where(shrinks, 0, previous_gradient)
            return theta - late, width, where(shrinks, 0, width * sign(gradient))
        width = kept
        if self.variant == "stay":
            gradient = where(shrinks, 0, gradient)
        return theta - width * sign(gradient), width, gradient


class LocalGains(Optimizer):
    """Local gains (lecture 002): a factor per coordinate, up by addition, down by multiplication.

    γ ← γ + δ where g and the gradient before agree in sign, (1 - δ) γ where they do not (a zero
    product included); γ is kept in [γmin, γmax]; θ ← θ - α γ g. The first step has γ = 1. Signs
    that agree half of the time, at random, keep γ near 1; a sign that changes in every step shrinks
    it like (1 - δ)^k, which the lecture's "oscillations give gains around 1" overlooks.

    Parameters
    ----------
    learning_rate
        α, positive; the lecture gives no value.
    increment
        δ in [0, 1), for both branches.
    smallest, largest
        γmin and γmax, positive; the lecture also names 0.01 and 100.

    Examples
    --------
    >>> LocalGains(0.1).increment
    0.05
    """

    learning_rate: Positive = 0.01
    increment: BelowOne = 0.05
    smallest: Annotated[Any, _positive(0.01, 1.0)] = 0.1
    largest: Annotated[Any, _positive(1.0, 100.0)] = 10.0

    period: ClassVar[int | None] = None
    settles: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("AIMD", "AdaptiveGains")
    source: ClassVar[str] = "lecture 002, local learning rates; Hinton (2012), lecture 6d"

    def _check(self) -> None:
        _in_order(self)

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        return theta * 0 + 1, theta * 0

    def step(self, problem: Any, t: int, theta: Any, gain: Any, previous_gradient: Any) -> Any:
        gradient = problem.gradient(theta)
        kept = 1 if t == 1 else 1 - self.increment  # before the first step nothing disagrees
        gain = where(gradient * previous_gradient > 0, gain + self.increment, kept * gain)
        gain = minimum(maximum(gain, self.smallest), self.largest)
        return theta - self.learning_rate * gain * gradient, gain, gradient


class DeltaBarDelta(Optimizer):
    """Delta-bar-delta: a learning rate per coordinate, set by agreement with an average gradient.

    α_i ← α_i + κ where g_i and the average ḡ_i before it agree in sign, (1 - φ) α_i where they
    differ, α_i where the product is zero; θ ← θ - α g with the new rates; ḡ ← (1 - ϑ) g + ϑ ḡ.

    Parameters
    ----------
    learning_rate
        α of the first step in every coordinate, positive.
    increment
        κ, non-negative, added to a learning rate. Jacobs chooses κ and φ anew for every task.
    reduction
        φ in [0, 1).
    decay
        ϑ in [0, 1); at 0 the average is the gradient before.

    Examples
    --------
    >>> DeltaBarDelta(0.1).decay
    0.7
    """

    learning_rate: Positive = 0.01
    increment: NonNegative = 0.01
    reduction: BelowOne = 0.1
    decay: BelowOne = 0.7

    aliases: ClassVar[tuple[str, ...]] = ("DBD",)
    source: ClassVar[str] = "Jacobs (1988), Neural Networks 1, 295-307"

    def start(self, problem: Any, theta: Any) -> tuple[Any, ...]:
        return theta * 0 + self.learning_rate, theta * 0

    def step(self, problem: Any, t: int, theta: Any, rates: Any, gradient_mean: Any) -> Any:
        gradient = problem.gradient(theta)
        product = gradient * gradient_mean
        slower = where(product < 0, (1 - self.reduction) * rates, rates)
        rates = where(product > 0, rates + self.increment, slower)
        gradient_mean = (1 - self.decay) * gradient + self.decay * gradient_mean
        return theta - rates * gradient, rates, gradient_mean


def _in_order(rule: Any) -> None:
    """Refuse a smallest value above the largest; schedules are judged by their ends."""
    pair = (rule.smallest, rule.largest)
    ends = [value.extent() if is_schedule(value) else (value,) for value in pair]
    if not all(isinstance(end, (float, np.ndarray)) for end in (*ends[0], *ends[1])):
        return  # symbols and the like
    low, high = max(np.max(end) for end in ends[0]), min(np.min(end) for end in ends[1])
    if not low <= high:
        raise InputError(
            f"{type(rule).__name__}: smallest must not exceed largest, got {low:g} and {high:g}",
            argument="smallest",
            value=rule.smallest,
        )
