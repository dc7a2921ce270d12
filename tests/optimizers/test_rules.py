"""Each rule against the textbook, written out again: loops, other forms, printed end points."""

from __future__ import annotations

import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.testing import strategy_for
from convex_analyzer.theory.stability import stable_learning_rates
from convex_analyzer.theory.tuning import worst_rate

pytestmark = pytest.mark.survey

DATA = Path(__file__).parents[1] / "data"
TOY = Quadratic.diagonal([0.2, 4.0])
PRINTED = json.loads((DATA / "trajectories.json").read_text())["cases"]
RULES = {
    "gd": lambda c: GradientDescent(c["lr"]),
    "momentum": lambda c: HeavyBall(c["lr"], c["beta"]),
    "nesterov": lambda c: Nesterov(c["lr"], c["beta"]),
}
KNOWN = [name for name, case in PRINTED.items() if case.get("config", {}).get("opt") in RULES]


def test_there_are_printed_end_points_for_all_three_rules():
    assert {PRINTED[name]["config"]["opt"] for name in KNOWN} == set(RULES)


@each("name", KNOWN)
def test_end_points_printed_elsewhere(name):
    """The dataflowr course, Module 4: f = 0.1 x1² + 2 x2² from (-5, -2), 20 steps."""
    case = PRINTED[name]
    rule = RULES[case["config"]["opt"]](case["config"])
    end = simulate(TOY, rule, case["start"], case["steps"]).theta[-1]
    assert end == pytest.approx(case["published_endpoint_6dp"], abs=5.1e-7)
    assert end == pytest.approx(case["rederived_endpoint"], rel=1e-11, abs=1e-13)


@pytest.mark.parametrize("rate", PRINTED["d2l_gd_1d"]["cases"])
def test_gradient_descent_on_a_parabola_as_printed_by_d2l(rate):
    """f = x² from 10, ten steps: 10 (1 - 2η)^10."""
    end = simulate(Quadratic([[2.0]]), GradientDescent(float(rate)), [10.0], 10).theta[-1, 0]
    assert end == pytest.approx(PRINTED["d2l_gd_1d"]["cases"][rate], rel=1e-12)


# -- the forms of THEORY 2.1, as loops ---------------------------------------------------------

A = np.array([[2.0, 0.5], [0.5, 1.0]])
B = np.array([1.0, -1.0])
START = np.array([3.0, -2.0])
STEPS = 30


def gradient(x):
    return A @ x + B


def two_point_form(alpha, mu):
    """(e): θ' = θ - αg + μ(θ - θ_before)."""
    before = x = START
    for _ in range(STEPS):
        before, x = x, x - alpha * gradient(x) + mu * (x - before)
    return x


def buffer_form(alpha, mu):
    """(d): buf = μ buf + g, θ = θ - α buf (torch without dampening)."""
    x, buf = START, np.zeros(2)
    for _ in range(STEPS):
        buf = mu * buf + gradient(x)
        x = x - alpha * buf
    return x


def average_form(alpha, mu):
    """m = μm + (1 - μ)g, θ = θ - α'm with α' = α/(1 - μ)."""
    x, m = START, np.zeros(2)
    for _ in range(STEPS):
        m = mu * m + (1 - mu) * gradient(x)
        x = x - alpha / (1 - mu) * m
    return x


@each("form", [two_point_form, buffer_form, average_form])
@each(("alpha", "mu"), [(0.1, 0.9), (0.3, 0.5), (0.2, 0.0)])
def test_heavy_ball_in_its_other_forms(form, alpha, mu):
    end = simulate(Quadratic(A, B), HeavyBall(alpha, mu), START, STEPS).theta[-1]
    assert end == pytest.approx(form(alpha, mu), rel=1e-12, abs=1e-13)


@each(("alpha", "mu"), [(0.1, 0.9), (0.3, 0.5), (0.2, 0.0), (0.1, -0.3)])
def test_nesterov_in_its_three_sequence_form(alpha, mu):
    """y = x + μ(x - x_before), x' = y - αg(y); the report is x, not the look-ahead point y."""
    before = x = START
    for _ in range(STEPS):
        y = x + mu * (x - before)
        before, x = x, y - alpha * gradient(y)
    end = simulate(Quadratic(A, B), Nesterov(alpha, mu), START, STEPS).theta[-1]
    assert end == pytest.approx(x, rel=1e-12, abs=1e-13)


def test_without_momentum_all_three_are_gradient_descent():
    plain = simulate(Quadratic(A, B), GradientDescent(0.2), START, STEPS).theta
    for rule in (HeavyBall(0.2, 0.0), Nesterov(0.2, 0.0)):
        assert simulate(Quadratic(A, B), rule, START, STEPS).theta == pytest.approx(
            plain, rel=1e-13
        )


def test_nesterov_is_heavy_ball_with_momentum_shrunk_by_curvature():
    """THEORY 2.2: NAG(μ, s) = HB(μ(1 - s), s) on one eigendirection."""
    nesterov = simulate(Quadratic([[1.0]]), Nesterov(0.3, 0.9), [1.0], 40).theta
    heavy = simulate(Quadratic([[1.0]]), HeavyBall(0.3, 0.9 * 0.7), [1.0], 40).theta
    assert nesterov == pytest.approx(heavy, rel=1e-12, abs=1e-15)


def test_published_solutions_of_the_recurrence():
    """THEORY 2.3: two values computed elsewhere, one on a Jordan block."""
    critical = simulate(Quadratic([[1.0]]), HeavyBall(0.01, 0.81), [1.0], 40).theta[-1, 0]
    assert critical == pytest.approx(0.0739044, abs=5e-8)
    swinging = simulate(Quadratic([[1.0]]), HeavyBall(0.3, 0.9), [1.0], 50).theta[-1, 0]
    assert swinging == pytest.approx(-0.0700638, abs=5e-8)


# -- what the classes publish -------------------------------------------------------------------


@given(strategy_for(HeavyBall))
def test_limit_of_heavy_ball(rule):
    derived = stable_learning_rates(rule, np.array([1.0]))
    assert derived == [(0.0, pytest.approx(rule.published_limit(), rel=1e-15))]


@given(st.floats(-1 / 3, 20.0))
def test_limit_of_nesterov(momentum):
    rule = Nesterov(0.1, momentum)
    (_, derived) = stable_learning_rates(rule, np.array([1.0]))[-1]
    assert derived == pytest.approx(rule.published_limit(), rel=1e-15)


def test_nothing_is_published_for_nesterov_below_minus_a_third():
    assert Nesterov(0.1, -0.5).published_limit() is None
    mu = sympy.Symbol("mu")
    symbolic = Nesterov(0.1).unchecked(momentum=mu).published_limit()
    assert sympy.simplify(symbolic - (1 + 1 / (1 + 2 * mu))) == 0


def test_published_optima_in_numbers():
    """THEORY 1.4, 2.6, 2.7 and 2.8."""
    best = GradientDescent.published_optimum(0.37, 11.0, {})
    assert best["learning_rate"] == pytest.approx(0.175901, abs=5e-7)
    best = HeavyBall.published_optimum(1.0, 100.0, {})
    assert best["learning_rate"] == pytest.approx(0.0330579, abs=5e-8)
    assert best["momentum"] == pytest.approx(0.669421, abs=5e-7)
    best = Nesterov.published_optimum(1.0, 100.0, {})
    assert best["learning_rate"] == pytest.approx(0.0132890, abs=5e-8)
    assert best["momentum"] == pytest.approx(0.793275, abs=5e-7)
    best = HeavyBall.published_optimum(1.0, 100.0, {"learning_rate": 0.01})
    assert best["momentum"] == pytest.approx(0.81, rel=1e-12)


@pytest.mark.parametrize("cls", [GradientDescent, HeavyBall, Nesterov])
def test_everything_given_leaves_nothing_to_publish(cls):
    given_all = dict.fromkeys(cls.hyperparameters(), 0.1)
    assert cls.published_optimum(1.0, 10.0, given_all) == {}


def test_where_nothing_is_published():
    assert HeavyBall.published_optimum(1.0, 10.0, {"learning_rate": 0.5}) is None  # αL ≥ 4
    assert Nesterov.published_optimum(1.0, 10.0, {"momentum": 0.5}) is None
    assert Nesterov.published_optimum(1.0, 10.0, {"learning_rate": 0.2}) is None  # α > 4/(3L + m)


@given(st.floats(-0.95, 0.95), st.floats(1.5, 1e4))
def test_best_rate_of_heavy_ball_for_a_given_momentum(momentum, kappa):
    """THEORY 2.8: α = 2(1 + μ)/(m + L); ρ from C = (1 + μ)(L - m)/(L + m); also for μ < 0."""
    best = HeavyBall.published_optimum(1.0, kappa, {"momentum": momentum})
    c = (1 + momentum) * (kappa - 1) / (kappa + 1)
    inside = c**2 - 4 * momentum
    rate = momentum**0.5 if inside <= 0 else (c + inside**0.5) / 2
    rule = HeavyBall(0.1).unchecked(momentum=momentum, **best)
    ends = np.array([1.0, kappa])
    assert worst_rate(rule, ends) == pytest.approx(rate, rel=1e-6)


@given(st.floats(1e-3, 1.0), st.floats(1.5, 1e4))
def test_best_rate_of_nesterov_for_a_given_learning_rate(share, kappa):
    """THEORY 2.8: μ = (1 - √(αm))/(1 + √(αm)), ρ = 1 - √(αm), for α ≤ 4/(3L + m)."""
    alpha = share * 4 / (3 * kappa + 1)
    best = Nesterov.published_optimum(1.0, kappa, {"learning_rate": alpha})
    found = worst_rate(Nesterov(alpha, **best), np.geomspace(1.0, kappa, 50))
    assert found == pytest.approx(1 - alpha**0.5, rel=1e-6)


@given(st.floats(1.0, 1e12))
def test_rates_of_the_published_optima(kappa):
    """(κ-1)/(κ+1), (√κ-1)/(√κ+1) and 1 - 2/√(3κ+1), in 50 digits."""
    with mpmath.workdps(50):
        k = mpmath.mpf(kappa)
        gd = GradientDescent.published_optimum(mpmath.mpf(1), k, {})
        assert abs((1 - gd["learning_rate"]) - (k - 1) / (k + 1)) < mpmath.mpf(10) ** -45
        a, mu = _mp(HeavyBall, k)
        root = (mpmath.sqrt(k) - 1) / (mpmath.sqrt(k) + 1)
        assert abs(mu - root**2) < mpmath.mpf(10) ** -45
        for lam in (1, k):  # double roots at both ends
            assert abs((1 + mu - a * lam) ** 2 - 4 * mu) < mpmath.mpf(10) ** -40
        a, mu = _mp(Nesterov, k)
        rate = 1 - 2 / mpmath.sqrt(3 * k + 1)
        assert abs((1 - mpmath.sqrt(a)) - rate) < mpmath.mpf(10) ** -40


def _mp(cls, kappa):
    """Return the published optimum in multi-precision (square roots through mpmath)."""
    small, large = (mpmath.mpf(1), kappa)
    if cls is HeavyBall:
        low, high = mpmath.sqrt(small), mpmath.sqrt(large)
        alpha, mu = (2 / (low + high)) ** 2, ((high - low) / (high + low)) ** 2
    else:
        root = mpmath.sqrt(3 * large / small + 1)
        alpha, mu = 4 / (3 * large + small), (root - 2) / (root + 2)
    published = cls.published_optimum(float(small), float(large), {})
    assert float(published["learning_rate"]) == pytest.approx(float(alpha), rel=1e-14, abs=0)
    assert float(published["momentum"]) == pytest.approx(float(mu), rel=1e-9, abs=1e-15)
    return alpha, mu
