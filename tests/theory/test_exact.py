"""Exact analyses, held against the published optima, mpmath and the float64 theory."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from cases import each

import convex_analyzer as ca
from convex_analyzer.domains import Positive
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers import QHM, TripleMomentum
from convex_analyzer.theory.exact import exact_analysis
from convex_analyzer.theory.plane import plane

KAPPA_100 = ca.Spectrum.between(1, 100)
FIFTH, TINY = sympy.Rational(1, 5), sympy.Rational(1, 10**30)
GOLDEN = ca.Quadratic(sympy.Matrix([[2, 1], [1, 3]]))


class Third(ca.Optimizer):
    """A rule with two memories."""

    learning_rate: Positive

    def step(self, problem, t, theta, velocity, older):
        slow = velocity / 2 + older / 4 - self.learning_rate * problem.gradient(theta)
        return theta + slow, slow, velocity


@each(
    ("rule", "settings", "rate"),
    [
        (ca.GradientDescent, {"learning_rate": "2/101"}, "99/101"),
        (ca.HeavyBall, {"learning_rate": "4/121", "momentum": "81/121"}, "9/11"),
        (ca.Nesterov, {"learning_rate": "4/301"}, "1 - 2/sqrt(301)"),
        (TripleMomentum, {"learning_rate": "19/1000", "momentum": "81/110"}, "9/10"),
    ],
)
def test_published_optima_exactly(rule, settings, rate):
    found = ca.analyze(KAPPA_100, rule).exact()
    assert sympy.simplify(found.rate - sympy.sympify(rate)) == 0
    for name, value in settings.items():
        assert found.settings[name] == sympy.sympify(value)
    assert found.is_stable
    assert found.one_minus_rate + found.rate == 1
    assert float(found.one_minus_rate) == pytest.approx(
        ca.analyze(KAPPA_100, rule).one_minus_rate, rel=1e-14
    )


def test_algebraic_eigenvalues():
    """λ = (5 ∓ √5)/2: Polyak's pair is algebraic, and ρ = √5 - 2 is the cube of 1/φ."""
    analysis = ca.analyze(GOLDEN, ca.HeavyBall)
    found = analysis.exact()
    assert found.rate == sympy.sqrt(5) - 2
    assert found.settings["momentum"] == 9 - 4 * sympy.sqrt(5)
    assert all(a == b for a, b in (d.roots for d in found.directions))  # double roots
    assert analysis.stability_set == sympy.Interval.open(0, 14 - 6 * sympy.sqrt(5))
    given = ca.analyze(GOLDEN, ca.HeavyBall(0.1, 0.5))
    assert given.exact().rate == sympy.sqrt(2) / 2  # under-damped: √μ
    assert given.stability_set.sup.equals(3 / ((5 + sympy.sqrt(5)) / 2))


@pytest.mark.parametrize(
    "rule", [ca.GradientDescent(0.13), ca.HeavyBall(0.1, 0.9), ca.Nesterov(0.1, 0.9), QHM(0.1)]
)
def test_residuals_and_counts_against_float64(rule):
    values = [Fraction(1, 2), 3, 7]
    exact = exact_analysis(values, rule)
    analysis = ca.analyze(ca.Spectrum.from_eigenvalues([float(v) for v in values]), rule)
    curves = np.array([[float(x) for x in d.residuals(30)] for d in exact.directions])
    np.testing.assert_allclose(
        np.abs(curves).max(axis=0), analysis.worst_error(np.arange(31)), rtol=1e-11
    )
    assert exact.steps_to(0.01) == analysis.steps_to(0.01, criterion="norm")
    assert float(exact.rate) == pytest.approx(analysis.rate, rel=1e-13)


def test_three_slots_have_algebraic_roots():
    """An average of iterates beside a momentum method: rational settings, roots of a cubic."""

    found = exact_analysis([1, 2], Third(0.5))
    for direction in found.directions:
        assert len(direction.roots) == 3
        numbers = np.roots([float(c) for c in direction.polynomial])
        assert float(direction.rate.evalf(30)) == pytest.approx(np.abs(numbers).max(), rel=1e-12)


def test_outcomes_are_decided_without_rounding():
    assert exact_analysis([1, 10], ca.GradientDescent(0.2)).outcome == "marginal"
    just_above = exact_analysis([1, 10], ca.GradientDescent(FIFTH + TINY))
    assert just_above.outcome == "unstable"
    just_below = exact_analysis([1, 10], ca.GradientDescent(FIFTH - TINY))
    assert just_below.outcome == "stable"
    with pytest.raises(NotDerivableError, match="needs more than 1000 steps"):
        just_below.steps_to(0.5)
    with pytest.raises(NotDerivableError, match="never gets there"):
        just_above.steps_to(0.5)


def test_what_is_not_exact_is_said():
    computed = ca.spectrum(ca.Quadratic([[2.0, 1.0], [1.0, 3.0]]))
    with pytest.raises(NotDerivableError, match="were computed"):
        exact_analysis(computed, ca.GradientDescent)
    with pytest.raises(NotDerivableError, match="closed form"):
        exact_analysis([1, 2], Third)
    with pytest.raises(InputError, match="other than zero"):
        exact_analysis([0, 0], ca.GradientDescent(0.1))
    with pytest.raises(InputError, match="too many"):
        exact_analysis(range(1, 60), ca.GradientDescent(0.01))
    with pytest.raises(NotDerivableError, match="not linear"):
        exact_analysis([1, 2], ca.RMSProp(0.1))
    with pytest.raises(NotDerivableError, match="positive curvature"):
        exact_analysis([-1, -2], ca.GradientDescent)
    with pytest.raises(InputError, match="exact residuals"):
        exact_analysis([1], ca.GradientDescent(0.1)).directions[0].residuals(20_000)


def test_words_and_plain_data():
    found = ca.analyze(KAPPA_100, ca.HeavyBall).exact()
    assert "ρ = 9/11 = 0.8181818182; stable" in str(found)
    assert found.to_dict()["rate"] == "9/11"
    assert found.latex().endswith(r"\rho = \frac{9}{11}")
    assert "81/121" in str(found)
    assert "9/11" in str(found.directions[0])
    assert "9/11" in repr(found)


def test_the_border_in_words():
    """A double root drifts, a simple one does not: the explanation tells them apart."""
    words = ca.analyze(ca.Spectrum.from_eigenvalues([1, 4]), ca.HeavyBall(1.0, 1.0)).explain()
    assert "a repeated root −1: the error grows proportionally to k" in words
    assert "a bounded oscillation with a period of 6 steps" in words
    assert "2-cycle" in ca.analyze(ca.Spectrum.between(1, 10), ca.GradientDescent(0.2)).explain()


def test_what_divides_by_the_curvature_has_no_way_down_a_plane():
    with pytest.raises(NotDerivableError, match="a plane has none"):
        plane(ca.Newton())
