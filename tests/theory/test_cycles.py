"""Cycles of rules with steps of a fixed size, against long runs and against formulas by hand."""

from __future__ import annotations

import numpy as np
import pytest

import convex_analyzer as ca
from convex_analyzer.theory.cycles import rmsprop_cycle, sign_cycle

TILTED = np.array([[2.0, 0.6], [0.6, 1.0]])


def _ended(problem, rule, steps=3000):
    start = np.array([1.0, 0.7])[: problem.dimension]
    run = ca.simulate(problem, rule, start, steps, record="loss")
    return run.theta[-1] - problem.minimizer, float(run.loss[-1]) - problem.minimum


@pytest.mark.parametrize("inside", [False, True])
def test_rmsprop_ends_where_the_formula_says(inside):
    alpha, epsilon = 0.05, 1e-3
    for A in (np.diag([0.5, 3.0]), TILTED):
        problem = ca.Quadratic(A)
        rule = ca.RMSProp(alpha, decay=0.9, epsilon=epsilon, epsilon_inside=inside)
        point, gap = _ended(problem, rule)
        away = rmsprop_cycle(problem, rule, point)
        assert away @ A @ away / 2 == pytest.approx(gap, rel=1e-6)
    rule = ca.RMSProp(alpha, decay=0.9, epsilon=0.0)
    signs = np.sign(_ended(ca.Quadratic(TILTED), rule)[0])
    away = rmsprop_cycle(ca.Quadratic(TILTED), rule, alpha / 2 * signs)
    assert away @ TILTED @ away / 2 == pytest.approx(alpha**2 * signs @ TILTED @ signs / 8)


def test_epsilon_shrinks_the_cycle_in_one_dimension():
    lam, alpha, epsilon = 2.0, 0.1, 0.01
    problem, point = ca.Quadratic.diagonal([lam]), np.array([alpha / 2])
    outside = ca.RMSProp(alpha, decay=0.9, epsilon=epsilon, epsilon_inside=False)
    assert rmsprop_cycle(problem, outside, point)[0] == pytest.approx(alpha / 2 - epsilon / lam)
    tiny = 1e-4
    within = ca.RMSProp(alpha, decay=0.9, epsilon=tiny, epsilon_inside=True)
    by_hand = np.sqrt(alpha**2 / 4 - tiny / lam**2)
    assert rmsprop_cycle(problem, within, point)[0] == pytest.approx(by_hand)


def test_what_has_no_cycle_has_none():
    problem, point = ca.Quadratic.diagonal([1.0]), np.array([0.05])
    for rule in (ca.RMSProp(0.1, momentum=0.5), ca.RMSProp(0.1, centered=True),
                 ca.RMSProp(0.1, weight_decay=0.1)):  # fmt: skip
        assert rmsprop_cycle(problem, rule, point) is None
    rule = ca.RMSProp(0.1, decay=0.9, epsilon=0.0)
    assert rmsprop_cycle(ca.Quadratic(TILTED), rule, np.array([0.5, 0.5])) is None  # on its way
    wrong = np.array([[1.0, 2.0], [2.0, 5.0]])
    assert rmsprop_cycle(ca.Quadratic(wrong), rule, np.array([0.05, -0.05])) is None


def test_sign_descent_jumps_between_two_points():
    rule = ca.optimizers.find("SignSGD")(0.1)
    problem = ca.Quadratic(np.diag([0.5, 3.0]))
    point, gap = _ended(problem, rule, 400)
    there, back = sign_cycle(problem, rule, point)
    assert there @ problem.gradient(there) / 2 == pytest.approx(gap)
    further = ca.simulate(problem, rule, there, 1).theta[-1]
    assert further == pytest.approx(back)
    assert sign_cycle(problem, rule, np.array([5.0, 5.0])) is None
    scheduled = ca.optimizers.find("SignSGD")(ca.schedules.InverseTime(0.1, 1.0))
    assert sign_cycle(problem, scheduled, point) is None
