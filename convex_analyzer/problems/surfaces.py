"""Classic surfaces that are no quadratics, each at the point it is known for, as a local model.

Every function works without arguments, and takes another point.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

from convex_analyzer.problems.checks import whole_number
from convex_analyzer.problems.local import local_quadratic
from convex_analyzer.problems.local_model import LocalModel

__all__ = [
    "beale",
    "double_well",
    "himmelblau",
    "lecture_saddle",
    "monkey_saddle",
    "peano",
    "plateau",
    "quartic",
    "rosenbrock",
]


def rosenbrock(at: Any = None, dimension: int = 2) -> LocalModel:
    """Return Rosenbrock's curved valley at its minimum (1, ..., 1).

    For d = 2 the Hessian there is [[802, -400], [-400, 200]], κ = 2508.

    Parameters
    ----------
    at
        Another point.
    dimension
        d, from 2 to 10.

    Examples
    --------
    >>> model = rosenbrock()
    >>> model.classification.verdict, round(model.ends[1] / model.ends[0], 6)
    ('minimum', 2508.009601)
    """
    whole_number(dimension, "dimension", 2, 10)
    x = [f"x{i + 1}" for i in range(dimension)]
    terms = [
        f"100*({after} - {before}**2)**2 + (1 - {before})**2"
        for before, after in itertools.pairwise(x)
    ]
    return _named("rosenbrock", " + ".join(terms), [1] * dimension if at is None else at, x)


def lecture_saddle(at: Any = None) -> LocalModel:
    """Return x² - y² at the origin: the saddle of lecture 001.

    Gradient descent leaves along y; at α = 0.025 a distance of 1e-3 becomes 1 in 142 steps.

    Examples
    --------
    >>> lecture_saddle().classification.escape_steps(0.025)
    142
    """
    return _named("saddle", "x**2 - y**2", [0, 0] if at is None else at)


def monkey_saddle(at: Any = None) -> LocalModel:
    """Return x³ - 3xy² at the origin, where the Hessian is zero: three ways down, none seen by it.

    Examples
    --------
    >>> monkey_saddle().classification.verdict
    'degenerate'
    """
    return _named("monkey saddle", "x**3 - 3*x*y**2", [0, 0] if at is None else at)


def peano(at: Any = None) -> LocalModel:
    """Return (y - x²)(y - 2x²) at the origin: a minimum along every line, and yet none.

    Along y = 1.5 x² it is -x⁴/4. Source: Peano 1884.

    Examples
    --------
    >>> peano().classification.decided
    False
    """
    return _named("peano", "(y - x**2)*(y - 2*x**2)", [0, 0] if at is None else at)


def quartic(at: Any = 0) -> LocalModel:
    """Return x⁴ at its minimum, where curvature vanishes: gradient descent creeps, x ~ k^(-1/2).

    Examples
    --------
    >>> quartic().classification.order
    4
    """
    return _named("quartic", "x**4", at)


def double_well(at: Any = 1) -> LocalModel:
    """Return (x² - 1)²/4 at one of its two minima; between them lies a maximum.

    At α = 0.5 the basin of the minimum at 1 is (0, √3): one step takes √3 to the maximum at 0.

    Examples
    --------
    >>> double_well().basin(0.5).interval
    (0.0, 1.7320508075688772)
    """
    return _named("double well", "(x**2 - 1)**2/4", at)


def himmelblau(at: Any = None) -> LocalModel:
    """Return (x² + y - 11)² + (x + y² - 7)² at (3, 2), one of its four minima.

    Examples
    --------
    >>> himmelblau().exact
    Matrix([
    [74, 20],
    [20, 34]])
    """
    text = "(x**2 + y - 11)**2 + (x + y**2 - 7)**2"
    return _named("himmelblau", text, [3, 2] if at is None else at)


def beale(at: Any = None) -> LocalModel:
    """Return Beale's function at its minimum (3, 1/2): flat, with steep edges.

    Examples
    --------
    >>> beale().classification.verdict
    'minimum'
    """
    text = "(3/2 - x + x*y)**2 + (9/4 - x + x*y**2)**2 + (21/8 - x + x*y**3)**2"
    return _named("beale", text, [3, Fraction(1, 2)] if at is None else at)


def plateau(at: Any = -8) -> LocalModel:
    """Return ½ (1 - σ(z))² where a logistic unit with squared error is saturated on the wrong side.

    At z = -8 the slope is 3e-4: from there to 0 gradient flow takes a time of 3007, with
    cross-entropy 9.

    Examples
    --------
    >>> round(abs(float(plateau().gradient_at[0])), 6)
    0.000335
    """
    return _named("plateau", "(1 - sigmoid(z))**2/2", at)


def _named(name: str, text: str, at: Any, variables: Any = None) -> LocalModel:
    model = local_quadratic(text, at=at, variables=variables)
    model.name = name
    return model
