"""Results that many figures are drawn from, each made once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.comparison import Comparison
from convex_analyzer.domains import Positive
from convex_analyzer.optimizers.base import Optimizer

GD, HB, NAG = ca.GradientDescent, ca.HeavyBall, ca.Nesterov
START = [-5.0, -2.0]


class Cubic(Optimizer):
    """A user's rule that is not linear."""

    learning_rate: Positive

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        g = problem.gradient(theta)
        return theta - self.learning_rate * (g + 0.02 * g * g * g)


class Damped(Optimizer):
    """A user's linear rule with two slots and no field called momentum."""

    learning_rate: Positive
    friction: Positive = 0.5

    def step(self, problem: Any, t: int, theta: Any, velocity: Any) -> Any:
        velocity = (1 - self.friction) * velocity - self.learning_rate * problem.gradient(theta)
        return theta + velocity, velocity


class Decaying(Optimizer):
    """Gradient descent with decoupled weight decay: it ends elsewhere than at the minimum."""

    learning_rate: Positive
    decay: Positive = 0.05

    def step(self, problem: Any, t: int, theta: Any) -> Any:
        return (1 - self.decay) * theta - self.learning_rate * problem.gradient(theta)


CASES: dict[str, Callable[[], Comparison]] = {
    "toy": lambda: ca.compare(ca.gallery.toy()),
    "chosen": lambda: ca.compare(
        ca.gallery.toy(), [GD(0.4), HB(0.4, 0.9), HB, NAG(0.3, 0.6)], START
    ),
    "ravine": lambda: ca.compare(ca.gallery.ravine()),
    "longley": lambda: ca.compare(ca.gallery.longley()),
    "standardised": lambda: ca.compare(ca.gallery.longley(standardize=True)),
    "1x1": lambda: ca.compare([[2.0]], [GD(0.9), HB(0.5, 0.5), NAG(0.3, 0.3)], [3.0]),
    "1x1 tuned": lambda: ca.compare([[2.0]]),
    "d = 100": lambda: ca.compare(ca.gallery.random(np.geomspace(1.0, 1e4, 100))),
    "repeated": lambda: ca.compare(ca.gallery.random([1.0, 1.0, 1.0, 5.0, 5.0, 20.0])),
    "identity": lambda: ca.compare(ca.gallery.identity()),
    "singular": lambda: ca.compare(ca.gallery.singular(), [GD(0.1), HB(0.1, 0.5)]),
    "unbounded": lambda: ca.compare(ca.gallery.singular(bounded=False), [GD(0.1), HB(0.1, 0.5)]),
    "saddle": lambda: ca.compare(ca.gallery.saddle(), [GD(0.1), HB(0.1, 0.5)], [0.3, -1.2]),
    "maximum": lambda: ca.compare(np.diag([-2.0, -1.0])),
    "mixed": lambda: ca.compare(ca.gallery.random([0.0, 0.0, -3.0, 1.0, 100.0]), [GD(0.01)]),
    "flat": lambda: ca.compare(np.zeros((2, 2))),
    "diverging": lambda: ca.compare(ca.gallery.toy(), [GD(0.6)], START),
    "some diverge": lambda: ca.compare(ca.gallery.toy(), [GD(0.6), HB, NAG(2.0, 0.9)], START),
    "marginal": lambda: ca.compare(ca.gallery.toy(), [GD(0.5), HB(0.1, 1.0)], START),
    "single": lambda: ca.compare(ca.gallery.toy(), [HB(0.1, 0.9)], START),
    "not linear": lambda: ca.compare(ca.gallery.toy(), [Cubic(0.1), GD], START),
    "only not linear": lambda: ca.compare(ca.gallery.toy(), [Cubic(0.1)], START),
    "many": lambda: ca.compare(
        ca.gallery.ravine(30),
        [GD(0.1), GD(0.2), HB(0.1, 0.5), HB(0.1, 0.9), HB, NAG, NAG(0.05, 0.9), GD],
    ),
    "no momentum field": lambda: ca.compare(ca.gallery.toy(), [Damped(0.2)], START),
    "ends elsewhere": lambda: ca.compare(
        ca.Quadratic([[0.5, 0.0], [0.0, 4.0]], [-1.0, -4.0]), [Decaying(0.1)], START
    ),
    "at the minimum": lambda: ca.compare(ca.gallery.toy(), [GD(0.1)], [0.0, 0.0]),
    "ends only": lambda: ca.compare(ca.gallery.laplacian_2d(50)),
    "κ = 1e8": lambda: ca.compare(ca.Quadratic.diagonal([1e-4, 1e4]), steps=500),
    "odd names": lambda: ca.compare(
        ca.least_squares(np.array([[1.0, 2.0], [3.0, 1.0], [2.0, 2.0]]), [1.0, 0.0, 2.0])
    ),
}


@functools.cache
def made(name: str) -> Comparison:
    return CASES[name]()


@pytest.fixture
def compared() -> Callable[[str], Comparison]:
    """Return comparisons by name, made once."""
    return made


@pytest.fixture(params=sorted(CASES))
def comparison(request: pytest.FixtureRequest) -> Comparison:
    """Every comparison in turn."""
    return made(request.param)


@pytest.fixture
def cubic() -> type[Optimizer]:
    return Cubic


@pytest.fixture
def damped() -> type[Optimizer]:
    return Damped
