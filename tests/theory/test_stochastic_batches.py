"""Mini-batches: against enumeration of all batches, published limits, and seeds."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer import schedules
from convex_analyzer.errors import InputError, NotDerivableError
from convex_analyzer.noise import MiniBatch
from convex_analyzer.optimizers import registered
from convex_analyzer.theory.analysis import analyze
from convex_analyzer.theory.stochastic import (
    BatchMoments,
    almost_sure_limit,
    batch_stability,
    epoch_factor,
    epoch_spread,
    epoch_variances,
    expected_noisy_gap,
    gaussian_batches,
    gaussian_critical_learning_rate,
    gradient_covariance,
    noise_floor,
    one_step,
)

ALL = registered()
RNG = np.random.default_rng(3)
X = RNG.standard_normal((6, 2)) * [1.5, 0.6]
Y = X @ [1.0, -2.0] + RNG.standard_normal(6)
PROBLEMS = [
    ca.least_squares(X, Y),
    ca.least_squares(X, Y, l2=0.2, intercept=True, loss="rss"),
]


def batches(size, replacement):
    if replacement:
        return list(itertools.product(range(6), repeat=size))
    return list(itertools.combinations(range(6), size))


def gradient_maps(problem, size, replacement):
    """(H_B, c_B) of every batch: its gradient is H_B θ + c_B."""
    penalty = np.full(problem.dimension, problem.l2)
    penalty[: int(problem.intercept)] = 0.0
    found = []
    for rows in batches(size, replacement):
        some, target = problem.X[list(rows)], problem.y[list(rows)]
        weight = problem.factor * 6 / size
        found.append((weight * some.T @ some + np.diag(penalty), -weight * some.T @ target))
    return found


@pytest.mark.parametrize("problem", PROBLEMS, ids=["plain", "ridge with intercept"])
def test_covariance_of_all_batches(problem):
    """5.5: Σ/B with replacement, (N-B)/(N-1) of that without."""
    points = [problem.minimizer, np.arange(1.0, 1 + problem.dimension)]
    for (size, replacement), theta in itertools.product(
        [(1, True), (3, True), (2, False), (6, False)], points
    ):
        gradients = [H @ theta + c for H, c in gradient_maps(problem, size, replacement)]
        np.testing.assert_allclose(np.mean(gradients, axis=0), problem.gradient(theta), atol=1e-9)
        found = gradient_covariance(problem, MiniBatch(size, replacement), theta)
        np.testing.assert_allclose(found, np.cov(np.array(gradients).T, bias=True), atol=1e-10)


CASES = [
    (PROBLEMS[0], ca.GradientDescent(0.2), MiniBatch(1, replacement=True)),
    (PROBLEMS[0], ca.HeavyBall(0.1, 0.6), MiniBatch(2)),
    (PROBLEMS[1], ca.Nesterov(0.01, 0.5), MiniBatch(2, replacement=True)),
    (PROBLEMS[1], ALL["WeightDecay"](ca.HeavyBall(0.02, 0.3), 0.5), MiniBatch(3)),
]


class Batch:
    def __init__(self, H, c):
        self.H, self.c = H, c

    def gradient(self, theta):
        return self.H @ theta + self.c


def affine_step(rule, H, c, slots):
    """The map of (z, 1) under one batch, by running `step` on unit states."""
    d = len(c)
    batch = Batch(H, c)

    def run(z):
        after = rule.step(batch, 1, *z.reshape(slots, d))
        return np.concatenate(after if isinstance(after, tuple) else (after,))

    origin = run(np.zeros(slots * d))
    columns = [run(row) - origin for row in np.eye(slots * d)]
    whole = np.zeros((slots * d + 1, slots * d + 1))
    whole[:-1, :-1], whole[:-1, -1], whole[-1, -1] = np.array(columns).T, origin, 1.0
    return whole


@pytest.mark.parametrize(("problem", "rule", "noise"), CASES, ids=lambda v: str(v)[:30])
def test_second_moments_by_enumeration(problem, rule, noise):
    """5.6, cross term included: E (z,1)(z,1)ᵀ over all batches, step by step and its spectrum."""
    d, slots = problem.dimension, 1 + len(rule.memory)
    maps = [
        affine_step(rule, H, c, slots)
        for H, c in gradient_maps(problem, noise.size, noise.replacement)
    ]
    start = np.linspace(2.0, 3.0, d)
    z = np.concatenate([start, *rule.start(problem, start), [1.0]])
    P, expected = np.outer(z, z), []
    A = np.column_stack([problem.gradient(row) - problem.gradient(0 * row) for row in np.eye(d)])
    report = np.zeros((d, slots * d + 1))  # the reported point, less θ*
    for j, row in enumerate(np.eye(slots * d)):
        report[:, j] = rule.report(*row.reshape(slots, d))
    report[:, -1] = -problem.minimizer
    for _ in range(31):
        expected.append(np.sum(A * (report @ P @ report.T)) / 2)
        P = np.mean([G @ P @ G.T for G in maps], axis=0)
    analysis = analyze(problem, rule)
    moments, k = BatchMoments(problem, rule, noise), np.arange(31.0)
    np.testing.assert_allclose(moments.gaps(start, k), expected, rtol=1e-8)
    inner = [G[:-1, :-1] for G in maps]
    rate = np.abs(np.linalg.eigvals(np.mean([np.kron(G, G) for G in inner], axis=0))).max()
    assert moments.rate == pytest.approx(rate, rel=1e-10)
    late = moments.gaps(start, np.array([1e6]))[0]
    epoch = 10**6 + np.arange(1 if noise.replacement else -(-len(problem.y) // noise.size))
    curve = expected_noisy_gap(analysis, start, epoch, noise, problem)
    floor = noise_floor(analysis, noise, problem)
    stable = batch_stability(problem, rule, noise)
    assert stable.is_stable
    assert stable.excess + floor.bias == pytest.approx(late, rel=1e-8)
    assert floor.value == pytest.approx(curve.mean(), rel=1e-8)  # one floor, whoever asks
    if noise.replacement:
        assert floor.kind == "exact"
        assert floor.value == pytest.approx(late, rel=1e-8)
    else:
        assert floor.kind == "asymptotic"
        assert floor.value < late
    edge = BatchMoments(problem, _at_rate(rule, stable.critical_learning_rate), noise)
    if stable.critical_learning_rate is not None:
        assert edge.rate == pytest.approx(1, abs=1e-9)


def _at_rate(rule, rate):
    return rule if rate is None else rule.replace(learning_rate=rate)


def test_critical_rate_grows_with_the_batch():
    """α_c grows with the batch, up to 2/λmax for all rows; beyond there is no floor."""
    problem = PROBLEMS[0]
    limit = analyze(problem, ca.GradientDescent(0.1)).stability_limit
    for replacement in (True, False):
        found = [
            batch_stability(problem, ca.GradientDescent(0.1), MiniBatch(b, replacement))
            for b in range(1, 7)
        ]
        rates = [one.critical_learning_rate for one in found]
        assert np.all(np.diff(rates) > 0)
        assert rates[-1] <= limit * (1 + 1e-9)
    assert rates[-1] == pytest.approx(limit, rel=1e-9)
    assert found[-1].excess == pytest.approx(0, abs=1e-20)
    one = MiniBatch(1, replacement=True)
    beyond = ca.GradientDescent(0.9 * limit)
    floor = noise_floor(analyze(problem, beyond), one, problem)
    assert floor.value == math.inf
    assert "feeds itself" in floor.words
    worst = batch_stability(problem, beyond, one)
    assert "Unstable in mean square" in str(worst)
    assert json.loads(json.dumps(worst.to_dict()))["excess"] is None
    momentum = batch_stability(problem, ca.HeavyBall(0.1, 0.9), one)
    plain = batch_stability(problem, ca.GradientDescent(0.1), one)
    assert momentum.critical_learning_rate < 0.5 * plain.critical_learning_rate
    h = problem.X[:, 0] ** 2  # one direction: 2a(1-μ²)/(v(1+μ) + a²(1-μ)), THEORY 5.8
    single = ca.least_squares(problem.X[:, :1], problem.y)
    a, v, mu = h.mean(), h.var(), 0.9
    exact = 2 * a * (1 - mu**2) / (v * (1 + mu) + a * a * (1 - mu))
    found = batch_stability(single, ca.HeavyBall(0.1, mu), one)
    assert found.critical_learning_rate == pytest.approx(exact, rel=1e-8)


def test_many_parameters_take_the_noise_at_the_minimiser():
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((300, 40))
    problem = ca.least_squares(wide, wide @ np.ones(40) + rng.standard_normal(300))
    noise, rule = MiniBatch(30, replacement=True), ca.HeavyBall(0.002, 0.5)
    floor = noise_floor(analyze(problem, rule), noise, problem)
    assert floor.kind == "asymptotic"
    assert floor.ratio == pytest.approx(1, rel=0.01)
    with pytest.raises(NotDerivableError, match="32 parameters"):
        BatchMoments(problem, rule, noise)
    small = ca.least_squares(wide[:, :12], problem.y)
    exact = noise_floor(analyze(small, rule), noise, small)
    assert exact.kind == "exact"
    assert exact.value == pytest.approx(exact.first_order, rel=0.02)


def test_runs_on_batches():
    """Seeds: 4000 runs with batches of their own."""
    problem, rule = PROBLEMS[0], ca.HeavyBall(0.1, 0.5)
    noise = MiniBatch(2, replacement=True, independent=True)
    run = ca.simulate(
        problem, rule, np.tile([3.0, 3.0], (4000, 1)), 40, noise=noise, seed=2, record="path"
    )
    losses = run.loss - problem.minimum
    found = expected_noisy_gap(analyze(problem, rule), [3.0, 3.0], np.arange(41), noise, problem)
    error = losses.std(axis=1) / math.sqrt(4000)
    assert np.all(np.abs(found - losses.mean(axis=1)) <= 4 * error + 1e-12)


def test_best_next_step():
    """5.10 on batches: the mean over all of them of the loss after the step."""
    problem, theta = PROBLEMS[0], np.array([2.0, 1.0])
    best = one_step(problem, theta, MiniBatch(2))
    gradients = [H @ theta + c for H, c in gradient_maps(problem, 2, replacement=False)]

    def after(a):
        return np.mean([problem.value(theta - a * g) for g in gradients])

    assert problem.value(theta) - after(best.learning_rate) == pytest.approx(best.decrease)
    assert all(after(best.learning_rate) < after(f * best.learning_rate) for f in (0.99, 1.01))


# -- Gaussian rows -------------------------------------------------------------------------------


def test_gaussian_rows():
    """5.7, 5.8: h, the excess, and the published critical rates."""
    values, a, size, labels = np.array([0.3, 1.0, 2.0]), 0.2, 3, 0.7
    h = a / size * np.sum(values / (2 - a * values * (1 + 1 / size)))
    found = gaussian_batches(ca.GradientDescent(a), values, size, labels)
    assert found.feedback == pytest.approx(h, rel=1e-12)
    assert found.excess == pytest.approx(labels * h / (1 - h) / 2, rel=1e-12)
    assert "Stable in mean square" in str(found)
    mu = 0.8
    w = a * values * (1 + mu) / ((1 - mu) * (2 * (1 + mu) - a * values))
    ball = gaussian_batches(ca.HeavyBall(a, mu), values, 20)
    assert ball.feedback == pytest.approx(np.sum(w / (20 - w)), rel=1e-12)
    assert gaussian_batches(ca.HeavyBall(a, mu), values, 1).excess == math.inf
    assert gaussian_batches(ca.GradientDescent(2.0), values).feedback == math.inf
    critical = gaussian_critical_learning_rate
    assert critical(ca.GradientDescent(0.1), [1.0, 0.3]) == pytest.approx(0.638107, abs=5e-7)
    assert critical(ca.GradientDescent(0.1), [2.0], 4) == pytest.approx(2 * 4 / (2 * 6))
    assert critical(ca.GradientDescent(0.1), [1.0] * 5, 3) == pytest.approx(2 * 3 / 9)
    assert critical(ca.HeavyBall(0.1, 0.9), [1.0]) == pytest.approx(0.0974, abs=5e-5)
    assert critical(ca.GradientDescent(0.1), [1.0]) == pytest.approx(2 / 3)


def test_gaussian_rows_by_moments():
    """The excess of Nesterov, against T on symmetric 2d x 2d matrices with Isserlis' theorem."""
    values, a, mu, size, labels = np.array([0.5, 1.5]), 0.1, 0.5, 2, 0.4
    A, eye = np.diag(values), np.eye(2)
    M = np.block([[eye - a * A, mu * (eye - a * A)], [-a * A, mu * (eye - a * A)]])
    G = np.hstack([eye, mu * eye])  # the gradient is taken at θ + μv
    N = -a * np.vstack([eye, eye])
    P = np.zeros((4, 4))
    for _ in range(3000):
        E = G @ P @ G.T
        spread = (A @ E @ A + A * np.sum(A * E) + labels * A) / size
        P = M @ P @ M.T + N @ spread @ N.T
    found = gaussian_batches(ca.Nesterov(a, mu), values, size, labels)
    assert found.excess == pytest.approx(np.sum(A * P[:2, :2]) / 2, rel=1e-10)


def test_almost_sure_and_mean_square():
    """5.9: 2.42125 against 2/3; between the two nearly all paths converge."""
    limit = almost_sure_limit()
    assert limit == pytest.approx(2.42125, abs=5e-6)
    assert almost_sure_limit(4.0) == pytest.approx(limit / 4)
    squares = np.random.default_rng(4).standard_normal((500, 400)) ** 2
    logs = [np.log(np.abs(1 - a * squares)).sum(axis=1) for a in (1.5, 3.5)]
    assert np.mean(logs[0] < 0) > 0.95
    assert np.mean(logs[1] > 0) > 0.95
    large = almost_sure_limit(1.0, 200)  # many rows: the limit of descent
    assert large == pytest.approx(2, abs=0.05)


def test_epochs_by_enumeration():
    """Additive errors of rows that sum to zero, all 24 orders of an epoch; heavy ball."""
    rows, value, a, mu = np.array([1.0, -2.0, 0.5, 0.5]), 0.7, 0.3, 0.6
    M = np.array([[1 - a * value, mu], [-a * value, mu]])
    for size, sizes in ((1, [1, 1, 1, 1]), (3, [3, 1])):
        ends, curve = np.cumsum([0, *sizes]), [0.0]
        S = np.zeros((2, 2))
        for _ in range(60):  # epochs
            late, seen = np.zeros((2, 2)), np.zeros(len(sizes))
            for order in itertools.permutations(rows):
                power, shift = np.eye(2), np.zeros(2)
                for j, (left, right) in enumerate(itertools.pairwise(ends)):
                    shift = M @ shift - a * np.mean(order[left:right])
                    power = M @ power
                    seen[j] += (power @ S @ power.T + np.outer(shift, shift))[0, 0] / 24
                late += np.outer(shift, shift) / 24
            S = power @ S @ power.T + late
            curve += list(seen)
        analysis = analyze(ca.Quadratic.diagonal([value]), ca.HeavyBall(a, mu))
        found = epoch_spread(analysis, np.array([np.mean(rows**2)]), 4, size)
        assert found[0] == pytest.approx(seen.mean(), rel=1e-10)
        k, one = np.arange(len(curve)), np.array([np.mean(rows**2)])
        by_step = epoch_variances(analysis, one, 4, size, k)[:, 0]
        np.testing.assert_allclose(by_step, curve, rtol=1e-9, atol=1e-15)
    assert epoch_spread(analysis, np.ones(1), 4, 4)[0] == pytest.approx(0, abs=1e-15)
    assert not epoch_variances(analysis, np.ones(1), 1, 1, k).any()


def test_runs_on_epochs():
    """Seeds: the floor of shuffled epochs is far below that of independent batches."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal((40, 2))
    problem = ca.least_squares(data, data.sum(axis=1) + rng.standard_normal(40))
    for rate, below in ((0.06, 0.45), (0.25, 0.95)):
        noise, rule = MiniBatch(4, independent=True), ca.GradientDescent(rate)
        start = np.tile(problem.minimizer, (800, 1))
        run = ca.simulate(problem, rule, start, 200, noise=noise, seed=1, record="path")
        late = (run.loss - problem.minimum)[-10:].mean(axis=0)
        floor = noise_floor(analyze(problem, rule), noise, problem)
        assert floor.value == pytest.approx(late.mean(), rel=0.02, abs=4 * late.std() / 800**0.5)
        assert floor.value < below * batch_stability(problem, rule, noise).excess


def test_epochs():
    """5.13: one factor for every order; the bound of means, and where it fails."""
    squares, rate = [0.9, 0.2, 0.5], 0.8
    factor, bound = epoch_factor(rate, squares)
    for order in itertools.permutations(squares):
        theta = 1.0
        for square in order:
            theta -= rate * square * theta
        assert theta == pytest.approx(factor, rel=1e-14)
    assert factor <= bound == pytest.approx((1 - 0.8 * np.mean(squares)) ** 3)
    assert epoch_factor(1.0, [3.0, 3.0, 0.0]) == (4.0, None)


def test_bad_input():
    problem, rule = PROBLEMS[0], ca.GradientDescent(0.1)
    toy, stepped = analyze(problem, rule), MiniBatch(schedules.Linear(1, 6, 10))
    bare, two, newton = ca.Quadratic.diagonal([1.0]), MiniBatch(2), ALL["Newton"]()
    cases = [
        (lambda: gradient_covariance(problem, MiniBatch(9)), InputError, "larger than the data"),
        (lambda: gradient_covariance(bare, two), InputError, "data"),
        (lambda: noise_floor(toy, stepped, problem), InputError, "schedule"),
        (lambda: batch_stability(problem, newton, two), NotDerivableError, "one gradient"),
        (lambda: batch_stability(bare, rule, two), InputError, "least_squares"),
        (lambda: batch_stability(problem, rule, 3), InputError, "MiniBatch"),
        (lambda: gaussian_batches(ALL["Adam"](0.1), [1.0]), NotDerivableError, "one gradient"),
        (lambda: gaussian_batches(rule, [-1.0]), InputError, "non-negative"),
        (lambda: gaussian_batches(rule, [0.0]), InputError, "no data"),
        (lambda: gaussian_critical_learning_rate(rule, [1.0], 0), InputError, "batch_size"),
        (lambda: epoch_spread(toy, np.ones(2), 4, 5), InputError, "between"),
        (lambda: epoch_factor(1.0, [-1.0]), InputError, "non-negative"),
    ]  # fmt: skip
    for call, error, words in cases:
        with pytest.raises(error, match=words):
            call()
