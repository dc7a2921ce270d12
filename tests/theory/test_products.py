"""Rules that change from step to step: products of their maps against loops and known products."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.comparison.confirmation import against_products
from convex_analyzer.errors import NotDerivableError
from convex_analyzer.optimizers import registered
from convex_analyzer.theory import counting
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.local import scope_of
from convex_analyzer.theory.products import is_product_of_maps

ALL = registered()
SPECTRUM = ca.Spectrum.from_eigenvalues([0.1, 1.0, 10.0])


def averaged(rule, **values):
    return ALL["Averaged"](rule, **values)


RULES = [
    ca.GradientDescent(schedules.Step(0.15, 0.5, 20)),
    ca.HeavyBall(schedules.Cosine(0.1, 80), momentum=schedules.Linear(0.5, 0.9, 40)),
    averaged(ca.GradientDescent(0.1)),
    ALL["EMA"](ca.HeavyBall(0.1), 0.9),
    ALL["Lookahead"](ca.HeavyBall(0.1)),
    ALL["ChebyshevSteps"](0.1, 10.0),
    ALL["ChebyshevSemiIteration"](0.1, 10.0),
    ALL["SilverSteps"](10.0),
    ALL["AveragedSGD"](0.1),
    averaged(ALL["Lookahead"](ca.Nesterov(schedules.Exponential(0.05, 0.99), 0.8))),
]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_predictions_are_those_of_a_plain_loop(rule):
    """A rotated problem with a linear term; the loop is NumPy in the original coordinates."""
    rng = np.random.default_rng(3)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    A, b = (turn * [0.1, 1.0, 10.0]) @ turn.T, rng.normal(size=3)
    A = (A + A.T) / 2

    class Plain:
        def gradient(self, x):
            return x @ A + b

    start = rng.normal(size=3)
    state = (start[None], *rule.at(1).start(Plain(), start[None]))
    state = tuple(np.broadcast_to(slot, (1, 3)) for slot in state)
    path = [rule.at(1).report(*state)[0]]
    for t in range(1, 101):
        new = rule.at(t).step(Plain(), t, *state)
        state = new if isinstance(new, tuple) else (new,)
        path.append(rule.at(t).report(*state)[0])
    analysis = analyze(ca.Quadratic(A, b), rule)
    found = analysis.predict(start, np.arange(101))
    assert found == pytest.approx(np.array(path), rel=1e-9, abs=1e-10)
    few = analysis.predict(start, np.array([7, 3, 100]))
    assert few == pytest.approx(found[[7, 3, 100]], rel=1e-14)


def test_chebyshev_steps_reach_the_physical_limit():
    """THEORY 3.2: after k steps the worst error is 2 r^k / (1 + r^2k); κ = 100, k = 16."""
    for order in ("leja", "fractal"):
        rule = ALL["ChebyshevSteps"](1.0, 100.0, 16, order)
        found = analyze(ca.Spectrum.between(1.0, 100.0), rule)
        assert found.scope == "periodic"
        assert float(found.worst_error(np.array([16]))[0]) == pytest.approx(0.0805233, rel=1e-6)
        assert found.rate == pytest.approx(0.0805233 ** (1 / 16), rel=1e-7)


def test_inverse_time_decay_is_a_quotient_of_gamma_functions():
    """THEORY 3.7: α_j λ = c/(j + k₀)."""
    c, k0, steps = 0.7, 2, 500
    rule = ca.GradientDescent(schedules.InverseTime(c / (1 + k0), 1 / (1 + k0)))
    found = analyze(ca.Spectrum.from_eigenvalues([1.0]), rule).predict([1.0], steps)[0]
    g = mpmath.gamma
    exact = g(steps + k0 + 1 - c) * g(k0 + 1) / (g(k0 + 1 - c) * g(steps + k0 + 1))
    assert found == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.survey
def test_exponential_decay_leaves_a_residue():
    """THEORY 3.7: s₀ = 0.5, q = 0.9 leaves the factor 2.79e-3, for ever."""
    rule = ca.GradientDescent(schedules.Exponential(0.5, 0.9))
    analysis = analyze(ca.Spectrum.from_eigenvalues([1.0]), rule)
    assert analysis.predict([1.0], 2000)[0] == pytest.approx(float(mpmath.qp(0.5, 0.9)), rel=1e-12)
    assert analysis.predict([1.0], 2000)[0] == pytest.approx(2.79e-3, rel=2e-3)


def test_the_average_of_gradient_descent():
    """x_0 q (1 - q^K)/(K (1 - q))."""
    q, steps = 0.9, 40
    found = analyze(ca.Spectrum.from_eigenvalues([1.0]), averaged(ca.GradientDescent(0.1)))
    exact = q * (1 - q**steps) / (steps * (1 - q))
    assert found.predict([1.0], steps)[0] == pytest.approx(exact, rel=1e-13)
    assert found.scope == "product"
    with pytest.raises(NotDerivableError, match="has no rate"):
        _ = found.rate


def test_rates_of_periodic_rules():
    """Lookahead over gradient descent: per period 1 - β + β(1 - αλ)^k."""
    rule = ALL["Lookahead"](ca.GradientDescent(0.1), sync_period=5, slow_step_size=0.5)
    found = analyze(ca.Spectrum.from_eigenvalues([0.3]), rule)
    exact = mpmath.mpf(1) / 2 + (1 - mpmath.mpf(0.1) * mpmath.mpf(0.3)) ** 5 / 2
    assert found.scope == "periodic"
    assert found.rate == pytest.approx(float(exact ** (mpmath.mpf(1) / 5)), rel=1e-15)
    assert found.one_minus_rate == pytest.approx(float(1 - exact ** (mpmath.mpf(1) / 5)), rel=1e-13)


@pytest.mark.survey
def test_counts_with_a_start_and_without(monkeypatch):
    rule = ca.GradientDescent(schedules.Step(0.1, 0.5, 1000))
    plain = analyze(SPECTRUM, ca.GradientDescent(0.1))
    scheduled = analyze(SPECTRUM, rule)
    start = [1.0, 1.0, 1.0]
    assert scheduled.steps_to(1e-3, start) == plain.steps_to(1e-3, start)
    assert scheduled.steps_to(1e-3, start, "norm") == plain.steps_to(1e-3, start, "norm")
    assert scheduled.steps_to(1e-3) == plain.steps_to(1e-3)
    assert scheduled.steps_to(1e-12, start) > plain.steps_to(1e-12, start)
    stuck = analyze(SPECTRUM, ca.GradientDescent(schedules.Exponential(0.01, 0.5)))
    monkeypatch.setattr(counting, "MOST_FACTORS", 4000)
    assert stuck.steps_to(1e-3, start) is None


def test_scopes():
    assert scope_of(ca.HeavyBall(0.1)) == "global"
    assert scope_of(ca.HeavyBall(schedules.Constant(0.1))) == "global"
    assert scope_of(ca.GradientDescent(schedules.Step(0.1, 0.5, 20))) == "product"
    assert scope_of(ALL["Lookahead"](ca.HeavyBall(0.1))) == "periodic"
    assert scope_of(ALL["EMA"](ca.HeavyBall(0.1))) == "asymptotic"
    assert scope_of(ca.Adam()) == "local"
    assert not is_product_of_maps(ca.Adam(schedules.Step(0.1, 0.5, 20)))
    assert not is_product_of_maps(ca.HeavyBall(0.1))


@each("rule", RULES, ids=str)
def test_every_scope_has_words_and_plain_data(rule):
    analysis = analyze(SPECTRUM, rule)
    assert analysis.to_dict()["scope"] == analysis.scope
    assert type(rule).__name__ in analysis.verdict()
    assert analysis.scope in str(analysis.summary())
    assert rule.source in analysis.explain()


@pytest.mark.survey
def test_a_comparison_confirms_what_changes(tmp_path):
    found = ca.compare(
        ca.gallery.ravine(condition_number=100.0, angle=0.6),
        [*RULES[:3], ALL["ChebyshevSteps"](0.1, 10.0, 64, "ascending")],
        steps=150,
    )
    assert [entry.status for entry in found] == ["confirmed"] * 4
    assert found[0].predicted_steps == found[0].simulated_steps
    assert "multiplied out" in found[0].reason
    assert found[3].overshoot > 1e15  # the order in which rounding explodes: still within budget
    assert found.confirmed


def test_a_schedule_that_is_one_step_late_is_refuted():
    spectrum = ca.Spectrum.from_eigenvalues([0.1, 1.0])
    problem, start = ca.Quadratic.diagonal([0.1, 1.0]), np.ones(2)
    on_time = ca.GradientDescent(schedules.MultiStep(0.5, 0.1, [20]))
    late = ca.GradientDescent(schedules.MultiStep(0.5, 0.1, [21]))
    run = ca.simulate(problem, on_time, start, 60, record="path")
    for rule, status in ((on_time, "confirmed"), (late, "refuted")):
        assert against_products(analyze(spectrum, rule), run, start, 1e-6)["status"] == status
