"""Exact and planned step sizes against closed forms, published rates and brute force."""

from __future__ import annotations

import inspect
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from cases import each
from hypothesis import given
from hypothesis import strategies as st

from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import as_state
from convex_analyzer.optimizers.gradient import (
    SGD,
    ChebyshevSemiIteration,
    ChebyshevSteps,
    ExactLineSearch,
    GradientDescent,
    SilverSteps,
    chebyshev_weights,
    halvings,
)
from convex_analyzer.optimizers.momentum import HeavyBall
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.testing.case import PlainProblem
from convex_analyzer.theory.iteration import linearise

pytestmark = pytest.mark.survey

RHO = 1 + np.sqrt(2.0)


def path(rule, problem, start, steps):
    """Return the points of a plain loop, shape (steps + 1, runs, d)."""
    theta = np.atleast_2d(np.asarray(start, dtype=float))
    state = (theta, *rule.start(problem, theta))
    points = [rule.report(*state)]
    for t in range(1, steps + 1):
        state = as_state(rule, rule.step(problem, t, *state))
        points.append(rule.report(*state))
    return np.array(points)


def polynomials(rule, eigenvalues, steps):
    """Return p_k(λ) for all k, shape (steps + 1, n): the error along each direction from 1."""
    diagonal = PlainProblem(np.diag(eigenvalues), np.zeros(len(eigenvalues)))
    return path(rule, diagonal, np.ones(len(eigenvalues)), steps)[:, 0]


def rotated(eigenvalues, seed=5):
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(eigenvalues),) * 2))
    return (turn * eigenvalues) @ turn.T


def chebyshev_bound(kappa, steps):
    """Return 1/T_k((κ+1)/(κ-1))."""
    return float(1 / mpmath.chebyt(steps, mpmath.mpf(kappa + 1) / (kappa - 1)))


# -- exact line search ---------------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [1.5, 10.0, 1e4])
def test_line_search_zigzags_from_the_worst_start(kappa):
    """x_k = r^k (κ, (-1)^k), r = (κ-1)/(κ+1): Boyd & Vandenberghe (2004), section 9.3.2."""
    problem = PlainProblem(np.diag([1.0, kappa]), [0.0, 0.0])
    points = path(ExactLineSearch(), problem, [kappa, 1.0], 30)[:, 0]
    k = np.arange(31)
    shrunk = ((kappa - 1) / (kappa + 1)) ** k
    expected = np.stack([kappa * shrunk, shrunk * (-1.0) ** k], axis=1)
    assert np.all(np.abs(points - expected) <= 1e-11 * np.abs(expected))


@given(st.integers(0, 10_000))
def test_line_search_stops_at_the_lowest_point_of_its_line(seed):
    """The new gradient is orthogonal to the line; and no step is worse than (κ-1)/(κ+1)."""
    random = np.random.default_rng(seed)
    eigenvalues = random.uniform(0.1, 10.0, 4)
    matrix = rotated(eigenvalues, seed)
    problem = PlainProblem(matrix, matrix @ random.normal(size=4))
    best = -np.linalg.solve(matrix, problem.linear)
    points = path(ExactLineSearch(), problem, random.normal(size=4), 3)[:, 0]
    gradients = problem.gradient(points)
    for before, after in pairwise(gradients):
        assert abs(before @ after) <= 1e-12 * (before @ before)
    errors = points - best
    sizes = np.sqrt(np.einsum("ki,ij,kj->k", errors, matrix, errors))
    kappa = eigenvalues.max() / eigenvalues.min()
    assert np.all(sizes[1:] <= sizes[:-1] * (kappa - 1) / (kappa + 1) * (1 + 1e-9))


def test_line_search_stays_where_there_is_no_lowest_point():
    saddle = PlainProblem(np.diag([1.0, -2.0]), [0.0, 0.0])
    starts = [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]
    end = path(ExactLineSearch(), saddle, starts, 1)[-1]
    assert end.tolist() == [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]


def test_line_search_takes_one_step_when_all_curvatures_agree():
    end = path(ExactLineSearch(), PlainProblem(3 * np.eye(3), np.ones(3)), [5.0, -1.0, 2.0], 1)
    assert end[-1, 0] == pytest.approx(np.full(3, -1 / 3), rel=1e-14)


# -- Chebyshev steps -----------------------------------------------------------------------------

ORDERS = ["leja", "fractal", "ascending", "descending"]


@each("order", ORDERS)
@each(("kappa", "count"), [(1.0, 4), (4.0, 1), (10.0, 8), (100.0, 16)])
def test_a_cycle_shrinks_the_error_by_the_chebyshev_bound(kappa, count, order):
    """Exactly 1/T_n in the worst case, at the ends and at n - 1 points between."""
    eigenvalues = np.geomspace(1.0, kappa, 4001)
    rule = ChebyshevSteps(1.0, kappa, count, order)
    worst = np.abs(polynomials(rule, eigenvalues, count)[-1])
    expected = chebyshev_bound(kappa, count) if kappa > 1 else 0.0
    assert worst.max() == pytest.approx(expected, rel=1e-9, abs=1e-14)
    assert worst[[0, -1]] == pytest.approx([expected, expected], rel=1e-9, abs=1e-14)


def test_the_bound_in_numbers():
    """THEORY 3.2: κ = 100, k = 16."""
    found = polynomials(ChebyshevSteps(1.0, 100.0, 16), np.array([1.0]), 16)[-1, 0]
    assert abs(found) == pytest.approx(0.0805233, abs=5e-8)


def test_cycles_repeat():
    rule = ChebyshevSteps(0.5, 20.0, 5)
    once = polynomials(rule, np.array([0.5, 3.0, 20.0]), 5)[-1]
    assert polynomials(rule, np.array([0.5, 3.0, 20.0]), 15)[-1] == pytest.approx(once**3)
    assert rule.period == rule.cycle == 5
    assert ChebyshevSteps(1.0, 2.0, 1).period == 1
    linearise(ChebyshevSteps(1.0, 2.0, 1), 1.0)  # one step is a constant learning rate


def test_step_sizes_stand_for_the_roots_of_the_published_formula():
    """α_j = 2/(L + m + (L - m) cos((2j - 1)π/(2n))), here with κ = 1e12 in 40 digits."""
    m, largest, count = 1e-12, 1.0, 999
    found = sorted(high * largest + low * m for high, low in chebyshev_weights(count, "leja"))
    with mpmath.workdps(40):
        for j, root in enumerate(reversed(found), 1):
            zero = mpmath.cos((2 * j - 1) * mpmath.pi / (2 * count))
            exact = (largest + mpmath.mpf(m) + (largest - mpmath.mpf(m)) * zero) / 2
            assert abs(root / exact - 1) < 2e-15


@each(
    ("order", "prefix", "suffix"),
    [("leja", 3.0, 3.5), ("fractal", 3.6, 0.0), ("ascending", 0.0, 31.8), ("descending", 31.8, 0)],
)
def test_growth_on_the_way(order, prefix, suffix):
    """THEORY 3.2, κ = 1e4, n = 64: powers of ten by which the start, or early rounding, grows."""
    eigenvalues = np.geomspace(1.0, 1e4, 20_001)
    roots = np.array([high * 1e4 + low for high, low in chebyshev_weights(64, order)])
    sizes = np.log10(np.abs(1 - eigenvalues[:, None] / roots) + 1e-300).cumsum(axis=1)
    sizes = np.concatenate([np.zeros((len(sizes), 1)), sizes], axis=1)
    assert sizes.max() == pytest.approx(prefix, abs=0.05)
    assert (sizes[:, -1:] - sizes).max() == pytest.approx(suffix, abs=0.05)


@each("order", ORDERS)
def test_only_good_orders_survive_rounding(order):
    """THEORY 3.2: after 64 steps .516 of the error is left, unless rounding has taken over."""
    eigenvalues = np.geomspace(1.0, 1e4, 60)
    problem = PlainProblem(rotated(eigenvalues), np.zeros(60))
    start = np.random.default_rng(1).normal(size=60)
    end = path(ChebyshevSteps(1.0, 1e4, 64, order), problem, start, 64)[-1, 0]
    left = np.linalg.norm(end) / np.linalg.norm(start)
    assert left < 0.5162 if order in {"leja", "fractal"} else left > 1e10


def test_the_fractal_order_as_published():
    """Lebedev & Finogenov (1971) for n = 8: 1 8 4 5 2 7 3 6, counting from the longest step."""
    by_length = chebyshev_weights(8, "descending")
    published = [by_length[i - 1] for i in (1, 8, 4, 5, 2, 7, 3, 6)]
    assert list(chebyshev_weights(8, "fractal")) == published


@each("count", [1, 2, 3, 8, 31])
def test_lejas_order_by_its_definition(count):
    roots = [2 * high - 1 for high, _ in chebyshev_weights(count, "leja")]
    assert roots[0] == max(roots)
    for i in range(1, count):
        products = [np.prod(np.abs(root - np.array(roots[:i]))) for root in roots[i:]]
        assert products[0] >= max(products) * (1 - 1e-9)


@each("order", ORDERS)
def test_every_order_uses_every_root_once(order):
    assert sorted(chebyshev_weights(16, order)) == sorted(chebyshev_weights(16, "ascending"))


def test_the_ends_may_be_given_in_either_order():
    eigenvalues = np.linspace(1.0, 9.0, 5)
    once = polynomials(ChebyshevSteps(1.0, 9.0, 6), eigenvalues, 6)[-1]
    assert polynomials(ChebyshevSteps(9.0, 1.0, 6), eigenvalues, 6)[-1] == pytest.approx(
        once, abs=1e-14
    )
    once = polynomials(ChebyshevSemiIteration(1.0, 9.0), eigenvalues, 6)
    assert polynomials(ChebyshevSemiIteration(9.0, 1.0), eigenvalues, 6) == pytest.approx(
        once, abs=1e-14
    )


def test_the_fractal_order_needs_a_power_of_two():
    with pytest.raises(InputError, match=r"steps must be a power of two .* got 12"):
        ChebyshevSteps(1.0, 2.0, 12, "fractal")
    with pytest.raises(InputError, match="order must be one of 'leja', "):
        ChebyshevSteps(1.0, 2.0, 12, "random")


# -- Chebyshev semi-iteration --------------------------------------------------------------------


@pytest.mark.parametrize("kappa", [1.3, 100.0, 1e6])
def test_the_recurrence_attains_the_bound_at_every_step(kappa):
    eigenvalues = np.concatenate([[1.0], np.geomspace(1.0, kappa, 3000), [kappa]])
    worst = np.abs(polynomials(ChebyshevSemiIteration(1.0, kappa), eigenvalues, 40)).max(axis=1)
    expected = [chebyshev_bound(kappa, k) for k in range(41)]
    assert worst == pytest.approx(expected, rel=1e-8, abs=1e-13)


@pytest.mark.parametrize("kappa", [1.3, 100.0, 1e6])
def test_the_recurrence_settles_at_polyaks_heavy_ball(kappa):
    best = HeavyBall.published_optimum(1.0, kappa, {})
    for eigenvalue in (1.0, kappa**0.5, kappa):
        settled = linearise(ChebyshevSemiIteration(1.0, kappa), eigenvalue, t=10**12)
        heavy = linearise(HeavyBall(**best), eigenvalue)
        found, expected = np.array(settled.matrix), np.array(heavy.matrix)
        assert found.astype(float) == pytest.approx(expected.astype(float), rel=1e-13, abs=1e-15)


def test_the_first_step_is_the_best_single_step():
    """ω_1 = 1: gradient descent with 2/(L + m)."""
    problem = PlainProblem(np.diag([1.0, 3.0]), [0.5, -1.0])
    one = path(ChebyshevSemiIteration(1.0, 3.0), problem, [2.0, 1.0], 1)
    assert one == pytest.approx(path(GradientDescent(0.5), problem, [2.0, 1.0], 1))


@pytest.mark.parametrize("cls", [ChebyshevSteps, ChebyshevSemiIteration])
def test_what_is_published_is_the_interval_itself(cls):
    assert cls.published_optimum(2.0, 8.0, {}) == {"smallest": 2.0, "largest": 8.0}
    assert cls.published_optimum(2.0, 8.0, {"largest": 9.0}) == {"smallest": 2.0}


# -- silver steps --------------------------------------------------------------------------------


def silver_sizes(count, largest=1.0):
    """Read the step sizes off runs: along λ the error is multiplied by 1 - αλ."""
    rule, problem = SilverSteps(largest), PlainProblem([[1.0]], [0.0])
    steps = [rule.step(problem, t, np.array([[1.0]])) for t in range(1, count + 1)]
    return 1 - np.array(steps).ravel()


def test_silver_steps_as_published():
    root = np.sqrt(2.0)
    assert silver_sizes(7) == pytest.approx([root, 2, root, 2 + root, root, 2, root], rel=1e-14)
    assert silver_sizes(7, 5.0) == pytest.approx(silver_sizes(7) / 5.0)
    for p in range(1, 9):
        assert silver_sizes(2**p - 1).sum() == pytest.approx(RHO**p - 1, rel=1e-12)


def silver_bound(p):
    """Return the bound on (J - J*)/(L R²) after 2^p - 1 steps: Altschuler & Parrilo (2025)."""
    return 1 / (1 + np.sqrt(4 * RHO ** (2 * p) - 3))


@pytest.mark.parametrize("p", range(1, 8))
def test_silver_steps_keep_their_bound_on_quadratics(p):
    eigenvalues = np.linspace(0.0, 1.0, 200_001)[1:]
    error = np.prod(1 - eigenvalues[:, None] * silver_sizes(2**p - 1), axis=1)
    assert np.abs(error).max() <= 1 + 1e-12
    worst = (eigenvalues * error**2).max() / 2
    assert silver_bound(p) / 6 < worst < silver_bound(p)
    if p == 4:
        assert worst == pytest.approx(2.725e-3, abs=5e-7)  # THEORY 3.5


class Huber:
    """Curvature 1 near the minimum, a straight line beyond: the hardest convex functions."""

    def __init__(self, width):
        self.width = width

    def gradient(self, theta):
        return np.clip(theta, -self.width, self.width)

    def value(self, theta):
        size = np.abs(theta)
        bent = np.minimum(size, self.width)
        return bent * (size - bent / 2)


@each("p", range(1, 8))
def test_silver_steps_keep_their_bound_on_convex_functions(p):
    """From 1, with width 1/(1 + 2Σα), the run ends on the line with J = 1/(2 (1 + 2Σα))."""
    total = RHO**p - 1
    worst = 0.0
    for width in np.append(np.geomspace(1e-3, 1.0, 200), 1 / (1 + 2 * total)):
        function = Huber(width)
        end = path(SilverSteps(1.0), function, [1.0], 2**p - 1)[-1]
        worst = max(worst, function.value(end).item())
    assert function.value(end).item() == pytest.approx(1 / (2 * (1 + 2 * total)), rel=1e-9)
    assert worst <= silver_bound(p)


def test_the_silver_rate():
    """About n^(-log2 ρ), between gradient descent's 1/n and Nesterov's 1/n²."""
    steps = np.array([2**p - 1 for p in (12, 20)])
    slope = np.diff(np.log([silver_bound(12), silver_bound(20)])) / np.diff(np.log(steps))
    assert slope.item() == pytest.approx(-np.log2(RHO), abs=1e-3)
    assert -np.log2(RHO) == pytest.approx(-1.2716, abs=5e-5)


def test_halvings():
    for t in range(1, 300):
        assert halvings(t) == len(f"{t:b}") - len(f"{t:b}".rstrip("0"))


def test_silver_is_tuned_by_the_largest_eigenvalue():
    assert SilverSteps.published_optimum(1.0, 7.0, {}) == {"largest": 7.0}
    assert SilverSteps.published_optimum(1.0, 7.0, {"largest": 8.0}) == {}


# -- SGD -----------------------------------------------------------------------------------------


def data(rows=24):
    random = np.random.default_rng(3)
    features = random.normal(size=(rows, 3))
    return least_squares(features, features @ [1.0, -2.0, 0.5] + random.normal(size=rows))


def test_sgd_is_the_plain_rule_with_mini_batches():
    rule = SGD(0.1, batch_size=4)
    assert inspect.getattr_static(SGD, "step") is inspect.getattr_static(GradientDescent, "step")
    assert rule.noise.size == 4
    assert SGD(0.1).noise.size == 1
    assert SGD(0.1) != GradientDescent(0.1)
    assert list(SGD.hyperparameters()) == ["learning_rate"]
    for bad in (0, 2.5, "many"):
        with pytest.raises(InputError, match="SGD: batch_size must be a whole number"):
            SGD(0.1, bad)


def test_sgd_with_all_rows_is_gradient_descent():
    problem = data()
    start = np.zeros(3)
    whole = simulate(problem, SGD(0.2, batch_size=24), start, 30).theta
    plain = simulate(problem, GradientDescent(0.2), start, 30).theta
    assert whole == pytest.approx(plain, rel=1e-11, abs=1e-13)
    one = simulate(problem, SGD(0.2), start, 30).theta
    assert np.abs(one - plain).max() > 1e-2


def test_sgd_without_data_says_so():
    with pytest.raises(InputError, match="mini-batches need data"):
        simulate(Quadratic(np.eye(2)), SGD(0.1), [1.0, 1.0], 3)
