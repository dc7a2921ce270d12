"""The worst error over an interval, against critical points found in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.comparison.confirmation import against_bound, measured_gap
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.optimizers import find
from convex_analyzer.theory.suprema import worst_eigenvalues_between, worst_error_between

pytestmark = pytest.mark.survey

INTERVAL = ca.Spectrum.between(1.0, 100.0)


def momentum_polynomial(rate: float, mu: float, n: int, ahead: bool) -> list[Fraction]:
    """Return p_n by the textbook recurrence on exact coefficients, constant term first."""
    alpha, beta = Fraction(rate), Fraction(mu)
    x, v = [Fraction(1)] + [Fraction(0)] * n, [Fraction(0)] * (n + 1)
    for _ in range(n):
        point = [a + beta * b for a, b in zip(x, v, strict=True)] if ahead else x
        bent = [Fraction(0), *point[:-1]]  # times λ
        v = [beta * b - alpha * c for b, c in zip(v, bent, strict=True)]
        x = [a + b for a, b in zip(x, v, strict=True)]
    return x


def maximum(coefficients: list[Fraction], m: float, L: float) -> tuple[float, float]:
    """Return the largest |p| on [m, L], from the roots of p' at 40 digits, and its place."""
    slope = [i * c for i, c in enumerate(coefficients)][1:]
    scaled = [float(c * Fraction(L) ** i) for i, c in enumerate(slope)]  # in λ/L: near one size
    rough = [L * r.real for r in np.roots(scaled[::-1]) if abs(r.imag) < 1e-3]
    with mpmath.workdps(40):
        p, q = ([mpmath.mpf(c.numerator) / c.denominator for c in x] for x in (coefficients, slope))

        def size(place: mpmath.mpf) -> mpmath.mpf:
            return abs(mpmath.polyval(p[::-1], place))

        roots = [mpmath.findroot(lambda x: mpmath.polyval(q[::-1], x), r) for r in rough]
        places = [mpmath.mpf(m), mpmath.mpf(L), *(r for r in roots if m < r < L)]
        best = max(places, key=size)
        grid = mpmath.linspace(m, L, 301)
        assert all(size(place) <= size(best) for place in grid)  # no root of p' was lost
        return float(size(best)), float(best)


@pytest.mark.parametrize(
    "rule", [ca.HeavyBall(0.01, 0.9), ca.Nesterov(0.01, 0.95), ca.HeavyBall(0.02, 0.95)], ids=str
)
def test_the_maximum_is_that_of_the_critical_points(rule):
    analysis, steps = ca.analyze(INTERVAL, rule), [1, 2, 7, 12]
    found = worst_error_between(analysis, steps)
    places = worst_eigenvalues_between(analysis, steps)
    inside = 0
    for n, value, place in zip(steps, found, places, strict=True):
        ahead = isinstance(rule, ca.Nesterov)
        true, where = maximum(
            momentum_polynomial(rule.learning_rate, rule.momentum, n, ahead), 1.0, 100.0
        )
        assert value == pytest.approx(true, rel=1e-13)
        if 1 < where < 100:
            inside += 1
            assert place == pytest.approx(where, rel=1e-5)
    assert inside >= 1  # the ends would not have been enough


@pytest.mark.parametrize("kappa", [10, 100])
def test_tuned_methods_of_the_comparison_with_peers(kappa):
    """Ten steps at the settings of benchmarks/theory_peers.py: at these the ends are the worst."""
    spectrum = ca.Spectrum.between(1.0, kappa)
    for rule, given in [(ca.HeavyBall, {}), (ca.Nesterov, {"learning_rate": 1 / kappa})]:
        analysis = ca.analyze(spectrum, rule, given)
        alpha, mu = analysis.optimizer.learning_rate, analysis.optimizer.momentum
        polynomial = momentum_polynomial(alpha, mu, 10, rule is ca.Nesterov)
        true, where = maximum(polynomial, 1.0, kappa)
        assert where in {1.0, kappa}
        assert worst_error_between(analysis, [10])[0] == pytest.approx(true, rel=1e-13)
        assert analysis.worst_error([10])[0] == pytest.approx(true, rel=1e-13)


def test_chebyshev_steps_ripple_equally():
    """After n planned steps all n + 1 extremes are equal: 1/T_n((κ+1)/(κ-1)), and less is lost."""
    rule = find("ChebyshevSteps")(1.0, 100.0, 8)
    analysis = ca.analyze(INTERVAL, rule)
    sigma = 101 / 99
    bound = 1 / np.cosh(8 * np.arccosh(sigma))
    assert worst_error_between(analysis, [8])[0] == pytest.approx(bound, rel=1e-12)
    halfway = worst_error_between(analysis, [3])[0]
    dense = np.linspace(1, 100, 100_001)
    brute = np.ones_like(dense)
    for t in range(1, 4):
        root = 1 / float(_step_size(rule, t))
        brute *= 1 - dense / root
    assert halfway == pytest.approx(np.abs(brute).max(), rel=1e-9)
    assert halfway >= np.abs(brute).max() * (1 - 1e-14)


def _step_size(rule, t):
    class Slope:
        def gradient(self, theta):
            return theta * 0 + 1.0

    return -rule.step(Slope(), t, np.zeros(1))[0]


def test_monotone_methods_are_worst_at_an_end():
    analysis = ca.analyze(INTERVAL, ca.GradientDescent)
    k = np.array([0, 1, 10, 300, 9000])  # the last beyond the degree that is followed
    assert worst_error_between(analysis, k) == pytest.approx((99 / 101) ** k, rel=1e-12, abs=0)
    point = ca.analyze(ca.Spectrum.between(2.0, 2.0), ca.HeavyBall(0.1, 0.5))
    assert worst_error_between(point, [4]) == pytest.approx(point.worst_error([4]), rel=1e-14)


def test_never_below_the_sampled_worst_case_and_never_far_above():
    """A finite spectrum between the same ends, brute force: no eigenvalue is worse than found."""
    rule = ca.HeavyBall(0.0396, 0.99)
    steps = np.array([5, 60, 197])
    found = worst_error_between(ca.analyze(INTERVAL, rule), steps)
    many = ca.analyze(ca.Spectrum.from_eigenvalues(np.linspace(1, 100, 20_001)), rule)
    sampled = many.worst_error(steps)
    assert np.all(sampled <= found * (1 + 1e-13))
    assert sampled == pytest.approx(found, rel=5e-3)


def test_divergence_and_rules_that_are_no_polynomial():
    unstable = ca.analyze(INTERVAL, ca.GradientDescent(1.0))
    assert worst_error_between(unstable, [1, 1000]) == pytest.approx([99.0, np.inf], rel=1e-14)
    newton = ca.analyze(INTERVAL, find("DampedNewton")(0.5, damping=0.25))
    found = worst_error_between(newton, [3, 0])
    assert found == pytest.approx([0.6**3, 1.0], rel=1e-12)  # at λ = 1
    assert worst_error_between(newton, []).shape == (0,)


def test_what_cannot_be_answered_says_why():
    with pytest.raises(NotDerivableError):
        worst_error_between(ca.analyze(INTERVAL, find("Adam")(0.001)), [3])
    with pytest.raises(InputError, match="whole numbers"):
        worst_error_between(ca.analyze(INTERVAL, ca.GradientDescent), [2.5])


def test_counts_wait_for_the_peak_between_the_samples():
    """A grid of 512 says 862; the gap along λ ≈ 99.93 is below 1 % from step 985 on."""
    analysis = ca.analyze(ca.Spectrum.between(1.0, 100.0), ca.HeavyBall(0.0396, 0.99))
    found = analysis.steps_to(1e-2)
    assert found == 985
    fine = 100 - np.linspace(0, 1.5, 20_001)  # where the worst of all directions lies
    dense = ca.analyze(ca.Spectrum.from_eigenvalues(fine), ca.HeavyBall(0.0396, 0.99))
    before, at = dense.worst_error([found - 1, found])
    assert before > 0.1
    assert at <= 0.1


def test_a_run_between_the_samples_is_no_contradiction():
    """d = 1 at the worst eigenvalue inside: the bound over the interval must hold it."""
    rule = ca.HeavyBall(0.0396, 0.99)
    analysis = ca.analyze(ca.Spectrum.between(1.0, 100.0), rule)
    problem = ca.Quadratic.diagonal([99.933])
    run = ca.simulate(problem, rule, [1.0], 400)
    gap = measured_gap(problem, run)
    assert against_bound(analysis, run, gap)["status"] == "within the bound"
    spoiled = gap.copy()
    spoiled[197] *= 2
    assert against_bound(analysis, run, spoiled)["status"] == "refuted"
