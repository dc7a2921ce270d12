"""Newton's method and its relatives: factors, where they land, what they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.gradient import ExactLineSearch, GradientDescent
from convex_analyzer.optimizers.second_order import (
    DampedNewton,
    LevenbergMarquardt,
    NaturalGradient,
    Newton,
    TruncatedNewton,
)
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.testing import Golden, check_optimizer
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.tuning import worst_rate

START = np.array([2.0, -1.5, 3.0])


def rotated(eigenvalues, seed=0):
    """A problem with these eigenvalues, and b in the range of A."""
    random = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(random.normal(size=(len(eigenvalues),) * 2))
    matrix = (turn * np.asarray(eigenvalues)) @ turn.T
    matrix = (matrix + matrix.T) / 2
    return Quadratic(matrix, matrix @ random.normal(size=len(eigenvalues)))


def path(rule, problem, start=START, steps=25):
    return simulate(problem, rule, start, steps, record="path").theta


CONVEX, SADDLE, HILL = rotated([0.05, 0.4, 2.0]), rotated([-0.3, 0.5, 1.0]), rotated([-3, -2, -1])


# -- Newton -------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", [CONVEX, SADDLE, HILL], ids=["minimum", "saddle", "maximum"])
def test_newton_lands_on_the_critical_point_in_one_step(problem):
    truth = np.linalg.solve(problem.operator.to_dense(), -problem.linear)
    assert path(Newton(), problem, steps=1)[1] == pytest.approx(truth, rel=1e-12, abs=1e-13)


@given(st.floats(0.05, 2.5))
def test_every_direction_of_newton_has_the_same_factor(rate):
    run = path(Newton(rate), SADDLE, steps=20)
    error = run - SADDLE.critical_point
    expected = (1 - rate) ** np.arange(21.0)[:, None] * error[0]
    assert np.max(np.abs(error - expected)) < 1e-11 * max(1.0, abs(1 - rate) ** 20)
    analysis = analyze(CONVEX, Newton(rate))
    assert analysis.rate == pytest.approx(abs(1 - rate), rel=1e-12, abs=1e-15)
    assert analysis.is_stable == (rate < 2)


def test_newton_refuses_a_singular_matrix_and_says_what_to_do():
    flat = Quadratic([[1.0, 1.0], [1.0, 1.0]], [1.0, 1.0])
    with pytest.raises(InputError, match="A is singular, so its inverse is not at hand") as caught:
        simulate(flat, Newton(), [1.0, 2.0], 1)
    assert "DampedNewton" in str(caught.value.hint)
    end = path(DampedNewton(damping=0.1), flat, [1.0, 3.0], 60)[-1]
    assert end == pytest.approx([-1.5, 0.5], rel=1e-12)  # along (1, -1) it stays


def test_a_matrix_too_large_to_decompose_points_to_products():
    large = Quadratic.diagonal(np.linspace(1, 2, 5000), np.ones(5000))
    with pytest.raises(InputError, match="too large") as caught:
        simulate(large, Newton(), np.zeros(5000), 1)
    assert "TruncatedNewton" in str(caught.value.hint)
    end = simulate(large, TruncatedNewton(), np.zeros(5000), 10).theta[-1]
    assert end == pytest.approx(-1 / np.linspace(1, 2, 5000), rel=1e-11)


# -- damped inverses ----------------------------------------------------------------------------


def test_damped_inverses_against_solving():
    problem, vectors = SADDLE, np.random.default_rng(1).normal(size=(4, 3))
    damping = np.array([[0.0], [0.1], [0.7], [100.0]])
    matrix = problem.operator.to_dense()
    truth = [
        np.linalg.solve(matrix + tau * np.eye(3), v)
        for tau, v in zip(damping[:, 0], vectors, strict=True)
    ]
    for given_as in (damping, damping.repeat(3, axis=1)):
        found = problem.inverse_hessian_vector(None, vectors, given_as)
        assert found == pytest.approx(np.array(truth), rel=1e-11)
    one = problem.inverse_hessian_vector(None, vectors, 0.1)
    assert one[1] == pytest.approx(truth[1], rel=1e-12)


def test_a_small_damping_of_a_singular_matrix_means_what_it_says():
    """(A + τI)⁻¹ with τ far below rounding of A: v/(2 + τ) along (1, 1), v/τ along (1, -1)."""
    flat = Quadratic([[1.0, 1.0], [1.0, 1.0]])
    with mpmath.workdps(60):
        solved = mpmath.lu_solve(
            mpmath.matrix([[1, 1], [1, 1]]) + mpmath.mpf(1e-25) * mpmath.eye(2),
            mpmath.matrix([1.0, 0.0]),
        )
    found = flat.inverse_hessian_vector(None, [1.0, 0.0], 1e-25)
    assert found == pytest.approx([float(x) for x in solved], rel=1e-12)


def test_dampings_that_have_no_inverse_are_refused():
    with pytest.raises(InputError, match="plus the damping is singular"):
        Quadratic.diagonal([-0.5, 1.0]).inverse_hessian_vector(None, [1.0, 1.0], 0.5)
    with pytest.raises(InputError, match="A is singular"):
        Quadratic.diagonal([0.0, 1.0]).inverse_hessian_vector(None, [1.0, 1.0], 0.0)
    with pytest.raises(InputError, match="damping differs between coordinates"):
        CONVEX.inverse_hessian_vector(None, np.ones((2, 3)), np.array([[0.1, 0.2, 0.3]] * 2))


def test_one_singular_run_does_not_end_the_others():
    problem = Quadratic.diagonal([-0.5, 1.0])
    vectors, damping = np.ones((3, 2)), np.array([[0.1], [0.5], [1.0]])
    found = problem.inverse_hessian_vector(None, vectors, damping)
    assert found[[0, 2]] == pytest.approx(np.array([[-1 / 0.4, 1 / 1.1], [1 / 0.5, 1 / 2.0]]))
    assert not np.isfinite(found[1]).any()
    runs = simulate(problem, DampedNewton(damping=damping), vectors, 2)
    assert runs.diverged_at.tolist() == [-1, 1, -1]


@given(st.floats(0.1, 3.0), st.floats(0.0, 10.0))
def test_damped_newton_is_gradient_descent_on_another_spectrum(rate, damping):
    """Factors 1 - αλ/(λ + τ)."""
    analysis = analyze(CONVEX, DampedNewton(rate, damping))
    values = np.array([0.05, 0.4, 2.0])
    factors = 1 - rate * values / (values + damping)
    assert analysis.rate == pytest.approx(np.max(np.abs(factors)), rel=1e-10, abs=1e-14)
    run = path(DampedNewton(rate, damping), CONVEX, steps=6)
    vectors = CONVEX.decomposition.eigenvectors
    error = (run - CONVEX.critical_point) @ vectors
    expected = factors ** np.arange(7.0)[:, None] * error[0]
    assert np.max(np.abs(error - expected)) < 1e-11 * max(1.0, np.max(np.abs(factors)) ** 6)


def test_the_two_ends_of_the_damping():
    newton = path(Newton(0.3), CONVEX)
    assert path(DampedNewton(0.3, 0.0), CONVEX) == pytest.approx(newton, rel=1e-12)
    damped = path(DampedNewton(0.3e9, 1e9), CONVEX)
    assert damped == pytest.approx(path(GradientDescent(0.3), CONVEX), rel=1e-7)


@given(st.floats(0.3, 3.0), st.floats(1.5, 1e3))
def test_published_optimum_of_damped_newton_for_a_given_rate(rate, kappa):
    ends = np.array([1.0, kappa])
    best = DampedNewton.published_optimum(1.0, kappa, {"learning_rate": rate})["damping"]
    mine = worst_rate(DampedNewton(rate, best), ends)
    assert (best == 0) == (rate <= 1)
    for other in [*(best * np.geomspace(0.1, 10, 60)), 0.0, 1e-3, 1.0]:
        assert worst_rate(DampedNewton(rate, other), ends) >= mine - 1e-9


def test_published_optimum_of_damped_newton_for_a_given_damping():
    best = DampedNewton.published_optimum(0.05, 2.0, {"damping": 0.3})["learning_rate"]
    low, high = 0.05 / 0.35, 2.0 / 2.3
    assert worst_rate(DampedNewton(best, 0.3), np.array([0.05, 2.0])) == pytest.approx(
        (high - low) / (high + low), rel=1e-10
    )
    given_all = {"damping": 0.3, "learning_rate": 0.2}
    assert DampedNewton.published_optimum(0.05, 2.0, given_all) == {}


# -- natural gradient ---------------------------------------------------------------------------


def test_natural_gradient_against_the_mean_of_squared_scores():
    """F = E[score scoreᵀ], the noise integrated by three Gauss points, exact up to degree 5."""
    random = np.random.default_rng(3)
    X, true, variance = random.normal(size=(12, 3)), np.array([1.0, -2.0, 0.5]), 0.7
    fisher = np.zeros((3, 3))
    for row in X:
        for node, weight in ((-np.sqrt(3), 1 / 6), (0.0, 2 / 3), (np.sqrt(3), 1 / 6)):
            score = node * np.sqrt(variance) * row / variance
            fisher += weight * np.outer(score, score) / len(X)
    problem = least_squares(X, X @ true + random.normal(size=12))
    first = START - 0.3 * np.linalg.solve(fisher, problem.gradient(START))
    rule = NaturalGradient(0.3, noise_variance=variance)
    assert path(rule, problem, steps=1)[1] == pytest.approx(first, rel=1e-12)
    assert path(rule, problem) == pytest.approx(path(Newton(0.3 * variance), problem), rel=1e-12)


def test_published_optima_of_natural_gradient():
    best = NaturalGradient.published_optimum
    assert best(1.0, 9.0, {"noise_variance": 4.0}) == {"learning_rate": 0.25}
    assert best(1.0, 9.0, {"learning_rate": 0.5}) == {"noise_variance": 2.0}
    assert analyze(CONVEX, NaturalGradient(0.25, 4.0)).rate == 0


# -- Levenberg-Marquardt ------------------------------------------------------------------------


@pytest.mark.parametrize(("update", "factor"), [("nielsen", 1 / 3), ("marquardt", 0.1)])
def test_the_error_of_levenberg_marquardt_is_a_product(update, factor):
    """Every step is taken, so τ_k = τ_0 q^k, and a direction shrinks by Π τ_k/(λ + τ_k)."""
    rule = LevenbergMarquardt(5.0, update)
    run = simulate(CONVEX, rule, START, 5, record="path")
    values, vectors = CONVEX.decomposition.eigenvalues, CONVEX.decomposition.eigenvectors
    damping = 5.0 * factor ** np.arange(5)
    expected = np.cumprod(damping[:, None] / (values + damping[:, None]), axis=0)
    error = (run.theta - CONVEX.critical_point) @ vectors
    assert error[1:] / error[0] == pytest.approx(expected, rel=1e-9)
    assert run.state[1] == pytest.approx(np.full(3, 5.0 * factor**5), rel=1e-9)


def test_levenberg_marquardt_never_climbs_and_grows_its_damping_by_powers():
    """Nielsen: after refusals τ x 2, x 4, x 8; the loss never rises, though A is indefinite."""
    problem = Quadratic.diagonal([-1.0, 1.0])
    states = [simulate(problem, LevenbergMarquardt(0.01), [1e-6, 1.0], k).state for k in range(12)]
    losses = [problem.value(state[0]) for state in states]
    assert np.all(np.diff(losses) <= 0)
    assert losses[-1] < losses[0]
    alone = [  # only the negative direction: refused until A + 2τI is positive
        simulate(problem, LevenbergMarquardt(0.01), [1.0, 0.0], k).state for k in range(5)
    ]
    assert [s[1][0] for s in alone] == pytest.approx([0.01, 0.02, 0.08, 0.64, 0.64 / 3])
    assert [s[2][0] for s in alone] == [2, 4, 8, 16, 2]
    marquardt = LevenbergMarquardt(0.01, "marquardt")
    assert marquardt.memory == ("damping", "steepest")
    alone = [simulate(problem, marquardt, [1.0, 0.0], k).state for k in range(4)]
    # at τ = 1 = -λ there is no inverse: refused as well
    assert [s[1][0] for s in alone] == pytest.approx([0.01, 0.1, 1.0, 10.0])


def test_levenberg_marquardt_rests_at_the_minimum():
    for problem in (CONVEX, rotated([0.0, 0.5, 1.5])):
        run = path(LevenbergMarquardt(), problem, steps=200)
        assert np.array_equal(run[40], run[-1])
        assert problem.gradient(run[-1]) == pytest.approx(np.zeros(3), abs=1e-10)
        vectors = problem.decomposition.eigenvectors[:, problem.is_zero_mode]
        assert (run[-1] - run[0]) @ vectors == pytest.approx(0, abs=1e-9)


# -- truncated Newton ---------------------------------------------------------------------------


def test_enough_inner_steps_are_newtons_step():
    two = rotated([0.2, 0.2, 3.0])
    full = TruncatedNewton(inner_steps=2, forcing=0.0)
    assert path(full, two, steps=1)[1] == pytest.approx(two.critical_point, rel=1e-10)
    damped = path(TruncatedNewton(0.7, 0.3, inner_steps=3, forcing=0.0), CONVEX, steps=10)
    assert damped == pytest.approx(path(DampedNewton(0.7, 0.3), CONVEX, steps=10), rel=1e-10)


def test_one_inner_step_is_steepest_descent():
    one = TruncatedNewton(inner_steps=1, forcing=0.0)
    assert path(one, CONVEX) == pytest.approx(path(ExactLineSearch(), CONVEX), rel=1e-10)


def test_the_inner_iteration_ends_at_negative_curvature():
    downhill = Quadratic.diagonal([-1.0, 4.0])
    gradient = downhill.gradient([1.0, 0.1])  # gᵀAg < 0 at once: the step is -g
    assert path(TruncatedNewton(0.5), downhill, [1.0, 0.1], 1)[1] == pytest.approx(
        np.array([1.0, 0.1]) - 0.5 * gradient, rel=1e-14
    )
    one = path(TruncatedNewton(inner_steps=1, forcing=0.0), downhill, [0.5, 1.0], 1)[1]
    more = path(TruncatedNewton(inner_steps=9, forcing=0.0), downhill, [0.5, 1.0], 1)[1]
    assert np.array_equal(one, more)  # the second direction is one of negative curvature


def test_forcing_makes_the_outer_iteration_superlinear():
    """|g⁺| ≤ min(η, √|g|) |g|, the residual of the inner iteration."""
    problem = rotated(np.geomspace(0.01, 1, 30), seed=4)
    run = path(TruncatedNewton(inner_steps=60, forcing=0.5), problem, np.ones(30), 12)
    sizes = np.linalg.norm(problem.gradient(run), axis=1)
    sizes = sizes[sizes > 1e-9]
    assert len(sizes) > 4
    bound = np.minimum(0.5, np.sqrt(sizes[:-1])) * sizes[:-1]
    assert np.all(sizes[1:] <= bound * (1 + 1e-6))


# -- the other conventions through the kit -------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [LevenbergMarquardt(3.0, "marquardt"), TruncatedNewton(inner_steps=2, forcing=0.0)],
    ids=str,
)
def test_every_convention_conforms(rule):
    """The listed defaults are checked elsewhere; here the words and flags that are not."""
    path = Path(__file__).parent / "golden" / f"{type(rule).__name__}.json"
    runs = [
        Golden(**{**entry, "points": {int(k): v for k, v in entry["points"].items()}})
        for entry in json.loads(path.read_text())
    ]
    assert len(check_optimizer(rule, golden=runs).checks) >= 7 + len(runs)
