"""Typical slips in someone's implementation, each as the wrong code itself.

Two general steps, one with a velocity and one with running means, have a switch for each thing that
people get wrong. With all switches in place they are the rules; with one of them turned over they
are what the slip computes, and whoever runs alike has made it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from convex_analyzer.optimizers.adam import Adam, AMSGrad
from convex_analyzer.optimizers.adaptive import AdaGrad, RMSProp
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import EMAMomentum, HeavyBall, Nesterov, OuterMomentum

__all__ = ["Slip", "slips"]

Step = Callable[[Any, Any, Any], tuple[Any, Any]]


@dataclass(frozen=True)
class Slip:
    """A slip.

    Attributes
    ----------
    cause
        What the code does, as the end of a sentence.
    step
        The wrong code: ``step(gradient, theta, state)``.
    """

    cause: str
    step: Step


def slips(rule: Optimizer) -> list[Slip]:
    """Return usual slips in code that is meant to be a rule, likely ones first.

    Examples
    --------
    >>> [slip.cause for slip in slips(GradientDescent(0.1))]
    ['leaves the learning rate out', 'multiplies by the learning rate twice']
    """
    values = rule.values
    if not all(isinstance(v, (float, bool, str)) for v in values.values()):
        return []  # schedules, or several runs
    if any(values.get(name) not in (None, 0, False, "off") for name in _BEYOND):
        return []
    if isinstance(rule, (GradientDescent, HeavyBall, Nesterov, OuterMomentum, EMAMomentum)):
        return list(_of_velocity(rule))
    if isinstance(rule, (AdaGrad, RMSProp, Adam, AMSGrad)):
        return list(_of_means(rule))
    return []


_BEYOND = ("weight_decay", "dampening", "centered", "learning_rate_decay", "epsilon_root",
           "epsilon_hat", "nesterov")  # fmt: skip


# -- velocity --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Velocity:
    """v ← keep·v + push·g(θ - ahead·v), θ ← θ - move·v, with v along the gradient."""

    keep: float
    push: float
    move: float
    ahead: float = 0.0
    old: bool = False  # moves by the velocity of the step before
    from_ahead: bool = False  # moves the look-ahead point
    first: float | None = None  # push of the first step
    twice: bool = False  # adds the gradient again

    def __call__(self, gradient: Any, theta: Any, state: Any) -> tuple[Any, Any]:
        before = np.zeros_like(theta) if state is None else state
        point = theta - self.ahead * before
        there = gradient(point) if self.ahead else np.asarray(gradient)
        push = self.first if self.first is not None and state is None else self.push
        velocity = self.keep * before + push * there
        base = point if self.from_ahead else theta
        moved = base - self.move * (before if self.old else velocity)
        if self.twice:
            moved = moved - self.push * there
        return moved, velocity


def _of_velocity(rule: Any) -> Iterator[Slip]:
    a = rule.learning_rate
    yield Slip("leaves the learning rate out", _changed(_velocity(rule), rule, a, 1.0))
    inside = "" if isinstance(rule, GradientDescent) else ": inside the velocity and outside"
    twice = f"multiplies by the learning rate twice{inside}"
    yield Slip(twice, _changed(_velocity(rule), rule, a, a * a))
    if isinstance(rule, GradientDescent):
        return
    mu, own = rule.momentum, _velocity(rule)
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("subtracts the old velocity instead of adding it: the momentum has the wrong sign",
         {"keep": -mu}),
        ("does not decay the velocity: it adds up all gradients", {"keep": 1.0}),
        ("multiplies the new gradient by μ too: v ← μ(v + g)", {"push": mu * own.push}),
        ("moves by the velocity of the step before, not by the new one", {"old": True}),
        ("weights the new gradient by 1 - μ", {"push": (1 - mu) * a, "move": 1.0}),
        ("does not weight the new gradient by 1 - μ", {"push": 1.0, "move": a}),
        ("gives the past the weight 1 - μ", {"keep": 1 - mu}),
        ("adds the gradient to θ once more, beside the velocity", {"twice": True}),
    ]  # fmt: skip
    if isinstance(rule, Nesterov):
        kinds += [
            ("looks back instead of ahead: the sign in the look-ahead point", {"ahead": -mu}),
            ("looks ahead by the whole velocity, without μ", {"ahead": 1.0}),
            ("looks back by the whole velocity: sign and μ of the look-ahead point",
             {"ahead": -1.0}),
            ("looks ahead by the learning rate times the velocity", {"ahead": a * mu}),
            ("moves the look-ahead point instead of θ", {"from_ahead": True}),
            ("takes the gradient without a look-ahead, and moves by the old velocity",
             {"ahead": 0.0, "old": True}),
        ]  # fmt: skip
    else:
        kinds += [("looks back before it takes the gradient", {"ahead": -mu * own.move})]
    for cause, changes in kinds:
        if isinstance(rule, EMAMomentum) and cause == "weights the new gradient by 1 - μ":
            continue
        yield Slip(cause, _replaced(own, changes))


def _velocity(rule: Any) -> _Velocity:
    """Return the rule itself."""
    a, mu = rule.learning_rate, getattr(rule, "momentum", 0.0)
    if isinstance(rule, EMAMomentum):
        return _Velocity(mu, 1 - mu, a)
    if isinstance(rule, OuterMomentum):
        return _Velocity(mu, 1.0, a)
    return _Velocity(mu, a, 1.0, mu if isinstance(rule, Nesterov) else 0.0)


def _changed(own: _Velocity, rule: Any, rate: float, other: float) -> _Velocity:
    """Return the rule with another learning rate, where it has it."""
    if isinstance(rule, (EMAMomentum, OuterMomentum)):
        return _replaced(own, {"move": own.move / rate * other})
    return _replaced(own, {"push": own.push / rate * other})


_Form = TypeVar("_Form", bound="_Velocity | _Means")


def _replaced(own: _Form, changes: dict[str, Any]) -> _Form:
    return dataclasses.replace(own, **changes)


# -- running means ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Means:
    """m ← b1·m + w1·g, s ← b2·s + w2·g², θ ← θ - a·m̂/(√ŝ + ε), with a switch for each part."""

    a: float
    b1: float
    w1: float
    b2: float
    w2: float
    eps: float
    inside: bool = False
    root: bool = True
    fix1: bool = False
    fix2: bool = False
    shift: int = 0
    frozen: bool = False
    stored: bool = False  # carries the corrected means
    old1: bool = False  # uses the mean before this gradient
    old2: bool = False
    power: int = 2
    whole: bool = False  # one number for all coordinates
    averaged: bool = False  # divides the sum of squares by t
    maximum: str = ""  # "raw": of s; "own": written back into s; "corrected"
    again: bool = False  # squares the gradient at the point already moved
    base1: float | None = None  # β of the corrections, where it is another
    base2: float | None = None
    plain: bool = False  # divides the gradient, not its mean
    times: bool = False  # multiplies by 1 - βᵗ

    def __call__(self, gradient: Any, theta: Any, state: Any) -> tuple[Any, Any]:
        zero = np.zeros_like(theta)
        t, mean, square, most = (0, zero, zero, zero) if state is None else state
        t += 1
        g = np.asarray(gradient)
        old1, old2 = mean, square
        mean = self.b1 * mean + self.w1 * g
        square = self._squared(square, g)
        if self.maximum == "own":
            square = np.maximum(old2, square)
        count = 1 if self.frozen else t + self.shift
        up = self._corrected(old1 if self.old1 else mean, self.base1, self.b1, count, self.fix1)
        down = self._corrected(old2 if self.old2 else square, self.base2, self.b2, count, self.fix2)
        if self.stored:
            mean, square = up, down
        if self.maximum in ("raw", "corrected"):
            most = np.maximum(most, down if self.maximum == "corrected" else square)
            down = most
        if self.averaged:
            down = down / t
        moved = theta - self.a * (g if self.plain else up) / self._divisor(down)
        if self.again:
            square = self._squared(old2, np.asarray(gradient(moved)))
        return moved, (t, mean, square, most)

    def _squared(self, square: Any, g: Any) -> Any:
        new = g**self.power
        if self.whole:
            new = np.full_like(g, np.sum(new))
        return self.b2 * square + self.w2 * new

    def _corrected(
        self, value: Any, base: float | None, usual: float, count: int, wanted: bool
    ) -> Any:
        if not wanted:
            return value
        filled = 1 - (usual if base is None else base) ** count
        return value * filled if self.times else value / filled

    def _divisor(self, square: Any) -> Any:
        if not self.root:
            return square + self.eps
        return np.sqrt(square + self.eps) if self.inside else np.sqrt(square) + self.eps


def _of_means(rule: Any) -> Iterator[Slip]:
    own = _means(rule)
    if own is None:
        return
    kinds: list[tuple[str, dict[str, Any]]] = [
        (f"adds ε {'beside' if own.inside else 'under'} the root", {"inside": not own.inside}),
        ("divides by the accumulator without its root", {"root": False}),
        ("does not square the gradient in the accumulator", {"power": 1}),
        ("divides by the accumulator of the step before", {"old2": True}),
        ("divides all coordinates by one number: the squares are summed", {"whole": True}),
        ("leaves ε out", {"eps": 0.0}),
        ("leaves the learning rate out", {"a": 1.0}),
    ]
    if isinstance(rule, AdaGrad):
        kinds += [
            ("does not add the squares up: it divides by the last one", {"b2": 0.0}),
            ("averages the squares instead of adding them up", {"averaged": True}),
        ]
    else:
        kinds += _of_the_square(own)
    if isinstance(rule, (Adam, AMSGrad)):
        kinds += _of_the_mean(own)
    if isinstance(rule, AMSGrad):
        kinds += [
            ("leaves the maximum out", {"maximum": ""}),
            ("writes the maximum back into the mean square", {"maximum": "own"}),
        ]
    for cause, changes in kinds:
        yield Slip(cause, _replaced(own, changes))
    if isinstance(rule, Adam):
        yield from _pairs(own)


def _of_the_square(own: _Means) -> list[tuple[str, dict[str, Any]]]:
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("does not decay the mean square: it adds up", {"b2": 1.0}),
        ("adds up the squares as AdaGrad does", {"b2": 1.0, "w2": 1.0}),
        ("leaves the factor 1 - decay of the squared gradient out", {"w2": 1.0}),
        ("exchanges the weights of the past and of the squared gradient",
         {"b2": own.w2, "w2": own.b2}),
        ("weights the squared gradient by the decay, not by 1 less it", {"w2": own.b2}),
        ("keeps no mean square: it divides by the last squared gradient", {"b2": 0.0, "w2": 1.0}),
        ("weights the last squared gradient, and forgets the others", {"b2": 0.0}),
    ]  # fmt: skip
    return kinds


def _of_the_mean(own: _Means) -> list[tuple[str, dict[str, Any]]]:
    b1, b2 = own.b1, own.b2
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("uses β₁ for both means", {"b2": b1, "w2": 1 - b1}),
        ("uses β₂ for both means", {"b1": b2, "w1": 1 - b2}),
        ("exchanges β₁ and β₂", {"b1": b2, "w1": 1 - b2, "b2": b1, "w2": 1 - b1}),
        ("leaves the factor 1 - β₁ of the gradient out", {"w1": 1.0}),
        ("leaves the factors 1 - β₁ and 1 - β₂ out", {"w1": 1.0, "w2": 1.0}),
        ("exchanges the weights β₁ and 1 - β₁", {"b1": 1 - b1, "w1": b1, "base1": b1}),
        ("steps with the mean from before this gradient", {"old1": True}),
        ("steps with both means from before this gradient", {"old1": True, "old2": True}),
        ("divides the gradient itself, not its mean", {"plain": True}),
        ("squares the gradient at the point already moved", {"again": True}),
        ("does not carry the mean over", {"b1": 0.0, "base1": b1}),
        ("does not carry the mean square over", {"b2": 0.0, "base2": b2}),
        ("carries neither mean over", {"b1": 0.0, "base1": b1, "b2": 0.0, "base2": b2}),
    ]
    if own.fix1 and own.fix2:
        kinds += [
            ("corrects no bias", {"fix1": False, "fix2": False}),
            ("corrects the bias of the mean only", {"fix2": False}),
            ("corrects the bias of the mean square only", {"fix1": False}),
            ("counts steps one ahead: 1 - βᵗ⁺¹ for 1 - βᵗ", {"shift": 1}),
            ("counts steps from zero: the first correction divides by zero", {"shift": -1}),
            ("never counts on: it corrects by 1 - β in every step", {"frozen": True}),
            ("carries the corrected means over instead of the means", {"stored": True}),
            ("corrects both biases with β₁", {"base2": b1}),
            ("corrects both biases with β₂", {"base1": b2}),
            ("multiplies by 1 - βᵗ instead of dividing", {"times": True}),
        ]
    else:
        kinds += [("corrects the biases", {"fix1": True, "fix2": True})]
    return kinds


def _pairs(own: _Means) -> Iterator[Slip]:
    """Yield two slips that come together."""
    yield Slip(
        "corrects no bias, and adds ε under the root",
        _replaced(own, {"fix1": False, "fix2": False, "inside": True}),
    )


def _means(rule: Any) -> _Means | None:
    """Return the rule itself."""
    a, eps = rule.learning_rate, rule.epsilon
    if isinstance(rule, AdaGrad):
        plain = rule.initial_accumulator == 0
        return _Means(a, 0.0, 1.0, 1.0, 1.0, eps, rule.epsilon_inside) if plain else None
    if isinstance(rule, RMSProp):
        plain = not rule.momentum
        decay = rule.decay
        return _Means(a, 0.0, 1.0, decay, 1 - decay, eps, rule.epsilon_inside) if plain else None
    b1, b2 = rule.beta1, rule.beta2
    own = _Means(a, b1, 1 - b1, b2, 1 - b2, eps)
    if isinstance(rule, AMSGrad):
        return _replaced(own, {"maximum": "raw"}) if rule.variant == "raw" else None
    fixes = {"fix1": rule.bias_correction_mean, "fix2": rule.bias_correction_square}
    return _replaced(own, fixes)
