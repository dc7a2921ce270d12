"""Exact stability sets against eigenvalues, on rules made at random."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import given, settings
from hypothesis import strategies as st

from convex_analyzer import ops
from convex_analyzer.domains import NonNegative, Positive
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.precise import Polynomial
from convex_analyzer.spectra.spectrum import Spectrum
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.stability import (
    characteristic_polynomial,
    jury_conditions,
    stable_learning_rates,
)

pytestmark = pytest.mark.survey

ONE = np.array([1.0])


def random_rule(seed: int, slots: int) -> type[Optimizer]:
    """Return a linear rule with random coefficients: z ← P z - α q g(e·z)."""
    rng = np.random.default_rng(seed)
    passing = rng.normal(size=(slots, slots)) * 0.4
    passing[0, 0] = 1.0
    passing[1:, 0] = 0.0
    push, point = rng.normal(size=slots), rng.normal(size=slots) * 0.5
    push[0], point[0] = abs(push[0]), 1.0

    def step(self, problem, t, theta, *memory):
        state = (theta, *memory)
        gradient = problem.gradient(sum(float(c) * z for c, z in zip(point, state, strict=True)))
        new = [sum(float(c) * z for c, z in zip(row, state, strict=True)) for row in passing]
        return tuple(
            value - self.learning_rate * float(c) * gradient
            for value, c in zip(new, push, strict=True)
        )

    names = [f"slot{j}" for j in range(1, slots)]
    namespace = {"__annotations__": {"learning_rate": Positive}, "step": step}
    cls = type("RandomRule", (Optimizer,), namespace)
    cls.memory = tuple(names)  # read from a signature that says *memory
    cls.matrix = staticmethod(lambda s: passing - s * np.outer(push, point))
    return cls


def radius(matrix: np.ndarray) -> float:
    return float(np.abs(np.linalg.eigvals(matrix)).max())


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), slots=st.integers(1, 4))
def test_stable_sets_of_random_rules_are_those_of_eigenvalues(seed, slots):
    """Inside every interval the largest |eigenvalue| is below 1, outside it is above."""
    cls = random_rule(seed, slots)
    intervals = stable_learning_rates(cls(0.1), ONE)
    assert intervals == sorted(intervals)
    for rate in np.concatenate([np.geomspace(1e-4, 1e3, 150), np.ravel(intervals) * 1.0001]):
        if not 0 < rate < math.inf:
            continue
        inside = any(low < rate < high for low, high in intervals)
        edge = min((abs(rate / b - 1) for i in intervals for b in i if b), default=1.0)
        largest = radius(cls.matrix(rate))
        if abs(largest - 1) > 1e-7 and edge > 1e-9:
            assert (largest < 1) == inside, rate


@given(st.lists(st.floats(-1.6, 1.6), min_size=1, max_size=5))
def test_jury_conditions_are_those_of_the_roots(coefficients):
    exact = [Fraction(1), *(Fraction(c) for c in coefficients)]
    largest = np.abs(np.roots([1.0, *coefficients])).max()
    if abs(largest - 1) > 1e-6:
        assert all(c > 0 for c in jury_conditions(exact)) == (largest < 1)


@each("size", [1, 2, 3, 4])
def test_characteristic_polynomials_against_sympy(size):
    rng = np.random.default_rng(size)
    entries = [[Fraction(int(v), 7) for v in row] for row in rng.integers(-9, 9, (size, size))]
    z = sympy.Symbol("z")
    matrix = sympy.Matrix(size, size, lambda i, j: sympy.Rational(entries[i][j]))
    expected = sympy.Poly(matrix.charpoly(z).as_expr(), z).all_coeffs()
    assert [sympy.Rational(c) for c in characteristic_polynomial(entries)] == expected


def test_characteristic_polynomials_of_polynomials_and_symbols():
    x = Polynomial([0, 1])
    assert characteristic_polynomial([[x, 1], [0, x]])[1:] == [-2 * x, x * x]
    a = sympy.Symbol("a")
    found = characteristic_polynomial([[a, 1], [0, a]])
    assert sympy.expand(found[2] - a**2) == 0


def test_textbook_intervals():
    lam = np.array([0.5, 4.0])
    assert stable_learning_rates(GradientDescent(0.1), lam) == [(0.0, 0.5)]
    assert stable_learning_rates(HeavyBall(0.1, 0.5), lam) == [(0.0, 0.75)]
    assert stable_learning_rates(Nesterov(0.1, 0.5), lam) == [(0.0, 0.375)]
    assert stable_learning_rates(HeavyBall(0.1, 1.0), lam) == []
    assert stable_learning_rates(GradientDescent(0.1), np.array([-1.0, 4.0])) == []
    assert stable_learning_rates(GradientDescent(0.1), np.array([-2.0])) == []
    assert stable_learning_rates(GradientDescent(0.1), np.array([0.0, 4.0])) == [(0.0, 0.5)]
    assert stable_learning_rates(GradientDescent(0.1), np.array([0.0])) == [(0.0, math.inf)]


def test_a_band_that_starts_above_zero():
    """Nesterov with μ = 1.5 needs 1/3 < αλ < 5/4 at every eigenvalue."""
    rule = Nesterov(0.1, 1.5)
    assert stable_learning_rates(rule, np.array([1.0, 2.0])) == [(1 / 3, 0.625)]
    assert stable_learning_rates(rule, np.array([1.0, 4.0])) == []  # κ is too large for the band


class Decay(Optimizer):
    """Decoupled decay: stability depends on α and λ apart."""

    learning_rate: Positive
    decay: NonNegative = 0.5

    def step(self, problem, t, theta):
        return theta - self.learning_rate * (problem.gradient(theta) + self.decay * theta)


def test_stability_that_is_not_a_matter_of_products():
    """0 < α (λ + γ) < 2: also negative curvature is held when λ > -γ."""
    assert stable_learning_rates(Decay(0.1), np.array([1.0, 3.5])) == [(0.0, 0.5)]
    assert stable_learning_rates(Decay(0.1), np.array([-0.25, 3.5])) == [(0.0, 0.5)]
    assert stable_learning_rates(Decay(0.1), np.array([-0.75, 3.5])) == []
    several = np.linspace(1.0, 3.5, 50)
    assert stable_learning_rates(Decay(0.1), several) == [(0.0, 0.5)]
    assert stable_learning_rates(Decay(0.1), np.array([1.0, 3.5]), between=True) == [(0.0, 0.5)]
    with pytest.raises(NotDerivableError, match="too many eigenvalues"):
        stable_learning_rates(Decay(0.1), np.linspace(1.0, 2.0, 3000))


class TwoBands(Optimizer):
    """x ← (1 - s)(1 - 4s/5) x: stable for small s and again where the second step undoes it."""

    learning_rate: Positive

    def step(self, problem, t, theta):
        middle = theta - self.learning_rate * problem.gradient(theta)
        return middle - 0.15 * self.learning_rate * problem.gradient(middle)


def bands(rates: np.ndarray) -> np.ndarray:
    return np.abs((1 - rates) * (1 - 0.15 * rates)) < 1


def test_several_bands():
    """(1 - s)(1 - 0.15 s) leaves the unit interval and comes back."""
    intervals = stable_learning_rates(TwoBands(0.1), ONE)
    assert len(intervals) == 2
    grid = np.linspace(1e-6, 12, 50_001)
    inside = np.zeros(len(grid), dtype=bool)
    for low, high in intervals:
        inside |= (grid > low) & (grid < high)
    assert np.array_equal(inside, bands(grid))
    # two eigenvalues may sit in different bands; everything between them may not
    pair = np.array([1.0, 3.0])
    apart = stable_learning_rates(TwoBands(0.1), pair)
    together = stable_learning_rates(TwoBands(0.1), pair, between=True)
    assert len(apart) > len(together)
    low, high = apart[-1]
    rate = (low + high) / 2
    assert bands(rate * pair).all()
    assert not bands(rate * np.linspace(1.0, 3.0, 200)).all()
    interval = analyze(Spectrum.between(1.0, 3.0), TwoBands(0.1))
    assert interval.stable_learning_rates == together


def test_sets_as_sympy():
    analysis = analyze(Spectrum.from_eigenvalues([1.0]), TwoBands(0.1))
    found = analysis.stability_set
    assert found.contains(0.5) == sympy.true
    assert found.contains(3.0) == sympy.false
    assert isinstance(found, sympy.Union)
    assert "cup" in analysis.latex()
    never = analyze(Spectrum.from_eigenvalues([-1.0]), GradientDescent(0.1))
    assert never.stability_set == sympy.S.EmptySet
    assert never.stability_limit is None
    always = analyze(Spectrum.from_eigenvalues([0.0]), GradientDescent(0.1))
    assert always.stability_set.sup == sympy.oo
    assert always.stability_limit == math.inf


def test_what_has_no_stable_set():
    class NoRate(Optimizer):
        pace: Positive

        def step(self, problem, t, theta):
            return theta - self.pace * problem.gradient(theta)

    class Root(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta - ops.sqrt(self.learning_rate) * problem.gradient(theta)

    class Inverse(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta - problem.gradient(theta) / self.learning_rate

    class Sign(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            return theta - self.learning_rate * ops.sign(problem.gradient(theta))

    with pytest.raises(NotDerivableError, match="no field called learning_rate"):
        stable_learning_rates(NoRate(0.1), ONE)
    for cls in (Root, Inverse):
        with pytest.raises(NotDerivableError, match=cls.__name__):
            stable_learning_rates(cls(0.1), ONE)
    with pytest.raises(NotDerivableError, match="not linear"):
        stable_learning_rates(Sign(0.1), ONE)


def test_borders_are_exact_to_the_last_bit():
    """The supremum is 2/λ rounded: neither side of it is lost."""
    for value in (3.0, 0.1, 7.7, 1e-300, 1e300):
        ((_, high),) = stable_learning_rates(GradientDescent(0.1), np.array([value]))
        assert high == 2 / value


def test_a_condition_that_touches_zero_leaves_one_point_out():
    """x ← (1 - s)² x with a touch: |p| = 1 at s = 2 only; and at s = 1 nothing happens."""

    class Squared(Optimizer):
        learning_rate: Positive

        def step(self, problem, t, theta):
            middle = theta - self.learning_rate * problem.gradient(theta)
            return middle - self.learning_rate * problem.gradient(middle)

    assert stable_learning_rates(Squared(0.1), ONE) == [(0.0, 2.0)]

    class Folded(Optimizer):
        """x ← (1 - s)(1 - 2s)(1 - s)... touches the border from inside."""

        learning_rate: Positive

        def step(self, problem, t, theta):
            first = theta - 4 * self.learning_rate * problem.gradient(theta)
            return theta + self.learning_rate * problem.gradient(first) * 0 + (first - theta) / 2

    assert stable_learning_rates(Folded(0.1), ONE) == [(0.0, 1.0)]


class Cascade(Optimizer):
    """Four averages, one behind the other; of Jury's conditions the last has degree 48."""

    learning_rate: Positive

    def step(self, problem, t, theta, v, w, x, y):
        gradient = problem.gradient(theta)
        v = 0.5 * v + gradient
        w = 0.4 * w + 0.3 * v
        x = 0.3 * x + 0.2 * w
        y = 0.1 * y + 0.4 * x + w
        return theta - self.learning_rate * (y + v), v, w, x, y


def test_many_slots_are_answered_in_seconds():
    """Companion roots by LAPACK of the matrix written out by hand, on both sides of the border."""
    limit = analyze(Spectrum.between(1.0, 10.0), Cascade(0.01)).stability_limit
    assert limit == pytest.approx(3003 / 12080, rel=1e-14)
    radii = []
    for rate in (0.999 * limit, 1.001 * limit):
        g = np.array([10.0, 0, 0, 0, 0])
        v = g + np.array([0, 0.5, 0, 0, 0])
        w = 0.3 * v + [0, 0, 0.4, 0, 0]
        x = 0.2 * w + [0, 0, 0, 0.3, 0]
        y = 0.4 * x + w + [0, 0, 0, 0, 0.1]
        theta = np.array([1.0, 0, 0, 0, 0]) - rate * (y + v)
        radii.append(np.abs(np.linalg.eigvals([theta, v, w, x, y])).max())
    assert radii[0] < 1 < radii[1]
    assert "numerical" in analyze(Spectrum.between(1.0, 10.0), Cascade(0.01)).explain()
