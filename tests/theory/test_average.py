"""Averages over starts: against runs from every corner of the covariance, exact moments, sums."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.errors import InputError, NotConvexError, NotDerivableError
from convex_analyzer.optimizers import registered
from convex_analyzer.spectra.density import Density
from convex_analyzer.theory import average, laws
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.average import (
    average_limit,
    average_steps_to,
    expected_gap,
    expected_squared_gradient,
)
from convex_analyzer.theory.limits import cg_curve, cg_steps, krylov_bound, krylov_steps
from convex_analyzer.theory.views import worst_average_instance

ALL = registered()

RULES = [
    ca.GradientDescent(0.15),
    ca.HeavyBall(0.1, 0.9),
    ca.Nesterov(0.1, 0.7),
    ALL["QHM"](0.1),
    ALL["TripleMomentum"](0.05, 0.6, 0.5, 0.1),
    ca.HeavyBall(0.1, momentum=schedules.Linear(0.5, 0.9, 40)),
    ALL["Averaged"](ca.GradientDescent(0.1)),
    ALL["Lookahead"](ca.HeavyBall(0.1)),
    ALL["ChebyshevSteps"](0.1, 10.0),
    ALL["WeightDecay"](ca.GradientDescent(0.1), 0.05),
]


def corners(problem, spread):
    """Starts with mean θ* and covariance diag(spread): their mean of a quadratic is exact."""
    root = np.diag(np.sqrt(spread * len(spread)))
    return problem.minimizer + np.concatenate([root, -root])


@each("rule", RULES, ids=str)
def test_the_mean_over_runs(rule):
    values = np.array([0.1, 1.0, 4.0, 10.0])
    problem = ca.Quadratic.diagonal(values, b=[1.0, -2.0, 0.5, 3.0])
    spread = np.array([2.0, 0.5, 1.0, 3.0])
    run = ca.simulate(problem, rule, corners(problem, spread), 60, record="path")
    analysis = analyze(problem, rule)
    steps = np.arange(61)
    gap = (run.loss - problem.minimum).mean(axis=1)
    mean = expected_gap(analysis, steps, 0.5, 2 * spread)
    np.testing.assert_allclose(mean, gap, rtol=1e-9, atol=1e-12)
    slope = (problem.gradient(run.theta) ** 2).sum(axis=-1).mean(axis=1)
    square = expected_squared_gradient(analysis, steps, 0.5, lambda lam: 2 * spread + 0 * lam)
    np.testing.assert_allclose(square, slope, rtol=1e-9, atol=1e-12)


def test_the_mean_of_two_directions():
    rule = analyze(ca.Spectrum.from_eigenvalues([1.0, 4.0]), ca.GradientDescent(0.3))
    assert expected_gap(rule, 3) == pytest.approx(0.0589525, abs=5e-8)
    by_hand = (0.7**6 + 4 * 0.2**6) / 2
    assert expected_gap(rule, 3) == pytest.approx(by_hand, rel=1e-14)


def test_a_rotated_problem_has_the_same_mean():
    rng = np.random.default_rng(1)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    A = (turn * [0.5, 2.0, 5.0]) @ turn.T
    rotated = analyze(ca.Quadratic((A + A.T) / 2, rng.normal(size=3)), ca.HeavyBall(0.2, 0.5))
    plain = analyze(ca.Spectrum.from_eigenvalues([0.5, 2.0, 5.0]), ca.HeavyBall(0.2, 0.5))
    np.testing.assert_allclose(
        expected_gap(rotated, [0, 5, 20]), expected_gap(plain, [0, 5, 20]), rtol=1e-9
    )


def test_flat_and_negative_directions():
    flat = analyze(ca.Spectrum.from_eigenvalues([0.0, 1.0]), ca.GradientDescent(0.5))
    assert expected_gap(flat, 2, weights=lambda lam: 1 / lam) == pytest.approx(0.5 / 16)
    saddle = analyze(ca.Spectrum.from_eigenvalues([-1.0, 1.0]), ca.GradientDescent(0.5))
    assert expected_gap(saddle, 1) == pytest.approx((0.25 - 2.25) / 2)
    drifting = ca.Spectrum.from_eigenvalues([0.0, 1.0], [1.0, 0.0])
    with pytest.raises(InputError, match="falls without end"):
        expected_gap(analyze(drifting, ca.GradientDescent(0.5)), 1)
    with pytest.raises(NotConvexError, match="unbounded below"):
        average_limit(saddle.spectrum, 1)


@pytest.mark.parametrize(
    "rule",
    [
        ca.GradientDescent(1.9),
        ca.GradientDescent(0.3),
        ca.HeavyBall(0.9, 0.9),
        ca.Nesterov(1.0, 0.95),
        ALL["Newton"](),
        ALL["DampedNewton"](0.1),
        ca.GradientDescent(2.2),
    ],
    ids=str,
)
def test_many_eigenvalues_are_compressed_without_a_trace(rule, monkeypatch):
    rng = np.random.default_rng(4)
    for values in (np.sort(rng.uniform(1e-3, 1, 6000)), np.geomspace(1e-9, 1, 6000)):
        analysis = analyze(ca.Spectrum.from_eigenvalues(values), rule)
        weights, k = rng.uniform(size=6000), np.arange(31)
        full = expected_gap(analysis, k, weights=weights)
        monkeypatch.setattr(average, "_BLOCK", 1000)
        np.testing.assert_allclose(expected_gap(analysis, k, weights=weights), full, rtol=1e-11)
        monkeypatch.undo()


def test_divergence_is_infinite_and_not_undefined():
    rule = analyze(ca.Spectrum.from_eigenvalues([1.0, 4.0]), ca.HeavyBall(2.0, 0.5))
    assert expected_gap(rule, 10**6) == math.inf


@each(
    ("arguments", "words"),
    [
        ({"variance": -1.0}, "variance"),
        ({"variance": math.nan}, "variance"),
        ({"weights": [1.0]}, "shape"),
        ({"weights": [1.0, -1.0]}, "at least 0"),
        ({"weights": [1.0, math.inf]}, "finite"),
        ({"weights": Density.marchenko_pastur(0.5, nodes=2)}, "density.spectrum"),
        ({"steps": -1}, "whole numbers"),
    ],
)
def test_bad_input_is_answered_in_words(arguments, words):
    rule = analyze(ca.Spectrum.from_eigenvalues([1.0, 4.0]), ca.GradientDescent(0.3))
    with pytest.raises(InputError, match=words):
        expected_gap(rule, **{"steps": 3, **arguments})


def test_without_eigenvalues_or_linearity_there_is_no_average():
    with pytest.raises(NotDerivableError, match="how often"):
        expected_gap(analyze(ca.Spectrum.between(1.0, 4.0), ca.GradientDescent), 3)
    with pytest.raises(NotDerivableError):
        expected_gap(analyze(ca.Spectrum.from_eigenvalues([1.0, 4.0]), ALL["Adam"]), 3)


@pytest.mark.parametrize(
    "rule",
    [
        ca.GradientDescent(0.15),
        ca.HeavyBall(0.1, 0.9),
        ca.HeavyBall(0.1, momentum=schedules.Linear(0.5, 0.9, 40)),
    ],
    ids=str,
)
def test_counts_are_those_of_a_scan(rule):
    analysis = analyze(ca.Spectrum.from_eigenvalues([0.1, 1.0, 10.0]), rule)
    weights = [5.0, 1.0, 0.1]
    curve = expected_gap(analysis, np.arange(1000), weights=weights)
    first = int(np.flatnonzero(curve <= 1e-6 * curve[0])[0])
    assert average_steps_to(analysis, 1e-6, weights) == first


def test_counts_that_never_come_or_are_zero():
    spectrum = ca.Spectrum.from_eigenvalues([1.0, 4.0])
    assert average_steps_to(analyze(spectrum, ca.GradientDescent(0.6))) is None
    assert average_steps_to(analyze(spectrum, ca.GradientDescent), weights=[0.0, 0.0]) == 0
    residue = analyze(spectrum, ca.GradientDescent(schedules.Exponential(0.1, 0.5)))
    assert average_steps_to(residue, 1e-6) is None


# -- limits on average ----------------------------------------------------------------------------


def test_the_limit_on_average_is_below_every_fixed_method_and_above_adaptive_ones():
    spectrum = ca.Spectrum.from_eigenvalues(np.geomspace(0.1, 10, 12))
    k = np.arange(12)
    wall = average_limit(spectrum, k)
    for rule in (ca.GradientDescent, ca.HeavyBall, ca.Nesterov, ALL["ChebyshevSteps"](0.1, 10.0)):
        assert np.all(expected_gap(analyze(spectrum, rule), k) >= wall * (1 - 1e-9))
    rng = np.random.default_rng(2)
    mean = np.mean([cg_curve(spectrum, rng.normal(size=12), k) for _ in range(200)], axis=0)
    assert np.all(mean[2:10] < wall[2:10])
    assert average_limit(spectrum, 12) == 0.0


def moment(ratio, order):
    """The exact moment of the Marchenko–Pastur law, by Narayana numbers."""
    r = Fraction(ratio)
    return sum(
        Fraction(math.comb(order, j) * math.comb(order - 1, j), j + 1) * r**j for j in range(order)
    )


@pytest.mark.parametrize("ratio", ["1/4", "1", "3"])
def test_the_limit_of_marchenko_and_pastur_from_exact_moments(ratio):
    """½ min ∫ λ p² is ½ over the corner of the inverse of the Hankel matrix of moments."""
    import sympy

    for k in range(6):
        hankel = sympy.Matrix(
            k + 1, k + 1, lambda i, j: sympy.Rational(str(moment(ratio, i + j + 1)))
        )
        truth = Fraction(str(1 / (2 * hankel.inv()[0, 0])))
        found = laws.marchenko_pastur_limit(float(Fraction(ratio)), k)
        assert found == pytest.approx(float(truth), rel=1e-13)


def test_the_limit_of_marchenko_and_pastur_in_other_forms():
    k = np.arange(40)
    np.testing.assert_allclose(
        laws.marchenko_pastur_limit(1.0, k), 3 / ((k + 1) * (k + 2) * (2 * k + 3)), rtol=1e-14
    )
    for ratio in (0.3, 1.0, 5.0):
        law = Density.marchenko_pastur(ratio, nodes=60)
        np.testing.assert_allclose(
            average_limit(law.spectrum(), k[:25], weights=law),
            laws.marchenko_pastur_limit(ratio, k[:25]),
            rtol=1e-11,
        )
    np.testing.assert_allclose(
        laws.marchenko_pastur_limit(0.2, k), laws.marchenko_pastur_limit(5.0, k), rtol=1e-13
    )
    for ratio in (1 + 1e-9, 1.0001, 1.1):  # the series and the closed form meet
        with mpmath.workdps(50):
            eta = mpmath.log(mpmath.mpf(ratio)) / 2
            u = [mpmath.sinh(j * eta) / mpmath.sinh(eta) for j in range(1, 202)]
            truth = [float(1 / (2 * mpmath.fsum(x * x for x in u[: n + 1]))) for n in (3, 20, 200)]
        np.testing.assert_allclose(
            laws.marchenko_pastur_limit(ratio, [3, 20, 200]), truth, rtol=1e-12
        )
    assert laws.marchenko_pastur_limit(0.5, 10**6) == 0.0


def test_a_large_draw_is_near_the_limit():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(600, 600))
    spectrum = ca.Spectrum.from_eigenvalues(np.linalg.eigvalsh(X.T @ X / 600))
    start = rng.normal(size=600)
    k = np.array([1, 3, 10])
    np.testing.assert_allclose(
        cg_curve(spectrum, start, k) / 600, laws.marchenko_pastur_limit(1.0, k), rtol=0.21
    )


@each(("ratio", "rate"), [("1", "1/4"), ("1", "1/5"), ("1/2", "1/3"), ("2", "1/5")])
def test_gradient_descent_on_the_law_from_exact_moments(ratio, rate):
    alpha = Fraction(rate)
    for k in (0, 1, 4, 9):
        truth = sum(
            math.comb(2 * k, j) * (-alpha) ** j * moment(ratio, j + 1) for j in range(2 * k + 1)
        )
        found = laws.marchenko_pastur_gap(float(Fraction(ratio)), float(alpha), k, 2.0)
        assert found == pytest.approx(float(truth), rel=1e-11)


def test_phases_of_gradient_descent_on_the_law():
    """Sublinear k^(-3/2) for r = 1; ρ²ᵏ k^(-3/2) for r < 1."""
    k = np.array([10**3, 10**6, 10**9])
    sublinear = laws.marchenko_pastur_gap(1.0, 0.25, k) / (2 / math.sqrt(math.pi) * (2 * k) ** -1.5)
    np.testing.assert_allclose(sublinear, 1, rtol=5 / k[0])
    assert sublinear[-1] == pytest.approx(1, rel=1e-6)
    low = (1 - math.sqrt(0.5)) ** 2
    gaps = laws.marchenko_pastur_gap(0.5, 0.3, np.array([400, 800]))
    slope = math.log(gaps[1] / gaps[0]) - 800 * math.log1p(-0.3 * low)
    assert slope / math.log(2) == pytest.approx(-1.5, abs=0.05)


def test_any_rule_on_the_law():
    """Heavy ball on the law, against a plain recursion over the nodes."""
    law = Density.marchenko_pastur(0.5, nodes=60)
    found = expected_gap(analyze(law.spectrum(), ca.HeavyBall(0.3, 0.5)), 20, weights=law)
    now, before = np.ones(60), np.ones(60)
    for _ in range(20):
        now, before = now - 0.3 * law.nodes * now + 0.5 * (now - before), now
    assert found == pytest.approx((law.weights * law.nodes * now**2).sum() / 2, rel=1e-10)


# -- power laws -----------------------------------------------------------------------------------


def test_the_power_law_against_a_direct_sum():
    index = np.arange(1, 2_000_001, dtype=float)
    lam = index**-1.5
    direct = float(np.sum(lam * index**-1.2 * (1 - lam) ** 2000) / 2)
    assert f"{direct:.3e}" == "5.675e-05"
    assert f"{laws.power_law_gap(1.5, 1.2, 1.0, 1000):.3e}" == "5.679e-05"
    law = Density.power_law(1.5, 1.2, dimension=200_000)
    found = expected_gap(analyze(law.spectrum(), ca.GradientDescent(1.0)), 1000, weights=law)
    shorter = np.sum((lam * index**-1.2 * (1 - lam) ** 2000)[:200_000]) / 2
    assert found == pytest.approx(shorter, rel=1e-10)
    assert found == pytest.approx(direct, rel=1e-5)


@pytest.mark.parametrize(("a", "c"), [(2.0, 0.5), (1.5, 2.5)])
def test_exponents_of_accelerated_and_plain_descent(a, c):
    """The slope of the gap of the rule with (n - 1)/(n + 1), by a plain loop."""
    index = np.arange(1, 20_001, dtype=float)
    lam, weights = index**-a, index**-c
    now = before = plain = np.ones(len(index))
    gaps = {}
    for n in range(1601):
        if n in (400, 1600):
            gaps[n] = [np.sum(lam * weights * x**2) for x in (now, plain)]
        ahead = now + max(0, (n - 1) / (n + 1)) * (now - before)
        now, before, plain = (1 - 0.9 * lam) * ahead, now, (1 - 0.9 * lam) * plain
    slopes = np.log(np.array(gaps[400]) / np.array(gaps[1600])) / math.log(4)
    fast, slow = (laws.power_law_exponent(a, c, accelerated=flag) for flag in (True, False))
    assert slopes == pytest.approx([fast, slow], rel=0.04)


def test_after_the_horizon_the_decay_is_geometric():
    law = Density.power_law(1.0, 1.0, dimension=2000)
    horizon = laws.power_law_horizon(1.0, 2000, 0.5)
    assert horizon == 2000
    rule = analyze(law.spectrum(), ca.GradientDescent(0.5))
    early, late = expected_gap(rule, [horizon / 50, 30 * horizon], weights=law)
    assert early == pytest.approx(laws.power_law_gap(1.0, 1.0, 0.5, horizon / 50), rel=0.1)
    assert late < 1e-6 * laws.power_law_gap(1.0, 1.0, 0.5, 30 * horizon)


@each(
    ("call", "words"),
    [
        (lambda: laws.power_law_gap(1.0, -0.5, 0.5, 10), "exponent \\+ source"),
        (lambda: laws.power_law_gap(1.0, 1.0, 2.5, 10), "learning_rate"),
        (lambda: laws.power_law_gap(1.0, 1.0, 0.5, 0), "at least 1"),
        (lambda: laws.power_law_exponent(-1.0, 3.0), "exponent must be"),
        (lambda: laws.marchenko_pastur_limit(0.0, 1), "ratio must be"),
    ],
    ids=map(str, itertools.count()),
)
def test_laws_refuse_in_words(call, words):
    with pytest.raises(InputError, match=words):
        call()


# -- side by side ---------------------------------------------------------------------------------


def test_worst_average_and_instance_side_by_side():
    spectrum = ca.Spectrum.from_eigenvalues(np.geomspace(1, 100, 20))
    analysis = analyze(spectrum, ca.GradientDescent)
    start = 1 / spectrum.eigenvalues
    views = worst_average_instance(analysis, start, 50)
    names = ["worst case", "average", "limit on average", "this instance", "limit here"]
    assert [view.name for view in views.views] == names
    k = views.steps
    assert (k[0], k[-1]) == (0, 50)
    lam = spectrum.eigenvalues
    factors = (1 - np.outer(np.ones(len(k)), 2 / 101 * lam)) ** (2 * k[:, None])
    truth = {
        "worst case": factors.max(axis=1),
        "average": factors @ lam / lam.sum(),
        "this instance": factors @ (1 / lam) / (1 / lam).sum(),
        "limit here": cg_curve(spectrum, start, k) / (0.5 * (1 / lam).sum()),
        "limit on average": average_limit(spectrum, k) / (lam.sum() / 2),
    }
    for name, curve in truth.items():
        np.testing.assert_allclose(views[name].gap, curve, rtol=1e-9, err_msg=name)
    assert views["worst case"].reached == analysis.steps_to(1e-6)
    assert views["average"].reached == average_steps_to(analysis)
    assert views["this instance"].reached == analysis.steps_to(1e-6, start)
    assert views["limit here"].reached == cg_steps(spectrum, start)
    limit = average_limit(spectrum, np.arange(21))
    assert views["limit on average"].reached == np.flatnonzero(limit <= 1e-6 * limit[0])[0]
    kinds = [(view.kind, view.is_limit) for view in views.views]
    assert kinds == [
        ("exact", False),
        ("exact", False),
        ("numerical", True),
        ("exact", False),
        ("numerical", True),
    ]
    text = str(views)
    assert "steps to 1e−6" in text
    assert text.count("numerical") == 3  # with the legend
    assert repr(views).startswith("<Views GradientDescent(")
    assert "worst case" in str(views["worst case"])
    assert views.to_dict()["views"][0]["name"] == "worst case"
    with pytest.raises(KeyError, match="no view 'best case'"):
        views["best case"]


def test_views_of_a_class_of_problems():
    analysis = analyze(ca.Spectrum.between(1.0, 100.0), ca.HeavyBall)
    views = worst_average_instance(analysis, steps=[1, 16, 80])
    assert [view.name for view in views.views] == ["worst case", "worst-case limit"]
    np.testing.assert_allclose(
        views["worst-case limit"].gap, krylov_bound(1.0, 100.0, [1, 16, 80]) ** 2, rtol=1e-13
    )
    assert np.all(views["worst case"].gap >= views["worst-case limit"].gap * (1 - 1e-9))
    assert views["worst-case limit"].reached == krylov_steps(1.0, 100.0, 1e-6, "gap")
    assert views["worst case"].kind == "numerical"
    with pytest.raises(NotDerivableError, match="leave start out"):
        worst_average_instance(analysis, [1.0, 1.0])


def test_views_of_other_inputs():
    """A rule that changes; a computed spectrum; weights from a density; a start at the minimum."""
    problem = ca.gallery.ravine(condition_number=20)
    changing = analyze(problem, ca.HeavyBall(0.05, momentum=schedules.Linear(0.1, 0.5, 40)))
    views = worst_average_instance(changing, problem.minimizer, [0, 10, 40])
    assert np.all(views["this instance"].gap == 0)
    law = Density.from_function(lambda lam: 0 * lam + 0.5, 1.0, 3.0, nodes=30)
    views = worst_average_instance(analyze(law.spectrum(), ca.GradientDescent), weights=law)
    assert views["average"].kind == "numerical"
    assert views["worst case"].kind == "exact"
    saddle = analyze(ca.Spectrum.from_eigenvalues([-1.0, 1.0]), ca.GradientDescent(0.5))
    with pytest.raises(NotConvexError):
        worst_average_instance(saddle)


def test_the_sublinear_phase_in_words():
    """The exponents against the slope of direct sums; said to be asymptotic."""
    phase = laws.power_law_phase(1.5, 1.2, 1.0, 10_000)
    assert phase.kind == "asymptotic"
    assert phase.exponent == pytest.approx((1.5 + 1.2 - 1) / 1.5)
    law = ca.Density.power_law(1.5, 1.2, 10_000)
    analysis = ca.analyze(law, ca.GradientDescent(1.0))
    early, late = analysis.expected_gap([1000, 4000], weights=law)
    assert math.log(early / late, 4) == pytest.approx(phase.exponent, rel=0.02)
    assert "k^−1.133" in str(phase)
    assert phase.to_dict()["until"] == pytest.approx(phase.until)
