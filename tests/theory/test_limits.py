"""Limits of Krylov methods: against mpmath, linear programs, and runs."""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest
from cases import each

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.errors import InputError, NotConvexError, NotDerivableError
from convex_analyzer.optimizers import registered
from convex_analyzer.theory import limits, polynomials
from convex_analyzer.theory.analysis import analyze

ALL = registered()


def chebyshev_bound(m, L, k):
    """1/T_k((L + m)/(L - m)) in high precision, from the definition by cosh."""
    with mpmath.workdps(60):
        m, L = mpmath.mpf(m), mpmath.mpf(L)
        return mpmath.sech(k * mpmath.acosh((L + m) / (L - m)))


def smallest_maximum(points, weights, k):
    """min over p(0) = 1 of degree k of max w |p|, by a linear program in the Chebyshev basis."""
    from scipy.optimize import linprog

    top = points.max()
    basis = np.polynomial.chebyshev.chebvander(2 * points / top - 1, k)
    rows = weights[:, None] * basis
    bounded = np.block([[rows, -np.ones((len(points), 1))], [-rows, -np.ones((len(points), 1))]])
    at_zero = np.append(np.polynomial.chebyshev.chebvander(np.array([-1.0]), k)[0], 0)
    cost = np.append(np.zeros(k + 1), 1.0)
    found = linprog(
        cost,
        A_ub=bounded,
        b_ub=np.zeros(2 * len(points)),
        A_eq=at_zero[None],
        b_eq=[1.0],
        bounds=[(None, None)] * (k + 2),
    )
    return found.fun


# -- the worst case -------------------------------------------------------------------------------


@each("L", [1 + 1e-9, 1.5, 10.0, 100.0, 1e6, 1e12])
def test_the_bound_is_that_of_chebyshev(L):
    steps = np.array([0, 1, 2, 7, 16, 1000])
    for k, bound in zip(steps, limits.krylov_bound(1.0, L, steps), strict=True):
        assert bound == pytest.approx(float(chebyshev_bound(1.0, L, int(k))), rel=1e-12, abs=0)
    gap = limits.krylov_bound(1.0, L, steps, "gap")
    np.testing.assert_allclose(gap, limits.krylov_bound(1.0, L, steps) ** 2, rtol=1e-13)
    assert limits.krylov_bound(1.0, L, 0) == 1.0


def test_the_bound_at_a_number():
    assert round(limits.krylov_bound(1.0, 100.0, 16), 7) == 0.0805233


def test_a_million_steps_do_not_underflow_as_logarithms():
    with mpmath.workdps(60):
        truth = mpmath.log(chebyshev_bound(1.0, 100.0, 10**6))
    assert limits.log_krylov_bound(1.0, 100.0, 10**6) == pytest.approx(float(truth), rel=1e-14)
    assert limits.krylov_bound(1.0, 100.0, 10**6) == 0.0
    assert limits.krylov_bound(1.0, 1e14, 10**6) == pytest.approx(
        float(chebyshev_bound(1, 10**14, 10**6)), rel=1e-12
    )


@pytest.mark.parametrize("k", [1, 2, 5])
def test_k_plus_one_eigenvalues_force_the_bound(k):
    m, L = 1.0, 10.0
    extrema = (L + m) / 2 + (L - m) / 2 * np.cos(np.arange(k + 1) * math.pi / k)
    assert smallest_maximum(extrema, np.ones(k + 1), k) == pytest.approx(
        limits.krylov_bound(m, L, k), rel=1e-8
    )


def test_the_ends_of_the_range():
    assert list(limits.krylov_bound(3.0, 3.0, [0, 1, 5])) == [1.0, 0.0, 0.0]
    assert list(limits.krylov_bound(0.0, 3.0, [0, 1, 10**6])) == [1.0, 1.0, 1.0]
    gap = limits.krylov_bound(0.0, 3.0, [0, 1, 4], "gap")
    np.testing.assert_allclose(gap * 3.0 / 2, limits.flat_limit(3.0, [0, 1, 4]), rtol=1e-14)


@each("k", [1, 2, 3, 4, 5])
def test_without_strong_convexity_a_linear_program_agrees(k):
    points = np.sin(np.linspace(0, math.pi / 2, 2501)[1:]) ** 2
    best = smallest_maximum(points, np.sqrt(points), k)
    assert best**2 / 2 == pytest.approx(limits.flat_limit(1.0, k), rel=2e-5)


def test_the_steps_that_reach_it():
    k, L, radius = 6, 4.0, 2.5
    j = np.arange(1, k + 1)
    rates = 1 / (L * np.cos((2 * j - 1) * math.pi / (2 * (2 * k + 1))) ** 2)
    lam = np.linspace(0, L, 200_001)
    gap = lam / 2 * np.prod(1 - np.outer(lam, rates), axis=1) ** 2 * radius**2
    assert gap.max() == pytest.approx(limits.flat_limit(L, k, radius), rel=1e-7)


@each("k", [0, 1, 3, 50])
def test_the_worst_gap_of_gradient_descent_without_strong_convexity(k):
    lam = np.linspace(0, 2.0, 400_001)
    gap = lam / 2 * (1 - lam / 2.0) ** (2 * k) * 9
    assert limits.flat_gap_of_gradient_descent(2.0, k, 3.0) == pytest.approx(gap.max(), rel=1e-8)


def test_gradient_descent_at_fifty_steps():
    assert f"{limits.flat_gap_of_gradient_descent(1.0, 50):.3e}" == "1.830e-03"
    many = limits.flat_gap_of_gradient_descent(1.0, 10**9) * 2 * math.e * (2e9 + 1)
    assert many == pytest.approx(1.0, rel=1e-8)


def test_steps_of_the_bound():
    """The published column of counts, and both neighbours of every answer."""
    counts = [limits.krylov_steps(1.0, kappa) for kappa in (10.0, 1e2, 1e4, 1e6)]
    assert counts == [23, 73, 726, 7255]
    for m, criterion, tolerance in [(1.0, "gap", 1e-9), (0.0, "gap", 1e-4), (1e-9, "norm", 0.3)]:
        k = limits.krylov_steps(m, 7.0, tolerance, criterion)
        now, before = limits.krylov_bound(m, 7.0, [k, k - 1], criterion)
        assert now <= tolerance < before
    assert limits.krylov_steps(0.0, 1.0) is None
    assert limits.krylov_steps(2.0, 2.0) == 1
    assert limits.krylov_steps(0.0, 1.0, 1e-40, "gap") == pytest.approx(5e19, rel=1e-6)


@each(
    ("call", "words"),
    [
        (lambda: limits.krylov_bound(2.0, 1.0, 1), "0 <= m <= L"),
        (lambda: limits.krylov_bound(-1.0, 1.0, 1), "negative curvature"),
        (lambda: limits.krylov_bound(1.0, math.inf, 1), "0 <= m <= L"),
        (lambda: limits.krylov_bound(1.0, 2.0, 1.5), "whole numbers"),
        (lambda: limits.krylov_bound(1.0, 2.0, 1, "loss"), "'norm' or 'gap'"),
        (lambda: limits.flat_limit(0.0, 1), "L must be positive"),
        (lambda: limits.flat_limit(1.0, 1, -1.0), "radius"),
        (lambda: limits.krylov_steps(3.0, 1.0), "0 <= m <= L"),
    ],
    ids=map(str, itertools.count()),
)
def test_bad_input_is_answered_in_words(call, words):
    with pytest.raises(InputError, match=words):
        call()


# -- one instance ---------------------------------------------------------------------------------


def exact_gaps(values, start, most):
    """½ min Σ λ x₀² p(λ)² from the normal equations of the monomials, in 400 digits."""
    with mpmath.workdps(400):
        lam = [mpmath.mpf(float(v)) for v in values]
        w = [v * mpmath.mpf(float(x)) ** 2 for v, x in zip(lam, start, strict=True)]
        moments = [
            mpmath.fsum(a * v**p for a, v in zip(w, lam, strict=True)) for p in range(2 * most + 1)
        ]
        gaps = [float(moments[0] / 2)]
        for k in range(1, most + 1):
            gram = mpmath.matrix(k, k)
            right = mpmath.matrix([moments[i + 1] for i in range(k)])
            for i in range(k):
                for j in range(k):
                    gram[i, j] = moments[i + j + 2]
            solved = mpmath.lu_solve(gram, right)
            gaps.append(float((moments[0] - (right.T * solved)[0]) / 2))
        return np.array(gaps)


@each("kappa", [1e2, 1e8, 1e16])
@each("graded", [False, True])
def test_the_curve_against_many_digits(kappa, graded):
    rng = np.random.default_rng(5)
    values = np.geomspace(1 / kappa, 1.0, 9)
    start = rng.normal(size=9) * (10.0 ** rng.integers(-9, 1, size=9) if graded else 1)
    curve = limits.cg_curve(ca.Spectrum.from_eigenvalues(values), start, np.arange(9))
    np.testing.assert_allclose(curve, exact_gaps(values, start, 8), rtol=1e-12)


def test_the_curve_against_weighted_least_squares():
    rng = np.random.default_rng(6)
    values, start = np.sort(rng.uniform(1, 50, 80)), rng.normal(size=80)
    weights = np.sqrt(values) * start
    curve = limits.cg_curve(ca.Spectrum.from_eigenvalues(values), start, np.arange(16))
    for k in range(1, 16):
        basis = np.polynomial.chebyshev.chebvander((values - 25.5) / 24.5, k - 1)
        columns = (weights * values)[:, None] * basis
        free = np.linalg.lstsq(columns, -weights, rcond=None)[0]
        gap = np.sum((weights + columns @ free) ** 2) / 2
        assert curve[k] == pytest.approx(gap, rel=1e-7)


def test_it_stops_at_the_number_of_distinct_excited_eigenvalues():
    values = [1.0, 2.0, 2.0, 2.0, 7.0, 7.0, 30.0]
    spectrum = ca.Spectrum.from_eigenvalues(values)
    curve = limits.cg_curve(spectrum, np.ones(7), np.arange(7))
    assert np.all(curve[:4] > 1e-4)
    assert np.all(curve[4:] == 0)
    assert limits.cg_steps(spectrum, np.ones(7), 1e-200) == 4
    assert limits.cg_curve(spectrum, np.ones(7), 10**12) == 0.0
    only = np.array([0, 1.0, -3.0, 2.0, 0, 0, 0])
    assert list(limits.cg_curve(spectrum, only, [0, 1])) == [14.0, 0.0]


def test_a_rotated_problem_with_b_has_the_same_curve():
    rng = np.random.default_rng(7)
    values = np.array([1.0, 2.0, 2.0, 2.0, 7.0, 7.0, 30.0])
    turn, _ = np.linalg.qr(rng.normal(size=(7, 7)))
    A, away = (turn * values) @ turn.T, rng.normal(size=7)
    centre = rng.normal(size=7)
    problem = ca.Quadratic((A + A.T) / 2, -A @ centre)
    curve = limits.cg_curve(ca.spectrum(problem), centre + turn @ away, np.arange(6))
    plain = limits.cg_curve(ca.Spectrum.from_eigenvalues(values), away, np.arange(6))
    np.testing.assert_allclose(curve[:4], plain[:4], rtol=1e-9)
    assert np.all(curve[4:] == 0)


def test_flat_directions_are_left_out():
    with_flat = ca.Spectrum.from_eigenvalues([0.0, 1.0, 5.0], [0.0, 1.0, 0.0])
    without = ca.Spectrum.from_eigenvalues([1.0, 5.0], [1.0, 0.0])
    np.testing.assert_array_equal(
        limits.cg_curve(with_flat, [9.0, 2.0, 3.0], [0, 1, 2]),
        limits.cg_curve(without, [2.0, 3.0], [0, 1, 2]),
    )
    assert list(limits.cg_curve(with_flat, [9.0, -1.0, 0.0], [0, 3])) == [0.0, 0.0]


@pytest.mark.parametrize(
    ("spectrum", "error", "words"),
    [
        (ca.Spectrum.from_eigenvalues([-1.0, 2.0]), NotConvexError, "unbounded below"),
        (ca.Spectrum.from_eigenvalues([0.0, 2.0], [1.0, 0.0]), InputError, "falls without end"),
        (ca.Spectrum.between(1.0, 2.0), NotDerivableError, "krylov_bound"),
    ],
)
def test_without_a_minimum_or_an_instance_it_refuses(spectrum, error, words):
    with pytest.raises(error, match=words):
        limits.cg_curve(spectrum, [1.0, 1.0], 3)


RULES = [
    ca.GradientDescent,
    ca.HeavyBall,
    ca.Nesterov,
    ca.GradientDescent(schedules.Cosine(0.15, 30)),
    ALL["ChebyshevSteps"](0.1, 10.0),
    ALL["ChebyshevSemiIteration"](0.1, 10.0),
    ALL["SilverSteps"](10.0),
    ALL["Averaged"](ca.GradientDescent(0.1)),
]


@each("rule", RULES, ids=str)
def test_no_linear_rule_crosses_the_line(rule):
    rng = np.random.default_rng(8)
    spectrum = ca.Spectrum.from_eigenvalues(rng.uniform(0.1, 10, 30))
    start, k = rng.normal(size=30), np.arange(25)
    wall = limits.cg_curve(spectrum, start, k)
    assert np.all(analyze(spectrum, rule).gap(start, k) >= wall * (1 - 1e-10))


def test_conjugate_gradients_run_on_the_line():
    rng = np.random.default_rng(9)
    values, start = rng.uniform(1, 10, 12), rng.normal(size=12)
    problem = ca.Quadratic.diagonal(values)
    run = ca.simulate(problem, ALL["ConjugateGradient"](), start, 6, record="path")
    wall = limits.cg_curve(ca.spectrum(problem), start, np.arange(7))
    np.testing.assert_allclose(run.loss, wall, rtol=1e-9)


def test_a_million_eigenvalues_are_compressed_without_a_trace(monkeypatch):
    rng = np.random.default_rng(10)
    for values in (np.sort(rng.uniform(1e-3, 1, 3000)), np.geomspace(1e-12, 1, 3000)):
        weights = values * rng.normal(size=3000) ** 2
        monkeypatch.setattr(polynomials, "_DIRECT", 10**9)
        full = polynomials.smallest_gaps(values, weights, 40)
        monkeypatch.setattr(polynomials, "_DIRECT", 1000)
        np.testing.assert_allclose(polynomials.smallest_gaps(values, weights, 40), full, rtol=1e-11)


def test_too_many_steps_are_refused_with_an_offer(monkeypatch):
    monkeypatch.setattr(polynomials, "_DIRECT", 10)
    monkeypatch.setattr(polynomials, "_ENTRIES", 1000)
    with pytest.raises(InputError, match="ask for at most"):
        polynomials.smallest_gaps(np.linspace(1, 2, 300), np.ones(300), 200)


# -- distance -------------------------------------------------------------------------------------


def test_distances_of_linear_rules():
    spectrum = ca.Spectrum.from_eigenvalues(np.geomspace(1, 100, 40))
    start = 1 / np.sqrt(spectrum.eigenvalues)
    curve = limits.cg_curve(spectrum, start, np.arange(60))
    best = int(np.flatnonzero(curve <= 1e-6 * curve[0])[0])
    slow, fast = (
        limits.distance_to_limit(analyze(spectrum, rule), start)
        for rule in (ca.GradientDescent, ca.HeavyBall)
    )
    assert slow.limit == fast.limit == best
    assert slow.steps == analyze(spectrum, ca.GradientDescent).steps_to(1e-6, start)
    assert slow.ratio > 5 > fast.ratio > 1
    assert "times the limit" in fast.verdict()
    assert "Krylov limit" in str(fast)


def test_a_diagonal_method_may_cross_and_is_told_apart():
    """Sign descent solves a diagonal problem from (1, ..., 1) in one step."""
    problem = ca.Quadratic.diagonal([1.0, 3.0, 10.0, 40.0])
    run = ca.simulate(problem, ALL["SignSGD"](1.0), np.ones(4), 1, record="path")
    assert run.loss[-1] == 0
    analysis = analyze(problem, ALL["SignSGD"](1.0))
    distance = limits.distance_to_limit(analysis, np.ones(4), steps=1)
    assert distance.limit == 4
    assert distance.ratio == 0.25
    assert "crosses the limit" in distance.verdict()
    assert distance.kind == "simulated"


def test_distances_at_the_ends():
    spectrum = ca.Spectrum.from_eigenvalues([1.0, 4.0])
    never = limits.distance_to_limit(analyze(spectrum, ca.GradientDescent(0.6)), [1.0, 1.0])
    assert never.ratio is None
    assert "never reaches" in never.verdict()
    there = limits.distance_to_limit(analyze(spectrum, ca.GradientDescent), [0.0, 0.0])
    assert (there.steps, there.limit, there.ratio) == (0, 0, 1.0)
    assert there.to_dict()["schema"] == "convex_analyzer.distance_to_limit/1"
    late = limits.DistanceToLimit("rule", 3, 0, 1e-6)
    assert late.ratio == math.inf
