"""Comparisons on large problems: the same numbers, some coordinates at a time."""

from __future__ import annotations

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.comparison import compare, confirmation, running, slices
from convex_analyzer.simulation.engine import simulate
from convex_analyzer.theory import sensitivity as sensitivity_module
from convex_analyzer.theory.sensitivity import sensitivity

RULES = (ca.GradientDescent(0.4), ca.HeavyBall(0.4, 0.8), ca.Nesterov(0.2, 0.6))
ROWS = np.array([0, 1, 7, 30])


@pytest.fixture
def problem(monkeypatch):
    """Return a diagonal problem in no order, with a slope, that is run in three slices."""
    monkeypatch.setattr(slices, "WIDTH", 16_384)
    rng = np.random.default_rng(3)
    size = 2 * slices.WIDTH + 7
    return ca.Quadratic.diagonal(
        rng.permutation(np.geomspace(1e-3, 4.0, size)), rng.normal(size=size), 2.0
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule).__name__)
def test_a_run_in_slices_is_the_run(problem, rule):
    start, told = np.linspace(-1, 1, problem.dimension), []
    whole = simulate(problem, rule, start, 30, record=ROWS)
    run = slices.simulate_in_slices(problem, rule, start, 30, ROWS, told.append)
    assert np.array_equal(run.theta, whole.theta)
    assert run.loss == pytest.approx(whole.loss, rel=1e-12)
    assert all(np.array_equal(a, b) for a, b in zip(run.state, whole.state, strict=True))
    assert sum(told) == 30

    analysis = ca.analyze(problem, rule)
    sizes, away, response = confirmation._measured(analysis, run, start)
    predicted = analysis.predict(start, ROWS)
    assert np.array_equal(sizes, np.abs(run.theta).max(axis=1))
    assert away == pytest.approx(np.abs(run.theta - predicted).max(axis=1), abs=1e-15)
    # A constant error of 1 in every gradient, from 0: the run with b = 1.
    pushed = ca.Quadratic.diagonal(problem.operator.diagonal, np.ones(problem.dimension))
    follows = simulate(pushed, rule, np.zeros(problem.dimension), 30, record=ROWS)
    assert response == pytest.approx(np.abs(follows.theta).max(axis=1), rel=1e-12)


def test_what_is_not_made_in_slices(problem):
    start = np.ones(problem.dimension)
    small = ca.Quadratic.diagonal([1.0, 2.0])
    assert slices.simulate_in_slices(small, RULES[0], np.ones(2), 3, ROWS[:2], None) is None
    wild = ca.GradientDescent(3.0)  # the steepest coordinate grows by 11 a step
    assert slices.simulate_in_slices(problem, wild, start, 400, np.array([0, 400]), None) is None
    (entry,) = compare(problem, wild)
    assert entry.status == "confirmed"
    assert entry.analysis.outcome == "unstable"


def test_where_a_step_is_dear_fewer_are_checked(monkeypatch):
    monkeypatch.setattr(running, "PREFIX_WORK", 1.0)
    (entry,) = compare(
        ca.Quadratic.diagonal([1e-7, 1.0]), [ca.GradientDescent(1.0)], tolerance=1e-12
    )
    assert entry.steps[-1] == running.SHORTEST
    assert entry.status == "confirmed"
    assert not entry.complete
    assert entry.reason.endswith("the first 100 are held against theory")


def test_some_of_very_many_eigenvalues_tell_what_a_wrong_end_costs(monkeypatch):
    values = np.geomspace(1.0, 50.0, 3000)
    every = sensitivity(ca.Spectrum.from_eigenvalues(values), ca.HeavyBall)
    monkeypatch.setattr(sensitivity_module, "MANY", 100)
    monkeypatch.setattr(sensitivity_module, "_STAND", 200)
    some = sensitivity(ca.Spectrum.from_eigenvalues(values), ca.HeavyBall)
    assert some.margin == every.margin
    for few, all_ in zip(some.truths, every.truths, strict=True):
        assert (few.rate, few.best_rate) == (all_.rate, all_.best_rate)
        assert (few.steps, few.best_steps) == (all_.steps, all_.best_steps)
