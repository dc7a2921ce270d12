"""`simulate` against loops written out here: shapes, tiles, records, divergence, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse
from cases import each
from hypothesis import given, settings
from hypothesis import strategies as st

from convex_analyzer.domains import Positive
from convex_analyzer.errors import InputError
from convex_analyzer.optimizers.base import Optimizer
from convex_analyzer.optimizers.gradient import GradientDescent
from convex_analyzer.optimizers.momentum import HeavyBall, Nesterov
from convex_analyzer.problems.least_squares import least_squares
from convex_analyzer.problems.quadratic import Quadratic
from convex_analyzer.simulation import engine, recording
from convex_analyzer.simulation.engine import simulate

RNG = np.random.default_rng(0)
ROOT = RNG.normal(size=(3, 3))
A, B = ROOT @ ROOT.T, RNG.normal(size=3)
PROBLEM = Quadratic(A, B, 2.0)
RULES = [GradientDescent(0.05), HeavyBall(0.05, 0.8), Nesterov(0.05, 0.8)]


def loop(rule, start, steps):
    """One run, written out per rule, without any of the package's machinery."""
    x, v = np.array(start, dtype=float), np.zeros(len(start))
    path = [x]
    for _ in range(steps):
        if isinstance(rule, GradientDescent):
            x = x - rule.learning_rate * (A @ x + B)
        elif isinstance(rule, HeavyBall):
            v = rule.momentum * v - rule.learning_rate * (A @ x + B)
            x = x + v
        else:
            v = rule.momentum * v - rule.learning_rate * (A @ (x + rule.momentum * v) + B)
            x = x + v
        path.append(x)
    return np.array(path)


def losses(path):
    return np.array([0.5 * x @ A @ x + B @ x + 2.0 for x in path])


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_one_run(rule):
    start = [1.0, -2.0, 3.0]
    found = simulate(PROBLEM, rule, start, 50, record="path")
    truth = loop(rule, start, 50)
    assert found.theta == pytest.approx(truth, rel=1e-12, abs=1e-13)
    assert found.loss == pytest.approx(losses(truth), rel=1e-11)
    assert found.theta.shape == (51, 3)
    assert found.loss.shape == (51,)
    assert found.recorded.tolist() == list(range(51))
    assert found.diverged_at is None
    assert not found.has_diverged
    assert len(found.state) == 1 + len(rule.memory)
    assert found.state[0] == pytest.approx(truth[-1], rel=1e-12)
    if rule.memory:
        assert found.state[1] == pytest.approx(truth[-1] - truth[-2], rel=1e-9, abs=1e-13)


@each("rule", RULES, ids=str)
@each("lead", [(1,), (5,), (2, 3), (0,)])
def test_leading_axes_are_runs(rule, lead):
    start = RNG.normal(size=(*lead, 3))
    found = simulate(PROBLEM, rule, start, 20, record="path")
    assert found.theta.shape == (21, *lead, 3)
    assert found.loss.shape == (21, *lead)
    assert found.diverged_at.shape == lead
    assert np.all(found.diverged_at == -1)
    assert found.state[0].shape == (*lead, 3)
    for index in np.ndindex(lead):
        truth = loop(rule, start[index], 20)
        path = found.theta[(slice(None), *index)]
        assert path == pytest.approx(truth, rel=1e-11, abs=1e-12)


def test_settings_per_run_and_their_products_with_starts():
    rates = np.array([[0.01], [0.05], [0.1]])
    found = simulate(PROBLEM, HeavyBall(rates, 0.7), np.ones(3), 30, record="path")
    for j in range(3):
        truth = loop(HeavyBall(float(rates[j, 0]), 0.7), np.ones(3), 30)
        assert found.theta[:, j] == pytest.approx(truth, rel=1e-11, abs=1e-12)
    momenta = np.array([[[0.1]], [[0.9]]])  # (2, 1, 1) against (3, 1): six runs
    grid = simulate(PROBLEM, HeavyBall(rates, momenta), np.ones(3), 30, record="path")
    assert grid.theta.shape == (31, 2, 3, 3)
    for i in range(2):
        for j in range(3):
            truth = loop(HeavyBall(float(rates[j, 0]), float(momenta[i, 0, 0])), np.ones(3), 30)
            assert grid.theta[:, i, j] == pytest.approx(truth, rel=1e-11, abs=1e-12)
    assert simulate(PROBLEM, GradientDescent(np.array([0.05])), np.ones(3), 5).theta.shape == (6, 3)


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_tiles_do_not_change_a_bit(rule, monkeypatch):
    problem = Quadratic.diagonal([0.3, 1.0, 4.0], [1.0, 2.0, 3.0])
    starts = RNG.normal(size=(23, 3))
    rates = rule.learning_rate * (1 + RNG.random((23, 1)))
    rule = rule.replace(learning_rate=rates)
    whole = simulate(problem, rule, starts, 40, record="path")
    monkeypatch.setattr(engine, "TILE_RUNS", 4)
    monkeypatch.setattr(engine, "TILE_ELEMENTS", 4)
    tiled = simulate(problem, rule, starts, 40, record="path")
    assert np.array_equal(whole.theta, tiled.theta)
    assert np.array_equal(whole.loss, tiled.loss)
    for a, b in zip(whole.state, tiled.state, strict=True):
        assert np.array_equal(a, b)
    assert whole == tiled


def test_tiles_of_a_dense_problem(monkeypatch):
    starts = RNG.normal(size=(40, 3))
    whole = simulate(PROBLEM, HeavyBall(0.05), starts, 40, record="path")
    monkeypatch.setattr(engine, "TILE_RUNS", 7)
    monkeypatch.setattr(engine, "TILE_ELEMENTS", 7)
    tiled = simulate(PROBLEM, HeavyBall(0.05), starts, 40, record="path")
    assert tiled.theta == pytest.approx(whole.theta, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("runs", [1, 3])
def test_every_kind_of_problem_runs(runs):
    start = RNG.normal(size=(runs, 3))
    truth = simulate(PROBLEM, HeavyBall(0.05), start, 30).theta
    data = least_squares(np.linalg.cholesky(A).T, np.zeros(3), loss="half_rss")
    kinds = {
        "sparse": Quadratic(scipy.sparse.csr_array(A), B),
        "operator": Quadratic(scipy.sparse.linalg.aslinearoperator(A), B),
    }
    for problem in kinds.values():
        assert simulate(problem, HeavyBall(0.05), start, 30).theta == pytest.approx(
            truth, rel=1e-11
        )
    plain = simulate(Quadratic(A), HeavyBall(0.05), start, 30)
    found = simulate(data, HeavyBall(0.05), start, 30)
    assert found.theta == pytest.approx(plain.theta, rel=1e-10, abs=1e-12)
    assert found.loss == pytest.approx(plain.loss, rel=1e-10, abs=1e-12)
    assert simulate(A, GradientDescent(0.05), start, 3).theta.shape == (4, runs, 3)


def test_a_problem_of_ones_own():
    class Bowl:
        """|x|⁴/4: not a quadratic."""

        dimension = 2

        def gradient(self, theta):
            return theta * (theta**2).sum(axis=-1, keepdims=True)

        def value(self, theta):
            return (theta**2).sum(axis=-1) ** 2 / 4

    found = simulate(Bowl(), GradientDescent(0.1), [1.0, 1.0], 3, record="path")
    x = np.array([1.0, 1.0])
    for k in range(4):
        assert found.theta[k] == pytest.approx(x)
        assert found.loss[k] == pytest.approx((x @ x) ** 2 / 4)
        x = x - 0.1 * x * (x @ x)


# -- what is recorded ----------------------------------------------------------------------------


def test_every_record_mode_tells_the_same_story():
    path = simulate(PROBLEM, Nesterov(0.05), np.ones(3), 100, record="path")
    rows = [0, 1, 7, 64, 99, 100]
    some = simulate(PROBLEM, Nesterov(0.05), np.ones(3), 100, record=rows)
    assert some.recorded.tolist() == rows
    assert np.array_equal(some.theta, path.theta[rows])
    assert np.array_equal(some.loss, path.loss[rows])
    loss = simulate(PROBLEM, Nesterov(0.05), np.ones(3), 100, record="loss")
    assert np.array_equal(loss.loss, path.loss)
    assert np.array_equal(loss.theta, path.theta[-1:])
    auto = simulate(PROBLEM, Nesterov(0.05), np.ones(3), 100)
    assert np.array_equal(auto.theta, path.theta)
    one = simulate(PROBLEM, Nesterov(0.05), np.ones(3), 100, record=[50])
    assert np.array_equal(one.theta, path.theta[50:51])
    assert np.array_equal(one.state[0], path.state[0])
    unsorted = simulate(PROBLEM, Nesterov(0.05), np.ones(3), 100, record=np.array([[7, 0], [7, 1]]))
    assert unsorted.recorded.tolist() == [0, 1, 7]


def test_auto_bounds_what_is_kept(monkeypatch):
    long = simulate(Quadratic.diagonal([1.0]), GradientDescent(0.1), [1.0], 5000)
    assert len(long.recorded) == 1001
    assert (long.recorded[0], long.recorded[-1]) == (0, 5000)
    monkeypatch.setattr(recording, "_AUTO_ELEMENTS", 100)
    short = simulate(Quadratic.diagonal([1.0]), GradientDescent(0.1), np.ones((10, 1)), 5000)
    assert len(short.recorded) == 10
    assert (short.recorded[0], short.recorded[-1]) == (0, 5000)


@given(st.integers(0, 70), st.lists(st.integers(0, 70), min_size=1))
@settings(max_examples=40)
def test_any_rows_of_any_run(steps, rows):
    rows = sorted({row for row in rows if row <= steps} | {0})
    truth = loop(RULES[1], np.ones(3), steps)
    found = simulate(PROBLEM, RULES[1], np.ones(3), steps, record=rows)
    assert found.theta == pytest.approx(truth[rows], rel=1e-11, abs=1e-12)
    assert found.state[0] == pytest.approx(truth[-1], rel=1e-11, abs=1e-12)


def test_no_steps():
    for record in ("auto", "path", "loss", [0]):
        found = simulate(PROBLEM, HeavyBall(0.05), np.ones(3), 0, record=record)
        assert found.recorded.tolist() == [0]
        assert found.theta.tolist() == [[1.0, 1.0, 1.0]]
        assert found.loss == pytest.approx(losses([np.ones(3)]))
        assert found.state[1].tolist() == [0.0, 0.0, 0.0]


def test_progress_adds_up():
    for steps, record in ((100, "path"), (100, [100]), (7, "loss"), (64, "auto")):
        told = []
        simulate(PROBLEM, HeavyBall(0.05), np.ones(3), steps, record=record, progress=told.append)
        assert sum(told) == steps


class Shifted(Optimizer):
    """Reports another point than theta, and counts its steps in its memory."""

    learning_rate: Positive
    period = None

    def start(self, problem, theta):
        return (theta * 0 + 5.0,)

    def step(self, problem, t, theta, counter):
        return theta - self.learning_rate * problem.gradient(theta), counter + t

    def report(self, theta, counter):
        return theta + counter


def test_reports_starts_and_the_step_index():
    found = simulate(Quadratic.diagonal([1.0]), Shifted(0.5), [8.0], 4, record="path")
    assert found.theta[:, 0].tolist() == [8 + 5, 4 + 6, 2 + 8, 1 + 11, 0.5 + 15]
    assert found.loss == pytest.approx(found.theta[:, 0] ** 2 / 2)  # of what is reported
    assert found.state[0].tolist() == [0.5]
    assert found.state[1].tolist() == [15.0]


# -- divergence ----------------------------------------------------------------------------------


def test_divergence_is_located_exactly():
    """x_k = (-9)^k: beyond 1e150 from k = 158 on."""
    expected = math.ceil(150 / math.log10(9))
    for record in ("path", "auto", [0, 100, expected - 1, expected, 500]):
        found = simulate(
            Quadratic.diagonal([1.0]), GradientDescent(10.0), [1.0], 1000, record=record
        )
        assert found.diverged_at == expected
        assert found.has_diverged
        late = found.recorded >= expected
        assert np.isnan(found.theta[late]).all()
        assert np.isinf(found.loss[late]).all()
        assert np.isfinite(found.theta[~late]).all()
        assert np.isfinite(found.loss[~late]).all()
        last = found.recorded[~late][-1]
        assert found.theta[~late][-1, 0] == pytest.approx((-9.0) ** int(last), rel=1e-12)
    only = simulate(Quadratic.diagonal([1.0]), GradientDescent(10.0), [1.0], 1000, record="loss")
    assert only.diverged_at == expected
    assert np.isnan(only.theta).all()
    assert np.isinf(only.loss[expected:]).all()


def test_runs_diverge_one_by_one():
    rates = np.array([[0.1], [3.0], [10.0], [1e200]])
    found = simulate(Quadratic.diagonal([1.0]), GradientDescent(rates), [1.0], 600, record="path")
    expected = [-1, math.ceil(150 / math.log10(2)), math.ceil(150 / math.log10(9)), 1]
    assert found.diverged_at.tolist() == expected
    for run, step in enumerate(expected):
        finite = np.isfinite(found.theta[:, run, 0])
        assert finite.tolist() == [step < 0 or k < step for k in range(601)]
    assert found.theta[-1, 0, 0] == pytest.approx(0.9**600, rel=1e-11)


def test_a_velocity_that_overflows_counts_too():
    found = simulate(Quadratic.diagonal([-1.0]), HeavyBall(5.0, 0.9), [1e-3], 500)
    assert 0 < found.diverged_at < 500
    nan = simulate(Quadratic.diagonal([1e300]), GradientDescent(1e300), [1.0], 40)
    assert nan.diverged_at == 1


@each("steps", [1, 2, 31, 32, 33, 63, 64, 65, 96])
def test_divergence_at_the_edges_of_a_block(steps):
    """The look for divergence comes every 32 steps; the step found does not depend on it."""
    growth = 10.0 ** (150.5 / steps)
    found = simulate(Quadratic.diagonal([1.0]), GradientDescent(1 + growth), [1.0], 100)
    assert found.diverged_at == steps
    whole = simulate(Quadratic.diagonal([1.0]), GradientDescent(1 + growth), [1.0], steps)
    assert whole.diverged_at == steps
    before = simulate(Quadratic.diagonal([1.0]), GradientDescent(1 + growth), [1.0], steps - 1)
    assert before.diverged_at is None


def test_no_warnings_while_numbers_overflow():
    simulate(
        PROBLEM, HeavyBall(1e100, 1.0), np.ones(3), 300, record="path"
    )  # warnings are errors here


# -- rules that misbehave ------------------------------------------------------------------------


class InPlace(Optimizer):
    learning_rate: Positive

    def step(self, problem, t, theta):
        theta -= self.learning_rate * problem.gradient(theta)
        return theta


class Short(Optimizer):
    learning_rate: Positive

    def step(self, problem, t, theta, velocity):
        return theta


class Nothing(Optimizer):
    learning_rate: Positive

    def step(self, problem, t, theta):
        problem.gradient(theta)


@each(
    ("cls", "words"),
    [(InPlace, "in place"), (Short, "must return 2: theta, velocity"), (Nothing, "return missing")],
)
@each("record", ["path", [50]])
def test_rules_that_misbehave_are_told_so(cls, words, record):
    with pytest.raises(InputError, match=words):
        simulate(PROBLEM, cls(0.1), np.ones(3), 50, record=record)


def test_the_start_is_not_changed():
    start = np.ones((2, 3))
    simulate(PROBLEM, HeavyBall(0.1), start, 10)
    assert np.array_equal(start, np.ones((2, 3)))


# -- size ----------------------------------------------------------------------------------------


def test_a_million_parameters():
    size = 10**6
    values = np.linspace(0.1, 1.0, size)
    found = simulate(Quadratic.diagonal(values), HeavyBall(1.0, 0.5), np.ones(size), 12)
    assert found.theta.shape[1] == size
    assert len(found.recorded) <= 13
    one = simulate(Quadratic.diagonal([0.1]), HeavyBall(1.0, 0.5), [1.0], 12).theta[-1, 0]
    assert found.theta[-1, 0] == pytest.approx(one, rel=1e-13)


def test_a_large_sparse_problem():
    size = 50_000
    off = -np.ones(size - 1)
    laplacian = scipy.sparse.diags_array([off, 4 * np.ones(size), off], offsets=[-1, 0, 1]).tocsr()
    problem = Quadratic(laplacian, np.ones(size))
    found = simulate(problem, Nesterov(0.2, 0.5), np.zeros(size), 60, record=[60])
    assert np.abs(problem.gradient(found.theta[-1])).max() < 1e-6


# -- bad input -----------------------------------------------------------------------------------


@each("steps", [-1, 1.5, "10", None, True, 10**13, math.inf])
def test_bad_numbers_of_steps(steps):
    with pytest.raises(InputError, match="steps must be a whole number"):
        simulate(PROBLEM, GradientDescent(0.1), np.ones(3), steps)


@each(
    ("start", "words"),
    [
        ([1.0], r"start must have shape \(..., 3\), got \(1,\)"),
        (1.0, "start must have shape"),
        (np.ones((2, 4)), "start must have shape"),
        ([1.0, math.nan, 1.0], "not finite"),
        ([1.0, math.inf, 1.0], "not finite"),
        (["a", "b", "c"], "start must hold numbers"),
        ([[1.0, 2.0, 3.0], [1.0]], "start must hold numbers"),
        ([1e200, 0.0, 0.0], "beyond"),
    ],
    ids=str,
)
def test_bad_starts(start, words):
    with pytest.raises(InputError, match=words):
        simulate(PROBLEM, GradientDescent(0.1), start, 3)


@each("record", ["all", [], [-1], [11], [1.5], ["a"], [math.nan]])
def test_bad_records(record):
    with pytest.raises(InputError, match="record must"):
        simulate(PROBLEM, GradientDescent(0.1), np.ones(3), 10, record=record)


def test_records_that_cannot_be_kept_are_refused_before_they_are_allocated():
    with pytest.raises(InputError, match="record"):
        simulate(PROBLEM, GradientDescent(0.1), np.ones(3), 10**12, record="path")
    with pytest.raises(InputError, match="record"):
        simulate(PROBLEM, GradientDescent(0.1), np.ones(3), 10**12, record="loss")


def test_other_bad_input():
    with pytest.raises(InputError, match=r"must be an Optimizer instance.*use tune"):
        simulate(PROBLEM, GradientDescent, np.ones(3), 10)
    with pytest.raises(InputError, match="the runs do not match"):
        simulate(PROBLEM, GradientDescent(np.full((2, 1), 0.1)), np.ones((3, 3)), 10)
